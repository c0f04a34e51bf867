package analysis_test

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

func TestDiscardedDatagramsAreCountedByReason(t *testing.T) {
	discard := func(at, reason string, packets uint64) record.Discard {
		return record.Discard{At: at, Reason: reason, Count: record.Count{Packets: packets, Bytes: 1000 * packets}}
	}
	m := made{run: record.Run{Virtual: time.Second, Discarded: []record.Discard{
		discard("client", record.DiscardNoPort, 3), discard("server", record.DiscardNoPort, 4), discard("server", record.DiscardBufferFull, 1),
		discard("r", record.DiscardNoRoute, 2),
	}}}
	want(t, m.metrics(t), map[string]float64{
		"run.discarded.no_port":       7,
		"run.discarded.buffer_full":   1,
		"run.discarded.wrong_address": 0,
		"run.discarded.no_route":      2,
	})
	want(t, m.in(t, 0, 500*ms), map[string]float64{"run.discarded.no_port": none}) // when they were is not known
	want(t, made{}.metrics(t), map[string]float64{"run.discarded.no_port": 0})
}

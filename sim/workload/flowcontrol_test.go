package workload_test

import (
	"fmt"
	"testing"

	"github.com/wtsim/wtsim/sim/record"
)

func TestTheWindowOfASessionBoundsItsRate(t *testing.T) {
	const window = 20_000
	for _, kind := range []string{"download", "upload"} {
		r := complete(t, pair+fmt.Sprintf(`
quic = { initial_session_window = "%dB", max_session_window = "%dB" }
flows.bulk = { kind = %q, size = "400KB", streams = 4 }`, window, window, kind))
		started, ended := r.only(record.EventFlowStarted, "flows.bulk", ""), r.finished("flows.bulk")
		// Never more than a window a round trip. Up to a quarter of it is credit that the sender does not have yet.
		least := 400_000 / window * 2 * oneWay
		if took := ended.Time - started.Time; took < least || took > least*4/3 {
			t.Errorf("seed %d: the %s took %v, want %v to a third more", r.seed, kind, took, least)
		}
	}
}

func TestPooledSessionsHaveEqualSharesWhateverTheirStreams(t *testing.T) {
	r := complete(t, pair+`
connection = "shared"
flows.few = { kind = "download", duration = "4s", streams = 1 }
[sessions.other]
client = "client"
server = "server"
connection = "shared"
flows.many = { kind = "download", duration = "4s", streams = 20 }`, "links.path.queue=1BDP")
	few, many := r.finished("flows.few").Value, r.finished("flows.many").Value
	if ratio := float64(few) / float64(many); ratio < 0.95 || ratio > 1.05 {
		t.Errorf("seed %d: one stream got %d bytes, 20 streams of another session %d", r.seed, few, many)
	}
	if total := float64(few+many) * 8 / 4; total < 16e6 {
		t.Errorf("seed %d: both got %.3g bit/s of 20 Mbit/s", r.seed, total)
	}
}

func TestWithoutFlowControlAConnectionCarriesOneSession(t *testing.T) {
	for _, end := range []string{"client", "server"} {
		r := complete(t, pair+fmt.Sprintf(`
connection = "shared"
flows.bulk = { kind = "download", size = "100KB" }
[sessions.other]
client = "client"
server = "server"
connection = "shared"
flows.refused = { kind = "download", size = "100KB" }
[hosts.%s.quic]
session_flow_control = false`, end))
		r.delivers("flows.bulk", 100_000)
		r.failed("flows.refused", "too many sessions")
	}
}

package run

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/sim/record"
)

// varied has values for many kinds of metrics.
const varied = `
time_limit = "20s"
[hosts.a]
[hosts.b]
[links.l]
between = ["b", "a"]
rate = "10Mbit/s"
delay = "10ms"
queue = { kind = "codel", ecn = true }
loss = 0.01
duplicate = 0.01
[traffic.web]
from = "b"
to = "a"
kind = "poisson"
rate = "1Mbit/s"
[sessions.s]
client = "a"
server = "b"
count = 2
close = { at = "3s" }
flows.down = { kind = "download", size = "500KB" }
flows.voice = { kind = "media" }
flows.ping = { kind = "echo" }
`

// metricsWithout returns the metrics of the varied run, recorded without tables.
func metricsWithout(t *testing.T, without ...record.Table) (analysis.Metrics, *record.Recording) {
	t.Helper()
	r := real(t, varied)
	r.Without = without
	result := do(t, r)
	if got := result.Unrecorded(); !slices.Equal(got, without) {
		t.Fatalf("seed 1: %v were not recorded, want %v", got, without)
	}
	for _, table := range record.Tables() {
		_, err := os.Stat(filepath.Join(result.Dir, string(table)+".parquet"))
		if exists := err == nil; exists == slices.Contains(without, table) {
			t.Errorf("seed 1: without %v there is a file of %s: %t", without, table, exists)
		}
	}
	recording, err := record.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := analysis.Compute(recording)
	if err != nil {
		t.Fatal(err)
	}
	return metrics, recording
}

func TestMetricsDoNotDependOnTablesThatTheyDoNotNeed(t *testing.T) {
	whole, _ := metricsWithout(t)
	for _, c := range []struct {
		without    []record.Table
		kept, gone []string
	}{
		{[]record.Table{record.TablePackets},
			[]string{"links.l.forward.utilisation", "links.l.forward.loss_ratio", "links.l.forward.dropped.loss", "links.l.forward.goodput_ratio", "links.l.reverse.bytes", "sessions.s.flows.down.goodput.mean"},
			[]string{"links.l.forward.queue_delay.p50", "links.l.forward.queue.max", "links.l.forward.ce_ratio"}},
		{[]record.Table{record.TableSeries},
			[]string{"links.l.forward.throughput", "links.l.forward.queue_delay.p50", "sessions.s-1.flows.down.completion_time", "connections.s-2.server.packets_lost", "traffic.web.rate"},
			[]string{"links.l.forward.utilisation", "sessions.s-1.flows.down.goodput", "sessions.s.flows.down.goodput.mean", "connections.s-1.server.cwnd.max", "traffic.web.delay.p50", "fairness.jain"}},
		{[]record.Table{record.TableEvents},
			[]string{"links.l.forward.utilisation", "links.l.forward.queue_delay.p50", "connections.s-1.server.rtt.p50", "connections.s-1.server.packets_sent", "traffic.web.loss_ratio"},
			[]string{"sessions.s-1.setup.duration", "sessions.s-1.flows.down.goodput", "connections.s-2.server.packets_lost", "traffic.web.rate"}},
		{record.Tables(),
			[]string{"run.duration", "links.l.forward.loss_ratio", "connections.s-1.server.packets_sent", "traffic.web.sent"},
			[]string{"links.l.forward.utilisation", "sessions.s-1.flows.down.bytes"}},
	} {
		got, recording := metricsWithout(t, c.without...)
		for _, m := range got {
			if want, ok := whole.Get(m.Name); !ok || m.Value != want.Value {
				t.Errorf("seed 1: without %v, %s is %v, with all tables %v", c.without, m.Name, m.Value, want.Value)
			}
		}
		for _, name := range c.kept {
			if _, ok := got.Get(name); !ok {
				t.Errorf("seed 1: without %v, %s is missing", c.without, name)
			}
		}
		for _, name := range c.gone {
			_, ok := got.Get(name)
			if _, known := whole.Get(name); ok || !known {
				t.Errorf("seed 1: without %v, there is %s: %t, with all tables: %t", c.without, name, ok, known)
			}
		}
		shown, err := figure.FromRecording(recording)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := figure.Save(figure.All(shown), filepath.Join(recording.Dir(), "figures"), figure.TwoColumns, figure.SVG, figure.PNG, figure.CSV); err != nil {
			t.Errorf("seed 1: without %v, figures: %v", c.without, err)
		}
	}
}

func TestPacketsThatWereNotRecordedCannotBeCompared(t *testing.T) {
	_, whole := metricsWithout(t)
	_, without := metricsWithout(t, record.TablePackets)
	if _, _, err := record.FirstDifference(whole, without); err == nil || !strings.Contains(err.Error(), "was recorded without packets") {
		t.Errorf("seed 1: error %v", err)
	}
}

package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/sim/record"
)

// metric returns a metric of an entity.
func metric(entity, suffix string, value float64, unit string) analysis.Metric {
	return analysis.Metric{Name: entity + "." + suffix, Entity: entity, Value: value, Unit: unit}
}

// plain replaces spaces that break no line.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

var oneLink = record.Run{Links: []record.Link{{Name: "access", Between: [2]string{"server", "client"}}}}

func TestTheThroughputIsSaidOfTheLargestFlowsAndTheBusiestLink(t *testing.T) {
	flow := func(name string, rate float64) analysis.Metric {
		return metric("flows."+name, "goodput", rate, "bit/s")
	}
	for _, test := range []struct {
		metrics analysis.Metrics
		want    string
	}{
		{nil, ""},
		{analysis.Metrics{flow("bulk", 15.4e6)}, "The flow bulk got 15.4 Mbit/s."},
		{analysis.Metrics{flow("ping", 8e3), flow("bulk", 15.4e6), flow("voice", 64e3)}, "The flow bulk got 15.4 Mbit/s, voice 64.0 kbit/s and ping 8.00 kbit/s."},
		{analysis.Metrics{flow("a", 1e6), flow("b", 2e6), flow("c", 3e6), flow("d", 4e6), flow("e", 5e6)},
			"The flow e got 5.00 Mbit/s, d 4.00 Mbit/s, c 3.00 Mbit/s and 2 other flows no more."},
		{analysis.Metrics{metric("sessions.main.flows.bulk", "goodput.mean", 5e6, "bit/s")}, "Each flow bulk of main got 5.00 Mbit/s on average."},
		{analysis.Metrics{flow("bulk", 1e6), metric("links.access.forward", "utilisation", 0.88, "1"), metric("links.access.reverse", "utilisation", 0.07, "1")},
			"The flow bulk got 1.00 Mbit/s. The busiest link, access, server → client, was used to 88 %."},
		{analysis.Metrics{metric("links.access.reverse", "utilisation", 0.5, "1")}, "The busiest link, access, client → server, was used to 50 %."},
	} {
		if got := plain(throughputSentence(oneLink, test.metrics)); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestTheDelayIsSaidAgainstTheLeastAndWhereItArises(t *testing.T) {
	end := "connections.main.server"
	metrics := analysis.Metrics{
		metric(end, "rtt.p95", 0.120, "s"), metric(end, "rtt.p50", 0.050, "s"), metric(end, "rtt.min", 0.040, "s"),
		metric("links.access.forward", "queue_delay.max", 0.099, "s"), metric("links.access.forward", "queue_delay.p95", 0.080, "s"),
	}
	const want = "The RTT of main at the server was 50.0 ms in the median and 120 ms at the 95th percentile, 3.00 times the least of 40.0 ms. " +
		"Datagrams waited up to 99.0 ms in the queue of access, server → client (95th percentile 80.0 ms)."
	if got := plain(delaySentence(oneLink, metrics)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := delaySentence(oneLink, nil); got != "" {
		t.Errorf("without metrics: %q", got)
	}
}

func TestSetUpAndTeardownAreSaidByTheirPhases(t *testing.T) {
	metrics := analysis.Metrics{
		metric("sessions.main", "setup.duration", 0.0875, "s"), metric("sessions.main", "setup.handshake", 0.045, "s"), metric("sessions.main", "setup.connect", 0.0425, "s"),
		metric("sessions.main", "teardown.duration", 0.0402, "s"), metric("sessions.main", "teardown.notified", 0.0201, "s"),
	}
	const want = "Session main was established 87.5 ms after it was dialled (QUIC handshake 45.0 ms, CONNECT 42.5 ms). " +
		"The teardown of main took 40.2 ms; the peer was notified after 20.1 ms."
	if got := plain(timelineSentence(metrics)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	group := analysis.Metrics{metric("sessions.main", "setup.duration.mean", 0.1, "s")}
	if got := plain(timelineSentence(group)); got != "A session of main was established on average 100 ms after it was dialled." {
		t.Errorf("of a group: %q", got)
	}
}

func TestAVerdictIsAsBadAsWhatHappened(t *testing.T) {
	for _, test := range []struct {
		name            string
		run             record.Run
		failed          int
		level, headline string
	}{
		{"all well", record.Run{Ended: record.Complete}, 0, "good", "Complete: every task finished within 5.00 s of virtual time."},
		{"a failure", record.Run{Ended: record.Complete}, 1, "bad", "Finished after 5.00 s of virtual time, with failures."},
		{"no time left", record.Run{Ended: record.TimeLimit, Unfinished: []string{"a", "b"}}, 0, "warn", "Ended at its time limit of 5.00 s with 2 tasks unfinished."},
		{"no progress", record.Run{Ended: record.Stalled}, 0, "bad", "Stalled after 5.00 s: nothing could make progress any more."},
		{"an error", record.Run{Ended: record.Failed}, 0, "bad", "Failed after 5.00 s of virtual time."},
		{"of another version", record.Run{Ended: "paused"}, 0, "warn", `Ended as "paused" after 5.00 s of virtual time.`},
	} {
		test.run.Virtual = 5 * time.Second
		v := judge(outcome{run: test.run, failed: test.failed})
		if v.Level != test.level || v.Headline != test.headline {
			t.Errorf("%s: %s, %q; want %s, %q", test.name, v.Level, v.Headline, test.level, test.headline)
		}
	}
}

func TestAVerdictOnSeveralRunsNeverSaysMoreThanAllOfThem(t *testing.T) {
	full := outcome{run: record.Run{Ended: record.Complete, Determinism: record.Sealed, Rows: map[record.Table]int64{}}}
	for _, t := range record.Tables() {
		full.run.Rows[t] = 1
	}
	bare, broken := full, full
	bare.run.Rows = nil
	broken.failed = 1
	if got := judgeAll([]outcome{full, broken, full}).Headline; got != "All 3 runs finished, 1 with failures." {
		t.Errorf("of a run with a failure: %q", got)
	}
	v := judgeAll([]outcome{full, bare})
	for _, want := range []string{failuresInWords(bare), missingInWords(bare.run)[0]} {
		if !slices.Contains(v.Lines, want) {
			t.Errorf("of a run without tables after one with all: %q; want %q", v.Lines, want)
		}
	}
	v.add([]expect.Verdict{{Status: expect.Failed}})
	if v.Level != "bad" || v.Headline != "All 2 runs complete; 1 expectation failed." {
		t.Errorf("with an expectation that failed: %s, %q", v.Level, v.Headline)
	}
}

func TestListsSayHowMuchTheyLeaveOut(t *testing.T) {
	lines := strings.Split(strings.Repeat("x ", 12), " ")[:12]
	got := bounded("Unfinished", lines, 30).Lines
	if len(got) != mostLines+1 || got[mostLines] != "… and 20 more" {
		t.Errorf("%q", got)
	}
}

func TestTheCommandIsQuotedForAShell(t *testing.T) {
	run := record.Run{Name: "a b/c", Seed: 7, Overrides: []string{"links.access.rate=5Mbit/s", `links.access.queue={kind="fifo"}`, "name=it's"}}
	const want = `wtsim run a-b-c.toml --seed 7 --set links.access.rate=5Mbit/s --set 'links.access.queue={kind="fifo"}' --set 'name=it'\''s'`
	if got := command(run); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func FuzzHighlightingChangesNoText(f *testing.F) {
	for _, text := range []string{"", twoHosts, "a = 'x # y' # z", "[t] # c\r\n\tk=1", "\"a=b\" = \"\\\"#\"", "x\n\n", "# é"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b strings.Builder
		for _, token := range highlight(text) {
			b.WriteString(token.Text)
		}
		if b.String() != text {
			t.Errorf("%q became %q", text, b.String())
		}
	})
}

func TestAFigureThatIsTooLargeForThePageIsLeftOut(t *testing.T) {
	drawn := picture{SVG: "1234567890", Narrow: "12345"}
	curve := picture{SVG: "1234567890", Charts: 1, charts: []chart{{Name: "x"}}}
	r := &room{figures: 20, paper: 5}
	if p := drawn; !r.take(&p) || r.figures != 5 {
		t.Errorf("a picture of 15 bytes leaves %d of 20", r.figures)
	}
	if p := drawn; r.take(&p) {
		t.Error("a picture of 15 bytes has room in 5")
	}
	r.figures = 1000
	if p := curve; !r.take(&p) || p.SVG != "" || r.paper != 5 {
		t.Errorf("a figure whose picture has no room on paper: %q, %d left", p.SVG, r.paper)
	}
	r.paper = 10
	if p := curve; !r.take(&p) || p.SVG != curve.SVG || r.paper != 0 {
		t.Errorf("a figure whose picture has room on paper: %q, %d left", p.SVG, r.paper)
	}
}

package check

import (
	"errors"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/internal/claim"
	"github.com/wtsim/wtsim/internal/formula"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// made returns a report with one scenario of each kind: of the suite links one that
// passed as its baseline did, one that failed and became worse, one with a known
// deviation, and of the suite paths one whose run failed, one that became better and one
// without expectations; and one that was left out.
func made(t *testing.T) *Report {
	t.Helper()
	parse := func(text string) *formula.Formula {
		f, err := formula.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	scenarioOf := func(suite, name string) Scenario {
		return Scenario{
			Case:  Case{Path: "scenarios/" + suite + "/" + name + ".toml", Suite: suite, Scenario: &scenario.Scenario{Name: name, Description: "It shows " + name + "."}},
			Seeds: []uint64{1, 2, 3},
			Runs:  []Outcome{{Info: record.Run{Wall: 500 * time.Millisecond}}, {Info: record.Run{Wall: 250 * time.Millisecond}}, {Info: record.Run{Wall: 9 * time.Second}, Cached: true}},
		}
	}
	goodput := func(status expect.Status, measured float64) expect.Verdict {
		return expect.Verdict{
			Expectation: expect.Expectation{Metric: "flows.bulk.goodput", Min: parse("0.9 * links.access.rate"), Seeds: 1},
			Status:      status, Unit: "bit/s", Measured: measured, Low: 18e6, High: inf, Margin: measured - 18e6, Seed: 2, N: 3,
		}
	}
	change := func(metric, unit string, before, now, low, high float64, verdict baseline.Verdict) baseline.Change {
		return baseline.Change{
			Metric: metric, Unit: unit, Base: stat.Summary{Mean: stat.Estimate{Value: before, N: 3}}, Now: stat.Summary{Mean: stat.Estimate{Value: now, N: 3}},
			Difference: stat.Difference{Estimate: stat.Estimate{Value: now - before, N: 3, Interval: stat.Interval{Low: low, High: high, Confidence: 0.99, Method: stat.Student}}, P: 0.001},
			Verdict:    verdict,
		}
	}

	passed := scenarioOf("links", "buffers")
	passed.Verdicts = []expect.Verdict{goodput(expect.Passed, 19.1e6)}
	passed.Baseline = &baseline.Comparison{Identical: true, Common: 3}

	failed := scenarioOf("links", "loss")
	failed.Verdicts = []expect.Verdict{goodput(expect.Failed, 12e6), {
		Expectation: expect.Expectation{Metric: "flows.bulk.completion_time", Max: parse("4s"), Over: claim.Claim{Statistic: claim.Mean}, Seeds: 5},
		Status:      expect.Failed, Why: "it takes 5 seeds; there are 3", N: 3, Seed: 1,
	}}
	failed.Baseline = &baseline.Comparison{Common: 3, Missing: []string{"flows.bulk.first_byte.p95"}, Changes: []baseline.Change{
		change("flows.bulk.goodput", "bit/s", 19e6, 12e6, -7.5e6, -6.5e6, baseline.Worse),
		change("links.access.forward.queue_delay.p95", "s", 0.040, 0.030, -0.012, -0.008, baseline.Better),
		change("links.access.forward.loss_ratio", "1", 0, 0.02, -0.01, 0.05, baseline.Unsure),
		change("sessions.main.setup.duration", "s", 0.1, 0.1001, 0.0001, 0.0001, baseline.Negligible),
	}}

	known := scenarioOf("links", "window")
	deviates := goodput(expect.Known, 15e6)
	deviates.Expectation.Known = "quic-go's window is at most 10,000 packets"
	gone := goodput(expect.Gone, 18.5e6)
	gone.Expectation.Known = "quic-go waits | too long"
	gone.Window = analysis.Window{From: time.Second, To: 2 * time.Second}
	known.Verdicts = []expect.Verdict{deviates}

	broken := scenarioOf("paths", "it's broken")
	broken.Runs = []Outcome{{Info: record.Run{Wall: time.Second}}, {Err: errors.New("stalled at 2s:\nno packet is under way")}, {}}

	better := scenarioOf("paths", "shorter")
	better.Verdicts = []expect.Verdict{goodput(expect.Passed, 18e6)}
	better.Baseline = &baseline.Comparison{Common: 3, New: []string{"fairness.jain"}, Changes: []baseline.Change{
		change("flows.bulk.goodput", "bit/s", 18e6, 19e6, 0.9e6, 1.1e6, baseline.Better),
	}}

	gonePath := scenarioOf("paths", "mended")
	gonePath.Verdicts = []expect.Verdict{gone}
	gonePath.Baseline = &baseline.Comparison{Scenario: true, Common: 3}

	return &Report{
		Scenarios: []Scenario{passed, failed, known, broken, better, scenarioOf("paths", "plain"), gonePath},
		LeftOut:   []string{"scenarios/paths/long-way.toml"}, Short: true, Wall: 12340 * time.Millisecond,
		Versions: record.Versions{Wtsim: "v1.2.3", QUICGo: "v0.65.0", Go: "go1.26.0", OS: "linux", Arch: "amd64"},
	}
}

package expect

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

const network = `
time_limit = "30s"

[links.access]
between = ["server", "client"]
rate = "20Mbit/s"
delay = "20ms"
queue.limit = "2BDP"

[links.access.reverse]
rate = "5Mbit/s"
delay = "30ms"

[sessions.main.flows.bulk]
size = "16MB"
`

// runOf returns the description of a run with expectations.
func runOf(t *testing.T, expectations string) *record.Run {
	t.Helper()
	text, err := json.Marshal(network + expectations)
	if err != nil {
		t.Fatal(err)
	}
	return &record.Run{Scenario: text}
}

// seedsWith returns runs of the seeds 1, 2, … whose goodput is so many Mbit/s, and
// in the second from 1s on a tenth of that; the other flow has always 4.
func seedsWith(goodputs ...float64) []Run {
	metrics := func(mbits float64) part {
		return part{metrics: analysis.Metrics{
			{Name: "flows.bulk.goodput", Value: 1e6 * mbits, Unit: "bit/s"},
			{Name: "flows.other.goodput", Value: 4e6, Unit: "bit/s"},
			{Name: "flows.bulk.bytes", Value: 2e6, Unit: "B"},
		}}
	}
	var runs []Run
	for i, g := range goodputs {
		runs = append(runs, Run{Seed: uint64(i + 1), parts: map[analysis.Window]part{
			{}:                                       metrics(g),
			{From: time.Second, To: 2 * time.Second}: metrics(g / 10),
			{From: time.Hour}:                        {misfit: errors.New("it begins after the run")},
		}})
	}
	return runs
}

// verdict judges one expectation.
func verdict(t *testing.T, expectation string, goodputs ...float64) Verdict {
	t.Helper()
	verdicts, err := Judge(runOf(t, "[[expect]]\n"+expectation), seedsWith(goodputs...))
	if err != nil {
		t.Fatal(err)
	}
	if len(verdicts) != 1 {
		t.Fatalf("%d verdicts", len(verdicts))
	}
	return verdicts[0]
}

func TestBoundsAreFormulasOverTheScenarioTheLawsAndOtherMetrics(t *testing.T) {
	inf := math.Inf(1)
	for text, want := range map[string]struct{ low, high float64 }{
		`min = "0.5 * links.access.rate"`:                     {10e6, inf},
		`min = "links.access.reverse.rate"`:                   {5e6, inf},
		`max = "links.access.bdp / 1s"`:                       {-inf, 1e6},       // 20 Mbit/s · 50 ms
		`max = "links.access.reverse.bdp / links.access.rtt"`: {-inf, 5e6},       // the rate again
		`max = "links.access.queue.limit / 1s"`:               {-inf, 2e6},       // 2 BDP
		`max = "links.access.reverse.queue.limit / 1s"`:       {-inf, 500e3},     // 2 BDP of 5 Mbit/s · 50 ms
		`max = "flows.bulk.size / 8s"`:                        {-inf, 16e6},      // of the scenario
		`min = "2 * flows.other.goodput"`:                     {8e6, inf},        // a metric
		`max = "measured.flows.bulk.bytes / time_limit"`:      {-inf, 16e6 / 30}, // both
		`equals = "12Mbit/s"` + "\n" + `within = "5%"`:        {11.4e6, 12.6e6},
		`equals = "12Mbit/s"` + "\n" + `within = "100kbit/s"`: {11.9e6, 12.1e6},
		`equals = 3`: {},
		`max = "law.random_loss(0.001, 100ms, 1252B)"`:                      {-inf, 5545245},
		`max = "law.periodic_loss(100, 100ms, 1252B)"` + "\n" + `min = 0`:   {},
		`max = "law.serialisation(1MB, 8Mbit/s) * 1Mbit/s / 1s"`:            {-inf, 1e6},
		`max = "law.pto(100ms, 12ms, 25ms, 1) * 1Mbit/s / 1s"`:              {-inf, 346e3},
		`min = "(law.utilisation(2) + law.blocking(1, 9)) * 1Mbit/s"`:       {1.1e6, inf},
		`min = "(law.md1(0.5, 1s) + law.mm1(0.5, 1s)) * 2Mbit/s / 1s"`:      {3e6, inf},
		`min = "law.codel_drops(100ms, 150ms) * 1Mbit/s"`:                   {3e6, inf},     // at 0, 100 and 150 ms
		`max = "law.token_bucket(30KB, 8Mbit/s, 2s) / 2s"`:                  {-inf, 8.12e6}, // 240 kbit more in 2 s
		`max = "law.idle_timeout(0s, 2s) * law.burst(0.25) * 1Mbit/s / 1s"`: {-inf, 8e6},
		`min = "law.gilbert_elliott(0.01, 0.19, 0, 1) * 1Mbit/s"`:           {50e3, inf},
	} {
		v := verdict(t, `metric = "flows.bulk.goodput"`+"\n"+text, 12)
		if want == struct{ low, high float64 }{} {
			if v.Status != Failed || !strings.Contains(v.Why, "the unit of flows.bulk.goodput") {
				t.Errorf("%s: %s %q; want it to fail for its unit", text, v.Status, v.Why)
			}
			continue
		}
		if v.Why != "" || math.Abs(v.Low-want.low) > 1 || math.Abs(v.High-want.high) > 1 {
			t.Errorf("%s: from %v to %v %s, want from %v to %v", text, v.Low, v.High, v.Why, want.low, want.high)
		}
	}
}

func TestRoundTripsHaveTheDelaysThatAScenarioGives(t *testing.T) {
	for name, link := range map[string]string{
		"0.05":                        ``,
		"0.06":                        "\n[links.access.forward.reorder]\ndelay = \"10ms\"",
		"links.access.forward.netem":  "\n[links.access.forward]\nnetem = \"delay 10ms\"",
		"links.access.reverse.trace.": "\n[links.access.reverse.trace]\nfile = \"lte.csv\"",
	} {
		values, err := runOf(t, link).ScenarioValues()
		if err != nil {
			t.Fatal(err)
		}
		rtt, ok, err := (&scenario{values}).value("links.access.rtt")
		if got := fmt.Sprintf("%.4g %v", rtt.Value, err); !ok || !strings.Contains(got, name) {
			t.Errorf("the RTT is %s (%v), want %s", got, ok, name)
		}
	}
}

func TestAWindowTakesTheMetricOfThatTime(t *testing.T) {
	v := verdict(t, `
metric = "flows.bulk.goodput"
from = "1s"
to = "time_limit / 15"
min = "1Mbit/s"`, 12)
	if v.Measured != 1.2e6 || v.Status != Passed || math.Abs(v.Margin-0.2e6) > 1e-6 {
		t.Errorf("%+v", v)
	}
}

func TestARunWithoutTheWindowFails(t *testing.T) {
	v := verdict(t, `
metric = "flows.bulk.goodput"
from = "1h"
min = 0`, 12)
	if v.Status != Failed || v.Why != "it begins after the run" || v.Seed != 1 {
		t.Errorf("%+v", v)
	}
}

func TestEverySeedMustMeetItAndTheWorstIsShown(t *testing.T) {
	v := verdict(t, `
metric = "flows.bulk.goodput"
min = "10Mbit/s"`, 12, 9, 11)
	if v.Status != Failed || v.Seed != 2 || v.Measured != 9e6 || v.Margin != -1e6 || v.N != 3 {
		t.Errorf("%+v", v)
	}
}

func TestClaimsAreOverTheSeeds(t *testing.T) {
	for _, c := range []struct {
		over     string
		bound    string
		status   Status
		measured float64
		margin   float64
	}{
		{"mean", `min = "10Mbit/s"`, Passed, 10.5e6, 0.5e6},
		{"median", `min = "10Mbit/s"`, Failed, 9.5e6, -0.5e6},
		{"median", `max = "10Mbit/s"`, Passed, 9.5e6, 0.5e6},
		{"p100", `max = "10Mbit/s"`, "", 0, 0},
		{"p75", `max = "12Mbit/s"`, Passed, 11.25e6, 0.75e6}, // 8, 9, 10, 15: 10 + 0.25 · 5
		{"p25", `min = "9Mbit/s"`, Failed, 8.75e6, -0.25e6},
		// mean 10.5, s = 3.109, t(0.975, 3) = 3.182: ± 4.947
		{"confidence", `min = "5Mbit/s"`, Passed, 10.5e6, 0.553e6},
		{"confidence", `min = "6Mbit/s"`, Failed, 10.5e6, -0.447e6},
		{"confidence", `max = "16Mbit/s"`, Passed, 10.5e6, 0.553e6},
	} {
		text := fmt.Sprintf("[[expect]]\nmetric = \"flows.bulk.goodput\"\nover = %q\n%s", c.over, c.bound)
		verdicts, err := Judge(runOf(t, text), seedsWith(8, 15, 9, 10))
		if c.status == "" {
			if err == nil {
				t.Errorf("%s is accepted", c.over)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.over, err)
			continue
		}
		if v := verdicts[0]; v.Status != c.status || math.Abs(v.Measured-c.measured) > 1 || math.Abs(v.Margin-c.margin) > 1e3 {
			t.Errorf("%s %s: %s, measured %v with the margin %v; want %s, %v, %v", c.over, c.bound, v.Status, v.Measured, v.Margin, c.status, c.measured, c.margin)
		}
	}
}

func TestTooFewSeedsFail(t *testing.T) {
	v := verdict(t, `
metric = "flows.bulk.goodput"
min = "1Mbit/s"
seeds = 3`, 12, 12)
	if v.Status != Failed || v.Why != "it takes 3 seeds; there are 2" {
		t.Errorf("%+v", v)
	}
	v = verdict(t, `
metric = "flows.bulk.goodput"
over = "confidence"
min = "1Mbit/s"`, 12)
	if v.Status != Failed || v.Why != "too few seeds for a 95 % confidence interval: 1" {
		t.Errorf("%+v", v)
	}
}

func TestAKnownDeviationIsNoFailureUntilItIsGone(t *testing.T) {
	const text = `
metric = "flows.bulk.goodput"
min = "10Mbit/s"
known = "quic-go lowers its window to 0.7"`
	if v := verdict(t, text, 9); v.Status != Known || !v.OK() {
		t.Errorf("%+v", v)
	}
	if v := verdict(t, text, 11); v.Status != Gone || v.OK() {
		t.Errorf("%+v", v)
	}
	if v := verdict(t, strings.Replace(text, "flows.bulk.goodput", "other.goodput", 1), 9); v.Why != "the run has no metric other.goodput; it has flows.other.goodput" {
		t.Errorf("%+v", v)
	}
	if v := verdict(t, strings.Replace(text, "10Mbit/s", "2 * flows.othre.goodput", 1), 9); !strings.HasSuffix(v.Why, "neither the scenario nor the run has a value flows.othre.goodput; did you mean flows.other.goodput?") {
		t.Errorf("%+v", v)
	}
	if v := verdict(t, strings.Replace(text, "bulk", "bluk", 1), 9); v.Status != Failed || v.Why != "the run has no metric flows.bluk.goodput; it has flows.bulk.goodput" {
		t.Errorf("%+v", v)
	}
}

func TestLawsHoldForSomeValuesOnly(t *testing.T) {
	for text, why := range map[string]string{
		"law.pto(1ms, 1ms, 1ms, -1) * 1Mbit/s / 1s":     "expired is -1; expected 0 to 10",
		"law.pto(1ms, 1ms, 1ms, 1e9) * 1Mbit/s / 1s":    "expired is 1e+09; expected 0 to 10",
		"law.random_loss(0, 10ms, 1252B)":               "p is 0; expected 1e-06 to 1",
		"law.random_loss(0.1, 0ms, 1252B)":              "rtt is 0 s; expected 1e-06 s to 1e+06 s",
		"law.periodic_loss(1.5, 10ms, 1252B)":           "k is 1.5; expected a whole number",
		"law.md1(1.2, 1ms) * 1Mbit/s / 1s":              "load is 1.2; expected 0 to 0.999999",
		"law.serialisation(1KB, 0bit/s) * 1Mbit/s / 1s": "rate is 0 bit/s; expected 1000 bit/s",
	} {
		v := verdict(t, fmt.Sprintf("metric = \"flows.bulk.goodput\"\nmin = %q", text), 12)
		if v.Status != Failed || !strings.Contains(v.Why, why) {
			t.Errorf("%s: %s %q, want it to fail with %q", text, v.Status, v.Why, why)
		}
	}
}

func TestMistakesOfExpectations(t *testing.T) {
	for text, want := range map[string]string{
		"metric = \"x\"\nmin = \"1 +\"":                              "min: \"1 +\" is no formula",
		"metric = \"x\"\nmin = 1\nfrom = \"links.acess.delay\"":      "the scenario has no value links.acess.delay; did you mean links.access.delay?",
		"metric = \"x\"\nmin = 1\nfrom = \"1Mbit/s\"":                "expected a time from 0s",
		"metric = \"x\"\nmin = 1\nfrom = \"2s\"\nto = \"1s\"":        "the window from 2s to 1s is empty",
		"metric = \"x\"\nmin = 1\nto = \"flows.bulk.goodput / 1Hz\"": "the scenario has no value flows.bulk.goodput",
		"metric = \"x\"\nmin = 1\nover = \"maen\"":                   `did you mean "mean"?`,
	} {
		_, err := Judge(runOf(t, "[[expect]]\n"+text), seedsWith(1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want an error with %q", text, err, want)
		}
	}
}

func TestExpectationsAreReadAloud(t *testing.T) {
	all, err := Read(runOf(t, `
[[expect]]
metric = "flows.bulk.goodput"
from = "1s"
to = "5s"
over = "p10"
min = "0.9 * links.access.rate"
max = "links.access.rate"

[[expect]]
metric = "x"
equals = "2 * links.access.rtt"
within = "5%"`))
	if err != nil {
		t.Fatal(err)
	}
	if got := all[0].String(); got != "p10 of flows.bulk.goodput from 1s to 5s ≥ 0.9 * links.access.rate, ≤ links.access.rate" {
		t.Error(got)
	}
	if got := all[1].String(); got != "x = 2 * links.access.rtt ± 5%" {
		t.Error(got)
	}
}

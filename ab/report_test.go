package ab

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/check"
	"github.com/wtsim/wtsim/sim/scenario"
)

// file makes what five runs achieved.
func file(fingerprint string, metrics ...baseline.Metric) baseline.File {
	f := baseline.File{Suite: "s", Scenario: "x", SHA256: "0", Metrics: metrics}
	for seed := range uint64(5) {
		f.Runs = append(f.Runs, baseline.Run{Seed: seed + 1, Fingerprint: fmt.Sprint(fingerprint, seed)})
	}
	return f
}

func metric(name, unit string, better analysis.Better, values ...float64) baseline.Metric {
	return baseline.Metric{Name: name, Unit: unit, Better: better, Values: values}
}

// side makes the runs of a scenario, of which some failed.
func side(name string, failed int) *check.Scenario {
	s := &check.Scenario{Case: check.Case{Suite: "s", Path: "s/" + name + ".toml", Scenario: &scenario.Scenario{Name: name}}}
	for seed := range uint64(5) {
		s.Seeds = append(s.Seeds, seed+1)
		s.Runs = append(s.Runs, check.Outcome{})
	}
	for i := range failed {
		s.Runs[i].Err = errors.New("no progress since 2s")
	}
	return s
}

// made is a report with a scenario that became better, one that is worse as its runs
// fail, and one that is the same.
func made(t *testing.T) *Report {
	t.Helper()
	before := file("a",
		metric("flows.bulk.goodput", "bit/s", analysis.MoreIsBetter, 10e6, 10.1e6, 10.2e6, 10e6, 10.1e6),
		metric("links.a.forward.queue_delay.p95", "s", analysis.LessIsBetter, 0.02, 0.02, 0.02, 0.02, 0.02))
	after := file("b",
		metric("flows.bulk.goodput", "bit/s", analysis.MoreIsBetter, 12e6, 12.1e6, 12.21e6, 12e6, 12.1e6),
		metric("links.a.forward.queue_delay.p95", "s", analysis.LessIsBetter, 0.02, 0.02, 0.02, 0.02, 0.02))
	compare := func(a, b baseline.File) *baseline.Comparison {
		c, err := baseline.Compare(a, b, 0.02)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	one := func(name string, failed int, c *baseline.Comparison) Scenario {
		s := Scenario{Base: side(name, 0), Head: side(name, failed), Comparison: c}
		s.Case = s.Base.Case
		return s
	}
	faster := one("faster", 0, compare(before, after))
	faster.Base.Verdicts, faster.Head.Verdicts = []expect.Verdict{{Status: expect.Passed}}, []expect.Verdict{{Status: expect.Failed}}
	return &Report{Base: Side{Name: "v0.64.0"}, Head: Side{Name: "<b>.patch"}, Tolerance: 0.02, Scenarios: []Scenario{
		faster, one("broken", 5, nil), one("same", 0, compare(before, before)),
	}}
}

func TestAReportCountsWhatDiffers(t *testing.T) {
	r := made(t)
	if got, want := r.Totals(), (Totals{Scenarios: 3, Different: 1, Identical: 1, Failed: 1, Better: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if got, want := r.Headline(), "<b>.patch differs from v0.64.0 in 1 of 3 scenarios; runs failed in 1"; got != want {
		t.Errorf("says %s, want %s", got, want)
	}
	var worse []string
	for _, s := range r.Worse() {
		worse = append(worse, s.Name)
	}
	if !slices.Equal(worse, []string{"broken"}) {
		t.Errorf("worse are %v", worse)
	}
	r.Scenarios = r.Scenarios[2:]
	if got, want := r.Headline(), "<b>.patch makes no real difference to v0.64.0 in 1 scenario"; got != want {
		t.Errorf("says %s, want %s", got, want)
	}
}

func TestRunsThatFailAreReported(t *testing.T) {
	r := made(t)
	if got, want := strings.Join(r.Notes(&r.Scenarios[1]), ""), "<b>.patch: 5 of 5 runs failed; seed 1: no progress since 2s"; got != want {
		t.Errorf("notes are %q, want %q", got, want)
	}
	if got, want := r.Scenarios[1].Outcome(), "5 of 5 runs of the head failed"; got != want {
		t.Errorf("the outcome is %q, want %q", got, want)
	}
}

func TestEveryFormSaysWhatDiffersAndOnWishWhatDoesNot(t *testing.T) {
	r := made(t)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	const goodput, queue = "flows.bulk.goodput", "links.a.forward.queue_delay.p95"
	var doc struct {
		Totals    Totals
		Scenarios []struct {
			Failures   []string
			Comparison *struct {
				Changes []struct{ Metric, Verdict string }
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil || doc.Totals != r.Totals() || doc.Scenarios[0].Comparison.Changes[0].Verdict != "better" || len(doc.Scenarios[1].Failures) != 1 {
		t.Errorf("%v: %s", err, text)
	}
	for _, all := range []bool{false, true} {
		var markdown, html strings.Builder
		if err := r.Markdown(&markdown, all); err != nil {
			t.Fatal(err)
		}
		if err := r.HTML(&html, all, r.Forests()); err != nil {
			t.Fatal(err)
		}
		page := strings.ReplaceAll(html.String(), ".<wbr>", ".")
		for form, got := range map[string]string{"Markdown": markdown.String(), "HTML": page} {
			if !strings.Contains(got, goodput) || !strings.Contains(got, "no progress since 2s") || !strings.Contains(got, "+19.9 %") && !strings.Contains(got, "&#43;19.9 %") {
				t.Errorf("%s leaves something out: %.3000s", form, got)
			}
			if strings.Contains(got, queue) != all {
				t.Errorf("%s with all %t: %.3000s", form, all, got)
			}
			if strings.Contains(got, "<b>") {
				t.Errorf("%s has a name as markup: %.3000s", form, got)
			}
		}
	}
}

func TestAForestHasTheDifferencesOfOneKind(t *testing.T) {
	r := made(t)
	figures := r.Forests()
	if len(figures) != 1 || figures[0].Name != "differences-goodput" {
		t.Fatalf("drew %+v", figures)
	}
	var csv strings.Builder
	if err := figures[0].Render(&csv, "csv", 0); err != nil {
		t.Fatal(err)
	}
	// The means are 10.08 and 12.082 Mbit/s.
	if want := "faster flows.bulk.goodput,difference,,19.86111"; !strings.Contains(csv.String(), want) {
		t.Errorf("it has no %s: %s", want, csv.String())
	}
	if most := r.Most(3); len(most) != 1 || most[0].Name != "faster" {
		t.Errorf("most differ %v", most)
	}
}

func TestMetricsAreMatchedByAGlob(t *testing.T) {
	r := made(t)
	if m := r.Matching("flows.*.goodput"); len(m) != 2 || m["s/faster flows.bulk.goodput"].Verdict != baseline.Better || m["s/same flows.bulk.goodput"].Verdict != baseline.Same {
		t.Errorf("matched %v", m)
	}
}

package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/check"
	"github.com/wtsim/wtsim/internal/shell"
)

// printCheck writes what became of scenarios; if it is quiet, of those that failed.
func printCheck(out io.Writer, r *check.Report, quiet bool) error {
	if !quiet {
		if err := printScenarios(out, r); err != nil {
			return err
		}
	}
	err := printDetails(out, r, func(s *check.Scenario) bool {
		return !s.OK() || !quiet && s.Baseline != nil && !s.Baseline.Identical
	})
	if err != nil || quiet {
		return err
	}
	_, err = fmt.Fprintln(out, totals(r))
	return err
}

// printUpdates writes what became of the baselines, and why some are refused, if it
// is quiet nothing else.
func printUpdates(out io.Writer, r *check.Report, updates []check.Update, quiet bool) error {
	t := newTable("scenario", "baseline", "seeds", "metrics that changed")
	for i, u := range updates {
		s := &r.Scenarios[i]
		changed := ""
		if s.Baseline != nil && u == check.Rewritten {
			changed = s.Baseline.String()
		}
		t.AppendRow([]any{s.Path, u, len(s.Seeds), changed})
	}
	if !quiet {
		if _, err := fmt.Fprintln(out, t.Render()); err != nil {
			return err
		}
	}
	return printDetails(out, r, func(s *check.Scenario) bool { return !s.Expected() })
}

// printScenarios writes a table with a line for each expectation, and one for each
// baseline.
func printScenarios(out io.Writer, r *check.Report) error {
	t := newTable("scenario", "expectation", "expected", "measured", "n", "verdict")
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		name := s.Suite + "/" + s.Name
		row := func(what, expected, measured string, n int, verdict string) {
			t.AppendRow([]any{name, what, expected, measured, n, verdict})
			name = ""
		}
		if _, err := s.Err(); err != nil {
			row("the run ends well", "", "", len(s.Seeds), "FAILED")
			continue
		}
		for _, v := range s.Verdicts {
			w := v.Words()
			status := w.Status
			if !v.OK() {
				status = strings.ToUpper(status)
			}
			row(w.What, w.Expected, w.Measured, v.N, status)
		}
		if b := s.Baseline; b != nil {
			verdict := "passed"
			if !b.OK() {
				verdict = "FAILED"
			}
			row("baseline", "identical", b.String(), b.Common, verdict)
		}
		if name != "" {
			row("the run ends well", "", "", len(s.Seeds), "passed")
		}
	}
	_, err := fmt.Fprintf(out, "%s\n\n", t.Render())
	return err
}

// printDetails writes what is wrong with some of the scenarios, what changed in
// them, and how to see it again.
func printDetails(out io.Writer, r *check.Report, shown func(*check.Scenario) bool) error {
	var b strings.Builder
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if !shown(s) {
			continue
		}
		seed, err := s.Err()
		status := "FAILED"
		if s.OK() {
			status = "changed"
		}
		fmt.Fprintf(&b, "%s %s\n", status, s.Path)
		if err != nil {
			fmt.Fprintf(&b, "  seed %d: %s\n    %s\n", seed, beginning(err.Error(), 8), s.Command(seed))
		}
		for _, v := range s.Verdicts {
			if !v.OK() {
				b.WriteString(s.Explain(v))
			}
		}
		if s.Baseline != nil && !s.Baseline.Identical {
			changes(&b, s)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// beginning returns the first lines of a text, without what a panic says after them.
func beginning(text string, most int) string {
	lines := strings.Split(text, "\n")
	if len(lines) > most {
		lines = append(lines[:most], "…")
	}
	return strings.Join(lines, "\n    ")
}

// changes lists the metrics that differ from a baseline's by more than is negligible.
func changes(b *strings.Builder, s *check.Scenario) {
	c := s.Baseline
	if c.Absent {
		fmt.Fprintf(b, "  baseline: there is none; 'wtsim check --update %s' writes one\n", shell.Quote(s.Path))
		return
	}
	fmt.Fprintf(b, "  baseline: %s, over %s\n", c, quantity.Count(c.Common, "seed"))
	if c.Scenario {
		fmt.Fprintf(b, "    the scenario or a file that it names is not that of the baseline: 'wtsim check --update %s' if that is meant\n", shell.Quote(s.Path))
	}
	t := newTable("metric", "baseline", "now", "difference", percent(baseline.Confidence)+" interval", "change", "verdict")
	rows := 0
	for _, x := range c.Changes {
		if x.Verdict == baseline.Negligible {
			continue
		}
		rows++
		w := x.Words()
		t.AppendRow([]any{x.Metric, w.Base, w.Now, w.Difference, cmp.Or(w.Interval, "unknown"), w.Relative, x.Verdict})
	}
	if rows > 0 {
		for line := range strings.Lines(t.Render() + "\n") {
			b.WriteString("    " + line)
		}
	}
	for _, name := range c.Missing {
		fmt.Fprintf(b, "    %s is in the baseline only\n", name)
	}
	if !c.OK() {
		fmt.Fprintf(b, "    %s\n", s.Again())
	}
}

// totals is the last line of a report.
func totals(r *check.Report) string {
	t := r.Totals()
	parts := []string{fmt.Sprintf("%s, %s", quantity.Count(t.Scenarios, "scenario"), quantity.Count(t.Runs, "run"))}
	if t.Cached > 0 {
		parts[0] += fmt.Sprintf(" (%d known from before)", t.Cached)
	}
	e := t.Expectations
	judged := fmt.Sprintf("expectations: %d passed", e[expect.Passed])
	if n := e[expect.Known]; n > 0 {
		judged += ", " + quantity.Count(n, "known deviation")
	}
	if n := e[expect.Failed] + e[expect.Gone]; n > 0 {
		judged += fmt.Sprintf(", %d failed", n)
	}
	parts = append(parts, judged)
	if t.Broken > 0 {
		parts = append(parts, fmt.Sprintf("%s ended badly", quantity.Count(t.Broken, "scenario")))
	}
	if t.Identical+t.Changed > 0 {
		parts = append(parts, fmt.Sprintf("baselines: %d identical, %d changed, %d missing", t.Identical, t.Changed, t.Without))
	}
	if t.LeftOut > 0 {
		parts = append(parts, fmt.Sprintf("%s left out", quantity.Count(t.LeftOut, "long scenario")))
	}
	return strings.Join(parts, "; ") + "; took " + r.Wall.Round(100*time.Millisecond).String()
}

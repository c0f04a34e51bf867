package main

import (
	"cmp"
	"fmt"
	"io"
	"math"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/analysis/quantity"
)

// judge judges runs of one scenario that differ in their seeds.
func judge(outcomes []outcome) ([]expect.Verdict, error) {
	runs := make([]expect.Run, len(outcomes))
	for i, o := range outcomes {
		runs[i] = o.Judged
	}
	return expect.Judge(&outcomes[0].Run, runs)
}

// printVerdicts writes what became of expectations, if there are any.
func printVerdicts(out io.Writer, verdicts []expect.Verdict) {
	if len(verdicts) == 0 {
		return
	}
	t := newTable("Expectation", "measured", "expected", "margin", "verdict", "n", "closest seed")
	t.SuppressEmptyColumns()
	var notes []string
	for _, v := range verdicts {
		what := v.Metric
		if over := v.Over.String(); over != "each" {
			what = over + " of " + what
		}
		if v.Window != (analysis.Window{}) {
			what += " " + v.Window.String()
		}
		row := table.Row{what, "", v.Bounds(), "", verdictWords[v.Status]}
		if v.Why == "" {
			show := func(value float64) string { return quantity.Format(v.Metric, value, v.Unit) }
			row = table.Row{what, show(v.Measured), between(show, v.Low, v.High), quantity.Signed(show(v.Margin)), verdictWords[v.Status]}
		}
		if v.N > 1 {
			row = append(row, v.N, v.Seed)
		}
		t.AppendRow(row)
		if note := cmp.Or(v.Why, v.Expectation.Known); note != "" {
			notes = append(notes, fmt.Sprintf("%s: %s", what, note))
		}
	}
	fmt.Fprintf(out, "\n%s\n", t.Render())
	for _, note := range notes {
		fmt.Fprintln(out, "  "+note)
	}
}

// verdictWords says what became of an expectation.
var verdictWords = map[expect.Status]string{
	expect.Passed: "passed",
	expect.Failed: "failed",
	expect.Known:  "known deviation",
	expect.Gone:   "failed: known deviation is gone",
}

// between writes bounds, of which one may be infinite.
func between(show func(float64) string, low, high float64) string {
	switch {
	case math.IsInf(high, 1):
		return "≥ " + show(low)
	case math.IsInf(low, -1):
		return "≤ " + show(high)
	}
	return show(low) + " to " + show(high)
}

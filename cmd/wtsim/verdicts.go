package main

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/wtsim/wtsim/analysis/expect"
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
		w := v.Words()
		row := table.Row{w.What, w.Measured, w.Expected, w.Margin, w.Status}
		if v.N > 1 {
			row = append(row, v.N, v.Seed)
		}
		t.AppendRow(row)
		if w.Note != "" {
			notes = append(notes, fmt.Sprintf("  %s: %s", w.What, w.Note))
		}
	}
	fmt.Fprintf(out, "\n%s\n", t.Render())
	for _, note := range notes {
		fmt.Fprintln(out, note)
	}
}

package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/wtsim/wtsim/ab"
	"github.com/wtsim/wtsim/analysis/baseline"
)

// printAB writes what two builds differ in; if all is wanted, also what they do not.
func printAB(out io.Writer, r *ab.Report, all bool) error {
	var b strings.Builder
	summary := newTable("scenario", "seeds", r.Head.Name+" against "+r.Base.Name)
	changes := newTable("scenario", "metric", r.Base.Name, r.Head.Name, "difference", ab.Interval, "change", "verdict")
	rows := 0
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if outcome := s.Outcome(); all || outcome != "identical" {
			summary.AppendRow([]any{s.ID(), len(s.Base.Seeds), outcome})
		}
		name := s.ID()
		for _, c := range s.Shown(all) {
			changes.AppendRow(append([]any{name}, changeRow(c)...))
			name = ""
			rows++
		}
	}
	if summary.Length() > 0 {
		fmt.Fprintf(&b, "%s\n\n", summary.Render())
	}
	if rows > 0 {
		fmt.Fprintf(&b, "%s\n\n", changes.Render())
	}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if notes := r.Notes(s); len(notes) > 0 {
			fmt.Fprintf(&b, "%s\n", s.ID())
			for _, n := range notes {
				fmt.Fprintf(&b, "  %s\n", beginning(n, 8))
			}
			b.WriteByte('\n')
		}
	}
	fmt.Fprintf(&b, "%s\n\n%s.\n%s.\n", r.Note(), r.Headline(), r.Totals())
	_, err := io.WriteString(out, b.String())
	return err
}

func changeRow(c baseline.Change) []any {
	w := c.Words()
	return []any{c.Metric, w.Base, w.Now, w.Difference, cmp.Or(w.Interval, "unknown"), w.Relative, c.Verdict}
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/internal/shell"
	"github.com/wtsim/wtsim/sweep"
)

// Bounds of what is printed of a study; its files have everything.
const (
	mostCells          = 30
	mostColumns        = 4 // of metrics
	mostPrintedFailing = 5
)

// printSweep writes what the runs of a study achieved: a line for each cell, and what failed.
func printSweep(out io.Writer, s *sweep.Summary) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", s.Name, s.Progress())
	shown := s.Metrics[:min(len(s.Metrics), mostColumns)]
	var columns []string
	for _, a := range s.Axes {
		columns = append(columns, a.Path)
	}
	for _, m := range shown {
		columns = append(columns, m.Name)
	}
	if s.Done > 0 && len(columns) > 0 {
		t := newTable(append(columns, "n")...)
		for _, c := range s.Cells[:min(len(s.Cells), mostCells)] {
			var row table.Row
			for _, v := range c.Values {
				row = append(row, v)
			}
			for i, m := range shown {
				words := ""
				if c.Means[i].N > 0 {
					words = estimate(m.Name, c.Means[i], m.Unit)
				}
				row = append(row, words)
			}
			t.AppendRow(append(row, c.Done))
		}
		fmt.Fprintln(&b, t.Render())
		if more := len(s.Cells) - mostCells; more > 0 {
			fmt.Fprintf(&b, "… and %d more\n", more)
		}
		fmt.Fprintf(&b, "n: the seeds that are done; ±: the %s confidence interval of the mean (Student's t)\n", percent(sweep.Confidence))
		if more := len(s.Metrics) - len(shown); more > 0 {
			fmt.Fprintf(&b, "%s in the report\n", quantity.Count(more, "more metric"))
		}
	}
	for _, glob := range s.Unmatched {
		fmt.Fprintf(&b, "no run has a metric %s; see 'wtsim list metrics'\n", shell.Quote(glob))
	}
	for i, f := range s.Failures {
		if i == mostPrintedFailing {
			fmt.Fprintf(&b, "\n… and %d more; runs.csv has all\n", max(len(s.Failures), s.Failed)-i)
			break
		}
		fmt.Fprintf(&b, "\nFAILED %s\n  %s\n    %s\n", f.Of(s.Axes), beginning(f.Why, 4), f.Command)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// encodeSweep writes what the runs of a study achieved for programs.
func encodeSweep(out io.Writer, s *sweep.Summary, files []string) error {
	return json.NewEncoder(out).Encode(struct {
		*sweep.Summary
		Files []string `json:"files,omitempty"`
	}{s, files})
}

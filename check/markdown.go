package check

import (
	"fmt"
	"io"
	"strings"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/internal/markdown"
)

// What a summary in Markdown shows at length is bounded, as GitHub takes no more than
// a megabyte for a step.
const mostFailures = 20 // scenarios that failed, or changed

// Markdown writes the report as a summary for continuous integration, in GitHub's
// dialect: what failed and how to repeat it, what changed against the baselines, and
// a table of all scenarios.
func (r *Report) Markdown(w io.Writer) error {
	m := &summary{markdown.New(w)}
	t := r.Totals()
	m.Printf("## wtsim check: %s\n\n", markdown.Plain(r.headline()))
	m.Printf("- Expectations: %s\n", t.expectations())
	m.Printf("- Baselines: %s\n", t.baselines())
	m.Printf("- %s\n", r.runs(t))
	if len(r.LeftOut) > 0 {
		m.Printf("- Left out, as they take long: %d\n", len(r.LeftOut))
	}
	m.Printf("- %s\n", markdown.Plain(r.versions()))
	failed := r.Failed()
	for _, s := range failed[:min(len(failed), mostFailures)] {
		m.failure(s)
	}
	if more := len(failed) - mostFailures; more > 0 {
		m.Printf("\nAnd %d more failed; see the table of all scenarios.\n", more)
	}
	m.otherChanges(r)
	m.known(r)
	m.all(r)
	return m.Flush()
}

type summary struct{ markdown.Writer }

// failure writes why a scenario failed, and how to repeat it.
func (m *summary) failure(s *Scenario) {
	m.Printf("\n### %s failed\n", markdown.Code(s.id()))
	if seed, err := s.Err(); err != nil {
		m.Printf("\nThe run with seed %d failed:\n", seed)
		m.Fenced("text", beginning(err.Error()))
	}
	t := markdown.Table{To: m.Writer, Header: []string{"expectation", "measured", "expected", "margin", "seed", "verdict", "note"}}
	for _, v := range s.Verdicts {
		if v.OK() {
			continue
		}
		w := v.Words()
		expected := markdown.Code(v.Bounds())
		if w.Measured != "" {
			expected = markdown.Plain(w.Expected) + ": " + expected
		}
		t.Row(markdown.Code(w.What), markdown.Plain(w.Measured), expected, markdown.Plain(w.Margin), fmt.Sprint(v.Seed), markdown.Plain(w.Status), markdown.Plain(w.Note))
	}
	t.End()
	if s.Baseline != nil && !s.Baseline.OK() {
		for _, complaint := range s.complaints() {
			m.Printf("\n%s\n", markdown.Plain(complaint))
		}
		m.changes(s)
	}
	m.Fenced("sh", strings.Join(s.commands(), "\n"))
}

// changes writes a table of the metrics that changed by more than a negligible
// share.
func (m *summary) changes(s *Scenario) {
	t := markdown.Table{To: m.Writer, Header: []string{"metric", "baseline", "now", "difference", interval, "change", "verdict"}}
	for _, c := range s.Baseline.Changes {
		if w := c.Words(); c.Verdict != baseline.Negligible {
			t.Row(markdown.Code(c.Metric), markdown.Plain(w.Base), markdown.Plain(w.Now), markdown.Plain(w.Difference), markdown.Plain(w.Interval), markdown.Plain(w.Relative), strong(c.Verdict))
		}
	}
	t.End()
}

// otherChanges writes what changed in scenarios that did not fail.
func (m *summary) otherChanges(r *Report) {
	n := 0
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if !s.OK() || !s.notable() {
			continue
		}
		if n++; n == 1 {
			m.Printf("\n### Changes that fail nothing\n")
		}
		if n > mostFailures {
			continue
		}
		m.Printf("\n%s: %s\n", markdown.Code(s.id()), markdown.Plain(s.compared()))
		for _, complaint := range s.complaints() {
			m.Printf("\n%s\n", markdown.Plain(complaint))
		}
		m.changes(s)
	}
	if n > mostFailures {
		m.Printf("\nAnd %d more changed; see the table of all scenarios.\n", n-mostFailures)
	}
}

// known writes what is known not to be met.
func (m *summary) known(r *Report) {
	var t *markdown.Table
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for _, v := range s.Verdicts {
			if v.Status != expect.Known {
				continue
			}
			if t == nil {
				m.Open("Known deviations")
				t = &markdown.Table{To: m.Writer, Header: []string{"scenario", "expectation", "measured", "expected", "why"}}
			}
			w := v.Words()
			t.Row(markdown.Code(s.id()), markdown.Code(w.What), markdown.Plain(w.Measured), markdown.Plain(w.Expected), markdown.Plain(w.Note))
		}
	}
	if t != nil {
		t.End()
		m.Close()
	}
}

// all writes a table of all scenarios.
func (m *summary) all(r *Report) {
	if len(r.Scenarios)+len(r.LeftOut) == 0 {
		return
	}
	m.Open("All scenarios")
	t := markdown.Table{To: m.Writer, All: true, Header: []string{"scenario", "result", "expectations", "baseline", "seeds"}}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		t.Row(markdown.Code(s.id()), markdown.Plain(s.result()), markdown.Plain(s.judged()), markdown.Plain(s.compared()), fmt.Sprint(len(s.Seeds)))
	}
	for _, path := range r.LeftOut {
		t.Row(markdown.Code(path), "left out", "", "", "")
	}
	m.Close()
}

// beginning returns the first lines of a text.
func beginning(text string) string {
	const most = 12
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > most {
		lines = append(lines[:most:most], "…")
	}
	return strings.Join(lines, "\n")
}

// strong writes a verdict, in bold if it decides something.
func strong(v baseline.Verdict) string {
	if v == baseline.Worse || v == baseline.Better {
		return "**" + string(v) + "**"
	}
	return string(v)
}

package check

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
)

// What a summary in Markdown shows at length is bounded, as GitHub takes no more than
// a megabyte for a step.
const (
	mostFailures = 20  // scenarios that failed, or changed
	mostRows     = 100 // of a table of what one scenario has
)

// Markdown writes the report as a summary for continuous integration, in GitHub's
// dialect: what failed and how to repeat it, what changed against the baselines, and
// a table of all scenarios.
func (r *Report) Markdown(w io.Writer) error {
	m := &markdown{bufio.NewWriter(w)}
	t := r.Totals()
	m.printf("## wtsim check: %s\n\n", plain(r.headline()))
	m.printf("- Expectations: %s\n", t.expectations())
	m.printf("- Baselines: %s\n", t.baselines())
	m.printf("- %s\n", r.runs(t))
	if len(r.LeftOut) > 0 {
		m.printf("- Left out, as they take long: %d\n", len(r.LeftOut))
	}
	m.printf("- %s\n", plain(r.versions()))
	failed := r.Failed()
	for _, s := range failed[:min(len(failed), mostFailures)] {
		m.failure(s)
	}
	if more := len(failed) - mostFailures; more > 0 {
		m.printf("\nAnd %d more failed; see the table of all scenarios.\n", more)
	}
	m.otherChanges(r)
	m.known(r)
	m.all(r)
	return m.Flush()
}

type markdown struct{ *bufio.Writer }

func (m *markdown) printf(format string, args ...any) { fmt.Fprintf(m, format, args...) }

// failure writes why a scenario failed, and how to repeat it.
func (m *markdown) failure(s *Scenario) {
	m.printf("\n### %s failed\n", code(s.id()))
	if seed, err := s.Err(); err != nil {
		m.printf("\nThe run with seed %d failed:\n", seed)
		m.fenced("text", beginning(err.Error()))
	}
	t := table{m: m, header: []string{"expectation", "measured", "expected", "margin", "seed", "verdict", "note"}}
	for _, v := range s.Verdicts {
		if v.OK() {
			continue
		}
		w := v.Words()
		expected := code(v.Bounds())
		if w.Measured != "" {
			expected = plain(w.Expected) + ": " + expected
		}
		t.row(code(w.What), plain(w.Measured), expected, plain(w.Margin), fmt.Sprint(v.Seed), plain(w.Status), plain(w.Note))
	}
	t.end()
	if s.Baseline != nil && !s.Baseline.OK() {
		for _, complaint := range s.complaints() {
			m.printf("\n%s\n", plain(complaint))
		}
		m.changes(s)
	}
	m.fenced("sh", strings.Join(s.commands(), "\n"))
}

// changes writes a table of the metrics that changed by more than a negligible
// share.
func (m *markdown) changes(s *Scenario) {
	t := table{m: m, header: []string{"metric", "baseline", "now", "difference", interval, "change", "verdict"}}
	for _, c := range s.Baseline.Changes {
		if w := c.Words(); c.Verdict != baseline.Negligible {
			t.row(code(c.Metric), plain(w.Base), plain(w.Now), plain(w.Difference), plain(w.Interval), plain(w.Relative), strong(c.Verdict))
		}
	}
	t.end()
}

// otherChanges writes what changed in scenarios that did not fail.
func (m *markdown) otherChanges(r *Report) {
	n := 0
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if !s.OK() || !s.notable() {
			continue
		}
		if n++; n == 1 {
			m.printf("\n### Changes that fail nothing\n")
		}
		if n > mostFailures {
			continue
		}
		m.printf("\n%s: %s\n", code(s.id()), plain(s.compared()))
		for _, complaint := range s.complaints() {
			m.printf("\n%s\n", plain(complaint))
		}
		m.changes(s)
	}
	if n > mostFailures {
		m.printf("\nAnd %d more changed; see the table of all scenarios.\n", n-mostFailures)
	}
}

// known writes what is known not to be met.
func (m *markdown) known(r *Report) {
	var t *table
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for _, v := range s.Verdicts {
			if v.Status != expect.Known {
				continue
			}
			if t == nil {
				m.open("Known deviations")
				t = &table{m: m, header: []string{"scenario", "expectation", "measured", "expected", "why"}}
			}
			w := v.Words()
			t.row(code(s.id()), code(w.What), plain(w.Measured), plain(w.Expected), plain(w.Note))
		}
	}
	if t != nil {
		t.end()
		m.close()
	}
}

// all writes a table of all scenarios.
func (m *markdown) all(r *Report) {
	if len(r.Scenarios)+len(r.LeftOut) == 0 {
		return
	}
	m.open("All scenarios")
	t := table{m: m, all: true, header: []string{"scenario", "result", "expectations", "baseline", "seeds"}}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		t.row(code(s.id()), plain(s.result()), plain(s.judged()), plain(s.compared()), fmt.Sprint(len(s.Seeds)))
	}
	for _, path := range r.LeftOut {
		t.row(code(path), "left out", "", "", "")
	}
	m.close()
}

func (m *markdown) open(title string) {
	m.printf("\n<details><summary>%s</summary>\n", title)
}

func (m *markdown) close() { m.printf("\n</details>\n") }

// fenced writes lines as they are.
func (m *markdown) fenced(language, text string) {
	fence := strings.Repeat("`", max(3, longestRun(text)+1))
	m.printf("\n%s%s\n%s\n%s\n", fence, language, strings.TrimRight(text, "\n"), fence)
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

// table writes a table, with a header before its first row.
type table struct {
	m      *markdown
	header []string
	all    bool // however many rows there are
	rows   int
}

func (t *table) row(cells ...string) {
	if t.rows++; t.rows > mostRows && !t.all {
		return
	}
	if t.rows == 1 {
		t.m.printf("\n| %s |\n|%s\n", strings.Join(t.header, " | "), strings.Repeat(" --- |", len(t.header)))
	}
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(cell, "|", `\|`)
	}
	t.m.printf("| %s |\n", strings.Join(cells, " | "))
}

// end says how many rows were left out.
func (t *table) end() {
	if t.rows > mostRows && !t.all {
		t.m.printf("\nAnd %d more.\n", t.rows-mostRows)
	}
}

// plain writes text so that Markdown takes none of it for its own.
func plain(text string) string {
	var b strings.Builder
	for _, c := range strings.Join(strings.Fields(text), " ") {
		if strings.ContainsRune("\\`*_{}[]<>&~#", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// code writes text as it is into a line, between as many
// backticks as it takes (CommonMark 0.31, section 6.1).
func code(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	fence := strings.Repeat("`", longestRun(text)+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}

// strong writes a verdict, in bold if it decides something.
func strong(v baseline.Verdict) string {
	if v == baseline.Worse || v == baseline.Better {
		return "**" + string(v) + "**"
	}
	return string(v)
}

// longestRun returns the length of the longest run of backticks.
func longestRun(text string) int {
	longest, run := 0, 0
	for _, c := range text {
		if run++; c != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

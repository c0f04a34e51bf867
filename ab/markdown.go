package ab

import (
	"cmp"
	"io"

	"github.com/wtsim/wtsim/internal/markdown"
)

// Markdown writes the report in GitHub's dialect: what differs really, and a table of all
// scenarios; if all is wanted, also what does not differ.
func (r *Report) Markdown(w io.Writer, all bool) error {
	m := markdown.New(w)
	m.Printf("## wtsim ab: %s\n\n", markdown.Plain(r.Headline()))
	m.Printf("- %s\n- %s\n- Runs took %s\n", markdown.Plain(r.Totals().String()), markdown.Plain(r.Note()), wall(r.Wall))
	t := markdown.Table{To: m, All: true, Header: []string{"scenario", "metric", markdown.Plain(r.Base.Name), markdown.Plain(r.Head.Name), "difference", Interval, "change", "verdict"}}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for _, c := range s.Shown(all) {
			w := c.Words()
			t.Row(markdown.Code(s.ID()), markdown.Code(c.Metric), markdown.Plain(w.Base), markdown.Plain(w.Now), markdown.Plain(w.Difference),
				markdown.Plain(cmp.Or(w.Interval, "unknown")), markdown.Plain(w.Relative), string(c.Verdict))
		}
	}
	for i := range r.Scenarios {
		if notes := r.Notes(&r.Scenarios[i]); len(notes) > 0 {
			m.Printf("\n%s\n\n", markdown.Code(r.Scenarios[i].ID()))
			for _, n := range notes {
				m.Printf("- %s\n", markdown.Plain(n))
			}
		}
	}
	m.Open("All scenarios")
	t = markdown.Table{To: m, All: true, Header: []string{"scenario", "seeds", "outcome"}}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		t.Row(markdown.Code(s.ID()), markdown.Plain(seedsOf(s)), markdown.Plain(s.Outcome()))
	}
	m.Close()
	return m.Flush()
}

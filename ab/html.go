package ab

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/internal/webpage"
)

//go:embed page.html
var pageTemplate string

var pageOf = template.Must(webpage.Parse(pageTemplate, nil))

// page is the report as the template has it.
type page struct {
	Title, Level, Totals, Note, Base, Head, Interval string
	Pictures                                         []picture
	Rows                                             []pageRow
	Notes                                            []pageNotes
	Scenarios                                        []pageScenario

	Policy string // Content-Security-Policy
	Style  template.CSS
	Script template.JS
}

type picture struct {
	Title string
	Data  template.URL
}

type pageRow struct {
	Scenario, Metric string
	baseline.Words
	Verdict                                   baseline.Verdict
	BaseKey, NowKey, DifferenceKey, ChangeKey string
}

type pageNotes struct {
	Scenario string
	Notes    []string
}

type pageScenario struct{ ID, Path, Seeds, Outcome string }

// HTML writes the report as one page that loads nothing, with figures if there are some;
// if all is wanted, also what does not differ.
func (r *Report) HTML(w io.Writer, all bool, figures []figure.Figure) error {
	p := page{
		Title: r.Headline(), Level: "good", Totals: r.Totals().String(), Note: r.Note(), Base: r.Base.Name, Head: r.Head.Name, Interval: Interval,
		Policy: webpage.Policy(webpage.Script), Style: template.CSS(webpage.Style), Script: template.JS(webpage.Script),
	}
	if len(r.Worse()) > 0 {
		p.Level = "warn"
	}
	for _, f := range figures {
		var b bytes.Buffer
		if err := f.Render(&b, figure.SVG, figure.TwoColumns); err != nil {
			return err
		}
		p.Pictures = append(p.Pictures, picture{f.Title, template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(b.Bytes()))})
	}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for _, c := range s.Shown(all) {
			row := pageRow{Scenario: s.ID(), Metric: c.Metric, Words: c.Words(), Verdict: c.Verdict,
				BaseKey: key(c.Base.Mean.Value), NowKey: key(c.Now.Mean.Value), DifferenceKey: key(c.Difference.Value)}
			row.Interval = cmp.Or(row.Interval, "unknown")
			if share, ok := c.Relative(); ok {
				row.ChangeKey = key(math.Abs(share))
			}
			p.Rows = append(p.Rows, row)
		}
		if notes := r.Notes(s); len(notes) > 0 {
			p.Notes = append(p.Notes, pageNotes{s.ID(), notes})
		}
		p.Scenarios = append(p.Scenarios, pageScenario{s.ID(), s.Path, seedsOf(s), s.Outcome()})
	}
	if err := pageOf.Execute(w, p); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// key writes a value to sort by.
func key(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

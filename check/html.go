package check

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/internal/webpage"
)

//go:embed page/page.html
var pageTemplate string

//go:embed page/page.css
var pageStyle string

//go:embed page/page.js
var pageScript string

// HTML writes the report as one page that loads nothing: what failed, and for each
// scenario what was expected and measured, what changed against its baseline, and
// the command that repeats it.
func (r *Report) HTML(w io.Writer) error {
	t := r.Totals()
	script := webpage.Script + pageScript
	p := page{
		Title: r.headline(), Level: "good", Versions: r.versions(),
		Policy: webpage.Policy(script), Style: template.CSS(webpage.Style + pageStyle), Script: template.JS(script),
	}
	if !r.OK() {
		p.Level = "bad"
	}
	p.Facts = []fact{
		{"Scenarios", fmt.Sprintf("%d of %d", t.Scenarios-t.Failed, t.Scenarios), "passed"},
		{"Expectations", fmt.Sprintf("%d of %d", t.Expectations[expect.Passed]+t.Expectations[expect.Known], t.judged()), t.expectations()},
		{"Baselines", "none", ""},
		{"Runs", fmt.Sprint(t.Runs), "in " + wall(r.Wall) + more(t.Cached, "kept from before", "kept from before")},
	}
	if n := t.Identical + t.Changed; n > 0 {
		p.Facts[2] = fact{"Baselines", fmt.Sprintf("%d of %d", t.Identical, n), "identical" + more(t.Without, "scenario has none", "scenarios have none")}
	}
	if t.LeftOut > 0 {
		p.Facts = append(p.Facts, fact{"Left out", fmt.Sprint(t.LeftOut), "as they take long"})
	}
	for _, s := range r.suites() {
		shown := suiteView{Name: s.Name, LeftOut: s.LeftOut}
		for _, s := range s.Scenarios {
			v := s.view(len(p.Suites), len(shown.Scenarios))
			shown.Scenarios = append(shown.Scenarios, v)
			switch {
			case !s.OK():
				p.Failed = append(p.Failed, v)
			case s.notable():
				p.Changed = append(p.Changed, v)
			}
		}
		p.Suites = append(p.Suites, shown)
	}
	if err := pageOf.Execute(w, p); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

var pageOf = template.Must(webpage.Parse(pageTemplate, nil))

// page is the report as the template has it.
type page struct {
	Title, Level, Versions string
	Facts                  []fact
	Failed, Changed        []scenarioView
	Suites                 []suiteView

	Policy string // Content-Security-Policy
	Style  template.CSS
	Script template.JS
}

type fact struct{ Title, Value, Detail string }

type suiteView struct {
	Name      string
	Scenarios []scenarioView
	LeftOut   []string
}

type scenarioView struct {
	ID, Suite, Name, Path, Description string
	Result                             string // see Scenario.result
	Level                              string // how its mark looks
	Judged, Compared, Seeds            string
	Open                               bool
	Changed                            bool   // notably
	Brief, Error                       string // what went wrong, in a line and at length
	Notes                              []string
	Expectations                       []expectationView
	Changes                            []changeView
	Interval                           string // the title of a column
	Commands                           []string
}

type expectationView struct {
	expect.Words
	Formula                string
	Seed                   string // with the least margin, of several
	MeasuredKey, MarginKey string
	Class                  string
}

type changeView struct {
	Metric string
	baseline.Words
	Verdict                                   baseline.Verdict
	BaseKey, NowKey, DifferenceKey, ChangeKey string
	Bar                                       *bar
}

func (s *Scenario) view(suite, i int) scenarioView {
	v := scenarioView{
		ID: fmt.Sprintf("s%d-%d", suite+1, i+1), Suite: s.Suite, Name: s.Name, Path: s.Path, Description: s.Description,
		Result: s.result(), Level: "good", Judged: s.judged(), Compared: "baseline: " + s.compared(), Seeds: quantity.Count(len(s.Seeds), "seed"),
		Open: !s.OK(), Changed: s.notable(), Notes: s.complaints(), Interval: interval,
	}
	switch {
	case !s.OK():
		v.Level = "bad"
	case v.Changed, s.deviates():
		v.Level = "warn"
	}
	if seed, err := s.Err(); err != nil {
		v.Brief, v.Error = fmt.Sprintf("seed %d: %s", seed, firstLine(err)), fmt.Sprintf("Seed %d: %v", seed, err)
	}
	for _, x := range s.Verdicts {
		e := expectationView{Words: x.Words(), Formula: x.Bounds(), Class: "ok"}
		if !x.OK() {
			e.Class = "bad"
		}
		if x.N > 1 {
			e.Seed = fmt.Sprintf("%d of %d", x.Seed, x.N)
		}
		if x.Why == "" {
			e.MeasuredKey, e.MarginKey = key(x.Measured), key(x.Margin)
		}
		v.Expectations = append(v.Expectations, e)
	}
	v.Commands = s.commands()
	if s.Baseline == nil {
		return v
	}
	widest := s.widest()
	for _, c := range s.Baseline.Changes {
		x := changeView{
			Metric: c.Metric, Words: c.Words(), Verdict: c.Verdict,
			BaseKey: key(c.Base.Mean.Value), NowKey: key(c.Now.Mean.Value), DifferenceKey: key(c.Difference.Value),
		}
		if share, ok := c.Relative(); ok {
			x.ChangeKey = key(math.Abs(share))
			x.Bar = barOf(c, widest)
		}
		v.Changes = append(v.Changes, x)
	}
	return v
}

// bar shows the difference of a metric and its interval, in pixels of a picture.
type bar struct{ At, Low, Wide float64 }

// half is from the middle of a bar, no difference, to its edge.
const half = 60

// widest returns the largest difference, or end of an interval of one, relative
// to the baseline.
func (s *Scenario) widest() float64 {
	widest := 0.0
	for _, c := range s.Baseline.Changes {
		if share, ok := c.Relative(); ok {
			base, in := math.Abs(c.Base.Mean.Value), c.Difference.Interval
			widest = max(widest, math.Abs(share), math.Abs(in.Low)/base, math.Abs(in.High)/base)
		}
	}
	return widest
}

func barOf(c baseline.Change, widest float64) *bar {
	if widest == 0 {
		return nil
	}
	place := func(difference float64) float64 {
		return math.Round(10*(half+half*difference/math.Abs(c.Base.Mean.Value)/widest)) / 10
	}
	b := &bar{At: place(c.Now.Mean.Value - c.Base.Mean.Value)}
	b.Low = b.At
	if in := c.Difference.Interval; in.Exists() {
		b.Low = place(in.Low)
		b.Wide = math.Round(10*(place(in.High)-b.Low)) / 10
	}
	return b
}

// key writes a value to sort by.
func key(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

// more says how many there are of something, if there are any.
func more(n int, one, many string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return ", 1 " + one
	}
	return fmt.Sprintf(", %d %s", n, many)
}

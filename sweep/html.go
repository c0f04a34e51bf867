package sweep

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/internal/webpage"
)

//go:embed page/page.html
var pageTemplate string

//go:embed page/page.css
var pageStyle string

// mostRows bounds the cells of the table on the page.
const mostRows = 500

// page is the report of a study as the template has it.
type page struct {
	Title           string
	Summary         *Summary
	Level, Headline string
	Notes           []string
	Facts, Details  []fact
	Figures         []picture
	Rows            []row
	Intervals       bool // whether a mean has one
	Confidence      string
	More            int // cells that are not in the table
	Failures        []failure
	MoreFailures    int
	Source, File    string // the scenario's text and the name of its file

	Policy string // Content-Security-Policy
	Style  template.CSS
	Script template.JS
}

type fact struct{ Title, Value, Detail string }

// picture is a figure as the page shows it, for wide and for narrow screens.
type picture struct {
	Name, Title string
	Wide        template.URL
	Narrow      template.Srcset
	Files       []link // with the figure
}

// failure is a run that failed, and which it is.
type failure struct {
	FailedRun
	Which string
}

type link struct{ Format, Path string }

type row struct {
	Cell, Done int
	Values     []field
	Means      []field
}

// field is a value, and what it is sorted by.
type field struct {
	Text, Key string
	Sized     bool
}

// writeHTML writes the report of a study as one page that loads nothing.
func writeHTML(to io.Writer, study *Study, s *Summary, figures []figure.Figure) error {
	p := page{
		Summary: s, Level: "good", Headline: s.Progress(), Source: string(study.Source), File: filepath.Base(study.Path),
		Confidence: fmt.Sprintf("%g %%", 100*Confidence), MoreFailures: max(0, s.Failed-len(s.Failures)),
		Title: s.Name, Policy: webpage.Policy(webpage.Script), Style: template.CSS(webpage.Style + pageStyle), Script: template.JS(webpage.Script),
	}
	switch {
	case s.Failed > 0:
		p.Level = "bad"
	case s.Missing > 0:
		p.Level = "warn"
	}
	p.Notes, p.Facts, p.Details = s.notes(), s.facts(), study.details(s)
	for _, f := range figures {
		shown, err := pictureOf(f)
		if err != nil {
			return err
		}
		p.Figures = append(p.Figures, shown)
	}
	shown := s.Cells[:min(mostRows, len(s.Cells))]
	p.More = len(s.Cells) - len(shown)
	for _, c := range shown {
		r := s.row(c)
		for _, mean := range c.Means {
			p.Intervals = p.Intervals || mean.Interval.Exists()
		}
		p.Rows = append(p.Rows, r)
	}
	for _, f := range s.Failures {
		p.Failures = append(p.Failures, failure{f, f.Of(s.Axes)})
	}
	if err := pageOf.Execute(to, p); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

var pageOf = template.Must(webpage.Parse(pageTemplate, template.FuncMap{
	"of":     FailedRun.Of,
	"signed": func(v float64) string { return quantity.Signed(strconv.FormatFloat(v, 'f', 2, 64)) },
	"sized":  func(a Axis) bool { _, _, ok := quantity.ParseAll(a.Values); return ok },
}))

// row returns a line of the table of cells.
func (s *Summary) row(c CellSummary) row {
	r := row{Cell: c.Cell, Done: c.Done}
	for _, v := range c.Values {
		f := field{Text: v, Key: v}
		if size, _, ok := quantity.Parse(v); ok {
			f.Key, f.Sized = number(size), true
		}
		r.Values = append(r.Values, f)
	}
	for i, m := range s.Metrics {
		var f field
		if mean := c.Means[i]; mean.N > 0 {
			f = field{Text: quantity.Format(m.Name, mean.Value, m.Unit), Key: number(mean.Value)}
			if mean.Interval.Exists() {
				f.Text = quantity.PlusMinus(m.Name, mean.Value, mean.Interval.High-mean.Value, m.Unit)
			}
		}
		r.Means = append(r.Means, f)
	}
	return r
}

// pictureOf draws a figure for both widths.
func pictureOf(f figure.Figure) (picture, error) {
	p := picture{Name: f.Name, Title: f.Title}
	drawn := func(width figure.Width) (string, error) {
		var b bytes.Buffer
		err := f.Render(&b, figure.SVG, width)
		return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(b.Bytes()), err
	}
	wide, err := drawn(figure.TwoColumns)
	if err != nil {
		return p, err
	}
	narrow, err := drawn(figure.OneColumn)
	if err != nil {
		return p, err
	}
	p.Wide, p.Narrow = template.URL(wide), template.Srcset(narrow)
	for _, format := range figure.Formats() {
		p.Files = append(p.Files, link{strings.ToUpper(string(format)), figuresFolder + "/" + f.Name + "." + string(format)})
	}
	return p, nil
}

// notes are what a reader should know besides how far the study is.
func (s *Summary) notes() []string {
	var out []string
	if s.Unended > 0 {
		out = append(out, fmt.Sprintf("In %s not every task was finished when it ended.", quantity.Count(s.Unended, "run")))
	}
	if s.Unsealed > 0 {
		out = append(out, fmt.Sprintf("%s not sealed: they may differ when they are repeated.", quantity.Count(s.Unsealed, "run")))
	}
	if len(s.Versions) > 1 {
		out = append(out, fmt.Sprintf("The runs were made by %d different versions.", len(s.Versions)))
	}
	for _, glob := range s.Unmatched {
		out = append(out, "No run has a metric "+glob+".")
	}
	return out
}

func (s *Summary) facts() []fact {
	runs := s.Done + s.Failed + s.Missing
	share := 0.0
	if runs > 0 {
		share = math.Floor(100 * float64(s.Done) / float64(runs))
	}
	facts := []fact{
		{"Runs", fmt.Sprintf("%d of %d", s.Done, runs), fmt.Sprintf("done, %g %%", share)},
		{"Cells", strconv.Itoa(len(s.Cells)), "of " + quantity.Count(len(s.Axes), "axis that varies", "axes that vary")},
		{"Seeds", strconv.Itoa(s.Seeds), "of each cell"},
		{"Virtual time", quantity.Duration(s.Virtual.Seconds()), "in " + quantity.Duration(s.Wall.Seconds()) + " of processes"},
		{"Datagrams", quantity.Number(float64(s.Datagrams)), "entered the networks"},
	}
	if s.Failed > 0 {
		facts = append(facts, fact{"Failed", strconv.Itoa(s.Failed), "runs"})
	}
	if s.Missing > 0 {
		facts = append(facts, fact{"Missing", strconv.Itoa(s.Missing), "runs that have not been made"})
	}
	return facts
}

// details are the design of the study and what made its runs.
func (s *Study) details(sum *Summary) []fact {
	var out []fact
	for _, a := range s.Axes {
		values := strings.Join(a.Values[:min(len(a.Values), 40)], ", ")
		if more := len(a.Values) - 40; more > 0 {
			values += fmt.Sprintf(" and %d more", more)
		}
		out = append(out, fact{Title: a.Path, Value: values})
	}
	for _, o := range s.Overrides {
		out = append(out, fact{Title: "In every cell", Value: o})
	}
	var seeds []string
	for _, seed := range s.Seeds {
		seeds = append(seeds, strconv.FormatUint(seed, 10))
	}
	if n := len(seeds); n > 12 {
		seeds = append(append(seeds[:6:6], "…"), seeds[n-1])
	}
	out = append(out, fact{Title: "Seeds", Value: strings.Join(seeds, ", ")})
	limits := "none"
	switch l := s.Limits; {
	case l.Wall > 0 && l.Memory > 0:
		limits = fmt.Sprintf("%v of wall-clock time and %v of memory", l.Wall, l.Memory)
	case l.Wall > 0:
		limits = fmt.Sprintf("%v of wall-clock time", l.Wall)
	case l.Memory > 0:
		limits = fmt.Sprintf("%v of memory", l.Memory)
	}
	out = append(out, fact{Title: "Limits of a run", Value: limits})
	for _, v := range sum.Versions {
		out = append(out, fact{Title: "Made by", Value: fmt.Sprintf("wtsim %s, quic-go %s, %s, %s/%s", v.Wtsim, v.QUICGo, v.Go, v.OS, v.Arch)})
	}
	return out
}

package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/analysis/seeds"
)

// picture is a figure of a run on the page.
type picture struct {
	ID, Title, Sentence string
	Charts              int           // of its graphs, which the page draws; without any it shows the SVG
	SVG                 template.HTML // as it is printed, and shown where no script runs
	Narrow              template.HTML // the same for a narrow page, of figures that have no charts

	charts []chart
}

// chart is a graph as the page's script reads it.
type chart struct {
	Name    string    `json:"name"`
	X       axis      `json:"x"`
	Y       axis      `json:"y"`
	Areas   []area    `json:"areas,omitempty"`
	Moments []moments `json:"moments,omitempty"`
	Curves  []curve   `json:"curves"`
}

type axis struct {
	Quantity string `json:"quantity"`
	Unit     string `json:"unit"`
	Log      bool   `json:"log,omitempty"`
	Low      number `json:"low"`
	High     number `json:"high"`
}

type curve struct {
	Label string    `json:"label"`
	Color string    `json:"color"`
	Width float64   `json:"width"`
	Dash  []float64 `json:"dash,omitempty"`
	Step  bool      `json:"step,omitempty"`
	X     []number  `json:"x"`
	Y     []number  `json:"y"`
}

type area struct {
	Label string   `json:"label"`
	Color string   `json:"color"`
	Step  bool     `json:"step,omitempty"`
	X     []number `json:"x"`
	Low   []number `json:"low"`
	High  []number `json:"high"`
}

type moments struct {
	Label string    `json:"label"`
	Color string    `json:"color"`
	Dash  []float64 `json:"dash,omitempty"`
	At    []number  `json:"at"`
}

// number is a value in the unit of its axis, as short as the page needs it.
type number float64

// MarshalJSON writes seven significant digits, and null for what is no number.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', 7, 64), nil
}

// pictureOf makes a figure ready for the page.
func pictureOf(f figure.Figure, id, sentence string) (picture, error) {
	// The page shows the title, so the figure need not.
	p := picture{ID: id, Title: f.Title, Sentence: sentence}
	f.Title = ""
	for _, c := range f.Charts() {
		p.charts = append(p.charts, chartOf(c))
	}
	p.Charts = len(p.charts)
	var err error
	if p.SVG, err = svgOf(f, figure.TwoColumns); err == nil && p.Charts == 0 {
		p.Narrow, err = svgOf(f, figure.OneColumn)
	}
	return p, err
}

// room is what is left of the size of a page, in bytes.
type room struct {
	figures int // for what the page shows
	paper   int // for pictures that are there for print alone
}

// newRoom returns the room of a page: with all else on it, a run has less than
// three megabytes.
func newRoom() *room { return &room{figures: 1_700_000, paper: 800_000} }

// take makes room for a figure, and reports whether there is. One that the page
// draws is printed as it is shown if there is none for its picture.
func (r *room) take(p *picture) bool {
	if p.Charts == 0 {
		if size := len(p.SVG) + len(p.Narrow); size <= r.figures {
			r.figures -= size
			return true
		}
		return false
	}
	text, err := json.Marshal(p.charts)
	if err != nil || len(text) > r.figures {
		return false
	}
	r.figures -= len(text)
	if len(p.SVG) > r.paper {
		p.SVG = ""
	}
	r.paper -= len(p.SVG)
	return true
}

// overPictures returns the figures over several runs, as far as these have
// something to show.
func overPictures(all []seeds.Set, r *room) ([]picture, error) {
	runs := 0
	for _, s := range all {
		runs += len(s.Runs)
	}
	if runs < 2 {
		return nil, nil
	}
	sweep, err := figure.FromSets(all, nil)
	if err != nil {
		return nil, nil // there is no metric that they show
	}
	about := aboutOf(figure.SweepDefinitions())
	var out []picture
	for _, f := range figure.AllOver(sweep) {
		pic, err := pictureOf(f, "sets-"+f.Name, about[f.Name])
		if err != nil {
			return nil, err
		}
		if r.take(&pic) {
			out = append(out, pic)
		}
	}
	return out, nil
}

// aboutOf returns what figures show, as sentences.
func aboutOf(definitions []figure.Definition) map[string]string {
	about := map[string]string{}
	for _, d := range definitions {
		about[d.Name] = strings.ToUpper(d.About[:1]) + d.About[1:] + "."
	}
	return about
}

// svgOf draws a figure as a part of the page: without a head, and without
// letters of its own, as those of one figure would replace those of another.
func svgOf(f figure.Figure, width figure.Width) (template.HTML, error) {
	var b bytes.Buffer
	if err := f.Render(&b, figure.SVG, width); err != nil {
		return "", err
	}
	text := b.String()
	begin := strings.Index(text, "<svg")
	if begin < 0 {
		return "", fmt.Errorf("figure %s has no picture", f.Name)
	}
	text = text[begin:]
	if before, rest, ok := strings.Cut(text, "<defs><style>"); ok {
		if _, after, ok := strings.Cut(rest, "</style></defs>"); ok {
			text = before + after
		}
	}
	return template.HTML(text), nil
}

func chartOf(c figure.Chart) chart {
	out := chart{
		Name: c.Name, X: axisOf(c.X), Y: axisOf(c.Y),
		Curves: []curve{},
	}
	x, y := c.X.Size, c.Y.Size
	for _, a := range c.Areas {
		made := area{Label: a.Label, Color: a.Color, Step: a.Step}
		for i := range min(len(a.Low), len(a.High)) {
			made.X = append(made.X, number(a.Low[i].X/x))
			made.Low = append(made.Low, number(a.Low[i].Y/y))
			made.High = append(made.High, number(a.High[i].Y/y))
		}
		out.Areas = append(out.Areas, made)
	}
	for _, m := range c.Moments {
		made := moments{Label: m.Label, Color: m.Color, Dash: m.Dash}
		for _, at := range m.At {
			made.At = append(made.At, number(at/x))
		}
		out.Moments = append(out.Moments, made)
	}
	for _, l := range c.Curves {
		made := curve{Label: l.Label, Color: l.Color, Width: l.Width, Dash: l.Dash, Step: l.Step, X: []number{}, Y: []number{}}
		for _, p := range l.Points {
			made.X = append(made.X, number(p.X/x))
			made.Y = append(made.Y, number(p.Y/y))
		}
		out.Curves = append(out.Curves, made)
	}
	return out
}

func axisOf(a figure.Axis) axis {
	return axis{Quantity: a.Quantity, Unit: a.Unit, Log: a.Log, Low: number(a.Low / a.Size), High: number(a.High / a.Size)}
}

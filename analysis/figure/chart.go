package figure

import (
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
)

// Chart is one graph of a figure as data, for a page on which the reader can point
// at values and zoom. Numbers are in the base units of their axes.
type Chart struct {
	Name    string // what the graph is of, such as a direction; empty: said by the figure's title
	X, Y    Axis
	Areas   []Area // drawn first
	Moments []Moments
	Curves  []Curve // the first at the bottom
}

// Axis is an axis of a chart. Charts of a figure whose horizontal axes are equal
// zoom together.
type Axis struct {
	Quantity  string  // such as "time"
	Unit      string  // to show numbers in, such as "ms"; empty for shares and indices
	Size      float64 // of the unit in the base unit: 0.001 for ms
	Log       bool    // logarithmic
	Low, High float64 // what the axis shows, in the base unit
}

// Curve is one line of a chart.
type Curve struct {
	Label  string    // empty: not in the legend
	Color  string    // as #rrggbb
	Width  float64   // of the line in points of 1/72 inch; 0: only marks
	Dash   []float64 // lengths of strokes and gaps in points, in turn; nil: solid
	Step   bool      // a value holds until the next point
	Points []XY      // in order of X
}

// Area is the region between two lines of a chart, whose points have common X.
type Area struct {
	Label     string // empty: not in the legend
	Color     string // as #rrggbb
	Step      bool   // a value holds until the next point
	Low, High []XY
}

// Moments are marked places on the horizontal axis, all of one kind.
type Moments struct {
	Label string
	Color string // as #rrggbb
	Dash  []float64
	At    []float64 // X of each
}

// Charts returns the graphs of the figure from top to bottom, and nothing for
// panels of another kind: a page shows those as a picture. The points are those
// that the figure draws, so their number is bounded.
func (f Figure) Charts() []Chart {
	var out []Chart
	for _, p := range f.panels {
		if g, ok := p.(*graph); ok {
			out = append(out, g.chart())
		}
	}
	return out
}

func (g *graph) chart() Chart {
	c := Chart{
		Name: clean(g.name),
		X:    g.horizontal(TwoColumns.points()).export(g.x),
		Y:    g.vertical(plotHeight(g.stacked, TwoColumns)).export(g.y),
	}
	for _, a := range g.areas {
		c.Areas = append(c.Areas, Area{Label: clean(a.label), Color: hex(a.look.Color), Step: a.step, Low: slices.Clone(a.low), High: slices.Clone(a.high)})
	}
	for _, i := range g.instants {
		m := Moments{Label: clean(i.label), Color: hex(i.look.Color), Dash: dashOf(i.look)}
		for _, t := range i.at {
			m.At = append(m.At, t.Seconds())
		}
		c.Moments = append(c.Moments, m)
	}
	for _, l := range g.curves {
		c.Curves = append(c.Curves, Curve{
			Label: clean(l.label), Color: hex(l.look.Color), Width: l.look.Width.Points(), Dash: dashOf(l.look),
			Step: l.step, Points: slices.Clone(l.points),
		})
	}
	return c
}

// export returns the axis as a page needs it.
func (a axis) export(m measure) Axis {
	return Axis{
		Quantity: m.quantity, Unit: a.scale.unit, Size: a.scale.size, Log: a.log,
		Low: a.low * a.scale.size, High: a.top * a.scale.size,
	}
}

// hex writes an opaque colour.
func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

func dashOf(l look) []float64 {
	var out []float64
	for _, d := range l.Dashes {
		out = append(out, vg.Length(d).Points())
	}
	return out
}

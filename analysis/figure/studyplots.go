package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg/draw"
)

// Bounds of what lines show besides their means.
const (
	mostBands = 3   // lines with bands; more would hide each other, and have bars
	mostDots  = 600 // single runs in a plot
)

// over returns the plots of a metric over the first dimension: a line for each value of
// the second, a plot for each combination of the values of the others.
func over(m Quantity, dims []dim, groups []group) *multiples {
	p := &multiples{metric: m, logY: dims[0].numeric() && dims[0].log, values: func(plot smallPlot) [][]string { return studyRows(m, dims, plot.facet.groups) }}
	var shown []int // values of the second dimension
	if len(dims) > 1 {
		shown = evenly(len(dims[1].labels), maxLines)
		if left := len(dims[1].labels) - len(shown); left > 0 {
			p.notes = append(p.notes, fmt.Sprintf("%d of %d values of %s have a line; the table of results has all.", len(shown), len(dims[1].labels), dims[1].name))
		}
		for i, v := range shown {
			p.legend = append(p.legend, entry{label: lineLabel(dims[1], v, i == 0), look: p.lineLook(dims[0], i)})
		}
	} else {
		shown = []int{0}
	}
	facets, left := facetsOf(dims, 2, groups, mostMultiples)
	if left > 0 {
		p.notes = append(p.notes, fmt.Sprintf("%d more combinations of %s are in the table of results.", left, namesOf(dims[2:])))
	}
	intervals, dots := false, false
	for _, f := range facets {
		plot := smallPlot{title: f.label, x: dims[0], facet: f}
		if len(facets) == 1 {
			plot.title = ""
		}
		runs := 0
		for _, g := range f.groups {
			runs += len(g.runs)
		}
		for i, v := range shown {
			line := studyLine{look: p.lineLook(dims[0], i), joined: dims[0].numeric(), band: dims[0].numeric() && len(shown) <= mostBands, x: placeOf(dims[0], 0)}
			if !dims[0].numeric() { // lines stand side by side
				aside := min(0.1, 0.7/float64(len(shown))) * (float64(i) - float64(len(shown)-1)/2)
				line.x = func(g group) float64 { return float64(g.at[0]) + aside }
			}
			for _, g := range f.groups {
				if len(dims) == 1 || g.at[1] == v {
					line.groups = append(line.groups, g)
				}
			}
			slices.SortFunc(line.groups, func(a, b group) int { return cmp.Compare(a.at[0], b.at[0]) })
			if runs <= mostDots {
				line.thin = dotLook(line.look)
			}
			for _, g := range line.groups {
				low, high := g.ends()
				p.reach = append(p.reach, low, high)
				intervals = intervals || low < high
				if line.thin.marker != nil {
					p.reach, dots = append(p.reach, g.runs...), dots || len(g.runs) > 1
				}
			}
			plot.lines = append(plot.lines, line)
		}
		p.plots = append(p.plots, plot)
	}
	if len(dims) == 1 {
		what := "mean"
		if _, most := runsOf(groups); most == 1 {
			what = "one run"
		}
		p.legend = append(p.legend, entry{label: what, look: p.lineLook(dims[0], 0)})
	}
	p.explain(intervals, dots, dims[0].numeric() && len(shown) <= mostBands)
	return p
}

// explain adds to the legend what stands around the means.
func (p *multiples) explain(intervals, dots, band bool) {
	if intervals && band {
		p.legend = append(p.legend, entry{label: "95 % interval (Student’s t)", look: look{LineStyle: draw.LineStyle{Color: tint(limitInk, 0.7)}}, fill: true})
	} else if intervals {
		p.legend = append(p.legend, entry{label: "95 % interval (Student’s t)", look: look{LineStyle: draw.LineStyle{Color: limitInk, Width: 0.7}}})
	}
	if dots {
		l := dotLook(look{LineStyle: draw.LineStyle{Color: limitInk}})
		p.legend = append(p.legend, entry{label: "a run", look: l})
	}
}

func (p *multiples) lineLook(x dim, i int) look {
	l := lineLook(i)
	l.radius = 2
	if !x.numeric() {
		l.Width = 0
	}
	return l
}

// dotLook returns the look of single runs behind a line.
func dotLook(l look) look {
	return look{LineStyle: draw.LineStyle{Color: tint(lineColour(l), 0.35)}, marker: draw.CircleGlyph{}, radius: 0.8}
}

func lineColour(l look) color.RGBA { return color.RGBAModel.Convert(l.Color).(color.RGBA) }

// placeOf returns where a group lies along the i-th dimension.
func placeOf(d dim, i int) func(group) float64 {
	if d.numeric() {
		return func(g group) float64 { return d.sizes[g.at[i]] }
	}
	return func(g group) float64 { return float64(g.at[i]) }
}

// lineLabel names a value of a dimension, the first one with the dimension's name.
func lineLabel(d dim, v int, first bool) string {
	label := orNone(d.labels[v])
	if first {
		return d.name + " = " + label
	}
	return label
}

// evenly returns at most n of the indexes below all, evenly.
func evenly(all, n int) []int {
	var out []int
	for i := range min(all, n) {
		at := i
		if all > n {
			at = i * (all - 1) / (n - 1)
		}
		out = append(out, at)
	}
	return out
}

// against returns the plots of a metric against each dimension whose values were sampled, or nil
// if none were. The first other dimension tells points apart.
func against(m Quantity, dims []dim, groups []group) *multiples {
	p := &multiples{metric: m, values: func(plot smallPlot) [][]string {
		if plot.facet.label != "" { // all plots show the same groups
			return nil
		}
		return studyRows(m, dims, groups)
	}}
	kinds := slices.IndexFunc(dims, func(d dim) bool { return !d.drawn && len(d.labels) <= maxLines })
	shown := []int{0}
	if kinds >= 0 {
		shown = evenly(len(dims[kinds].labels), maxLines)
		for i, v := range shown {
			p.legend = append(p.legend, entry{label: lineLabel(dims[kinds], v, i == 0), look: spotOf(i)})
		}
	} else {
		p.legend = append(p.legend, entry{label: "a cell", look: spotOf(0)})
	}
	intervals := false
	for i, d := range dims {
		if !d.drawn {
			continue
		}
		if len(p.plots) == mostMultiples {
			p.notes = append(p.notes, fmt.Sprintf("Not shown: %s.", namesOf(dims[i:])))
			break
		}
		plot := smallPlot{x: d}
		if len(p.plots) > 0 {
			plot.facet.label = d.name
		}
		for j, v := range shown {
			line := studyLine{look: spotOf(j), along: i, x: placeOf(d, i)}
			for _, g := range groups {
				if kinds < 0 || g.at[kinds] == v {
					line.groups = append(line.groups, g)
					low, high := g.ends()
					p.reach, intervals = append(p.reach, low, high), intervals || low < high
				}
			}
			plot.lines = append(plot.lines, line)
		}
		p.plots = append(p.plots, plot)
	}
	if len(p.plots) == 0 {
		return nil
	}
	p.explain(intervals, false, false)
	return p
}

// spotOf returns the look of the cells of the i-th kind.
func spotOf(i int) look {
	l := lineLook(i)
	l.Width, l.radius = 0, 1.7
	return l
}

package figure

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Effect is the difference that something makes to a metric.
type Effect struct {
	Label     string  // what the metric is of
	Share     float64 // the difference relative to what it was, such as 0.1
	Low, High float64 // its interval; both are Share if there is none
	Real      bool    // whether it is more than chance
	Better    bool    // whether it is to the good, if it is real
	N         int     // differences that it is the mean of
}

// mostEffects bounds the rows of a figure: more do not fit on a page.
const mostEffects = 40

// Forest draws relative differences of one quantity, each with its interval, the largest
// first: a forest plot (Lewis and Clarke, "Forest plots: trying to see the wood and the
// trees", BMJ 322, 2001). Of many, those that are real and the
// largest are drawn.
func Forest(name, title, quantity string, effects []Effect) Figure {
	effects = slices.Clone(effects)
	slices.SortStableFunc(effects, func(a, b Effect) int {
		if a.Real != b.Real {
			return map[bool]int{true: -1, false: 1}[a.Real]
		}
		return cmp.Compare(math.Abs(b.Share), math.Abs(a.Share))
	})
	effects = effects[:min(len(effects), mostEffects)]
	slices.SortStableFunc(effects, func(a, b Effect) int { return cmp.Compare(b.Share, a.Share) })
	f := Figure{Name: name, Title: title, header: rowsHeader(Sweep{})}
	if len(effects) == 0 {
		return f
	}
	p := &rows{
		metric: Quantity{quantity, "relative difference", "%"},
		legend: []entry{{label: "better", look: betterLook}, {label: "worse", look: worseLook}, {label: "may be chance, or within the tolerance", look: unsureLook}},
	}
	for _, e := range effects {
		p.sets = append(p.sets, e.row())
	}
	f.panels = []panel{p}
	return f
}

func (e Effect) row() rowOf {
	share, low, high := 100*e.Share, 100*e.Low, 100*e.High
	// A wide interval may leave the axis, which is that of the differences.
	reach := 1.5*math.Abs(share) + 1
	r := rowOf{set: RunSet{Label: e.Label}, n: e.N, reach: []float64{0, share, max(low, share-reach), min(high, share+reach)}}
	r.record("difference", "", share)
	r.record("interval low", "", low)
	r.record("interval high", "", high)
	mark := unsureLook
	switch {
	case e.Real && e.Better:
		mark = betterLook
	case e.Real:
		mark = worseLook
	}
	r.draw = func(s *sheet, y vg.Length, x func(float64) vg.Length) {
		zero := draw.LineStyle{Color: ink, Width: 0.6}
		s.line(zero, x(0), y-rowHeight/2, x(0), y+rowHeight/2)
		s.line(draw.LineStyle{Color: mark.Color, Width: 1.2}, x(r.reach[2]), y, x(r.reach[3]), y)
		const half = 3
		if low >= r.reach[2] {
			s.line(draw.LineStyle{Color: mark.Color, Width: 1.2}, x(low), y-half, x(low), y+half)
		}
		if high <= r.reach[3] {
			s.line(draw.LineStyle{Color: mark.Color, Width: 1.2}, x(high), y-half, x(high), y+half)
		}
		s.mark(mark, vg.Point{X: x(share), Y: y})
	}
	return r
}

// The looks of differences.
var (
	betterLook = look{LineStyle: draw.LineStyle{Color: palette[0]}, marker: draw.CircleGlyph{}, radius: 2.6}
	worseLook  = look{LineStyle: draw.LineStyle{Color: alarm}, marker: draw.PyramidGlyph{}, radius: 3}
	unsureLook = look{LineStyle: draw.LineStyle{Color: limitInk}, marker: draw.RingGlyph{}, radius: 2.2}
)

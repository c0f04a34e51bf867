package figure

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/wtsim/wtsim/analysis/stat"
)

// box draws the distribution of each metric over the seeds of each set of runs:
// a box from the first to the third quartile with the median, and whiskers to the furthest
// values within one and a half of its lengths (Tukey, "Exploratory Data
// Analysis", 1977). Few values are drawn one by one, of many those beyond the whiskers.
func box(s Sweep) (Figure, error) {
	f := Figure{Name: "box", Title: "Distribution over seeds" + s.by() + ": " + s.Name, header: rowsHeader(s)}
	if _, most := s.runs(); most < 2 {
		return Figure{}, errors.New("it shows how runs differ that differ in their seeds, and there is one of each; see wtsim run --seeds")
	}
	legend := []entry{
		{label: "quartiles", look: boxLook, fill: true},
		{label: "median", look: middleLook},
		{label: "to values within 1.5 quartile distances", look: whiskerLook},
		{label: "a run", look: runLook},
	}
	for _, m := range s.Metrics {
		p := &rows{metric: m, legend: legend}
		legend = nil
		for _, set := range s.Sets {
			r, err := boxOf(set, m)
			if err != nil {
				return Figure{}, fmt.Errorf("%s: %w", m.Name, err)
			}
			p.sets = append(p.sets, r)
		}
		f.panels = append(f.panels, p)
	}
	return f, nil
}

const (
	fewest  = 5  // values for a box; of fewer, quartiles say little
	mostDot = 30 // values that are drawn one by one
)

func boxOf(set RunSet, m Quantity) (rowOf, error) {
	values, of := set.values(m.Name)
	r := rowOf{set: set, n: len(values), reach: values}
	if r.n == 0 {
		return r, nil
	}
	var q [3]float64
	for i := range q {
		var err error
		if q[i], err = stat.Quantile(values, float64(i+1)/4); err != nil {
			return r, err
		}
	}
	// The whiskers end at values, and not inside of the box.
	low, high := q[0], q[2]
	var beyond []int
	for i, v := range values {
		if reach := 1.5 * (q[2] - q[0]); v < q[0]-reach || v > q[2]+reach {
			beyond = append(beyond, i)
			continue
		}
		low, high = min(low, values[i]), max(high, values[i])
	}
	for i, what := range []string{"quartile 1", "median", "quartile 3"} {
		r.record(what, "", q[i])
	}
	r.record("whisker low", "", low)
	r.record("whisker high", "", high)
	for i, v := range values {
		r.record("run", fmt.Sprint(of[i]), v)
	}
	r.draw = func(s *sheet, y vg.Length, x func(float64) vg.Length) {
		const half = 5
		if r.n >= fewest {
			s.line(whiskerLook.LineStyle, x(low), y, x(q[0]), y)
			s.line(whiskerLook.LineStyle, x(q[2]), y, x(high), y)
			corners := []vg.Point{{X: x(q[0]), Y: y - half}, {X: x(q[2]), Y: y - half}, {X: x(q[2]), Y: y + half}, {X: x(q[0]), Y: y + half}}
			s.FillPolygon(boxLook.Color, corners)
			s.StrokeLines(whiskerLook.LineStyle, append(corners, corners[0]))
		}
		s.line(middleLook.LineStyle, x(q[1]), y-half, x(q[1]), y+half)
		for i, v := range values {
			if r.n <= mostDot || slices.Contains(beyond, i) {
				s.mark(runLook, vg.Point{X: x(v), Y: y + scatter(i)})
			}
		}
	}
	return r, nil
}

// scatter moves the mark of the i-th run up or down, so that it does not hide
// those of equal value.
func scatter(i int) vg.Length {
	const golden = 0.6180339887498949
	return 7 * vg.Length(math.Mod(0.5+float64(i)*golden, 1)-0.5)
}

// The looks of boxes, and of what is known of a mean.
var (
	boxLook     = look{LineStyle: draw.LineStyle{Color: tint(palette[0], 0.72)}}
	whiskerLook = look{LineStyle: draw.LineStyle{Color: palette[0], Width: 0.8}}
	middleLook  = look{LineStyle: draw.LineStyle{Color: ink, Width: 1.6}}
	runLook     = look{LineStyle: draw.LineStyle{Color: ink}, marker: draw.RingGlyph{}, radius: 1.5}
	meanLook    = look{LineStyle: draw.LineStyle{Color: palette[0], Width: 1.2}, marker: draw.CircleGlyph{}, radius: 2.4}
	singleLook  = look{LineStyle: draw.LineStyle{Color: palette[0]}, marker: draw.RingGlyph{}, radius: 2.4}
)

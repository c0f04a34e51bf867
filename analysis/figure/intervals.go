package figure

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot/vg"

	"github.com/wtsim/wtsim/analysis/stat"
)

// confidence is that of the intervals that figures show.
const confidence = 0.95

// intervals draws the mean of each metric over the seeds of each set of runs,
// with its confidence interval. One run has none.
func intervals(s Sweep) (Figure, error) {
	f := Figure{Name: "intervals", Title: "Means over seeds" + s.by() + ": " + s.Name, header: rowsHeader(s)}
	all, most := s.runs()
	if all < 2 {
		return Figure{}, errors.New("it shows means over several runs, and there is one; see wtsim run --seeds")
	}
	var legend []entry
	if most > 1 {
		legend = append(legend, entry{label: "mean and its 95 % interval (Student’s t)", look: meanLook})
	}
	for _, set := range s.Sets {
		if len(set.Runs) == 1 {
			legend = append(legend, entry{label: "one run", look: singleLook})
			break
		}
	}
	for _, m := range s.Metrics {
		p := &rows{metric: m, legend: legend}
		legend = nil
		for _, set := range s.Sets {
			r, err := intervalOf(set, m)
			if err != nil {
				return Figure{}, fmt.Errorf("%s: %w", m.Name, err)
			}
			p.sets = append(p.sets, r)
		}
		f.panels = append(f.panels, p)
	}
	return f, nil
}

func intervalOf(set RunSet, m Quantity) (rowOf, error) {
	values, _ := set.values(m.Name)
	r := rowOf{set: set, n: len(values)}
	if r.n == 0 {
		return r, nil
	}
	mean, err := stat.Mean(values, confidence)
	if err != nil {
		return r, err
	}
	r.record("mean", "", mean.Value)
	r.reach = []float64{mean.Value}
	low, high := mean.Interval.Low, mean.Interval.High
	if mean.Interval.Exists() {
		r.record("interval low", "", low)
		r.record("interval high", "", high)
		r.reach = append(r.reach, low, high)
	}
	r.draw = func(s *sheet, y vg.Length, x func(float64) vg.Length) {
		const half = 3
		at := vg.Point{X: x(mean.Value), Y: y}
		if !mean.Interval.Exists() {
			s.mark(singleLook, at)
			return
		}
		s.line(meanLook.LineStyle, x(low), y, x(high), y)
		s.line(meanLook.LineStyle, x(low), y-half, x(low), y+half)
		s.line(meanLook.LineStyle, x(high), y-half, x(high), y+half)
		s.mark(meanLook, at)
	}
	return r, nil
}

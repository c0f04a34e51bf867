package sweep

import (
	"strings"

	"github.com/wtsim/wtsim/analysis/figure"
)

// figuresFolder holds the figures of a study, in the folder of its store.
const figuresFolder = "figures"

// figures returns the figures of the metrics that were chosen: none if nothing varies, or
// nothing is done.
func (c *collector) figures() []figure.Figure {
	s := figure.Study{Name: c.study.Name}
	for _, a := range c.study.Axes {
		s.Axes = append(s.Axes, figure.StudyAxis{Path: a.Path, Values: a.Values, Log: a.Log})
	}
	for _, m := range c.chosen {
		q := m.quantity
		s.Metrics = append(s.Metrics, figure.Quantity{Name: q.Name, Short: strings.TrimPrefix(strings.TrimPrefix(q.Name, q.Entity), "."), Unit: q.Unit})
	}
	for i, cell := range c.study.Cells {
		out := figure.StudyCell{Values: cell.Values}
		for k, seed := range c.study.Seeds {
			run := figure.StudyRun{Seed: seed, Values: make([]float64, len(c.chosen))}
			for j, m := range c.chosen {
				run.Values[j] = m.of(i, len(c.study.Seeds))[k]
			}
			out.Runs = append(out.Runs, run)
		}
		s.Cells = append(s.Cells, out)
	}
	figures, err := figure.OfStudy(s)
	if err != nil {
		return nil
	}
	return figures
}

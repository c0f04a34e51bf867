package sweep

import (
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/analysis/stat"
)

// fewestRanked is how many cells a correlation is of, at least: of fewer it says little.
const fewestRanked = 8

// correlations returns those of each metric with each axis of quantities. An axis of few values,
// as a grid has them, has none: a line over it says more.
func correlations(s *Summary) []Correlation {
	var out []Correlation
	for k, m := range s.Metrics {
		for i, axis := range s.Axes {
			if _, _, ok := quantity.ParseAll(axis.Values); !ok || len(axis.Values) < fewestRanked {
				continue
			}
			var x, y []float64
			for _, cell := range s.Cells {
				if cell.Means[k].N > 0 {
					size, _, _ := quantity.Parse(cell.Values[i])
					x, y = append(x, size), append(y, cell.Means[k].Value)
				}
			}
			if len(x) < fewestRanked {
				continue
			}
			if value, err := stat.Spearman(x, y); err == nil {
				out = append(out, Correlation{Metric: m.Name, Axis: axis.Path, Value: value, Cells: len(x)})
			}
		}
	}
	return out
}

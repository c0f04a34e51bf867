package figure

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/netem"
)

// heatmap draws the mean of each metric over the seeds in a cell for each pair of
// values that the sets vary in.
func heatmap(s Sweep) (Figure, error) {
	if len(s.Varied) != 2 {
		return Figure{}, fmt.Errorf("it shows runs that vary in two values, and these vary in %s", variation(s.Varied))
	}
	f := Figure{
		Name: "heatmap", Title: "Means over seeds" + s.by() + ": " + s.Name,
		header: []string{"metric", "unit", s.Varied[0], s.Varied[1], "mean", "interval low", "interval high", "n"},
	}
	for _, m := range s.Metrics {
		p, err := newMatrix(s, m)
		if err != nil {
			return Figure{}, fmt.Errorf("%s: %w", m.Name, err)
		}
		f.panels = append(f.panels, p)
	}
	return f, nil
}

func variation(paths []string) string {
	switch n := len(paths); {
	case n == 0:
		return "none"
	case n == 1:
		return "one: " + paths[0]
	case n > mostVaried:
		return fmt.Sprintf("%d: %s, …", n, strings.Join(paths[:mostVaried], ", "))
	}
	return fmt.Sprintf("%d: %s", len(paths), strings.Join(paths, ", "))
}

// newMatrix returns the panel of a metric.
func newMatrix(s Sweep, m Quantity) (*matrix, error) {
	p := &matrix{metric: m, columns: s.valuesOf(0), rows: s.valuesOf(1), cells: map[cell]stat.Estimate{}}
	for i, path := range s.Varied {
		p.names[i] = shortPath(path, s.Varied)
	}
	for _, set := range s.Sets {
		at := cell{set.Values[0], set.Values[1]}
		if _, twice := p.cells[at]; twice {
			return nil, errors.New("two sets of runs have the same values of " + strings.Join(s.Varied, " and "))
		}
		p.cells[at] = stat.Estimate{}
		if values, _ := set.values(m.Name); len(values) > 0 {
			mean, err := stat.Mean(values, confidence)
			if err != nil {
				return nil, err
			}
			p.cells[at] = mean
		}
	}
	return p, nil
}

// compareValues orders values of a scenario: what is not there first, then
// numbers and quantities by their size, then words, among which it sees no order.
func compareValues(a, b string) int {
	rank := func(text string) (int, float64) {
		if text == "" {
			return 0, 0
		}
		if size, ok := sizeOf(text); ok {
			return 1, size
		}
		return 2, 0
	}
	rankA, sizeA := rank(a)
	rankB, sizeB := rank(b)
	return cmp.Or(cmp.Compare(rankA, rankB), cmp.Compare(sizeA, sizeB))
}

// sizeOf returns the size of a number or of a quantity in its base unit.
func sizeOf(text string) (float64, bool) {
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return v, true
	}
	if v, err := time.ParseDuration(text); err == nil {
		return v.Seconds(), true
	}
	if v, err := netem.ParseBitRate(text); err == nil {
		return float64(v), true
	}
	if v, err := netem.ParseBytes(text); err == nil {
		return float64(v), true
	}
	return 0, false
}

func (p *matrix) table() [][]string {
	var out [][]string
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, row := range p.rows {
		for _, column := range p.columns {
			mean, ok := p.cells[cell{column, row}]
			if !ok {
				continue
			}
			fields := []string{p.metric.Name, p.metric.Unit, column, row, "", "", "", strconv.Itoa(mean.N)}
			if mean.N > 0 {
				fields[4] = number(mean.Value)
			}
			if mean.Interval.Exists() {
				fields[5], fields[6] = number(mean.Interval.Low), number(mean.Interval.High)
			}
			if p.of != "" {
				fields = append(fields, p.of)
			}
			out = append(out, fields)
		}
	}
	return out
}

package stat

import (
	"math"
	"testing"
)

func TestARankCorrelationIsThatOfTheRanks(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1, 2, 3, 4}, []float64{1, 10, 100, 1000}, 1},
		{[]float64{1, 2, 3, 4}, []float64{4, 3, 2, -1e9}, -1},
		// 1 − 6·Σd²/(n(n²−1)) with d = 0, 1, 1, 0: 1 − 12/60.
		{[]float64{1, 2, 3, 4}, []float64{1, 3, 2, 4}, 0.8},
		// Ranks 1.5, 1.5, 3 and 1, 2, 3: covariance 1.5, deviations √1.5 and √2.
		{[]float64{5, 5, 6}, []float64{1, 2, 3}, 1.5 / math.Sqrt(1.5*2)},
	} {
		got, err := Spearman(c.x, c.y)
		if err != nil || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v and %v: %v, %v; want %v", c.x, c.y, got, err, c.want)
		}
	}
}

func TestNoRankCorrelationWithoutAnOrder(t *testing.T) {
	for _, c := range [][2][]float64{{nil, nil}, {{1}, {1}}, {{1, 2}, {1}}, {{1, 1}, {1, 2}}, {{1, 2}, {3, 3}}, {{1, math.NaN()}, {1, 2}}} {
		if got, err := Spearman(c[0], c[1]); err == nil {
			t.Errorf("%v: %v", c, got)
		}
	}
}

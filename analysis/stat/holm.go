package stat

import (
	"cmp"
	"slices"
)

// Holm adjusts the P of m tests so that, if every test whose adjusted P is at
// most α counts, the probability that even one counts by chance is at most α:
// in ascending order, the i-th is the largest of (m − j + 1)·p[j] for j ≤ i,
// and at most 1 (Holm, "A Simple Sequentially Rejective Multiple Test
// Procedure", Scandinavian Journal of Statistics 6, 1979). The tests need not
// be independent.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted := make([]float64, len(p))
	last := 0.0
	for j, i := range order {
		last = min(1, max(last, float64(len(p)-j)*p[i]))
		adjusted[i] = last
	}
	return adjusted
}

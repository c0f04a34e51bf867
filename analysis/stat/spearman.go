package stat

import (
	"cmp"
	"fmt"
	"slices"

	gonum "gonum.org/v1/gonum/stat"
)

// Spearman returns the rank correlation of pairs of values, from −1 to 1: the correlation
// of their ranks, where equal values share the mean of theirs (Spearman, "The Proof and
// Measurement of Association between Two Things", 1904). There has to be a pair, as many
// values of one as of the other, and not all values of one equal.
func Spearman(x, y []float64) (float64, error) {
	if err := check(x); err != nil {
		return 0, err
	}
	if err := check(y); err != nil {
		return 0, err
	}
	if len(x) != len(y) {
		return 0, fmt.Errorf("%d values and %d; expected pairs", len(x), len(y))
	}
	if equal(x) || equal(y) {
		return 0, fmt.Errorf("all values are the same; expected two to have an order")
	}
	return gonum.Correlation(sharedRanks(x), sharedRanks(y), nil), nil
}

// sharedRanks returns the place of each value in their order, from 1; equal values have the
// mean of their places.
func sharedRanks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	out := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+1+to) / 2
		}
		from = to
	}
	return out
}

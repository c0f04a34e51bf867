package stat

import "fmt"

const (
	mserBatch   = 5  // values in a batch
	mserTail    = 5  // batches at the end that are no place to cut
	mserBatches = 10 // fewest batches
)

// Truncation says where the warm-up of a series ends.
type Truncation struct {
	Drop    int     // values at the start that belong to the warm-up
	N       int     // values that remain
	MSER    float64 // the marginal standard error there, squared
	Settled bool    // that the warm-up is at most half of the series; otherwise it is too short to tell
}

// MSER5 finds the warm-up of a series, of values at equal distances, whose
// mean in the steady state is wanted. Of k batch means z of 5 values each (a rest is
// left out of them), it cuts off those d that leave the smallest
//
//	MSER(d) = Σ(z[j] − m(d))² / (k − d)²,  j = d … k−1, m(d) the mean of these,
//
// the first of equals (White, "An Effective Truncation Heuristic for Bias Reduction in Simulation Output",
// Simulation 69, 1997; White, Cobb and Spratt 2000). A cut within the last 5
// batches is not considered, and one beyond the middle means that the series
// is too short (Hoad, Robinson and Davies, "Automating Warm-Up Length Estimation", Journal of
// the Operational Research Society 61, 2010). It refuses fewer than 50 values.
func MSER5(values []float64) (Truncation, error) {
	if err := check(values); err != nil {
		return Truncation{}, err
	}
	k := len(values) / mserBatch
	if k < mserBatches {
		return Truncation{}, fmt.Errorf("%d values are too few to find a warm-up; expected at least %d", len(values), mserBatches*mserBatch)
	}
	var best Truncation
	cut := -1
	// From the end: mean and sum of squared deviations, extended by a batch at
	// a time (Welford 1962).
	m, squares := 0.0, 0.0
	for d := k - 1; d >= 0; d-- {
		z, n := mean(values[d*mserBatch:(d+1)*mserBatch]), float64(k-d)
		deviation := z - m
		m += deviation / n
		squares += deviation * (z - m)
		if mser := squares / (n * n); d < k-mserTail && (cut < 0 || mser <= best.MSER) {
			cut, best.MSER = d, mser
		}
	}
	best.Drop = cut * mserBatch
	best.N = len(values) - best.Drop
	best.Settled = 2*cut <= k
	return best, nil
}

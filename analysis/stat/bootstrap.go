package stat

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Bootstrap finds intervals of any statistic by drawing from the sample, with
// replacement, as the sample was drawn from the population (Efron and
// Tibshirani, An Introduction to the Bootstrap, 1993). It works for means of
// skewed values, medians and quantiles; with fewer than ten values its
// intervals are too short. The zero Bootstrap is of the mean.
type Bootstrap struct {
	Statistic func(values []float64) float64 // must not change the values; nil is the mean
	Resamples int                            // samples drawn; 0 is 10,000
	Seed      uint64                         // of the draws
}

const defaultResamples = 10_000

// Percentile returns the statistic with the interval between the quantiles α/2
// and 1 − α/2 of the resampled statistics (Efron and Tibshirani, section 13.3).
func (b Bootstrap) Percentile(values []float64, confidence float64) (Estimate, error) {
	e, resampled, err := b.draw(values, confidence)
	if err != nil || resampled == nil {
		return e, err
	}
	tail := (1 - confidence) / 2
	e.Interval = Interval{
		Low: quantileOfSorted(resampled, tail), High: quantileOfSorted(resampled, 1-tail),
		Confidence: confidence, Method: BootstrapPercentile,
	}
	return e, nil
}

// BCa returns the statistic with the bias-corrected and accelerated interval:
// between the quantiles
//
//	Φ(z0 + (z0 + z)/(1 − a·(z0 + z))),  z = Φ⁻¹(α/2) and Φ⁻¹(1 − α/2)
//
// of the resampled statistics. The bias correction z0 is Φ⁻¹ of the share of
// them that is below the sample's statistic, of equal ones half; the
// acceleration is a = Σ(m − θ[i])³ / (6·(Σ(m − θ[i])²)^1.5) over the statistics
// θ[i] without the i-th value and their mean m (Efron, "Better Bootstrap Confidence
// Intervals", JASA 82, 1987; Efron and Tibshirani, section 14.3).
func (b Bootstrap) BCa(values []float64, confidence float64) (Estimate, error) {
	e, resampled, err := b.draw(values, confidence)
	if err != nil || resampled == nil {
		return e, err
	}
	a, err := b.acceleration(values)
	if err != nil {
		return Estimate{}, err
	}
	z0 := quantileOf(resampled, e.Value)
	at := func(p float64) float64 {
		x := z0 + distuv.UnitNormal.Quantile(p)
		divisor := 1 - a*x
		if divisor <= 0 { // beyond the range of the transformation
			return quantileOfSorted(resampled, max(0, math.Copysign(1, x)))
		}
		return quantileOfSorted(resampled, distuv.UnitNormal.CDF(z0+x/divisor))
	}
	tail := (1 - confidence) / 2
	e.Interval = Interval{Low: at(tail), High: at(1 - tail), Confidence: confidence, Method: BootstrapBCa}
	return e, nil
}

func (b Bootstrap) of(values []float64) (float64, error) {
	if b.Statistic == nil {
		return mean(values), nil
	}
	x := b.Statistic(values)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("the statistic of a resample of %d values is %v", len(values), x)
	}
	return x, nil
}

// draw returns the statistic and those of the resamples in order; none for a
// single value.
func (b Bootstrap) draw(values []float64, confidence float64) (e Estimate, resampled []float64, err error) {
	if err := checkBoth(values, confidence); err != nil {
		return e, nil, err
	}
	resamples := b.Resamples
	switch {
	case resamples == 0:
		resamples = defaultResamples
	case resamples < 0:
		return e, nil, errors.New("the number of resamples is negative")
	}
	e.N = len(values)
	if e.Value, err = b.of(values); err != nil || e.N == 1 {
		return e, nil, err
	}
	rng := rand.New(rand.NewPCG(b.Seed, stream))
	sample := make([]float64, len(values))
	resampled = make([]float64, resamples)
	for i := range resampled {
		for j := range sample {
			sample[j] = values[rng.IntN(len(values))]
		}
		if resampled[i], err = b.of(sample); err != nil {
			return Estimate{}, nil, err
		}
	}
	slices.Sort(resampled)
	return e, resampled, nil
}

// stream sets the draws apart from others of the same seed.
const stream = 0x626f6f7473747261 // "bootstra"

// acceleration returns a sixth of the skewness of the jackknife.
func (b Bootstrap) acceleration(values []float64) (float64, error) {
	without := make([]float64, len(values)-1)
	jackknife := make([]float64, len(values))
	for i := range values {
		copy(without, values[:i])
		copy(without[i:], values[i+1:])
		var err error
		if jackknife[i], err = b.of(without); err != nil {
			return 0, err
		}
	}
	if equal(jackknife) {
		return 0, nil
	}
	m, squares, cubes := mean(jackknife), 0.0, 0.0
	for _, x := range jackknife {
		squares += (m - x) * (m - x)
		cubes += (m - x) * (m - x) * (m - x)
	}
	return cubes / (6 * math.Pow(squares, 1.5)), nil
}

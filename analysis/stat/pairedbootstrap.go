package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// PairedBootstrap estimates the mean of b[i] − a[i], of values that belong
// together, with the interval of [Bootstrap.BCa]. P is the largest α with which
// an interval would exclude 0, and no less than 2/(resamples + 1): with the
// share G of resampled means that are below 0, of equal ones half,
//
//	P = 2·min(p, 1 − p),  p = Φ((w − z0)/(1 + a·(w − z0)) − z0),  w = Φ⁻¹(G)
//
// (DiCiccio and Efron, "Bootstrap Confidence Intervals", Statistical Science 11, 1996).
// If all differences are equal, P is that of [Paired].
func PairedBootstrap(a, b []float64, confidence float64) (Difference, error) {
	differences, err := subtract(a, b)
	if err != nil {
		return Difference{}, err
	}
	draws := Bootstrap{Seed: DefaultSeed}
	e, resampled, err := draws.draw(differences, confidence)
	switch {
	case err != nil:
		return Difference{}, err
	case resampled == nil:
		return Difference{e, 1}, nil
	case equal(differences):
		d, err := Paired(a, b, confidence)
		d.Interval.Method = BootstrapBCa
		return d, err
	}
	e, err = draws.BCa(differences, confidence)
	if err != nil {
		return Difference{}, err
	}
	acceleration, err := draws.acceleration(differences)
	if err != nil {
		return Difference{}, err
	}
	z0, w := quantileOf(resampled, e.Value), quantileOf(resampled, 0)
	p := distuv.UnitNormal.CDF((w-z0)/(1+acceleration*(w-z0)) - z0)
	return Difference{e, max(2*min(p, 1-p), 2/float64(len(resampled)+1))}, nil
}

// DefaultSeed is the seed of the 10,000 draws of [PairedBootstrap] and of
// [Summarize], so that the same values always have the same interval.
const DefaultSeed = 1

// quantileOf returns Φ⁻¹ of the share of values in order that are below x, of
// equal ones half. A share of 0 or 1 would be infinitely far away.
func quantileOf(sorted []float64, x float64) float64 {
	below, _ := slices.BinarySearch(sorted, x)
	upTo, _ := slices.BinarySearch(sorted, math.Nextafter(x, math.Inf(1)))
	n := float64(len(sorted))
	return distuv.UnitNormal.Quantile(min(max(float64(below+upTo)/2/n, 1/(n+1)), n/(n+1)))
}

// Package lawtest holds statistical tests of random values against the law that
// they should follow, with a confidence of 99.9 %. With a fixed seed a test passes
// always or never.
package lawtest

import (
	"math"
	"slices"
	"testing"
)

// NormalQuantile is that of the standard normal distribution that leaves 0.1 % outside
// on both sides together.
const NormalQuantile = 3.291

// BatchMeans returns the mean of correlated values and half the width of its
// confidence interval, from the means of batches, which hardly correlate.
func BatchMeans(values []float64) (mean, half float64) {
	const (
		batches  = 40
		quantile = 3.558 // of Student's t with 39 degrees of freedom
	)
	size := len(values) / batches
	var means [batches]float64
	for i := range means {
		for _, v := range values[i*size : (i+1)*size] {
			means[i] += v / float64(size)
		}
		mean += means[i] / batches
	}
	variance := 0.0
	for _, m := range means {
		variance += (m - mean) * (m - mean) / (batches - 1)
	}
	return mean, quantile * math.Sqrt(variance/batches)
}

// Mean checks the mean of independent values whose standard deviation is known.
func Mean(t testing.TB, seed uint64, what string, values []float64, mean, deviation float64) {
	t.Helper()
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	got, half := sum/float64(len(values)), NormalQuantile*deviation/math.Sqrt(float64(len(values)))
	if math.Abs(got-mean) > half {
		t.Errorf("seed %d: %s: mean %g of %d values, want %g ± %g (99.9 %%)", seed, what, got, len(values), mean, half)
	}
}

// Distribution is the test of Kolmogorov and Smirnov, for independent values and a
// distribution function that is continuous.
func Distribution(t testing.TB, seed uint64, what string, values []float64, cdf func(float64) float64) {
	t.Helper()
	values = slices.Clone(values)
	slices.Sort(values)
	n, distance := float64(len(values)), 0.0
	for i, v := range values {
		p := cdf(v)
		distance = max(distance, p-float64(i)/n, float64(i+1)/n-p)
	}
	if most := 1.949 / math.Sqrt(n); distance > most {
		t.Errorf("seed %d: %s: %d values are %.4f from their distribution, want at most %.4f (99.9 %%)", seed, what, len(values), distance, most)
	}
}

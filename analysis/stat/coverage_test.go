package stat

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// samples is the number of samples whose intervals are judged. Whether each
// covers the truth is a Bernoulli draw, so that the share is certain to four
// standard deviations, 0.9 % for 95 %.
const samples = 10_000

// coverage returns the share of intervals, of seeded samples, that cover the
// truth.
func coverage(t *testing.T, seed uint64, truth float64, interval func(*rand.Rand) (Interval, error)) float64 {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	covered := 0
	for range samples {
		i, err := interval(rng)
		if err != nil {
			t.Fatal(err)
		}
		if i.Exists() && !i.Excludes(truth) {
			covered++
		}
	}
	return float64(covered) / samples
}

func normal(rng *rand.Rand, n int, mean, deviation float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = mean + deviation*rng.NormFloat64()
	}
	return values
}

func TestIntervalsCoverTheTruthAsOftenAsTheySay(t *testing.T) {
	difference := func(d Difference, err error) (Interval, error) { return d.Interval, err }
	estimate := func(e Estimate, err error) (Interval, error) { return e.Interval, err }
	// A percentile interval of a mean is about z·s·√((n−1)/n)/√n long on each
	// side where Student's is t·s/√n: it covers as t does with that quantile.
	n := 20.0
	short := 1 - 2*distuv.StudentsT{Sigma: 1, Nu: n - 1}.CDF(-distuv.UnitNormal.Quantile(0.975)*math.Sqrt((n-1)/n))
	for i, c := range []struct {
		name        string
		want, slack float64 // slack: the statistic itself is approximate
		interval    func(*rand.Rand) (Interval, error)
	}{
		{"Student, 2 values", 0.95, 0, func(r *rand.Rand) (Interval, error) { return estimate(Mean(normal(r, 2, 3, 1), 0.95)) }},
		{"Student, 10 values", 0.95, 0, func(r *rand.Rand) (Interval, error) { return estimate(Mean(normal(r, 10, 3, 2), 0.95)) }},
		{"Student, 10 values, 0.8", 0.8, 0, func(r *rand.Rand) (Interval, error) { return estimate(Mean(normal(r, 10, 3, 2), 0.8)) }},
		{"paired, with a common part", 0.95, 0, func(r *rand.Rand) (Interval, error) {
			a, b := normal(r, 8, 100, 50), normal(r, 8, 3, 1)
			for i := range b {
				b[i] += a[i]
			}
			return difference(Paired(a, b, 0.95))
		}},
		{"Welch, unequal variances", 0.95, 0.003, func(r *rand.Rand) (Interval, error) {
			return difference(Welch(normal(r, 12, 1, 1), normal(r, 20, 4, 3), 0.95))
		}},
		// The smallest rank sums of ten values: P(W ≤ 8) = 25/1024.
		{"signed ranks, 10 values", 1 - 2*25.0/1024, 0, func(r *rand.Rand) (Interval, error) {
			return difference(SignedRank(make([]float64, 10), normal(r, 10, 3, 2), 0.95))
		}},
		{"percentile", short, 0.005, func(r *rand.Rand) (Interval, error) {
			return estimate(Bootstrap{Resamples: 300, Seed: r.Uint64()}.Percentile(normal(r, 20, 3, 2), 0.95))
		}},
		{"BCa", short, 0.005, func(r *rand.Rand) (Interval, error) {
			return estimate(Bootstrap{Resamples: 300, Seed: r.Uint64()}.BCa(normal(r, 20, 3, 2), 0.95))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			seed := uint64(i + 1)
			got := coverage(t, seed, 3, c.interval)
			if bound := c.slack + 4*math.Sqrt(c.want*(1-c.want)/samples); math.Abs(got-c.want) > bound {
				t.Errorf("seed %d: %.4f of the intervals cover the truth, want %.4f ± %.4f", seed, got, c.want, bound)
			}
		})
	}
}

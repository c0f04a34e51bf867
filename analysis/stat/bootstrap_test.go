package stat

import (
	"math"
	"testing"
)

// spatial is the spatial test data of Efron and Tibshirani, An Introduction to
// the Bootstrap, 1993, table 14.1, test A.
var spatial = []float64{48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41}

func populationVariance(values []float64) float64 {
	m, sum := mean(values), 0.0
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(values))
}

func TestBootstrapIntervalsAreThoseOfEfronAndTibshirani(t *testing.T) {
	// Table 14.2, 2000 resamples, 90 %: the variance is 171.5, the percentile
	// interval (100.8, 233.9), the BCa interval (115.8, 259.6), with a = 0.061.
	// An interval from 2000 resamples is uncertain by a few per cent.
	b := Bootstrap{Statistic: populationVariance, Resamples: 20000, Seed: 1}
	percentile, err := b.Percentile(spatial, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	bca, err := b.BCa(spatial, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the variance", percentile.Value, 171.5, 5e-4)
	near(t, "the percentile interval's start", percentile.Interval.Low, 100.8, 0.04)
	near(t, "the percentile interval's end", percentile.Interval.High, 233.9, 0.02)
	near(t, "the BCa interval's start", bca.Interval.Low, 115.8, 0.02)
	near(t, "the BCa interval's end", bca.Interval.High, 259.6, 0.02)
	a, err := b.acceleration(spatial)
	if err != nil || math.Abs(a-0.061) > 0.0005 {
		t.Errorf("the acceleration is %v, %v, want 0.061", a, err)
	}
	if bca.N != 26 || bca.Interval.Method != BootstrapBCa || percentile.Interval.Method != BootstrapPercentile {
		t.Errorf("the estimates are %+v and %+v", percentile, bca)
	}
}

func TestBootstrapIntervalsConvergeToThoseOfAllResamples(t *testing.T) {
	// Python, over all 5⁵ resamples of these values: the quantiles 2.5 % and
	// 97.5 % of their means are 2 and 8.4; with z0 = 0.0445 and a = 0.0410 the
	// BCa interval is from 2.4 to 8.8.
	values := []float64{1, 2, 4, 7, 11}
	b := Bootstrap{Resamples: 200_000, Seed: 7}
	percentile, err := b.Percentile(values, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	bca, err := b.BCa(values, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want float64 }{
		{percentile.Value, 5}, {percentile.Interval.Low, 2}, {percentile.Interval.High, 8.4},
		{bca.Interval.Low, 2.4}, {bca.Interval.High, 8.8},
	} {
		if math.Abs(c.got-c.want) > 1e-9 {
			t.Errorf("%v, want %v (seed 7)", c.got, c.want)
		}
	}
}

func TestABootstrapRepeatsItsDrawsForASeed(t *testing.T) {
	find := func(seed uint64) Estimate {
		e, err := Bootstrap{Seed: seed, Resamples: 500}.BCa(spatial, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if a, b := find(1), find(1); a != b {
		t.Errorf("seed 1 gives %+v and %+v", a, b)
	}
	if a, b := find(1), find(2); a == b {
		t.Errorf("seeds 1 and 2 both give %+v", a)
	}
}

func TestAnExtremeStatisticHasABoundedInterval(t *testing.T) {
	// No resample's maximum is above the sample's: a share that would put the
	// bias at infinity.
	values := []float64{1, 2, 3, 4, 100}
	largest := Bootstrap{Seed: 3, Statistic: func(v []float64) float64 {
		m := v[0]
		for _, x := range v {
			m = max(m, x)
		}
		return m
	}}
	e, err := largest.BCa(values, 0.95)
	if err != nil || math.IsNaN(e.Interval.Low) || e.Interval.Low > e.Interval.High || e.Interval.High > 100 || e.Interval.Low < 1 {
		t.Errorf("seed 3: the maximum is %+v, %v", e, err)
	}
}

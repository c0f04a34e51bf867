package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// plainMSER5 is the definition, in quadratic time.
func plainMSER5(values []float64) (drop int, smallest float64) {
	k := len(values) / 5
	z := make([]float64, k)
	for j := range z {
		for _, v := range values[5*j : 5*j+5] {
			z[j] += v / 5
		}
	}
	smallest = math.Inf(1)
	for d := range k - 5 {
		m, sum, n := 0.0, 0.0, float64(k-d)
		for _, x := range z[d:] {
			m += x / n
		}
		for _, x := range z[d:] {
			sum += (x - m) * (x - m)
		}
		if sum/(n*n) < smallest {
			drop, smallest = 5*d, sum/(n*n)
		}
	}
	return drop, smallest
}

func TestMSER5CutsOffTheWarmUp(t *testing.T) {
	// Five batches of 10 and then fifteen of 1, 2, 1, 2, …: with all of the
	// warm-up cut off, Σ(z − 22/15)² = 56/15, divided by 15².
	var values []float64
	for j := range 20 {
		z := float64(1 + j%2)
		if j < 5 {
			z = 10
		}
		values = append(values, z, z, z, z, z)
	}
	got, err := MSER5(append(values, 1000)) // the rest of a batch does not count
	if err != nil {
		t.Fatal(err)
	}
	near(t, "MSER", got.MSER, 56.0/15/225, 1e-12)
	if got.Drop != 25 || got.N != 76 || !got.Settled {
		t.Errorf("the warm-up is %+v, want 25 values", got)
	}
}

func TestMSER5FindsTheCutOfItsDefinition(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		values := make([]float64, 50+rng.IntN(300))
		scale := 1 + rng.Float64()*40
		for i := range values {
			values[i] = 5*math.Exp(-float64(i)/scale) + rng.NormFloat64()
		}
		drop, smallest := plainMSER5(values)
		got, err := MSER5(values)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "MSER", got.MSER, smallest, 1e-9)
		if got.Drop != drop || got.N != len(values)-drop || got.Settled != (drop/5*2 <= len(values)/5) {
			t.Errorf("seed %d: the warm-up is %+v, by definition %d values", seed, got, drop)
		}
	}
}

func TestASeriesThatNeverSettlesIsTooShort(t *testing.T) {
	values := make([]float64, 100)
	for i := range values {
		values[i] = math.Exp(-float64(i) / 30)
	}
	if got, err := MSER5(values); err != nil || got.Settled || got.Drop != 70 {
		t.Errorf("a decay has the warm-up %+v, %v, want the last place for a cut, before 6 batches of 5", got, err)
	}
}

func TestAConstantSeriesHasNoWarmUp(t *testing.T) {
	values := make([]float64, 60)
	for i := range values {
		values[i] = 0.1
	}
	if got, err := MSER5(values); err != nil || got != (Truncation{N: 60, Settled: true}) {
		t.Errorf("the warm-up is %+v, %v", got, err)
	}
}

func TestMSER5RefusesAShortSeries(t *testing.T) {
	if _, err := MSER5(make([]float64, 49)); err == nil {
		t.Error("49 values have a warm-up")
	}
	if _, err := MSER5([]float64{math.NaN()}); err == nil {
		t.Error("NaN has a warm-up")
	}
}

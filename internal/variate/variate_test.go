package variate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/wtsim/wtsim/internal/lawtest"
	"pgregory.net/rapid"
)

const testSeed = 1

// uniform returns the number that belongs to r.
func uniform(r uint64) *big.Float {
	u := new(big.Float).SetPrec(80).SetUint64(r)
	u.Add(u, big.NewFloat(0.5))
	return u.SetMantExp(u, -64)
}

// negLog returns −ln of the number that belongs to r, to a share of 2^-50.
func negLog(r uint64) float64 {
	if r >= 1<<63 { // ln(1 − x), for which 1 − u has all digits
		x, _ := uniform(^r).Float64()
		return -math.Log1p(-x)
	}
	u, _ := uniform(r).Float64()
	return -math.Log(u)
}

var edges = []uint64{0, 1, 2, 3, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<63 + 1, math.MaxUint64 - 1, math.MaxUint64}

// forUniform calls f with edge cases and with random numbers of all magnitudes.
func forUniform(f func(r uint64)) {
	for _, r := range edges {
		f(r)
	}
	random := rand.New(rand.NewPCG(testSeed, 0))
	for range 20_000 {
		f(random.Uint64() >> (random.Uint64() % 64))
		f(^(random.Uint64() >> (random.Uint64() % 64)))
	}
}

const unit = 1 << point

func TestLogarithmsAreWithin2ToTheMinus40(t *testing.T) {
	forUniform(func(r uint64) {
		want, slack := negLog(r)/math.Ln2*unit, 1e-13*unit // of the float64
		if got := float64(negLog2(r)); got < want-slack || got > want+1+slack {
			t.Errorf("%#x: %.3f, want %.3f to %.3f", r, got, want, want+1)
		}
		want *= math.Ln2
		if got := float64(exponential(r)); got < want-1-slack || got > want+1+slack {
			t.Errorf("%#x: %.3f, want %.3f ± 1", r, got, want)
		}
	})
}

func TestPowersAreWithin2ToTheMinus39(t *testing.T) {
	forUniform(func(r uint64) {
		f := r >> (64 - point)
		want := math.Exp2(float64(f)/unit) * (1 << 62)
		if got := float64(exp2(f)); math.Abs(got-want) > want/(1<<39) {
			t.Errorf("%#x: %g, want %g", f, got, want)
		}
	})
}

// The largest mean that lengths of time have, in ns, and the largest shape.
const (
	day      = 24 * 3600 * 1_000_000_000
	maxShape = 1000
)

func TestParetoVariatesAreThePowersTheyShouldBe(t *testing.T) {
	for _, c := range []struct {
		mean  int64
		shape float64
	}{{1e9, 1.5}, {1000, 1.1}, {day, 2.5}, {1e6, maxShape}} {
		v := Pareto(c.mean, c.shape)
		forUniform(func(r uint64) {
			least := float64(c.mean) * (c.shape - 1) / c.shape
			want := min(least*math.Exp(negLog(r)/c.shape), float64(Most))
			if got := float64(v.Of(r)); math.Abs(got-want) > 1+want/(1<<38)+want/(least*(1<<16)) {
				t.Errorf("%+v: %#x: %g, want %g", c, r, got, want)
			}
		})
	}
}

func TestAShiftDividesAndRounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hi, lo, n := rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo"), rapid.UintRange(2, 127).Draw(t, "n")
		want := new(big.Int).SetUint64(hi)
		want.Lsh(want, 64).Add(want, new(big.Int).SetUint64(lo))
		want.Add(want, new(big.Int).Lsh(big.NewInt(1), n-1)).Rsh(want, n)
		if most := big.NewInt(Most); want.Cmp(most) > 0 && n <= 64 {
			want = most
		}
		if n > 64 && want.BitLen() > 63 {
			t.Skip("more than a time can hold, which no variate reaches")
		}
		if got := shiftRight(hi, lo, n); big.NewInt(got).Cmp(want) != 0 {
			t.Errorf("%#x %#x >> %d = %d, want %d", hi, lo, n, got, want)
		}
	})
}

// The largest variates there are fit.
func TestTheLargestVariates(t *testing.T) {
	for _, c := range []struct {
		name    string
		variate Variate
		r       uint64
		want    int64
	}{
		{"exponential", Exponential(day), 0, int64(math.Round(65 * math.Ln2 * day))},
		{"pareto 1.0001", Pareto(day, 1.0001), 0, Most},
		{"pareto 1 + 1e-15", Pareto(day, 1+1e-15), 0, Most},
		{"pareto 2", Pareto(1e9, 2), math.MaxUint64, 5e8},
		{"zero", Variate{}, 0, 0},
	} {
		got := c.variate.Of(c.r)
		if math.Abs(float64(got-c.want)) > 1e-12*float64(c.want) {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestVariatesHaveTheirDistribution(t *testing.T) {
	const n, mean = 50_000, 1_000_000_000
	for _, c := range []struct {
		name string
		Variate
		deviation float64 // in means; 0 where it is infinite
		cdf       func(x float64) float64
	}{
		{"exponential", Exponential(mean), 1, func(x float64) float64 { return 1 - math.Exp(-x) }},
		{"pareto 3", Pareto(mean, 3), math.Sqrt(1.0 / 3), pareto(3)},
		{"pareto 10", Pareto(mean, 10), math.Sqrt(1.0 / 80), pareto(10)},
		{"pareto 1.5", Pareto(mean, 1.5), 0, pareto(1.5)},
		{"pareto 1.1", Pareto(mean, 1.1), 0, pareto(1.1)},
	} {
		random := rand.New(rand.NewPCG(testSeed, 0))
		values, squares := make([]float64, n), make([]float64, n)
		for i := range values {
			values[i] = float64(c.Of(random.Uint64())) / mean
			squares[i] = (values[i] - 1) * (values[i] - 1)
		}
		lawtest.Distribution(t, testSeed, c.name, values, c.cdf)
		if c.deviation > 0 {
			lawtest.Mean(t, testSeed, c.name, values, 1, c.deviation)
		}
		if c.name == "exponential" { // the fourth central moment of the exponential distribution is 9
			lawtest.Mean(t, testSeed, "variance of the exponential distribution", squares, 1, math.Sqrt(9-1))
		}
	}
}

// pareto returns the distribution function for the mean 1: the variance is
// 1/(shape·(shape−2)).
func pareto(shape float64) func(float64) float64 {
	least := (shape - 1) / shape
	return func(x float64) float64 {
		if x < least {
			return 0
		}
		return 1 - math.Pow(least/x, shape)
	}
}

package stat

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// whole draws whole numbers, so that sums and differences are exact.
func whole(t *rapid.T, name string, least, most int) []float64 {
	return rapid.SliceOfN(rapid.Map(rapid.IntRange(-50, 50), func(i int) float64 { return float64(i) }), least, most).Draw(t, name)
}

// alike reports whether numbers of the size of the drawn ones agree but for
// rounding.
func alike(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a)) }

func TestADifferenceTurnsItsSignWithItsSamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := whole(t, "a", 1, 12)
		b := whole(t, "b", len(a), len(a))
		for name, f := range map[string]func(a, b []float64, confidence float64) (Difference, error){
			"Paired": Paired, "Welch": Welch, "SignedRank": SignedRank,
		} {
			up, err := f(a, b, 0.9)
			if err != nil {
				t.Fatal(err)
			}
			down, err := f(b, a, 0.9)
			if err != nil {
				t.Fatal(err)
			}
			if !alike(up.Value, -down.Value) || !alike(up.Interval.Low, -down.Interval.High) || !alike(up.Interval.High, -down.Interval.Low) || !alike(up.P, down.P) {
				t.Errorf("%s: %+v and %+v", name, up, down)
			}
			if up.P < 0 || up.P > 1 || up.Interval.Low > up.Interval.High {
				t.Errorf("%s: %+v", name, up)
			}
		}
	})
}

func TestAnIntervalOfStudentsExcludesZeroIfAndOnlyIfPIsSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := whole(t, "a", 2, 12)
		b := whole(t, "b", len(a), len(a))
		for name, f := range map[string]func(a, b []float64, confidence float64) (Difference, error){"Paired": Paired, "Welch": Welch} {
			d, err := f(a, b, 0.9)
			if err != nil {
				t.Fatal(err)
			}
			if constant := d.Interval.Low == d.Interval.High; !constant && math.Abs(d.P-0.1) > 1e-9 && d.Interval.Excludes(0) != (d.P < 0.1) {
				t.Errorf("%s: %+v", name, d)
			}
		}
	})
}

func TestAWiderConfidenceHasAWiderIntervalAroundTheSameValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := whole(t, "values", 2, 20)
		b := Bootstrap{Resamples: 50, Seed: rapid.Uint64().Draw(t, "seed")}
		for name, f := range map[string]func(values []float64, confidence float64) (Estimate, error){
			"Mean": Mean, "Percentile": b.Percentile, "BCa": b.BCa,
		} {
			narrow, err := f(values, 0.5)
			if err != nil {
				t.Fatal(err)
			}
			wide, err := f(values, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			if narrow.Value != wide.Value || narrow.Interval.Low < wide.Interval.Low-1e-9 || narrow.Interval.High > wide.Interval.High+1e-9 {
				t.Errorf("%s: at 0.5 %+v, at 0.95 %+v", name, narrow, wide)
			}
		}
	})
}

func TestQuantilesRiseFromTheLeastToTheLargest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := whole(t, "values", 1, 20)
		last := slices.Min(values)
		for i := range 21 {
			q, err := Quantile(values, float64(i)/20)
			if err != nil {
				t.Fatal(err)
			}
			if q < last {
				t.Errorf("quantile %d/20 is %v, below %v", i, q, last)
			}
			last = q
		}
		if last != slices.Max(values) {
			t.Errorf("the last quantile is %v", last)
		}
	})
}

func TestHolmKeepsTheOrderAndIsBetweenNoneAndBonferroni(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOf(rapid.Float64Range(0, 1)).Draw(t, "p")
		adjusted := Holm(p)
		for i := range p {
			if adjusted[i] < p[i] || adjusted[i] > min(1, float64(len(p))*p[i]) {
				t.Errorf("of %d tests, P %v is adjusted to %v", len(p), p[i], adjusted[i])
			}
			for j := range p {
				if p[i] < p[j] && adjusted[i] > adjusted[j] {
					t.Errorf("P %v and %v are adjusted to %v and %v", p[i], p[j], adjusted[i], adjusted[j])
				}
			}
		}
	})
}

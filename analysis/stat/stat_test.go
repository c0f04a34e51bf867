package stat

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// near fails if got is further from want than a relative tolerance.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance*max(math.Abs(want), 1e-300) {
		t.Errorf("%s is %.10g, want %.10g", what, got, want)
	}
}

// sleep is R's data set of the same name: hours of sleep that ten patients
// gained by two drugs ("Student" 1908).
var sleep = struct{ first, second []float64 }{
	[]float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0},
	[]float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4},
}

func TestQuantilesInterpolateAsPythonsInclusiveOnes(t *testing.T) {
	values := []float64{15.2, 14.8, 16.1, 15.5, 14.9, 15.7, 15.0}
	// statistics.quantiles(values, n=20, method='inclusive') of Python 3.11
	for p, want := range map[float64]float64{0.05: 14.83, 0.25: 14.95, 0.3: 14.98, 0.5: 15.2, 0.55: 15.29, 0.95: 15.98, 0: 14.8, 1: 16.1} {
		got, err := Quantile(values, p)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "a quantile", got, want, 1e-14)
	}
	if values[0] != 15.2 {
		t.Error("the values were put in order in place")
	}
	for _, p := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := Quantile(values, p); err == nil {
			t.Errorf("there is a quantile of %v", p)
		}
	}
}

func TestASummaryHasTheMeanItsIntervalAndTheSpread(t *testing.T) {
	s, err := Summarize([]float64{15.2, 14.8, 16.1, 15.5, 14.9, 15.7, 15.0}, 0.95, Student)
	if err != nil {
		t.Fatal(err)
	}
	// statistics.mean, stdev and median of Python 3.11
	near(t, "the mean", s.Mean.Value, 15.314285714285715, 1e-15)
	near(t, "the standard deviation", s.SD, 0.47409060817728177, 1e-14)
	if s.Mean.N != 7 || s.Min != 14.8 || s.Median != 15.2 || s.Max != 16.1 {
		t.Errorf("the summary is %+v", s)
	}
	// 2.446912 is the 97.5 % quantile for 6 degrees of freedom in the tables.
	near(t, "half the interval", (s.Mean.Interval.High-s.Mean.Interval.Low)/2, 2.446912*0.47409060817728177/math.Sqrt(7), 1e-6)
}

func TestStudentsQuantilesAreThoseOfTheTables(t *testing.T) {
	// 97.5 % quantiles: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2
	for n, want := range map[int]float64{2: 12.706, 3: 4.303, 5: 2.776, 11: 2.228, 31: 2.042, 101: 1.984} {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i)
		}
		e, err := Mean(values, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		standardError := deviation(values) / math.Sqrt(float64(n))
		if got := (e.Interval.High - e.Value) / standardError; math.Abs(got-want) > 0.0005 {
			t.Errorf("t of %d values is %.4f, want %.3f", n, got, want)
		}
	}
}

func TestAPairedDifferenceIsThatOfR(t *testing.T) {
	// t.test(sleep$extra[1:10], sleep$extra[11:20], paired = TRUE) in R, with
	// the sign turned: t = -4.0621, df = 9, p-value = 0.002833,
	// -2.4598858 -0.7001142, mean of the differences -1.58
	d, err := Paired(sleep.first, sleep.second, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the difference", d.Value, 1.58, 1e-12)
	near(t, "the lower bound", d.Interval.Low, 0.7001142, 1e-7)
	near(t, "the upper bound", d.Interval.High, 2.4598858, 1e-7)
	near(t, "P", d.P, 0.002833, 2e-4)
	if d.N != 10 || d.Interval.Method != Student || !d.Interval.Excludes(0) || d.Interval.Excludes(1) {
		t.Errorf("the difference is %+v", d)
	}
}

func TestAnUnpairedDifferenceIsThatOfR(t *testing.T) {
	// t.test(extra ~ group, data = sleep) in R, with the sign turned:
	// t = -1.8608, df = 17.776, p-value = 0.07939, -3.3654832 0.2054832
	d, err := Welch(sleep.first, sleep.second, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the difference", d.Value, 1.58, 1e-12)
	near(t, "the lower bound", d.Interval.Low, -0.2054832, 1e-6)
	near(t, "the upper bound", d.Interval.High, 3.3654832, 1e-7)
	near(t, "P", d.P, 0.07939, 1e-4)
	if d.N != 20 || d.Interval.Method != WelchT || d.Interval.Excludes(0) {
		t.Errorf("the difference is %+v", d)
	}
}

func TestOneValueHasNoInterval(t *testing.T) {
	one := []float64{3}
	mean, err := Mean(one, 0.95)
	if err != nil || mean != (Estimate{Value: 3, N: 1}) {
		t.Errorf("the mean is %+v, %v", mean, err)
	}
	paired, err := Paired(one, []float64{5}, 0.95)
	if err != nil || paired != (Difference{Estimate{Value: 2, N: 1}, 1}) {
		t.Errorf("the paired difference is %+v, %v", paired, err)
	}
	if paired.Interval.Exists() || paired.Interval.Excludes(0) {
		t.Error("an interval that is none excludes 0")
	}
	ranked, err := SignedRank(one, []float64{5}, 0.95)
	if err != nil || ranked != (Difference{Estimate{Value: 2, N: 1}, 1}) {
		t.Errorf("the pseudo-median is %+v, %v", ranked, err)
	}
	welch, err := Welch(one, []float64{5, 6}, 0.95)
	if err != nil || welch != (Difference{Estimate{Value: 2.5, N: 3}, 1}) {
		t.Errorf("the unpaired difference is %+v, %v", welch, err)
	}
	summary, err := Summarize(one, 0.95, Student)
	if err != nil || summary != (Summary{Mean: mean, Min: 3, Q1: 3, Median: 3, Q3: 3, Max: 3}) {
		t.Errorf("the summary is %+v, %v", summary, err)
	}
	for name, bootstrap := range map[string]func(Bootstrap) (Estimate, error){
		"percentile": func(b Bootstrap) (Estimate, error) { return b.Percentile(one, 0.95) },
		"BCa":        func(b Bootstrap) (Estimate, error) { return b.BCa(one, 0.95) },
	} {
		if e, err := bootstrap(Bootstrap{}); err != nil || e != (Estimate{Value: 3, N: 1}) {
			t.Errorf("%s: the mean is %+v, %v", name, e, err)
		}
	}
}

func TestEqualValuesHaveAnIntervalOfLengthZero(t *testing.T) {
	same, higher := []float64{0.1, 0.1, 0.1}, []float64{0.3, 0.3, 0.3}
	point := func(x float64, m Method) Interval { return Interval{x, x, 0.95, m} }
	if e, err := Mean(same, 0.95); err != nil || e != (Estimate{0.1, 3, point(0.1, Student)}) {
		t.Errorf("the mean is %+v, %v", e, err)
	}
	if e, err := (Bootstrap{}).Percentile(same, 0.95); err != nil || e != (Estimate{0.1, 3, point(0.1, BootstrapPercentile)}) {
		t.Errorf("the mean is %+v, %v", e, err)
	}
	if e, err := (Bootstrap{}).BCa(same, 0.95); err != nil || e != (Estimate{0.1, 3, point(0.1, BootstrapBCa)}) {
		t.Errorf("the mean is %+v, %v", e, err)
	}
	up := higher[0] - same[0]
	if d, err := Paired(same, higher, 0.95); err != nil || d != (Difference{Estimate{up, 3, point(up, Student)}, 0.25}) {
		t.Errorf("the paired difference is %+v, %v; P must be 2 signs of 2³", d, err)
	}
	if d, err := Paired(same, same, 0.95); err != nil || d.P != 1 || d.Interval.Excludes(0) {
		t.Errorf("the paired difference of the same is %+v, %v", d, err)
	}
	if d, err := Welch(same, higher, 0.95); err != nil || d.Interval != point(up, WelchT) || math.Abs(d.P-0.1) > 1e-12 {
		t.Errorf("the unpaired difference is %+v, %v; P must be 2 of 20 divisions", d, err)
	}
	if d, err := Welch(same, same, 0.95); err != nil || d.P != 1 || d.Interval.Excludes(0) {
		t.Errorf("the unpaired difference of the same is %+v, %v", d, err)
	}
	if d, err := SignedRank(same, same, 0.95); err != nil || d.P != 1 || d.Value != 0 {
		t.Errorf("the pseudo-median of the same is %+v, %v", d, err)
	}
}

func TestDifferencesThatDifferByRoundingAreEqual(t *testing.T) {
	a := []float64{0.1, 0.2, 0.3, 0.7}
	b := []float64{0.1 + 0.3, 0.2 + 0.3, 0.3 + 0.3, 0.7 + 0.3}
	d, err := Paired(a, b, 0.95)
	if err != nil || d.Interval.Low != d.Interval.High || d.P != 0.125 {
		t.Errorf("the difference is %+v, %v", d, err)
	}
	d, err = Paired([]float64{0.1 + 0.2, 1}, []float64{0.3, 1}, 0.95)
	if err != nil || d.Value != 0 || d.P != 1 {
		t.Errorf("the difference of what rounding alone sets apart is %+v, %v", d, err)
	}
}

func TestWhatNoStatisticIsDefinedForIsRefused(t *testing.T) {
	good := []float64{1, 2}
	functions := map[string]func(values []float64, confidence float64) error{
		"Mean":       func(v []float64, c float64) error { _, err := Mean(v, c); return err },
		"Summarize":  func(v []float64, c float64) error { _, err := Summarize(v, c, Student); return err },
		"Paired":     func(v []float64, c float64) error { _, err := Paired(v, v, c); return err },
		"SignedRank": func(v []float64, c float64) error { _, err := SignedRank(v, v, c); return err },
		"Welch a":    func(v []float64, c float64) error { _, err := Welch(v, good, c); return err },
		"Welch b":    func(v []float64, c float64) error { _, err := Welch(good, v, c); return err },
		"Percentile": func(v []float64, c float64) error { _, err := Bootstrap{}.Percentile(v, c); return err },
		"BCa":        func(v []float64, c float64) error { _, err := Bootstrap{}.BCa(v, c); return err },
	}
	for name, f := range functions {
		if err := f(nil, 0.95); !errors.Is(err, ErrNoValues) {
			t.Errorf("%s of no values: %v", name, err)
		}
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			if err := f([]float64{1, bad}, 0.95); err == nil || !strings.Contains(err.Error(), "value 2 of 2") {
				t.Errorf("%s of %v: %v", name, bad, err)
			}
		}
		for _, confidence := range []float64{0, 1, 95, -1, math.NaN()} {
			if err := f(good, confidence); err == nil || !strings.Contains(err.Error(), "confidence") {
				t.Errorf("%s with confidence %v: %v", name, confidence, err)
			}
		}
	}
	if _, err := Paired(good, good[:1], 0.95); err == nil || !strings.Contains(err.Error(), "not pairs") {
		t.Errorf("pairs of two and one: %v", err)
	}
	if _, err := (Bootstrap{Resamples: -1}).BCa(good, 0.95); err == nil {
		t.Error("there is a negative number of resamples")
	}
	nan := Bootstrap{Statistic: func(v []float64) float64 { return math.NaN() }}
	if _, err := nan.Percentile(good, 0.95); err == nil {
		t.Error("a statistic may be NaN")
	}
}

package stat

import "testing"

func TestPairedBootstrapIsTheLimitOfAllResamples(t *testing.T) {
	// Python's statistics.NormalDist, over all 5⁵ resamples of the differences −1,
	// 2, 4, 7 and 11: the BCa interval is from 1.2 to 8.523, and P = 0.00307 with the share
	// 0.00272 below 0, z0 = 0.01845 and a = 0.01750. 10,000 resamples find
	// some 27 below 0, give or take 5.
	a := []float64{3, 3, 3, 3, 3}
	b := []float64{2, 5, 7, 10, 14}
	d, err := PairedBootstrap(a, b, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the difference", d.Value, 4.6, 1e-12)
	near(t, "the interval's start", d.Interval.Low, 1.2, 0.17) // the next means are 1 and 1.4
	near(t, "the interval's end", d.Interval.High, 8.523, 0.03)
	near(t, "P", d.P, 0.00307, 0.5)
	if d.N != 5 || d.Interval.Method != BootstrapBCa || d.P != second(PairedBootstrap(a, b, 0.95)).P {
		t.Errorf("the difference is %+v", d)
	}
	if swapped := second(PairedBootstrap(b, a, 0.95)); swapped.Value != -d.Value || swapped.Interval.High >= 0 {
		t.Errorf("the other way round the difference is %+v", swapped)
	}
}

func second(d Difference, _ error) Difference { return d }

func TestPairedBootstrapOfEqualDifferencesIsThatOfTheSigns(t *testing.T) {
	// Six equal signs: 2⁻⁵.
	if d, err := PairedBootstrap([]float64{1, 2, 3, 4, 5, 6}, []float64{2, 3, 4, 5, 6, 7}, 0.95); err != nil || d.P != 1.0/32 || d.Interval.Low != 1 || d.Interval.High != 1 || d.Interval.Method != BootstrapBCa {
		t.Errorf("the difference is %+v, %v", d, err)
	}
	if d, err := PairedBootstrap([]float64{1}, []float64{2}, 0.95); err != nil || d.P != 1 || d.Interval.Exists() || d.Value != 1 {
		t.Errorf("of one pair the difference is %+v, %v", d, err)
	}
	if _, err := PairedBootstrap([]float64{1}, []float64{2, 3}, 0.95); err == nil {
		t.Error("one value and two are pairs")
	}
	if _, err := PairedBootstrap(nil, nil, 0.95); err == nil {
		t.Error("nothing has a difference")
	}
}

func TestPairedBootstrapWithoutAResampleBelowZeroHasTheSmallestP(t *testing.T) {
	a, b := make([]float64, 12), make([]float64, 12)
	for i := range b {
		b[i] = 10 + float64(i)
	}
	if d, err := PairedBootstrap(a, b, 0.95); err != nil || d.P < 2.0/10_001 || d.P > 0.001 || !d.Interval.Excludes(0) {
		t.Errorf("the difference is %+v, %v", d, err)
	}
}

func TestASummaryHasItsQuartiles(t *testing.T) {
	// R: quantile(c(1, 2, 4, 7, 11, 20)) is 1.00 2.50 5.50 10.00 20.00.
	for _, method := range []Method{Student, BootstrapBCa} {
		s, err := Summarize([]float64{20, 1, 11, 2, 7, 4}, 0.95, method)
		if err != nil || s.Min != 1 || s.Q1 != 2.5 || s.Median != 5.5 || s.Q3 != 10 || s.Max != 20 || s.Mean.Interval.Method != method {
			t.Errorf("the summary is %+v, %v", s, err)
		}
	}
}

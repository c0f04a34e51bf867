package stat

import (
	"errors"
	"fmt"
	"math"
	"slices"

	gonum "gonum.org/v1/gonum/stat"
)

// ErrNoValues is the error for no values.
var ErrNoValues = errors.New("no values")

// Method says how an interval was found.
type Method string

// The methods of intervals.
const (
	Student             Method = "student"              // of a mean, see [Mean] and [Paired]
	WelchT              Method = "welch"                // of a difference of means, see [Welch]
	Wilcoxon            Method = "wilcoxon"             // of a pseudo-median, see [SignedRank]
	BootstrapPercentile Method = "bootstrap percentile" // see [Bootstrap.Percentile]
	BootstrapBCa        Method = "bootstrap BCa"        // see [Bootstrap.BCa]
)

// Interval is a confidence interval. The zero Interval is none: there were too
// few values for one.
type Interval struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"` // at least, such as 0.95
	Method     Method  `json:"method"`
}

// Exists reports whether there is an interval.
func (i Interval) Exists() bool { return i.Confidence > 0 }

// Excludes reports whether there is an interval and x is outside of it.
func (i Interval) Excludes(x float64) bool { return i.Exists() && (x < i.Low || x > i.High) }

// Estimate is a number estimated from n values.
type Estimate struct {
	Value    float64  `json:"value"`
	N        int      `json:"n"`
	Interval Interval `json:"interval,omitzero"`
}

// check refuses what no statistic is defined for.
func check(values []float64) error {
	if len(values) == 0 {
		return ErrNoValues
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("value %d of %d is %v; expected a finite number", i+1, len(values), v)
		}
	}
	return nil
}

func checkConfidence(confidence float64) error {
	if !(confidence > 0 && confidence < 1) {
		return fmt.Errorf("the confidence is %v; expected a number above 0 and below 1", confidence)
	}
	return nil
}

func checkBoth(values []float64, confidence float64) error {
	if err := check(values); err != nil {
		return err
	}
	return checkConfidence(confidence)
}

// Summary describes values by their mean and how they spread.
type Summary struct {
	Mean   Estimate `json:"mean"`
	SD     float64  `json:"sd"` // standard deviation, with the divisor n − 1; 0 for one value
	Min    float64  `json:"min"`
	Q1     float64  `json:"q1"` // the quantiles of 1/4, 1/2 and 3/4, see Quantile
	Median float64  `json:"median"`
	Q3     float64  `json:"q3"`
	Max    float64  `json:"max"`
}

// Summarize describes values. The mean has the interval of [Mean], or of
// [Bootstrap.BCa] if the method is [BootstrapBCa].
func Summarize(values []float64, confidence float64, method Method) (Summary, error) {
	interval := Mean
	if method == BootstrapBCa {
		interval = Bootstrap{Seed: DefaultSeed}.BCa
	}
	mean, err := interval(values, confidence)
	if err != nil {
		return Summary{}, err
	}
	sorted := slices.Sorted(slices.Values(values))
	return Summary{
		Mean: mean, SD: deviation(values), Min: sorted[0], Q1: quantileOfSorted(sorted, 0.25),
		Median: quantileOfSorted(sorted, 0.5), Q3: quantileOfSorted(sorted, 0.75), Max: sorted[len(sorted)-1],
	}, nil
}

// deviation returns the sample standard deviation.
func deviation(values []float64) float64 {
	if len(values) == 1 || equal(values) {
		return 0
	}
	return gonum.StdDev(values, nil)
}

// equal reports whether all values are the same.
func equal(values []float64) bool { return slices.Min(values) == slices.Max(values) }

// mean returns the mean of values that are checked: exactly their value if all
// are equal.
func mean(values []float64) float64 {
	if equal(values) {
		return values[0]
	}
	return gonum.Mean(values, nil)
}

// Quantile returns the value below which a share p of the values lies, 0 ≤ p ≤
// 1: with the values in order and h = (n − 1)·p, it interpolates linearly
// between those of index ⌊h⌋ and ⌊h⌋ + 1, counted from 0. This is definition 7
// of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American
// Statistician 50 (1996), and the default of R and NumPy. Quantile(values, 0.5)
// is the median.
func Quantile(values []float64, p float64) (float64, error) {
	if err := check(values); err != nil {
		return 0, err
	}
	if !(p >= 0 && p <= 1) {
		return 0, fmt.Errorf("the quantile of %v; expected a share from 0 to 1", p)
	}
	sorted := slices.Sorted(slices.Values(values))
	return quantileOfSorted(sorted, p), nil
}

func quantileOfSorted(sorted []float64, p float64) float64 {
	h := float64(len(sorted)-1) * p
	i := int(h)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (h-float64(i))*(sorted[i+1]-sorted[i])
}

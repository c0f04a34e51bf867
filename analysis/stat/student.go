package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"
)

// Mean estimates the mean of a population from a sample of it. The interval is
//
//	mean ± t(1 − α/2, n − 1) · s/√n
//
// with the quantile of Student's t distribution, the sample's standard deviation s and α = 1 −
// confidence: exact for normal values ("Student", "The Probable Error of a
// Mean", Biometrika 6, 1908), and close for others if n is not small.
func Mean(values []float64, confidence float64) (Estimate, error) {
	if err := checkBoth(values, confidence); err != nil {
		return Estimate{}, err
	}
	n := len(values)
	e := Estimate{Value: mean(values), N: n}
	if n > 1 {
		e.Interval = around(e.Value, deviation(values)/math.Sqrt(float64(n)), float64(n-1), confidence, Student)
	}
	return e, nil
}

// around returns the interval of a value whose standard error has df degrees
// of freedom.
func around(value, standardError, df, confidence float64, method Method) Interval {
	half := 0.0
	if standardError > 0 {
		half = distuv.StudentsT{Sigma: 1, Nu: df}.Quantile((1+confidence)/2) * standardError
	}
	return Interval{Low: value - half, High: value + half, Confidence: confidence, Method: method}
}

// Difference is the difference of two populations, estimated from samples.
type Difference struct {
	Estimate // the second less the first; N counts pairs, or the values of both samples

	// P is the probability of a difference at least as large, either way, if
	// there were none. It is 1 where there are too few values to say.
	P float64 `json:"p"`
}

// Paired estimates the mean of b[i] − a[i], of values that belong together,
// such as the results of the same seed, with the interval of [Mean] and the P
// of Student's paired t test. If all differences are equal, t does not exist,
// and P is that of the sign test (Arbuthnot 1710): the probability 2^(1−n) that n
// differences have the same sign, or 1 if they are 0. Differences that differ
// by rounding alone are equal.
func Paired(a, b []float64, confidence float64) (Difference, error) {
	differences, err := subtract(a, b)
	if err != nil {
		return Difference{}, err
	}
	estimate, err := Mean(differences, confidence)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{estimate, 1}
	n := float64(estimate.N)
	standardError := deviation(differences) / math.Sqrt(n)
	switch {
	case n == 1 || estimate.Value == 0:
	case standardError == 0:
		d.P = math.Exp2(1 - n)
	default:
		d.P = twoSided(estimate.Value/standardError, n-1)
	}
	return d, nil
}

// twoSided returns the probability of a t at least as far from 0.
func twoSided(t, df float64) float64 {
	return 2 * distuv.StudentsT{Sigma: 1, Nu: df}.CDF(-math.Abs(t))
}

// subtract returns b[i] − a[i]. Where these differ by no more than rounding, all
// are the first, or 0 if that is no more than rounding either.
func subtract(a, b []float64) ([]float64, error) {
	if len(a) != len(b) {
		return nil, fmt.Errorf("%d values and %d values are not pairs", len(a), len(b))
	}
	if err := check(a); err != nil {
		return nil, err
	}
	if err := check(b); err != nil {
		return nil, err
	}
	differences := make([]float64, len(a))
	low, high, largest := math.Inf(1), math.Inf(-1), 0.0
	for i := range a {
		differences[i] = b[i] - a[i]
		low, high = min(low, differences[i]), max(high, differences[i])
		largest = max(largest, math.Abs(a[i]), math.Abs(b[i]))
	}
	if err := check(differences); err != nil {
		return nil, fmt.Errorf("difference: %w", err)
	}
	if high-low <= roundoff*largest {
		first := differences[0]
		if math.Abs(first) <= roundoff*largest {
			first = 0
		}
		for i := range differences {
			differences[i] = first
		}
	}
	return differences, nil
}

// roundoff bounds the relative error of a difference, with room for that of
// the values.
const roundoff = 0x1p-50

// Welch estimates the difference of the means of two populations from samples
// that have nothing in common, with variances s² that may differ. The interval
// is
//
//	mean(b) − mean(a) ± t(1 − α/2, ν) · √(s²(a)/n(a) + s²(b)/n(b))
//
// with the degrees of freedom ν of Welch, "The Generalization of 'Student's'
// Problem when Several Different Population Variances are Involved",
// Biometrika 34 (1947). It needs two values of each. If those of each sample
// are all equal, t does not exist, and P is that of a permutation test: 2 of
// the n!/(n(a)!·n(b)!) ways to divide the values divide them so, or all if the
// samples are equal.
func Welch(a, b []float64, confidence float64) (Difference, error) {
	for _, values := range [][]float64{a, b} {
		if err := checkBoth(values, confidence); err != nil {
			return Difference{}, err
		}
	}
	na, nb := float64(len(a)), float64(len(b))
	d := Difference{Estimate{Value: mean(b) - mean(a), N: len(a) + len(b)}, 1}
	if len(a) < 2 || len(b) < 2 {
		return d, nil
	}
	va, vb := math.Pow(deviation(a), 2)/na, math.Pow(deviation(b), 2)/nb
	standardError := math.Sqrt(va + vb)
	df := (va + vb) * (va + vb) / (va*va/(na-1) + vb*vb/(nb-1))
	d.Interval = around(d.Value, standardError, df, confidence, WelchT)
	switch {
	case standardError > 0:
		d.P = twoSided(d.Value/standardError, df)
	case d.Value != 0:
		d.P = 2 * math.Exp(-combin.LogGeneralizedBinomial(na+nb, na))
	}
	return d, nil
}

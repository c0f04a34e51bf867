package stat

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// mostExact is the number of values up to which the distribution of the
// signed-rank statistic is counted out, as in R.
const mostExact = 50

// SignedRank estimates by how much b[i] exceeds a[i] without supposing normal
// differences, only that they lie symmetrically around their middle. The
// estimate is the pseudo-median: the median of the n·(n+1)/2 Walsh averages
// (d[i] + d[j])/2, i ≤ j, of the differences (Hodges and Lehmann 1963). P is
// that of the signed-rank test (Wilcoxon, "Individual Comparisons by Ranking Methods",
// Biometrics 1, 1945): differences of 0 are left out, ties have their mean
// rank. Up to 50 differences it is exact, ties included; beyond, it is that of the normal
// approximation with corrections for ties and continuity. The interval is from the k-th smallest to the
// k-th largest Walsh average, with the largest k that has the confidence at
// least (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 2014,
// section 3.3); there is none for 5 differences or fewer at 0.95.
func SignedRank(a, b []float64, confidence float64) (Difference, error) {
	differences, err := subtract(a, b)
	if err != nil {
		return Difference{}, err
	}
	if err := checkConfidence(confidence); err != nil {
		return Difference{}, err
	}
	walsh := walshAverages(differences)
	d := Difference{Estimate{Value: quantileOfSorted(walsh, 0.5), N: len(differences)}, signedRankP(differences)}
	if k := walshRank(len(differences), confidence); k > 0 {
		d.Interval = Interval{Low: walsh[k-1], High: walsh[len(walsh)-k], Confidence: confidence, Method: Wilcoxon}
	}
	return d, nil
}

// walshAverages returns the means of all pairs of values, each with itself
// too, in order.
func walshAverages(values []float64) []float64 {
	averages := make([]float64, 0, len(values)*(len(values)+1)/2)
	for i, x := range values {
		for _, y := range values[:i+1] {
			averages = append(averages, x/2+y/2)
		}
	}
	slices.Sort(averages)
	return averages
}

// walshRank returns the largest k such that the k-th Walsh averages from both
// ends enclose the middle with a confidence, 0 if there is none.
func walshRank(n int, confidence float64) int {
	tail := (1 - confidence) / 2
	if n > mostExact {
		z := distuv.UnitNormal.Quantile(1 - tail)
		f := float64(n)
		return int(max(0, math.Floor(f*(f+1)/4-z*math.Sqrt(f*(f+1)*(2*f+1)/24))))
	}
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	// P(W ≤ k − 1) must be at most the tail.
	sum, k := 0.0, 0
	for _, p := range sumDistribution(ranks) {
		if sum += p; sum > tail*(1+roundoff) {
			break
		}
		k++
	}
	return k
}

// signedRankP returns the probability of ranks as unequally divided between
// positive and negative differences as these.
func signedRankP(differences []float64) float64 {
	nonzero := slices.DeleteFunc(slices.Clone(differences), func(d float64) bool { return d == 0 })
	n := len(nonzero)
	if n == 0 {
		return 1
	}
	slices.SortFunc(nonzero, func(x, y float64) int { return cmp.Compare(math.Abs(x), math.Abs(y)) })
	twice := make([]int, n) // ranks, doubled so that mean ranks are whole
	total, positive, ties := 0, 0, 0.0
	for i := 0; i < n; {
		j := i + 1
		for j < n && math.Abs(nonzero[j]) == math.Abs(nonzero[i]) {
			j++
		}
		for k := i; k < j; k++ {
			twice[k] = i + 1 + j
			total += twice[k]
			if nonzero[k] > 0 {
				positive += twice[k]
			}
		}
		t := float64(j - i)
		ties += t * (t*t - 1)
		i = j
	}
	fewer := min(positive, total-positive)
	if n > mostExact {
		f := float64(n)
		deviation := math.Sqrt(f*(f+1)*(2*f+1)/24 - ties/48)
		z := (float64(total)/4 - float64(fewer)/2 - 0.5) / deviation
		return min(1, 2*distuv.UnitNormal.Survival(z))
	}
	p := 0.0
	for _, q := range sumDistribution(twice)[:fewer+1] {
		p += q
	}
	return min(1, 2*p)
}

// sumDistribution returns the probability of each sum of a random half of the
// ranks: each counts or not with probability 1/2.
func sumDistribution(ranks []int) []float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	p := make([]float64, total+1)
	p[0] = 1
	reached := 0
	for _, r := range ranks {
		reached += r
		for s := reached; s >= 0; s-- {
			p[s] /= 2
			if s >= r {
				p[s] += p[s-r] / 2
			}
		}
	}
	return p
}

package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTheSignedRankTestIsThatOfHollanderAndWolfe(t *testing.T) {
	// Hamilton depression scores before and after a tranquilizer: Hollander and
	// Wolfe 1973, page 29, and the example of R's wilcox.test, which gives V =
	// 40, p-value = 0.01953 for one side. The interval of the shift is from
	// 0.010 to 0.786, the pseudo-median 0.46.
	before := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	after := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	d, err := SignedRank(after, before, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "P", d.P, 2*0.01953125, 1e-12)
	near(t, "the pseudo-median", d.Value, 0.46, 1e-12)
	near(t, "the lower bound", d.Interval.Low, 0.010, 1e-12)
	near(t, "the upper bound", d.Interval.High, 0.786, 1e-12)
	if d.N != 9 || d.Interval.Method != Wilcoxon {
		t.Errorf("the difference is %+v", d)
	}
}

func TestTheSignedRankTestIsThatOfSciPy(t *testing.T) {
	// The example of scipy.stats.wilcoxon's documentation, Darwin's plants
	// (Cramér 1946): statistic = 24.0, pvalue = 0.041259765625
	differences := []float64{6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75}
	d, err := SignedRank(make([]float64, len(differences)), differences, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "P", d.P, 0.041259765625, 1e-12)
}

// countedP is signedRankP by trying all signs.
func countedP(differences []float64) float64 {
	var sizes []float64
	for _, d := range differences {
		if d != 0 {
			sizes = append(sizes, math.Abs(d))
		}
	}
	ranks := make([]float64, len(sizes))
	total := 0.0
	for i, x := range sizes {
		below, same := 0.0, 0.0
		for _, y := range sizes {
			if y < x {
				below++
			} else if y == x {
				same++
			}
		}
		ranks[i] = below + (same+1)/2
		total += ranks[i]
	}
	positive, i := 0.0, 0
	for _, d := range differences {
		if d != 0 {
			if d > 0 {
				positive += ranks[i]
			}
			i++
		}
	}
	limit := min(positive, total-positive)
	count := 0.0
	for signs := range 1 << len(sizes) {
		sum := 0.0
		for i, r := range ranks {
			if signs>>i&1 == 1 {
				sum += r
			}
		}
		if sum <= limit {
			count++
		}
	}
	return min(1, 2*count/math.Exp2(float64(len(sizes))))
}

func TestTheSignedRankTestCountsAllSignsWithTiesToo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		differences := rapid.SliceOfN(rapid.Map(rapid.IntRange(-4, 4), func(i int) float64 { return float64(i) }), 1, 10).Draw(t, "differences")
		if got, want := signedRankP(differences), countedP(differences); math.Abs(got-want) > 1e-12 {
			t.Errorf("P is %v, by counting %v", got, want)
		}
	})
}

func TestTheSignedRankIntervalNeedsSixPairs(t *testing.T) {
	values := []float64{1, 2, 3, 4, 5, 6}
	zeros := make([]float64, 6)
	// All signs alike has the probability 2/2⁵ = 0.0625 of five pairs, and
	// 2/2⁶ = 0.03125 of six.
	if d, err := SignedRank(zeros[:5], values[:5], 0.95); err != nil || d.Interval.Exists() || d.P != 0.0625 || d.Value != 3 {
		t.Errorf("five pairs give %+v, %v", d, err)
	}
	if d, err := SignedRank(zeros, values, 0.95); err != nil || d.Interval != (Interval{1, 6, 0.95, Wilcoxon}) || d.P != 0.03125 {
		t.Errorf("six pairs give %+v, %v", d, err)
	}
}

func TestTheNormalApproximationOfSignedRanksIsClose(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	differences := make([]float64, mostExact+1)
	for i := range differences {
		differences[i] = float64(rng.IntN(21) - 7)
	}
	differences = slices.DeleteFunc(differences, func(d float64) bool { return d == 0 })
	for len(differences) <= mostExact {
		differences = append(differences, 3)
	}
	twice := 0.0
	ranks := []int{}
	for _, d := range differences {
		below, same := 0, 0
		for _, e := range differences {
			if math.Abs(e) < math.Abs(d) {
				below++
			} else if math.Abs(e) == math.Abs(d) {
				same++
			}
		}
		ranks = append(ranks, 2*below+same+1)
		if d < 0 {
			twice += float64(2*below + same + 1)
		}
	}
	exact := 0.0
	for _, p := range sumDistribution(ranks)[:int(twice)+1] {
		exact += 2 * p
	}
	if got := signedRankP(differences); math.Abs(got-exact) > exact/6 {
		t.Errorf("seed 1: P is %v, exactly %v", got, exact)
	}
	// The critical value of 50 differences at 5 %, two sides, is 434 in the
	// tables (Wilcoxon and Wilcox 1964).
	if k := walshRank(50, 0.95); k != 435 {
		t.Errorf("of 50 values the interval begins at Walsh average %d, want 434 + 1", k)
	}
	if before, after := walshRank(50, 0.95), walshRank(51, 0.95); after <= before || after-before > 25 {
		t.Errorf("the interval begins at Walsh averages %d of 50 values and %d of 51", before, after)
	}
}

func TestHolmAdjustsAsR(t *testing.T) {
	// p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") in R: 0.03 0.06 0.06 0.02
	got := Holm([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		near(t, fmt.Sprintf("P %d", i), got[i], want, 1e-14)
	}
	if got := Holm([]float64{0.9, 0.8}); got[0] != 1 || got[1] != 1 {
		t.Errorf("the adjusted P are %v, want at most 1", got)
	}
	if got := Holm(nil); len(got) != 0 {
		t.Errorf("no tests have the adjusted P %v", got)
	}
}

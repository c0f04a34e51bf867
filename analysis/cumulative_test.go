package analysis

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAShareIsOfTheValuesThatAreAtMostAsLarge(t *testing.T) {
	for _, c := range []struct {
		values []int64
		of     int64
		want   []Cumulative
	}{
		{nil, 0, nil},
		{[]int64{5e9}, 1, []Cumulative{{5, 1}}},
		{[]int64{3e9, 1e9, 3e9, 2e9}, 4, []Cumulative{{1, 0.25}, {2, 0.5}, {3, 1}}},
		{[]int64{-1e9, 0}, 2, []Cumulative{{-1, 0.5}, {0, 1}}},
		{[]int64{1e9, 2e9}, 8, []Cumulative{{1, 0.125}, {2, 0.25}}}, // six more could have been
	} {
		var d distribution
		for _, v := range c.values {
			d.add(v)
		}
		if got := d.cumulative(c.of); !slices.Equal(got, c.want) {
			t.Errorf("of %v: got %v, want %v", c.values, got, c.want)
		}
	}
}

// TestCumulativeSharesAreCloseToThoseOfAllValues checks the shares, and those of the
// tail, against counting.
func TestCumulativeSharesAreCloseToThoseOfAllValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SliceOfN(rapid.Int64Range(0, 1e12), 1, 300).Draw(t, "values")
		times := rapid.SampledFrom([]int{1, 40}).Draw(t, "times") // of which 40 need buckets
		var d distribution
		var all []float64
		for i := range times {
			for _, v := range base {
				v += int64(i) * 1e6
				d.add(v)
				all = append(all, float64(v)/nano)
			}
		}
		slices.Sort(all)
		n := len(all)
		points := d.cumulative(int64(n))
		if last := points[len(points)-1]; last.V != all[n-1] || last.Share != 1 {
			t.Fatalf("the last point is %v, of %d values up to %v", last, n, all[n-1])
		}
		const width = 1. / bucketsPerOctave
		for i, p := range points {
			if i > 0 && (p.V < points[i-1].V || p.Share <= points[i-1].Share) {
				t.Fatalf("%v follows %v", p, points[i-1])
			}
			atMost := func(v float64) float64 {
				return float64(countAtMost(all, v)) / float64(n)
			}
			if low, high := atMost(p.V*(1-width)), atMost(p.V*(1+width)); p.Share < low-1e-12 || p.Share > high+1e-12 {
				t.Fatalf("the share of %v is %v, and between %v and %v", p.V, p.Share, low, high)
			}
		}
		if most := 600 + int(math.Log(float64(n))/tailStep); len(points) > most {
			t.Fatalf("%d points of %d values", len(points), n)
		}
	})
}

// countAtMost returns how many of the values in order are at most v.
func countAtMost(values []float64, v float64) int {
	n, _ := slices.BinarySearchFunc(values, v, func(x, v float64) int {
		if x <= v {
			return -1
		}
		return 1
	})
	return n
}

func TestADistributionOfManyValuesHasFewPointsAndATail(t *testing.T) {
	var d distribution
	const n = 1_000_000
	for i := range n {
		d.add(int64(i) * 1000)
	}
	points := d.cumulative(n)
	if len(points) > 1100 {
		t.Errorf("%d points", len(points))
	}
	last := points[len(points)-2]
	if tail := 1 - last.Share; tail > 1e-3 {
		t.Errorf("the tail ends at %v", tail)
	}
}

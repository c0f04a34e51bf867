package analysis

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestPercentilesAreThoseOfNearestRank(t *testing.T) {
	for _, c := range []struct {
		values             []int64
		p50, p95, p99, max int64
	}{
		{nil, 0, 0, 0, 0},
		{[]int64{7}, 7, 7, 7, 7},
		{[]int64{4, 1}, 1, 4, 4, 4},
		{[]int64{3, 1, 2}, 2, 3, 3, 3},
		{[]int64{-5, 0, 5, 10}, 0, 10, 10, 10},
	} {
		var d distribution
		for _, v := range c.values {
			d.add(v)
		}
		got := [4]int64{d.percentile(50), d.percentile(95), d.percentile(99), d.max}
		if want := [4]int64{c.p50, c.p95, c.p99, c.max}; got != want {
			t.Errorf("of %v: got %v, want %v", c.values, got, want)
		}
	}
}

func TestPercentilesOfManyValuesAreWithinTheStatedError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(exactValues+1, 3*exactValues).Draw(t, "n")
		spread := rapid.Int64Range(1, 1<<40).Draw(t, "spread")
		base := rapid.Int64Range(-10, 1<<50).Draw(t, "base")
		step := rapid.Int64Range(1, spread).Draw(t, "step")
		var d distribution
		values := make([]int64, n)
		for i := range values {
			values[i] = base + int64(i)*step%spread
			d.add(values[i])
		}
		slices.Sort(values)
		for _, p := range []int64{1, 50, 95, 99, 100} {
			exact := values[(int64(n)*p+99)/100-1]
			got := d.percentile(p)
			if exact < 0 { // all negative values share a bucket
				exact = values[0]
			}
			if math.Abs(float64(got-exact)) > 0.0005*math.Abs(float64(exact)) {
				t.Fatalf("p%d is %d, exactly %d", p, got, exact)
			}
		}
		if d.count != int64(n) || d.min != values[0] || d.max != values[n-1] {
			t.Fatalf("count %d, min %d, max %d", d.count, d.min, d.max)
		}
	})
}

func TestADistributionHoldsBoundedMemory(t *testing.T) {
	var d distribution
	allocations := testing.AllocsPerRun(1, func() {
		for i := range int64(1_000_000) {
			d.add(i)
		}
	})
	// At most 64 octaves, and the doublings of the exact values before them.
	if len(d.exact) != 0 || len(d.octaves) > 64 || allocations > 150 {
		t.Errorf("%d exact values, %d octaves, %v allocations", len(d.exact), len(d.octaves), allocations)
	}
}

package tracegen

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPowersOfTwoAreExactToTheUnit(t *testing.T) {
	for x, want := range map[fixed]fixed{0: one, octave: 2 * one, -octave: one / 2, octave / 2: 6074000999, 20 * octave: one << 20, -21 * octave: one >> 20, 99 * octave: one << 20} {
		if got := exp2(x); got != want {
			t.Errorf("2^(%d·2^-32) is %d, want %d", x, got, want)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		x := fixed(rapid.Int64Range(int64(-20*octave), int64(20*octave)).Draw(r, "x"))
		got, want := float64(exp2(x)), math.Exp2(float64(x)/float64(one))*float64(one)
		if math.Abs(got-want) > 1+want*1e-12 {
			r.Fatalf("2^%v is %v, want %v", float64(x)/float64(one), got, want)
		}
	})
}

func TestProductsAndRatios(t *testing.T) {
	for _, c := range []struct{ x, y, want float64 }{{1.5, 2.5, 3.75}, {-1.5, 2.5, -3.75}, {-3, -0.25, 0.75}, {40000, 0.5, 20000}} {
		if got := newFixed(c.x).times(newFixed(c.y)); got != newFixed(c.want) {
			t.Errorf("%v · %v is %v", c.x, c.y, float64(got)/float64(one))
		}
	}
	if got := ratio(50, 1000, one); got != one/20 {
		t.Errorf("50/1000 is %d", got)
	}
	if got := ratio(int64(time.Hour), 1, 20*octave); got != 20*octave {
		t.Errorf("a ratio beyond its limit is %d", got)
	}
	if got := root(1 << 62); got != one/2 {
		t.Errorf("the root of 1/4 is %d", got)
	}
}

// With 100,000 independent draws the mean is within 5/√n = 0.016 of 0 and the
// deviation within 5/√2n = 0.011 of 1, but for one seed in a million.
func TestNormalNumbersHaveMeanZeroAndDeviationOne(t *testing.T) {
	const seed, n = 1, 100_000
	r := stream(seed, "test")
	var sum, squares float64
	for range n {
		x := float64(normal(r)) / float64(one)
		sum, squares = sum+x, squares+x*x
	}
	mean := sum / n
	if deviation := math.Sqrt(squares/n - mean*mean); math.Abs(mean) > 0.016 || math.Abs(deviation-1) > 0.011 {
		t.Errorf("seed %d: mean %v, deviation %v", seed, mean, deviation)
	}
}

// The correlation of neighbours is exp(−step/coherence). 200,000 of them span
// 20,000 coherence times, which leaves a deviation of some 1 %.
func TestAWalkHasItsDeviationAndCoherence(t *testing.T) {
	const seed, n = 1, 200_000
	w := newWalk(stream(seed, "test"), 2*octave, 100*time.Millisecond, time.Second)
	var sum, squares, products, before float64
	for range n {
		x := float64(w.next()) / float64(one)
		sum, squares, products, before = sum+x, squares+x*x, products+x*before, x
	}
	mean := sum / n
	variance := squares/n - mean*mean
	if math.Abs(mean) > 0.1 || math.Abs(math.Sqrt(variance)-2) > 0.1 {
		t.Errorf("seed %d: mean %v, deviation %v, want 0 and 2", seed, mean, math.Sqrt(variance))
	}
	if correlation, want := (products/n-mean*mean)/variance, math.Exp(-0.1); math.Abs(correlation-want) > 0.01 {
		t.Errorf("seed %d: correlation %v, want %v", seed, correlation, want)
	}
}

func TestNumbersBetweenTwoIncludeBoth(t *testing.T) {
	const seed = 1
	r := stream(seed, "test")
	seen := map[int64]int{}
	for range 1000 {
		seen[between(r, -1, 2)]++
	}
	for v := int64(-1); v <= 2; v++ {
		if seen[v] < 150 {
			t.Errorf("seed %d: %d was drawn %d times of 1000", seed, v, seen[v])
		}
	}
	if len(seen) != 4 {
		t.Errorf("seed %d: drawn %v", seed, seen)
	}
}

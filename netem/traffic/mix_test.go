package traffic

import (
	"math"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// imixMean is the mean size of simple IMIX: (7·40 + 4·576 + 1500)/12.
const imixMean = 4084.0 / 12

func TestSizesHaveTheirShares(t *testing.T) {
	b := newBench(t, testSeed, Config{Rate: 10 * mbit, Sizes: IMIX(), Overhead: netem.HeaderIPv4})
	b.clock.runUntil(30 * time.Second)
	count := make(map[netem.Bytes]float64)
	for _, a := range b.arrived {
		count[a.Size+netem.HeaderIPv4]++
	}
	n, squares := float64(len(b.arrived)), 0.0
	for _, share := range IMIX() {
		want := n * float64(share.Weight) / 12
		squares += (count[share.Size] - want) * (count[share.Size] - want) / want
	}
	if most := 13.816; squares > most || len(count) != 3 { // 99.9 % of chi-square with 2 degrees of freedom
		t.Errorf("seed %d: sizes %v: chi-square %.2f, want at most %.2f (99.9 %%)", testSeed, count, squares, most)
	}
	if want := 10e6 * 30 / 8 / imixMean; math.Abs(n/want-1) > 0.01 {
		t.Errorf("seed %d: %.0f packets, want about %.0f", testSeed, n, want)
	}
}

func TestEverySizeHasItsPlace(t *testing.T) {
	s := newSizer(Mix{{100, 1}, {200, 2}, {300, 1}})
	for r, want := range map[uint64]netem.Bytes{
		0: 100, 1<<62 - 1: 100, 1 << 62: 200, 1 << 63: 200, 3<<62 - 1: 200, 3 << 62: 300, math.MaxUint64: 300,
	} {
		if got := s.of(r); got != want {
			t.Errorf("%#x has the size %s, want %s", r, got, want)
		}
	}
	if got := s.mean(12); got != 2400 {
		t.Errorf("12 times the mean is %d, want 2400", got)
	}
}

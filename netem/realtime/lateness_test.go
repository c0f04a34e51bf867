package realtime

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQuantilesAreAtMostAThirtySecondTooLarge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 300).Draw(t, "times")
		var h histogram
		for _, d := range times {
			h.add(time.Duration(d))
		}
		slices.Sort(times)
		for _, n := range []int{500, 990, 999} {
			want := time.Duration(times[(len(times)*n+999)/1000-1])
			got := h.quantile(uint64(n))
			if got < want || got > want+want/classes {
				t.Fatalf("the quantile %d/1000 of %v is %d, want %d to %d", n, times, got, want, want+want/classes)
			}
		}
		if p := h.precision(); p.Max != time.Duration(times[len(times)-1]) || p.Departed != uint64(len(times)) {
			t.Fatalf("%+v of %v", p, times)
		}
	})
}

func TestLateIsMoreThan100Microseconds(t *testing.T) {
	var h histogram
	for _, d := range []time.Duration{-5, 0, OnTime, OnTime + 1} {
		h.add(d)
	}
	if p := h.precision(); p.Late != 1 || p.Departed != 4 {
		t.Errorf("%d of %d are late, want 1 of 4", p.Late, p.Departed)
	}
}

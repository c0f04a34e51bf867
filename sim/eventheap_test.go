package sim

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEventsComeInTheOrderOfTimeAndSequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h eventHeap
		var waiting []event
		seq := uint64(0)
		for range rapid.IntRange(1, 200).Draw(t, "operations") {
			if len(waiting) > 0 && rapid.Bool().Draw(t, "pop") {
				i := 0
				for j := range waiting {
					if waiting[j].before(&waiting[i]) {
						i = j
					}
				}
				want := waiting[i]
				waiting = slices.Delete(waiting, i, i+1)
				if got := h.pop(); got.at != want.at || got.seq != want.seq {
					t.Fatalf("popped (%d, %d), want (%d, %d)", got.at, got.seq, want.at, want.seq)
				}
				continue
			}
			seq++
			e := event{at: time.Duration(rapid.IntRange(0, 5).Draw(t, "at")), seq: seq}
			h.push(e)
			waiting = append(waiting, e)
		}
		if len(h) != len(waiting) {
			t.Fatalf("%d events left, want %d", len(h), len(waiting))
		}
	})
}

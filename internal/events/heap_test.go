package events

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEventsComeInTheOrderOfTimeAndSequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h Heap
		var waiting []Event
		seq := uint64(0)
		for range rapid.IntRange(1, 200).Draw(t, "operations") {
			if len(waiting) > 0 && rapid.Bool().Draw(t, "pop") {
				i := 0
				for j := range waiting {
					if waiting[j].Before(&waiting[i]) {
						i = j
					}
				}
				want := waiting[i]
				waiting = slices.Delete(waiting, i, i+1)
				if got := h.Pop(); got.At != want.At || got.Seq != want.Seq {
					t.Fatalf("popped (%d, %d), want (%d, %d)", got.At, got.Seq, want.At, want.Seq)
				}
				continue
			}
			seq++
			e := Event{At: time.Duration(rapid.IntRange(0, 5).Draw(t, "at")), Seq: seq}
			h.Push(e)
			waiting = append(waiting, e)
		}
		if len(h) != len(waiting) {
			t.Fatalf("%d events left, want %d", len(h), len(waiting))
		}
	})
}

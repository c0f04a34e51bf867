package analysis

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheMostThatWaitsAtOnceDoesNotDependOnTheOrderOfLeaving(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stays := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stay {
			from := rapid.Int64Range(0, 20).Draw(t, "from")
			return stay{time.Duration(from), time.Duration(from + rapid.Int64Range(1, 20).Draw(t, "wait")), rapid.Int64Range(1, 1500).Draw(t, "bytes")}
		}), 0, 30).Draw(t, "stays")
		var o occupancy
		for _, s := range stays {
			o.add(s)
		}
		var want int64
		for at := range time.Duration(40) {
			var bytes int64
			for _, s := range stays {
				if s.from <= at && at < s.until {
					bytes += s.bytes
				}
			}
			want = max(want, bytes)
		}
		if got := o.most(); got != want {
			t.Errorf("%d B waited at once, want %d", got, want)
		}
	})
}

func TestALongQueueIsFollowedInBoundedMemory(t *testing.T) {
	var o occupancy
	for i := range 100_000 {
		at := time.Duration(i)
		o.add(stay{at, at + 100, 1})
	}
	if got := o.most(); got != 100 {
		t.Errorf("%d B waited at once, want 100", got)
	}
	if c := cap(o.coming.list) + cap(o.waiting.list); c > 8*mostPassed {
		t.Errorf("room for %d datagrams, want at most %d", c, 8*mostPassed)
	}
}

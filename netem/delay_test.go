package netem

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestADelayedPacketArrivesThatMuchLater(t *testing.T) {
	b := newBench(t, 1, Delay{20 * time.Millisecond})
	b.sendAt(0, 1)
	b.sendAt(0, 1)
	b.sendAt(1, 1)
	b.run()
	want := []time.Duration{20 * time.Millisecond, 20 * time.Millisecond, 20*time.Millisecond + 1}
	if got := b.departures(); !slices.Equal(got, want) {
		t.Errorf("packets arrived at %d, want %d", got, want)
	}
}

func TestADelayThatChangesKeepsTheOrder(t *testing.T) {
	for _, c := range []struct {
		name   string
		change time.Duration // at the time 5
		want   []time.Duration
	}{
		{"grows", 100, []time.Duration{10, 14, 106, 112}},
		{"shrinks", 5, []time.Duration{10, 14, 14, 17}},
		{"vanishes", 0, []time.Duration{10, 14, 14, 14}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, Delay{10})
			b.configureAt(5, Delay{c.change})
			for _, at := range []time.Duration{0, 4, 6, 12} {
				b.sendAt(at, 1)
			}
			b.run()
			if got := b.departures(); !slices.Equal(got, c.want) {
				t.Errorf("packets arrived at %d, want %d", got, c.want)
			}
			if want := []uint64{1, 2, 3, 4}; !slices.Equal(b.delivered, want) {
				t.Errorf("they arrived in the order %d", b.delivered)
			}
		})
	}
}

func TestNoDelayPassesAtOnce(t *testing.T) {
	b := newBench(t, 1, Delay{})
	b.send(1)
	if len(b.delivered) != 1 {
		t.Error("a delay of 0 held a packet")
	}
}

func TestDelayRefuses(t *testing.T) {
	const want = "netem: path p: delay: the delay is not between 0 and 24h0m0s"
	for _, d := range []time.Duration{-1, maxDelay + 1, math.MaxInt64} {
		if _, err := NewPath(&testClock{}, "p", 1, []Element{Delay{d}}, nil, nil); err == nil || err.Error() != want {
			t.Errorf("a delay of %s: error %v, want %s", d, err, want)
		}
	}
}

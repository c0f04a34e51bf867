package netem

import (
	"testing"
	"time"
)

// whenSent returns when the last of n packets leaves an element that never
// waits for one: each that leaves brings another.
func whenSent(t *testing.T, n, size int, e Element) time.Duration {
	clock := &benchClock{}
	var path *Path
	left := n
	send := func() {
		if left > 0 {
			left--
			path.Send(newPacket(addrOf(1, 1), addrOf(2, 2), someBytes[:size], NotECT))
		}
	}
	path, err := NewPath(clock, "path", 1, []Element{e}, func(p *Packet) {
		p.release()
		send()
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		send()
	}
	for len(clock.calls) > 0 {
		clock.runUntil(clock.calls[0].at)
		if in, out, _ := path.Totals(); out.Packets == int64(n) {
			return clock.now
		} else if in.Packets-out.Packets < 1 {
			t.Fatalf("after %d packets none waits", out.Packets)
		}
	}
	t.Fatal("the link stopped")
	return 0
}

// A million packets of 1000 bytes, none of which takes a whole number of
// nanoseconds: a link that rounded each would be up to a millisecond off.
func TestAGigabyteFinishesWhenTheLinkAllows(t *testing.T) {
	for rate, want := range map[BitRate]time.Duration{
		3 * GbitPerSecond:   2_666_666_667,
		7 * MbitPerSecond:   1_142_857_142_858,
		999_999_937:         8_000_000_505, // 8·10^18/999999937 = 8000000504.00003…
		900 * MbitPerSecond: 8_888_888_889,
	} {
		if got := whenSent(t, 1_000_000, 972, Rate{Rate: rate, Overhead: HeaderIPv4}); got != want {
			t.Errorf("at %s it took %d ns, want %d", rate, got, want)
		}
	}
}

// A trace of the one line "1" has an opportunity of 1500 bytes a millisecond.
func TestTheShortestMahimahiTraceIsExactly12Mbit(t *testing.T) {
	trace := Trace{Opportunities: []time.Duration{time.Millisecond}, Period: time.Millisecond}
	if rate := trace.Rate(); rate != 12*MbitPerSecond {
		t.Errorf("its rate is %s", rate)
	}
	const seconds = 10
	for _, size := range []int{1500, 100, 60_000} {
		n := seconds * 1_500_000 / size
		if got := whenSent(t, n, size, trace); got != seconds*time.Second {
			t.Errorf("%d packets of %d bytes took %s, want %d s", n, size, got, seconds)
		}
	}
}

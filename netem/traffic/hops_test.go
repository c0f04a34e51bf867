package traffic

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// A packet of 1500 bytes takes 1.2 ms of each of three links, which are 1, 2 and
// 3 ms long.
func TestTrafficCrossesSeveralHops(t *testing.T) {
	b := newBench(t, testSeed, Config{})
	hop := func(i time.Duration) []netem.Element {
		return []netem.Element{netem.Rate{Rate: 10 * mbit, Overhead: netem.HeaderIPv4}, netem.Delay{Delay: i * ms}}
	}
	from, to := b.host("sender"), b.host("receiver")
	left, err := b.network.AddRouter("left")
	if err != nil {
		t.Fatal(err)
	}
	right, err := b.network.AddRouter("right")
	if err != nil {
		t.Fatal(err)
	}
	for i, ends := range [][2]netem.Node{{from, left}, {left, right}, {right, to}} {
		if _, err := b.network.Connect(string(rune('a'+i)), ends[0], ends[1], hop(time.Duration(i+1)), nil); err != nil {
			t.Fatal(err)
		}
	}
	var arrived []Arrival
	sink, err := NewSink(b.clock, to, 0, func(a Arrival) { arrived = append(arrived, a) })
	if err != nil {
		t.Fatal(err)
	}
	source, err := NewSource(b.clock, from, sink.Addr(), Config{Rate: 6 * mbit, Overhead: netem.HeaderIPv4, Stop: time.Second}, testSeed, "hops")
	if err != nil {
		t.Fatal(err)
	}
	b.clock.runUntil(2 * time.Second)
	if sent, refused := source.Totals(); sent.Packets != 500 || refused.Packets != 0 || len(arrived) != 500 {
		t.Fatalf("sent %v, refused %v, %d arrived, want 500 of 500", sent, refused, len(arrived))
	}
	for i, a := range arrived {
		if want := 6*ms + 3*1200*time.Microsecond; a.Delay != want || a.Sent != time.Duration(i)*2*ms || a.Reordered {
			t.Fatalf("packet %d: %+v, want a delay of %s", i, a, want)
		}
	}
	if err := b.network.Check(); err != nil {
		t.Error(err)
	}
}

package netem

import (
	"slices"
	"testing"
	"time"
)

// order returns the ports of the packets that left, in the order in which they
// did, given those that were sent.
func (b *bench) order(ports []uint16) []uint16 {
	var order []uint16
	for _, id := range b.delivered {
		order = append(order, ports[id-1])
	}
	return order
}

// bursts sends packets from ports, each of its size, at once, behind one from
// port 9 that occupies the link.
func (b *bench) bursts(ports []uint16, size map[uint16]int) []uint16 {
	ports = append([]uint16{9}, ports...)
	for _, port := range ports {
		b.sendFrom(port, orDefault(size[port], 1000), NotECT)
	}
	b.run()
	return b.order(ports)
}

func TestFQCoDelServesFlowsInTurnByBytes(t *testing.T) {
	for _, c := range []struct {
		name    string
		quantum Bytes
		sizes   map[uint16]int
		ports   []uint16
		want    []uint16
	}{
		{"packets of a quantum", 1000, nil, []uint16{1, 1, 1, 2, 2, 2}, []uint16{1, 2, 1, 2, 1, 2}},
		{"half the size", 1000, map[uint16]int{2: 500}, []uint16{1, 1, 2, 2, 2, 2}, []uint16{1, 2, 2, 1, 2, 2}},
		{"the default quantum", 0, nil, []uint16{1, 1, 1, 1, 2, 2}, []uint16{1, 1, 2, 2, 1, 1}},
		{"one more at the end of a quantum", 999, nil, []uint16{1, 1, 1, 2, 2}, []uint16{1, 2, 1, 2, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, Rate{Rate: 8 * GbitPerSecond, Queue: FQCoDel{Quantum: c.quantum}})
			if got := b.bursts(c.ports, c.sizes)[1:]; !slices.Equal(got, c.want) {
				t.Errorf("order of flows %v, want %v", got, c.want)
			}
		})
	}
}

func TestAFlowThatBeginsComesBeforeTheOldOnes(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * GbitPerSecond, Queue: FQCoDel{Quantum: 1000}})
	ports := []uint16{9, 1, 1, 1, 2, 2, 2}
	for _, port := range ports {
		b.sendFrom(port, 1000, NotECT)
	}
	// At 2500 ns the first packet of each flow is out or on its way.
	b.clock.At(2500, func() { b.sendFrom(3, 1000, NotECT) })
	ports = append(ports, 3)
	b.run()
	if got, want := b.order(ports), []uint16{9, 1, 2, 3, 1, 2, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("order of flows %v, want %v", got, want)
	}
}

// A flow that sends a packet at a time is new once, and then takes turns with
// the old ones. Its second packet is early because flow 1, whose turn comes
// first, has just used its quantum.
func TestAFlowThatRestartsDoesNotStarveOldOnes(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * GbitPerSecond, Queue: FQCoDel{Quantum: 1000}})
	ports := []uint16{1, 1, 1, 1, 1, 1}
	for _, port := range ports {
		b.sendFrom(port, 1000, NotECT)
	}
	for i := range 5 {
		ports = append(ports, 2)
		b.clock.At(time.Duration(1500+1000*i), func() { b.sendFrom(2, 1000, NotECT) })
	}
	b.run()
	if got, want := b.order(ports), []uint16{1, 1, 2, 2, 1, 2, 1, 2, 1, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("order of flows %v, want %v", got, want)
	}
}

// Port 1 sends 1000 packets, port 2 two, each of them first in its flow.
func TestBeyondALimitTheFattestFlowLosesItsHead(t *testing.T) {
	for _, c := range []struct {
		name        string
		queue       FQCoDel
		fat         int
		first, lost int // ID of the first packet lost, and how many
	}{
		{"half of its bytes", FQCoDel{Limit: 10}, 9, 4, 5},
		{"a batch at most", FQCoDel{Limit: 300}, 299, 4, 64},
		{"memory", FQCoDel{Memory: 10_000}, 9, 4, 5},
		{"no more than the limits", FQCoDel{Limit: 11, Memory: 11_000}, 9, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, Rate{Rate: 8 * GbitPerSecond, Queue: c.queue})
			b.bursts(append([]uint16{2, 2}, slices.Repeat([]uint16{1}, c.fat)...), nil)
			var lost []uint64
			for _, s := range b.seen {
				if s.fate == Dropped {
					lost = append(lost, s.id)
				}
			}
			if len(lost) != c.lost || c.lost > 0 && (lost[0] != uint64(c.first) || lost[c.lost-1] != uint64(c.first+c.lost-1)) {
				t.Errorf("packets %v were dropped, want %d from %d on", lost, c.lost, c.first)
			}
		})
	}
}

// Linux has CoDel count these drops, so that it signals more.
func TestDropsBeyondALimitCountForCoDel(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * GbitPerSecond, Queue: FQCoDel{Limit: 10, Flows: 1}})
	for range 12 {
		b.send(1000)
	}
	q := b.path.stages[0].runner.(*shaper).queue.(*fqCoDel)
	if got := q.fair.flows[0].aqm.count; got != 6 || len(b.drops()) != 6 {
		t.Errorf("count %d after %d drops, want 6", got, len(b.drops()))
	}
}

// One flow in FQCoDel is a CoDel.
func TestAFlowOfFQCoDelIsACoDel(t *testing.T) {
	run := func(q Queue, ecn ECN) *bench {
		b := newBench(t, 1, millisecondLink(q))
		b.overload(100, 600*time.Millisecond, ecn)
		b.run()
		return b
	}
	for ecn, c := range map[ECN][2]Queue{
		NotECT: {FQCoDel{}, CoDel{ECN: true}},
		ECT0:   {FQCoDel{}, CoDel{ECN: true}},
		ECT1:   {FQCoDel{NoECN: true, Target: time.Millisecond}, CoDel{Target: time.Millisecond}},
	} {
		if got, want := run(c[0], ecn), run(c[1], ecn); !slices.Equal(got.seen, want.seen) {
			t.Errorf("ECN %d: %+v differs from %+v", ecn, c[0], c[1])
		}
	}
}

func TestFlowsCollideOnlyByChance(t *testing.T) {
	collisions := func(seed uint64) string {
		b := newBench(t, seed, Rate{Queue: FQCoDel{}})
		q := b.path.stages[0].runner.(*shaper).queue.(*fqCoDel)
		taken, letters := map[uint64]bool{}, ""
		for port := range uint16(256) {
			i := q.fair.hash(&Packet{Source: addrOf(1, port), Dest: addrOf(2, 443)}) % 1024
			if taken[i] {
				letters += string(rune(port))
			}
			taken[i] = true
		}
		return letters
	}
	// 256 flows in 1024 slots: 256 − 1024·(1 − (1−1/1024)^256) = 29 collisions on
	// average, with a standard deviation of about 5.
	one, two := collisions(1), collisions(2)
	for _, c := range []string{one, two} {
		if n := len([]rune(c)); n < 10 || n > 48 {
			t.Errorf("%d of 256 flows collide", n)
		}
	}
	if one == two || one != collisions(1) {
		t.Error("collisions do not depend on the seed, or not on it alone")
	}
}

func TestFQCoDelHoldsPacketsInTheOrderOfArrival(t *testing.T) {
	b := newBench(t, 1, millisecondLink(FQCoDel{}))
	for port := range uint16(20) {
		b.sendFrom(port%7, 100, NotECT)
	}
	var ids []uint64
	b.path.stages[0].runner.Held(func(p *Packet) { ids = append(ids, p.ID) })
	if len(ids) != 20 || !slices.IsSorted(ids) {
		t.Errorf("packets %d", ids)
	}
}

func TestFQCoDelRefuses(t *testing.T) {
	for want, queue := range map[string]FQCoDel{
		"the limit is negative":                          {Limit: -1},
		"the number of flows is not between 1 and 65536": {Flows: 65537},
		"the quantum is not between 1 and 1048576 bytes": {Quantum: -1},
		"a time is negative":                             {Target: -1},
	} {
		_, err := NewPath(&testClock{}, "p", 1, []Element{Rate{Queue: queue}}, nil, nil)
		if want := "netem: path p: queue: " + want; err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", queue, err, want)
		}
	}
	b := newBench(t, 1, Rate{Queue: FQCoDel{}})
	if err := b.path.Configure(Rate{Queue: FQCoDel{Flows: 2}}); err == nil {
		t.Error("the number of flows of a running FQCoDel changed")
	}
	if err := b.path.Configure(Rate{}); err == nil {
		t.Error("a running FQCoDel became a FIFO")
	}
}

package netem

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// eachFair runs a test for each kind of queue that serves flows in turn.
func eachFair(t *testing.T, quantum Bytes, test func(*testing.T, Queue)) {
	for _, q := range []Queue{FQCoDel{Quantum: quantum}, FQPIE{Quantum: quantum}} {
		t.Run(fmt.Sprintf("%T", q), func(t *testing.T) { test(t, q) })
	}
}

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

func TestFlowsAreServedInTurnByBytes(t *testing.T) {
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
		eachFair(t, c.quantum, func(t *testing.T, q Queue) {
			b := newBench(t, 1, Rate{Rate: 8 * GbitPerSecond, Queue: q})
			if got := b.bursts(c.ports, c.sizes)[1:]; !slices.Equal(got, c.want) {
				t.Errorf("%s: order of flows %v, want %v", c.name, got, c.want)
			}
		})
	}
}

func TestAFlowThatBeginsComesBeforeTheOldOnes(t *testing.T) {
	eachFair(t, 1000, func(t *testing.T, q Queue) {
		b := newBench(t, 1, Rate{Rate: 8 * GbitPerSecond, Queue: q})
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
	})
}

// A flow that sends a packet at a time is new once, and then takes turns with
// the old ones. Its second packet is early because flow 1, whose turn comes
// first, has just used its quantum.
func TestAFlowThatRestartsDoesNotStarveOldOnes(t *testing.T) {
	eachFair(t, 1000, func(t *testing.T, q Queue) {
		b := newBench(t, 1, Rate{Rate: 8 * GbitPerSecond, Queue: q})
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
	})
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

func TestFairQueuesHoldPacketsInTheOrderOfArrival(t *testing.T) {
	eachFair(t, 0, func(t *testing.T, q Queue) {
		b := newBench(t, 1, millisecondLink(q))
		for port := range uint16(20) {
			b.sendFrom(port%7, 100, NotECT)
		}
		var ids []uint64
		b.path.stages[0].runner.Held(func(p *Packet) { ids = append(ids, p.ID) })
		if len(ids) != 20 || !slices.IsSorted(ids) {
			t.Errorf("packets %d", ids)
		}
	})
}

const fairTime = 20 * time.Second

// offer sends packets of a size from a port, one each interval of fairTime, and
// notes which they are.
func (b *bench) offer(ports map[uint64]uint16, port uint16, size int, interval time.Duration) {
	for at := interval; at < fairTime; at += interval {
		b.clock.At(at, func() {
			b.sendFrom(port, size, NotECT)
			ports[b.sent] = port
		})
	}
}

// The law: flows that ask for more than their share get the same number of
// bytes, whatever the size of their packets and whatever they ask for; a flow
// that asks for less waits for no packet but the one in transmission, and loses
// nothing.
func TestFlowsShareALinkEqually(t *testing.T) {
	eachFair(t, 0, func(t *testing.T, q Queue) {
		b := newBench(t, lawSeed, millisecondLink(q))
		ports := make(map[uint64]uint16)
		b.offer(ports, 1, 1250, 2500*time.Microsecond) // 4 Mbit/s
		b.offer(ports, 2, 1250, time.Millisecond)      // 10 Mbit/s
		b.offer(ports, 3, 500, 400*time.Microsecond)   // 10 Mbit/s
		b.offer(ports, 4, 1000, 49*time.Millisecond)
		bytes, worst := [5]float64{}, time.Duration(0)
		for _, s := range b.run() {
			port := ports[s.id]
			switch {
			case s.at > fairTime:
			case s.fate == Delivered:
				bytes[port] += float64(s.size)
				if port == 4 {
					worst = max(worst, s.wait)
				}
			case port == 4:
				t.Errorf("seed %d: the sparse flow lost a packet at %v", lawSeed, s.at)
			}
		}
		if worst > time.Millisecond {
			t.Errorf("seed %d: a packet of the sparse flow waited %v, want no more than 1 ms", lawSeed, worst)
		}
		share := (10e6/8*fairTime.Seconds() - bytes[4]) / 3
		for port, got := range bytes[1:4] {
			if math.Abs(got-share) > 0.01*share {
				t.Errorf("seed %d: flow %d sent %.0f bytes, want %.0f ± 1 %%", lawSeed, port+1, got, share)
			}
		}
	})
}

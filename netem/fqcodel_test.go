package netem

import (
	"slices"
	"testing"
	"time"
)

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

// Both flows have 1000 bytes, in one packet or two: as in Linux the first in the
// table is dropped from.
func TestOfFlowsWithAsManyBytesTheFirstLosesItsHead(t *testing.T) {
	for _, one := range []uint16{1, 2} {
		b := newBench(t, 1, Rate{Rate: 8 * GbitPerSecond, Queue: FQCoDel{Limit: 2}})
		two := 3 - one
		b.bursts([]uint16{one, two, two}, map[uint16]int{two: 500})
		q := b.path.stages[0].runner.(*shaper).queue.(*fqCoDel)
		slot := func(port uint16) uint64 {
			return q.fair.hash(&Packet{Source: addrOf(1, port), Dest: addrOf(2, 2)}) % 1024
		}
		want := "DxDD"
		if slot(two) < slot(one) {
			want = "DDxD"
		}
		if got := b.fates(); got != want {
			t.Errorf("flow %d has one packet: %s, want %s", one, got, want)
		}
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

package netem

import (
	"slices"
	"testing"
	"time"
)

// One flow in FQPIE is a PIE, if it draws the same numbers.
func TestAFlowOfFQPIEIsAPIE(t *testing.T) {
	run := func(q Queue, ecn ECN) []sighting {
		b := newBench(t, lawSeed, millisecondLink(q))
		if _, ok := q.(PIE); ok { // FQPIE has drawn the key of its flows
			b.path.stages[0].Rand.Uint64()
			b.path.stages[0].Rand.Uint64()
		}
		b.overload(50, 3*time.Second, ecn)
		return b.run()
	}
	for ecn, c := range map[ECN][2]Queue{
		NotECT: {FQPIE{}, PIE{}},
		ECT0:   {FQPIE{ECN: true}, PIE{ECN: true}},
		ECT1:   {FQPIE{ByteMode: true, Target: 5 * time.Millisecond, Update: 20 * time.Millisecond, MaxBurst: time.Millisecond, Alpha: 3, Beta: 5}, PIE{ByteMode: true, Target: 5 * time.Millisecond, Update: 20 * time.Millisecond, MaxBurst: time.Millisecond, Alpha: 3, Beta: 5}},
	} {
		got, want := run(c[0], ecn), run(c[1], ecn)
		signal := func(s sighting) bool { return s.fate == Dropped || s.ecn == CE }
		if !slices.Equal(got, want) || !slices.ContainsFunc(got, signal) {
			t.Errorf("seed %d: ECN %d: %+v differs from %+v, or signals nothing", lawSeed, ecn, c[0], c[1])
		}
	}
}

func TestFQPIEMarksUpToAProbabilityOfItsOwn(t *testing.T) {
	dropped := func(percent int) int {
		b := newBench(t, lawSeed, millisecondLink(FQPIE{ECN: true, ECNProb: percent}))
		for at := time.Duration(0); at < 5*time.Second; at += 800 * time.Microsecond {
			b.clock.At(at, func() { b.sendFrom(1, millisecondSize, ECT0) })
		}
		b.run()
		return len(b.drops())
	}
	// Arrivals do not slow down, so that the probability grows until they are
	// dropped.
	if few, many := dropped(100), dropped(0); few != 0 || many < 500 {
		t.Errorf("seed %d: %d packets dropped, %d with the default", lawSeed, few, many)
	}
}

func TestFQPIEDropsArrivalsBeyondItsLimits(t *testing.T) {
	for name, c := range map[string]struct {
		queue FQPIE
		want  string
	}{
		"packets": {FQPIE{Limit: 3}, "DDDDxx"},
		"memory":  {FQPIE{Memory: 2999}, "DDDxxx"},
	} {
		b := newBench(t, 1, Rate{Rate: GbitPerSecond, Queue: c.queue})
		for port := range uint16(6) {
			b.sendFrom(port, 1000, NotECT)
		}
		b.run()
		if got := b.fates(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A change applies to all flows, those that have nothing waiting too.
func TestAChangeOfFQPIEAppliesFromTheNextUpdateOn(t *testing.T) {
	b := newBench(t, 1, Rate{Queue: FQPIE{Flows: 2}})
	q := b.path.stages[0].runner.(*shaper).queue.(*fqPIE)
	b.configureAt(20*time.Millisecond, Rate{Queue: FQPIE{Flows: 2, Update: time.Second}})
	b.clock.runUntil(40 * time.Millisecond)
	for i := range q.fair.flows {
		f := &q.fair.flows[i]
		q.aqm.advance(&f.backlog, &f.aqm, b.clock.now)
		if want := 1030 * time.Millisecond; f.aqm.next != want {
			t.Errorf("flow %d: next update at %v, want %v", i, f.aqm.next, want)
		}
	}
}

func TestFQPIERefuses(t *testing.T) {
	for want, queue := range map[string]FQPIE{
		"the limit is negative":                                                           {Limit: -1},
		"the number of flows is not between 1 and 65536":                                  {Flows: -1},
		"the target is not between 0 and 30 s":                                            {Target: -1},
		"the probability up to which packets are marked is not between 0 and 100 percent": {ECNProb: 101},
	} {
		_, err := NewPath(&testClock{}, "p", 1, []Element{Rate{Queue: queue}}, nil, nil)
		if want := "netem: path p: queue: " + want; err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", queue, err, want)
		}
	}
	b := newBench(t, 1, Rate{Queue: FQPIE{}})
	if err := b.path.Configure(Rate{Queue: FQPIE{Flows: 2}}); err == nil {
		t.Error("the number of flows of a running FQPIE changed")
	}
	if err := b.path.Configure(Rate{}); err == nil {
		t.Error("a running FQPIE became a FIFO")
	}
}

package netem

import (
	"math"
	"slices"
	"testing"
	"time"
)

// RFC 8033, section 4.2: the probability moves by alpha times the distance from
// the target and beta times the change, 1/8 and 5/4 a second.
func TestTheProbabilityOfPIEFollowsTheDelay(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name       string
		prob       float64
		old, delay time.Duration
		want       float64
	}{
		{"at the target", 0.2, 15 * ms, 15 * ms, 0.2},
		{"above it", 0.2, 35 * ms, 35 * ms, 0.2 + 0.020/8},
		{"below it", 0.2, 5 * ms, 5 * ms, 0.2 - 0.010/8},
		{"rising", 0.2, 10 * ms, 15 * ms, 0.2 + 0.005*5/4},
		{"falling", 0.2, 20 * ms, 15 * ms, 0.2 - 0.005*5/4},
		{"2 % at most", 0.2, 0, 200 * ms, 0.22},
		{"more below 10 %", 0.09, 0, 200 * ms, 0.09 + (0.185/8+0.200*5/4)/2},
		{"below 10 %", 0.05, 35 * ms, 35 * ms, 0.05 + 0.020/8/2},
		{"below 1 %", 0.005, 35 * ms, 35 * ms, 0.005 + 0.020/8/8},
		{"below 0.1 %", 0.0005, 35 * ms, 35 * ms, 0.0005 + 0.020/8/32},
		{"below 0.01 %", 0.00005, 35 * ms, 35 * ms, 0.00005 + 0.020/8/128},
		{"below 0.001 %", 0.000005, 35 * ms, 35 * ms, 0.000005 + 0.020/8/512},
		{"none", 0, 35 * ms, 35 * ms, 0.020 / 8 / 2048},
		{"never less", 0.0001, 10 * ms, 0, 0},
		{"long delay", 0.2, 265 * ms, 265 * ms, 0.2 + 0.02 + 0.02},
		{"never more than 1", 0.99, time.Hour, time.Hour, 1},
		{"decay of an idle link", 0.2, 0, 0, (0.2 - 0.015/8) * 63 / 64},
	} {
		b := newBench(t, 1, Rate{Queue: PIE{}})
		q := b.path.stages[0].runner.(*shaper).queue.(*pie)
		q.state.prob, q.state.old, q.state.delay = int64(c.prob*float64(pieOne)), c.old, c.delay
		q.aqm.update(&q.packets, &q.state)
		if got := float64(q.state.prob) / float64(pieOne); math.Abs(got-c.want) > 1e-4*c.want { // shifts round down
			t.Errorf("%s: probability %.9f, want %.9f", c.name, got, c.want)
		}
	}
}

func TestPIELetsABurstPass(t *testing.T) {
	for burst, last := range map[time.Duration]time.Duration{0: 150 * time.Millisecond, time.Second: time.Second} {
		b := newBench(t, 1, millisecondLink(PIE{MaxBurst: burst}))
		b.overload(200, 3*time.Second, NotECT)
		b.run()
		if first := b.drops()[0]; first < last || first > last+500*time.Millisecond {
			t.Errorf("burst of %v: the first drop is at %v", burst, first)
		}
	}
}

func TestPIEMarksOnlyWhileItsProbabilityIsSmall(t *testing.T) {
	run := func(every time.Duration) (marked, dropped int) {
		b := newBench(t, 1, millisecondLink(PIE{ECN: true}))
		for at := time.Duration(0); at < 10*time.Second; at += every {
			b.clock.At(at, func() { b.sendFrom(1, millisecondSize, ECT0) })
		}
		b.run()
		return int(b.path.Counters()[0].Marked.Packets), len(b.drops())
	}
	// Arrivals do not slow down, so that the probability grows until they are
	// dropped: marks come first.
	if marked, dropped := run(500 * time.Microsecond); marked == 0 || dropped < 8000 {
		t.Errorf("overload: %d packets marked, %d dropped", marked, dropped)
	}
	if marked, dropped := run(time.Millisecond); marked+dropped > 0 {
		t.Errorf("no overload: %d packets marked, %d dropped", marked, dropped)
	}
}

// RFC 8033, section 5.4: what is signalled for its sum of probabilities starts the sum anew,
// a mark as well as a drop.
func TestPIESumsItsProbabilitySinceTheLastSignal(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Queue: PIE{ECN: true}})
	q := b.path.stages[0].runner.(*shaper).queue.(*pie)
	s := &q.state
	s.burst, s.delay, s.prob, q.packets.bytes = 0, time.Second, pieOne/20, 10*deviceMTU
	s.accumulated = pieOne / 2 * 17
	p := newPacket(addrOf(1, 1), addrOf(2, 2), someBytes[:1000], ECT0)
	if !q.aqm.early(&q.packets, s, p, pieOne-1) || s.accumulated != 0 {
		t.Errorf("no signal, or a sum of %d after it", s.accumulated)
	}
	if q.aqm.early(&q.packets, s, p, 0) {
		t.Error("a signal right after another")
	}
}

func TestPIETakesTheWaitOfTheLastPacketForTheDelay(t *testing.T) {
	b := newBench(t, 1, millisecondLink(PIE{}))
	q := b.path.stages[0].runner.(*shaper).queue.(*pie)
	b.overload(4, 0, NotECT)
	for at, want := range map[int]time.Duration{0: 0, 1: time.Millisecond, 2: 2 * time.Millisecond, 3: 0} { // the last leaves nothing
		b.clock.At(time.Duration(at)*time.Millisecond+1, func() {
			if q.state.delay != want {
				t.Errorf("delay %v at %d ms, want %v", q.state.delay, at, want)
			}
		})
	}
	b.run()
}

func TestPIEDropsArrivalsBeyondItsLimit(t *testing.T) {
	for limit, want := range map[int]int{0: 1000, 3: 3} {
		b := newBench(t, 1, Rate{Rate: GbitPerSecond, Queue: PIE{Limit: limit}})
		b.overload(1100, 0, NotECT)
		b.run()
		if got := 1100 - len(b.drops()); got != want+1 { // and one in transmission
			t.Errorf("limit %d: %d packets passed, want %d", limit, got, want+1)
		}
	}
}

// In byte mode packets of a third of the size have a third of the probability.
func TestPIEByteModeSparesSmallPackets(t *testing.T) {
	accumulated := func(mode bool, size Bytes) int64 {
		b := newBench(t, 1, Rate{Queue: PIE{ByteMode: mode}})
		q := b.path.stages[0].runner.(*shaper).queue.(*pie)
		q.state.pieControl = pieControl{prob: pieOne / 4, delay: time.Second}
		q.packets.bytes = 10_000
		q.aqm.early(&q.packets, &q.state, &Packet{wire: size}, pieOne)
		return q.state.accumulated
	}
	for _, c := range []struct {
		mode bool
		size Bytes
		want int64
	}{
		{false, 757, pieOne / 4},
		{true, 757, pieOne / 4 / 1514 * 757},
		{true, 1514, pieOne / 4 / 1514 * 1514},
		{true, 9000, pieOne / 4},
	} {
		if got := accumulated(c.mode, c.size); got != c.want {
			t.Errorf("byte mode %v, %d bytes: %d, want %d", c.mode, c.size, got, c.want)
		}
	}
}

// An update that was due while a packet waited is not that of an empty queue.
func TestPIEUpdatesBeforeADepartureThatComesLater(t *testing.T) {
	b := newBench(t, 1, Rate{Queue: PIE{}})
	q := b.path.stages[0].runner.(*shaper).queue.(*pie)
	q.state.prob = pieOne / 5
	q.packets.push(newPacket(addrOf(1, 1), addrOf(2, 2), nil, NotECT))
	b.clock.At(20*time.Millisecond, func() { q.dequeue() })
	b.clock.runUntil(20 * time.Millisecond)
	const perNanosecond = pieOne / int64(time.Second) / 16 * 2
	if want := pieOne/5 - perNanosecond*int64(15*time.Millisecond); q.state.prob != want {
		t.Errorf("probability %d, want %d", q.state.prob, want)
	}
}

// Updates are made when packets come and go, however long after their time.
func TestPIEUpdatesLateAsItWouldInTime(t *testing.T) {
	start := pieControl{prob: pieOne / 3, delay: 10 * time.Millisecond, old: 12 * time.Millisecond}
	run := func(steps ...time.Duration) (pieControl, time.Duration) {
		b := newBench(t, 1, Rate{Queue: PIE{}})
		q := b.path.stages[0].runner.(*shaper).queue.(*pie)
		q.state.pieControl = start
		for _, at := range steps {
			q.aqm.advance(&q.packets, &q.state, at)
		}
		return q.state.pieControl, q.state.next
	}
	var often []time.Duration
	for at := time.Duration(0); at <= time.Minute; at += 7 * time.Millisecond {
		often = append(often, at)
	}
	late, next := run(time.Minute)
	inTime, sameNext := run(append(often, time.Minute)...)
	if late != inTime || next != sameNext || next != time.Minute+15*time.Millisecond {
		t.Errorf("late: %+v, next at %v; in time: %+v, %v", late, next, inTime, sameNext)
	}
}

func TestPIERefuses(t *testing.T) {
	for want, queue := range map[string]PIE{
		"the limit is negative":                                 {Limit: -1},
		"the target is not between 0 and 30 s":                  {Target: 31 * time.Second},
		"the update interval is not between 100 µs and an hour": {Update: 1},
		"the burst is negative":                                 {MaxBurst: -1},
		"alpha and beta are not between 0 and 32":               {Beta: 33},
	} {
		_, err := NewPath(&testClock{}, "p", 1, []Element{Rate{Queue: queue}}, nil, nil)
		if want := "netem: path p: queue: " + want; err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", queue, err, want)
		}
	}
	b := newBench(t, 1, Rate{Queue: PIE{}})
	if err := b.path.Configure(Rate{}); err == nil {
		t.Error("a running PIE became a FIFO")
	}
}

func TestPIEDependsOnTheSeedAlone(t *testing.T) {
	run := func(seed uint64) []time.Duration {
		b := newBench(t, seed, millisecondLink(PIE{}))
		b.overload(200, time.Second, NotECT)
		b.run()
		return b.drops()
	}
	if !slices.Equal(run(1), run(1)) || slices.Equal(run(1), run(2)) {
		t.Error("drops do not depend on the seed, or not on it alone")
	}
}

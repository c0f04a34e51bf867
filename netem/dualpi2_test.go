package netem

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// runningDualPI2 is one that makes no updates for an hour.
func runningDualPI2(tb testing.TB, c DualPI2) (*bench, *dualPI2) {
	c.Update = time.Hour
	b := newBench(tb, 1, millisecondLink(c))
	return b, b.path.stages[0].runner.(*shaper).queue.(*dualPI2)
}

// RFC 9332, appendix A.1: the probability moves by alpha times the distance from
// the target and beta times the change, in Linux 41/256 and 819/256 a second.
func TestTheProbabilityOfDualPI2FollowsTheDelay(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name         string
		prob         float64
		low, classic time.Duration // age of the packet at the head; negative if there is none
		old          time.Duration
		queue        DualPI2
		want         float64
	}{
		{"at the target", 0.2, -1, 15 * ms, 15 * ms, DualPI2{}, 0.2},
		{"above it", 0.2, -1, 35 * ms, 35 * ms, DualPI2{}, 0.2 + 0.020*0.16},
		{"below it", 0.2, -1, 5 * ms, 5 * ms, DualPI2{}, 0.2 - 0.010*0.16},
		{"rising", 0.2, -1, 15 * ms, 10 * ms, DualPI2{}, 0.2 + 0.005*3.2},
		{"falling", 0.2, -1, 15 * ms, 20 * ms, DualPI2{}, 0.2 - 0.005*3.2},
		{"the longer delay", 0.2, 25 * ms, 5 * ms, 25 * ms, DualPI2{}, 0.2 + 0.010*0.16},
		{"low latency alone", 0.2, 25 * ms, -1, 25 * ms, DualPI2{}, 0.2 + 0.010*0.16},
		{"empty", 0.2, -1, -1, 0, DualPI2{}, 0.2 - 0.015*0.16},
		{"never less than 0", 0.001, -1, -1, 0, DualPI2{}, 0},
		{"never more than 1", 0.9, -1, 100 * ms, 0, DualPI2{}, 1},
		{"an hour", 0.9, -1, time.Hour, 0, DualPI2{}, 1},
		{"1/k if it is to overflow", 0.3, -1, 200 * ms, 0, DualPI2{Overflow: true, Coupling: 3}, 1. / 3},
		{"other parameters", 0.2, -1, 35 * ms, 30 * ms, DualPI2{Target: 5 * ms, Alpha: 1, Beta: 2}, 0.2 + 0.030*1 + 0.005*2},
	} {
		_, q := runningDualPI2(t, c.queue)
		const now = 2 * time.Hour
		for b, age := range map[*backlog]time.Duration{&q.low: c.low, &q.classic: c.classic} {
			if age >= 0 {
				b.push(&Packet{queued: now - age})
			}
		}
		q.prob, q.old = int64(c.prob*dualOne), c.old
		q.update(now)
		if got := float64(q.prob) / dualOne; math.Abs(got-c.want) > 4e-3*math.Abs(c.want-c.prob)+1e-9 {
			t.Errorf("%s: probability %.9f, want %.9f", c.name, got, c.want)
		}
	}
}

// Linux has 44/64 and 879/64 of 2^-32 a nanosecond.
func TestTheArithmeticOfDualPI2IsThatOfLinux(t *testing.T) {
	_, q := runningDualPI2(t, DualPI2{})
	q.low.push(&Packet{queued: 0})
	q.prob, q.old = 1000, 10*time.Millisecond
	q.update(16_000_001)
	if want := int64(1000 + (44*1_000_001+879*6_000_001)/64); q.prob != want {
		t.Errorf("probability %d, want %d", q.prob, want)
	}
}

// Of packets that all arrive at 0 and leave one a millisecond, whichever is at the
// head at an update has waited since 0.
func TestABurstRaisesTheProbabilityOfDualPI2StepByStep(t *testing.T) {
	b := newBench(t, 1, millisecondLink(DualPI2{}))
	q := b.path.stages[0].runner.(*shaper).queue.(*dualPI2)
	b.overload(200, 0, ECT0)
	want, old := int64(0), time.Duration(0)
	for at := 16 * time.Millisecond; at <= 80*time.Millisecond; at += 16 * time.Millisecond {
		want += int64(44*(at-15*time.Millisecond)+879*(at-old)) / 64
		old = at
		b.clock.runUntil(at)
		if q.prob != want || q.old != at {
			t.Errorf("at %v: probability %d by a delay of %v, want %d", at, q.prob, q.old, want)
		}
	}
}

// RFC 9332, section 2.3.
func TestDualPI2ClassifiesByTheECNField(t *testing.T) {
	for any, want := range map[bool]map[ECN]bool{
		false: {NotECT: false, ECT0: false, ECT1: true, CE: true},
		true:  {NotECT: false, ECT0: true, ECT1: true, CE: true},
	} {
		for ecn, low := range want {
			b, q := runningDualPI2(t, DualPI2{AnyECT: any})
			b.sendFrom(1, 100, NotECT) // occupies the link
			b.sendFrom(1, 100, ecn)
			if got := q.low.len() == 1; got != low || q.low.len()+q.classic.len() != 1 {
				t.Errorf("any ECT %v, ECN field %d: in the low-latency queue %v, want %v", any, ecn, got, low)
			}
		}
	}
}

// While both queues have packets, the credit begins at 1514 bytes times the
// difference of the shares, in percent; a packet of low latency (l) adds its size
// times the classic share, a classic one (c) takes its size times the other, and
// low latency has its turn while the credit is not positive.
func TestDualPI2ServesItsQueuesByWeight(t *testing.T) {
	for _, c := range []struct {
		name       string
		protection int
		sizes      map[byte]int
		packets    int    // in each queue
		want       string // up to spaces
	}{
		{"10 %", 0, map[byte]int{'l': 1000, 'c': 1000}, 25, "lllllllllllll c lllllllll c lll ccccccccccccccccccccccc"},
		{"25 %", 25, map[byte]int{'l': 1000, 'c': 1000}, 8, "llll c lll c l cccccc"},
		{"50 %", 50, map[byte]int{'l': 1000, 'c': 1000}, 4, "l c l c l c l c"},
		{"50 % by bytes", 50, map[byte]int{'l': 500, 'c': 1000}, 6, "l c ll c ll c l ccc"},
		{"100 %", 100, map[byte]int{'l': 1000, 'c': 1000}, 3, "ccc lll"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, _ := runningDualPI2(t, DualPI2{ClassicProtection: c.protection})
			b.sendFrom(1, 1000, NotECT) // occupies the link
			kinds := []byte{0}
			for range c.packets {
				kinds = append(kinds, 'l', 'c')
				b.sendFrom(1, c.sizes['l'], ECT1)
				b.sendFrom(1, c.sizes['c'], NotECT)
			}
			b.run()
			var got []byte
			for _, id := range b.delivered[1:] {
				got = append(got, kinds[id-1])
			}
			if want := strings.ReplaceAll(c.want, " ", ""); string(got) != want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// Packets leave each millisecond and wait as many as are before them.
func TestTheLowLatencyQueueMarksAboveItsStep(t *testing.T) {
	for name, c := range map[string]struct {
		queue DualPI2
		ecn   ECN
		want  string
	}{
		"a wait of more than 1 ms":   {DualPI2{}, ECT1, "11333"},
		"of more than 2 ms":          {DualPI2{Step: Limit{Time: 2 * time.Millisecond}}, ECT1, "11133"},
		"more than 2 packets behind": {DualPI2{Step: Limit{Packets: 2}}, ECT1, "13111"},
		"decided early":              {DualPI2{DropEarly: true}, ECT1, "11333"},
		"any ECT":                    {DualPI2{AnyECT: true}, ECT0, "22333"},
		"not the classic queue":      {DualPI2{}, ECT0, "22222"},
	} {
		b, _ := runningDualPI2(t, c.queue)
		b.overload(5, 0, c.ecn)
		b.run()
		if got := b.codepoints(); got != c.want {
			t.Errorf("%s: ECN fields %s, want %s", name, got, c.want)
		}
	}
}

// RFC 9332, section 2.1: p_L = k·p' and p_C = p'², so that p_C = (p_L/k)².
func TestTheSignalsOfDualPI2AreCoupled(t *testing.T) {
	for _, c := range []struct {
		prob     float64
		coupling int
	}{{0.1, 0}, {0.25, 0}, {0.4, 0}, {0.1, 5}, {0.3, 1}} {
		_, q := runningDualPI2(t, DualPI2{Coupling: c.coupling})
		q.prob, q.sum.bytes = int64(c.prob*dualOne), 3028
		random := rand.New(rand.NewPCG(lawSeed, 0))
		share := func(ecn ECN, low bool) (marked, dropped float64) {
			const n = 200_000
			for range n {
				p := &Packet{ECN: ecn, lot: random.Uint64()}
				switch drop := q.signal(p, low); {
				case drop:
					dropped++
				case p.ECN != ecn:
					marked++
				}
			}
			return marked / n, dropped / n
		}
		check := func(what string, got, want float64) {
			// 4.5 standard deviations: 99.999 %.
			if half := 4.5 * math.Sqrt(want*(1-want)/200_000); math.Abs(got-want) > half {
				t.Errorf("seed %d: p' = %v, k = %d: %s %.5f, want %.5f ± %.5f", lawSeed, c.prob, c.coupling, what, got, want, half)
			}
		}
		k := float64(orDefault(c.coupling, 2))
		marked, lost := share(ECT1, true)
		check("low latency marks", marked, k*c.prob)
		check("low latency drops", lost, 0)
		classicMarked, lost := share(ECT0, false)
		check("classic marks", classicMarked, c.prob*c.prob)
		check("classic drops ECT(0)", lost, 0)
		_, classicLost := share(NotECT, false)
		check("classic drops", classicLost, c.prob*c.prob)
		for _, classic := range []float64{classicMarked, classicLost} {
			if coupled := marked / k * (marked / k); math.Abs(classic-coupled) > 0.05*coupled+0.0005 {
				t.Errorf("seed %d: p' = %v, k = %v: p_C = %.5f and p_L = %.5f are not coupled", lawSeed, c.prob, k, classic, marked)
			}
		}
	}
}

// RFC 9332, section 4.2.3: beyond 1/k all low-latency packets are marked, and
// both queues drop as a classic one does.
func TestDualPI2DropsUnderOverload(t *testing.T) {
	all, none := uint64(0), uint64(math.MaxUint64) // draws for each signal, and for none
	const first = uint64(0x9000_0000) << 32        // a draw of which the second half is 0, the first above p'
	for name, c := range map[string]struct {
		queue DualPI2
		ecn   ECN
		lot   uint64
		drop  bool
		want  ECN
	}{
		"low latency is dropped":              {DualPI2{}, ECT1, all, true, ECT1},
		"or else marked":                      {DualPI2{}, ECT1, none, false, CE},
		"both halves decide":                  {DualPI2{}, ECT1, first, false, CE},
		"classic is dropped":                  {DualPI2{}, NotECT, all, true, NotECT},
		"whether or not it is capable":        {DualPI2{}, ECT0, all, true, ECT0},
		"or else left alone":                  {DualPI2{}, ECT0, none, false, ECT0},
		"a queue that may overflow marks all": {DualPI2{Overflow: true}, ECT1, all, false, CE},
		"whatever is drawn":                   {DualPI2{Overflow: true}, ECT1, none, false, CE},
	} {
		_, q := runningDualPI2(t, c.queue)
		q.prob, q.sum.bytes = dualOne/2+1, 3028
		p := &Packet{ECN: c.ecn, lot: c.lot}
		if drop := q.signal(p, c.ecn == ECT1); drop != c.drop || p.ECN != c.want {
			t.Errorf("%s: dropped %v, ECN field %d, want %v and %d", name, drop, p.ECN, c.drop, c.want)
		}
		q.sum.bytes--
		if p := (&Packet{ECN: c.ecn, lot: c.lot}); q.signal(p, c.ecn == ECT1) || p.ECN != c.ecn {
			t.Errorf("%s: a signal with less than two packets waiting", name)
		}
	}
}

// With a probability of 1 what is decided upon is dropped: of six packets, of which
// the first is sent at once, those with 3028 bytes behind them or before them.
func TestDualPI2DecidesAsPacketsLeaveOrArrive(t *testing.T) {
	for early, want := range map[bool]string{false: "DxxDDD", true: "DDDDxx"} {
		b, q := runningDualPI2(t, DualPI2{DropEarly: early})
		q.prob = dualOne
		b.overload(6, 0, NotECT)
		b.run()
		if got := b.fates(); got != want {
			t.Errorf("early %v: %s, want %s", early, got, want)
		}
	}
}

func TestDualPI2DropsArrivalsBeyondItsLimits(t *testing.T) {
	for name, c := range map[string]struct {
		queue DualPI2
		want  int
	}{
		"the default": {DualPI2{}, 10_000},
		"packets":     {DualPI2{Limit: 3}, 3},
		"memory":      {DualPI2{Memory: 4999}, 4},
	} {
		b := newBench(t, 1, Rate{Rate: TbitPerSecond, Queue: c.queue})
		for i := range 11_000 {
			b.sendFrom(1, 1000, ECN(i%2)) // a packet of each queue in turn
		}
		b.run()
		if got := 11_000 - len(b.drops()); got != c.want+1 { // and one in transmission
			t.Errorf("%s: %d packets passed, want %d", name, got, c.want+1)
		}
	}
}

// Updates are made when packets come and go, however long after their time, and
// see the head of the queue as old as it was.
func TestDualPI2UpdatesLateAsItWouldInTime(t *testing.T) {
	for _, waits := range []bool{true, false} {
		run := func(steps ...time.Duration) (dualControl, time.Duration) {
			b := newBench(t, 1, millisecondLink(DualPI2{}))
			q := b.path.stages[0].runner.(*shaper).queue.(*dualPI2)
			if waits {
				q.classic.push(&Packet{queued: 5 * time.Millisecond})
			}
			q.dualControl = dualControl{prob: dualOne / 3, old: 12 * time.Millisecond}
			for _, at := range steps {
				q.advance(at)
			}
			return q.dualControl, q.next
		}
		const end = 160 * time.Millisecond
		var often []time.Duration
		for at := time.Duration(0); at <= end; at += 7 * time.Millisecond {
			often = append(often, at)
		}
		late, next := run(end)
		inTime, sameNext := run(append(often, end)...)
		if late != inTime || next != sameNext || next != end+16*time.Millisecond {
			t.Errorf("late: %+v, next at %v; in time: %+v, %v", late, next, inTime, sameNext)
		}
	}
}

func TestDualPI2HoldsPacketsInTheOrderOfArrival(t *testing.T) {
	b, _ := runningDualPI2(t, DualPI2{})
	for i := range 20 {
		b.sendFrom(1, 100, ECN(i%3))
	}
	var ids []uint64
	b.path.stages[0].runner.Held(func(p *Packet) { ids = append(ids, p.ID) })
	if len(ids) != 20 || !slices.IsSorted(ids) {
		t.Errorf("packets %d", ids)
	}
}

func TestDualPI2DependsOnTheSeedAlone(t *testing.T) {
	run := func(seed uint64) []time.Duration {
		b := newBench(t, seed, millisecondLink(DualPI2{}))
		b.overload(100, time.Second, NotECT)
		b.run()
		return b.drops()
	}
	if !slices.Equal(run(1), run(1)) || slices.Equal(run(1), run(2)) {
		t.Error("drops do not depend on the seed, or not on it alone")
	}
}

func TestDualPI2Refuses(t *testing.T) {
	for want, queue := range map[string]DualPI2{
		"the limit is negative":                                                {Limit: -1},
		"the target is not between 0 and 30 s":                                 {Target: 31 * time.Second},
		"the update interval is not between 100 µs and an hour":                {Update: -1},
		"alpha and beta are not between 1/256 and 100000":                      {Alpha: math.NaN()},
		"the coupling factor is not between 1 and 255":                         {Coupling: 256},
		"the step is neither a time nor a number of packets":                   {Step: Limit{Bytes: 3000}},
		"the step is negative":                                                 {Step: Limit{Packets: -1}},
		"the protection of the classic queue is not between 1 and 100 percent": {ClassicProtection: 101},
	} {
		_, err := NewPath(&testClock{}, "p", 1, []Element{Rate{Queue: queue}}, nil, nil)
		if want := "netem: path p: queue: " + want; err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", queue, err, want)
		}
	}
	b := newBench(t, 1, Rate{Queue: DualPI2{}})
	if err := b.path.Configure(Rate{}); err == nil {
		t.Error("a running DualPI2 became a FIFO")
	}
}

func TestTheLargestLimitOfDualPI2HasMemory(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: MbitPerSecond, Queue: DualPI2{Limit: math.MaxInt}})
	for range 3 {
		b.send(1000)
	}
	b.run()
	if got := b.fates(); got != "DDD" {
		t.Errorf("fates %s, want none dropped", got)
	}
}

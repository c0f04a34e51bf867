package netem

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The law: whatever the load, the delay is the target on average, and what
// exceeds the link's capacity is lost. In DualPI2 that is p'², and the load is one
// with which k·p' is less than 1.
func TestPIEHoldsTheMeanDelayAtItsTarget(t *testing.T) {
	for _, c := range []struct {
		queue  Queue
		load   float64
		target time.Duration
	}{
		{PIE{}, 1.1, 15 * time.Millisecond},
		{PIE{}, 1.3, 15 * time.Millisecond},
		{PIE{Target: 40 * time.Millisecond}, 1.3, 40 * time.Millisecond},
		{FQPIE{}, 1.1, 15 * time.Millisecond},
		{DualPI2{}, 1.1, 15 * time.Millisecond},
		{DualPI2{}, 1.3, 15 * time.Millisecond},
		{DualPI2{Target: 40 * time.Millisecond, DropEarly: true}, 1.2, 40 * time.Millisecond},
	} {
		b := newBench(t, lawSeed, millisecondLink(c.queue))
		random := rand.New(rand.NewPCG(lawSeed, 1))
		var arrive func()
		arrive = func() {
			b.send(millisecondSize)
			if b.clock.now < 100*time.Second {
				b.clock.At(b.clock.now+time.Duration(random.ExpFloat64()/c.load*float64(time.Millisecond)), arrive)
			}
		}
		arrive()
		waits, n, lost := time.Duration(0), 0, 0
		for _, s := range b.run() {
			switch {
			case s.sent < 20*time.Second:
			case s.fate == Dropped:
				lost++
			default:
				waits += s.wait
				n++
			}
		}
		want := c.target.Seconds()
		if mean := waits.Seconds() / float64(n); math.Abs(mean-want) > 0.1*want {
			t.Errorf("seed %d: %+v, load %v: mean delay %.4f s, want %.3f ± 10 %%", lawSeed, c.queue, c.load, mean, want)
		}
		share, wantShare := float64(lost)/float64(n+lost), 1-1/c.load
		if math.Abs(share-wantShare) > 0.1*wantShare {
			t.Errorf("seed %d: %+v, load %v: %.3f lost, want %.3f ± 10 %%", lawSeed, c.queue, c.load, share, wantShare)
		}
	}
}

// responder is a flow that fills a window, and changes it by what comes back of
// its packets a round trip after their fate: by one packet a round trip, and by a
// half for a mark if it is scalable (RFC 9331, section 4.3; a Reno with a factor
// of 1/2 else, once a round trip).
type responder struct {
	clock    *testClock
	path     *Path
	port     uint16
	ecn      ECN
	scalable bool

	window   float64
	inFlight int
	cut      time.Duration // when the window was halved

	packets int
	waits   time.Duration
	late    int // packets that waited for more than 1 ms
}

// trip is the round-trip time of a responder but for the queue.
const trip = 20 * time.Millisecond

func (f *responder) fill() {
	for float64(f.inFlight) < f.window {
		f.inFlight++
		f.path.Send(newPacket(addrOf(1, f.port), addrOf(2, 2), someBytes[:millisecondSize], f.ecn))
	}
}

// learn takes what became of a packet, and counts it after a fifth of the time.
func (f *responder) learn(o Outcome) {
	if f.clock.now > responseTime/5 && o.Fate == Delivered {
		f.packets++
		f.waits += o.Packet.QueueDelay
		if o.Packet.QueueDelay > time.Millisecond {
			f.late++
		}
	}
	signal := o.Fate == Dropped || o.Packet.ECN == CE
	f.clock.At(f.clock.now+trip, func() {
		f.inFlight--
		switch now := f.clock.now; {
		case !signal:
			f.window += 1 / f.window
		case f.scalable:
			f.window = max(2, f.window-0.5)
		case now > f.cut+2*trip:
			f.cut, f.window = now, max(2, f.window/2)
		}
		f.fill()
	})
}

const responseTime = 50 * time.Second

// respond has flows share a link of 4000 packets a second.
func respond(t *testing.T, q Queue, flows ...*responder) {
	t.Helper()
	clock := &testClock{}
	path, err := NewPath(clock, "path", lawSeed, []Element{Rate{Rate: 40 * MbitPerSecond, Queue: q}},
		(*Packet).release, func(o Outcome) { flows[o.Packet.Source.Port()].learn(o) })
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range flows {
		f.clock, f.path, f.port, f.window = clock, path, uint16(i), 40
		f.fill()
	}
	clock.runUntil(responseTime)
}

// RFC 9332, section 2.1: with a coupling factor of 2 a scalable and a Reno flow
// have the same window, the one at less than the step and the other at the target,
// and they fill the link.
func TestDualPI2SharesALinkBetweenScalableAndClassicFlows(t *testing.T) {
	for _, c := range []struct {
		queue DualPI2
		ecn   ECN // of the classic flow
	}{{DualPI2{}, NotECT}, {DualPI2{}, ECT0}, {DualPI2{DropEarly: true}, NotECT}} {
		scalable, classic := &responder{ecn: ECT1, scalable: true}, &responder{ecn: c.ecn}
		respond(t, c.queue, scalable, classic)
		if share := float64(scalable.late) / float64(scalable.packets); share > 0.001 {
			t.Errorf("seed %d: %+v: %.4f of the scalable flow's packets waited for more than 1 ms", lawSeed, c, share)
		}
		wait := classic.waits.Seconds() / float64(classic.packets)
		if math.Abs(wait-0.015) > 0.004 {
			t.Errorf("seed %d: %+v: the classic flow waited %.4f s on average, want 0.015 ± 0.004", lawSeed, c, wait)
		}
		window := func(f *responder) float64 { return float64(f.packets)*trip.Seconds() + f.waits.Seconds() }
		if ratio := window(scalable) / window(classic); math.Abs(math.Log(ratio)) > 0.2 {
			t.Errorf("seed %d: %+v: the ratio of the windows is %.2f, want 1 ± 20 %%", lawSeed, c, ratio)
		}
		want := 4000 * (responseTime - responseTime/5).Seconds()
		if got := float64(scalable.packets + classic.packets); got < 0.99*want {
			t.Errorf("seed %d: %+v: %.0f packets, want at least 99 %% of %.0f", lawSeed, c, got, want)
		}
	}
}

// A queue that is marked for its length alone is as long as the step where it
// is longest, but for what a round trip brings before the marks tell.
func TestScalableFlowsAloneStayBelowTheStep(t *testing.T) {
	for _, n := range []int{1, 4} {
		flows := make([]*responder, n)
		for i := range flows {
			flows[i] = &responder{ecn: ECT1, scalable: true}
		}
		respond(t, DualPI2{}, flows...)
		for i, f := range flows {
			mean, late := f.waits/time.Duration(f.packets), float64(f.late)/float64(f.packets)
			if mean > time.Millisecond/2 || late > 0.15 {
				t.Errorf("seed %d: flow %d of %d: mean wait %v, more than 1 ms for %.3f", lawSeed, i, n, mean, late)
			}
		}
	}
}

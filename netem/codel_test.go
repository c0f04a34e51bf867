package netem

import (
	"math"
	"slices"
	"testing"
	"time"
)

// millisecondLink sends a packet of 1250 bytes a millisecond.
func millisecondLink(queue Queue) Rate { return Rate{Rate: 10 * MbitPerSecond, Queue: queue} }

const millisecondSize = 1250

// overload sends n packets at once, and after that another one each
// millisecond for a time.
func (b *bench) overload(n int, d time.Duration, ecn ECN) {
	for range n {
		b.sendFrom(1, millisecondSize, ecn)
	}
	for at := time.Duration(0); at < d; at += time.Millisecond {
		b.clock.At(at, func() { b.sendFrom(1, millisecondSize, ecn) })
	}
}

// drops returns when packets were dropped.
func (b *bench) drops() []time.Duration {
	var times []time.Duration
	for _, s := range b.seen {
		if s.fate == Dropped {
			times = append(times, s.at)
		}
	}
	return times
}

// The packets that start at 0, 1, 2… ms waited as long, so that the delay is
// above the target from 5 ms on, and the first packet that is dropped is the
// first one after 105 ms. The times between drops are 100 ms times Newton's
// approximations of 1/√count, of which the first are 1, 0.5, 0.5625 and 0.488,
// and a drop waits for the end of a transmission.
func TestCoDelDropsAtTheTimesOfItsControlLaw(t *testing.T) {
	b := newBench(t, 1, millisecondLink(CoDel{}))
	b.overload(100, 600*time.Millisecond, NotECT)
	b.run()
	sum, root := 0.0, 65535.0/65536
	var want []time.Duration
	for count := 2.0; count <= 12; count++ {
		want = append(want, time.Duration(106+math.Ceil(100*sum))*time.Millisecond)
		sum += root
		root = math.Floor(65536*root/2*(3-count*root*root)) / 65536
	}
	if got := b.drops(); !slices.Equal(got[:len(want)], want) {
		t.Errorf("drops at\n%v\nwant\n%v", got, want)
	}
}

// The sum of interval/√count over n drops is close to 2·interval·√n, less the
// constant −ζ(1/2) = 1.46 intervals.
func TestCoDelUnderOverloadSpacesDropsByTheSquareRootOfTheirCount(t *testing.T) {
	b := newBench(t, 1, millisecondLink(CoDel{Limit: 5000}))
	b.overload(4000, 3*time.Second, NotECT)
	b.run()
	drops := b.drops()
	for _, n := range []int{50, 100, 200, 300} {
		got := (drops[n] - drops[0]).Seconds()
		if want := 0.1 * (2*math.Sqrt(float64(n)) - 1.46); math.Abs(got-want) > 0.05*want {
			t.Errorf("%d drops after the first took %.3f s, want %.3f ± 5 %%", n, got, want)
		}
	}
}

func TestCoDelMarksCapablePacketsInstead(t *testing.T) {
	run := func(ecn ECN) *bench {
		b := newBench(t, 1, millisecondLink(CoDel{ECN: true}))
		b.overload(100, 600*time.Millisecond, ecn)
		b.run()
		return b
	}
	dropped, marked := run(NotECT).drops(), run(ECT0)
	var departures []time.Duration
	for _, s := range marked.seen {
		if s.ecn == CE {
			departures = append(departures, s.at-time.Millisecond)
		}
	}
	if len(marked.drops()) > 0 || !slices.Equal(departures[:8], dropped[:8]) {
		t.Errorf("packets marked at %v, dropped without ECN at %v", departures, dropped)
	}
}

func TestCoDelLeavesAQueueBelowItsTargetAlone(t *testing.T) {
	for name, c := range map[string]struct {
		queue CoDel
		burst int
	}{
		"below the target":        {CoDel{}, 4},
		"a target above":          {CoDel{Target: 60 * time.Millisecond}, 50},
		"a long interval":         {CoDel{Interval: 900 * time.Millisecond}, 50},
		"a packet behind at most": {CoDel{Target: 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1, millisecondLink(c.queue))
			b.overload(c.burst, 600*time.Millisecond, NotECT)
			b.run()
			if got := b.drops(); len(got) > 0 {
				t.Errorf("drops at %v", got)
			}
		})
	}
}

func TestCoDelMarksAboveItsCEThreshold(t *testing.T) {
	b := newBench(t, 1, millisecondLink(CoDel{CEThreshold: 2 * time.Millisecond}))
	b.overload(5, 0, ECT1)
	b.run()
	if got, want := b.codepoints(), "11133"; got != want {
		t.Errorf("ECN fields %s, want %s", got, want)
	}
}

func TestCoDelDropsArrivalsBeyondItsLimit(t *testing.T) {
	for limit, want := range map[int]int{0: 1000, 3: 3} {
		b := newBench(t, 1, Rate{Rate: TbitPerSecond, Queue: CoDel{Limit: limit}})
		b.overload(1100, 0, NotECT)
		b.run()
		if got := 1100 - len(b.drops()); got != want+1 { // and one in transmission
			t.Errorf("limit %d: %d packets passed, want %d", limit, got, want+1)
		}
	}
}

// A pause of less than 16 intervals does not make CoDel forget its rate: of the
// first overload's 14 drops the first does not count, so that the second one
// starts at 100/√13 ms.
func TestCoDelResumesAtTheRateThatItHad(t *testing.T) {
	for pause, want := range map[time.Duration]time.Duration{
		500 * time.Millisecond: 28 * time.Millisecond,
		5 * time.Second:        100 * time.Millisecond,
	} {
		b := newBench(t, 1, millisecondLink(CoDel{}))
		b.overload(100, 600*time.Millisecond, NotECT)
		b.clock.At(time.Second+pause, func() {
			for range 400 {
				b.send(millisecondSize)
			}
		})
		b.run()
		drops := slices.DeleteFunc(b.drops(), func(at time.Duration) bool { return at < time.Second+pause })
		if got := drops[1] - drops[0]; got != want {
			t.Errorf("pause of %v: %v between the first drops, want %v (%v)", pause, got, want, drops)
		}
	}
}

func TestCoDelForgetsItsRateAfter16Intervals(t *testing.T) {
	const interval, last = 100 * time.Millisecond, time.Second
	for now, want := range map[time.Duration]uint32{last + 16*interval - 1: 9, last + 16*interval: 1} {
		f := codelFlow{count: 10, lastCount: 1, dropNext: last, invSqrt: math.MaxUint16 / 3}
		if f.enter(now, interval); f.count != want || f.lastCount != want {
			t.Errorf("after %v: count %d, want %d", now-last, f.count, want)
		}
	}
}

// One step a drop makes up for its first errors by the seventh.
func TestTheInverseSquareRootIsThatOfTheCount(t *testing.T) {
	f := codelFlow{count: 1, invSqrt: math.MaxUint16}
	for range 10_000 {
		f.count++
		f.newton()
		got, want := float64(f.invSqrt)/65536, 1/math.Sqrt(float64(f.count))
		if f.count >= 7 && math.Abs(got-want) > 0.01*want {
			t.Fatalf("count %d: %.5f, want %.5f", f.count, got, want)
		}
	}
}

func TestCoDelRefuses(t *testing.T) {
	for want, queue := range map[string]CoDel{
		"the limit is negative":               {Limit: -1},
		"a time is negative":                  {Target: -1},
		"the interval is longer than an hour": {Interval: time.Hour + 1},
	} {
		_, err := NewPath(&testClock{}, "p", 1, []Element{Rate{Queue: queue}}, nil, nil)
		if want := "netem: path p: queue: " + want; err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", queue, err, want)
		}
	}
	b := newBench(t, 1, Rate{Queue: CoDel{}})
	if err := b.path.Configure(Rate{}); err == nil {
		t.Error("a running CoDel became a FIFO")
	}
}

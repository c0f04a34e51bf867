package netem

import (
	"slices"
	"testing"
	"time"
)

func TestAnOutageDropsWhatComesWhileTheLinkIsDown(t *testing.T) {
	b := newBench(t, 1, Outage{}, Delay{10})
	b.configureAt(2, Outage{Down: true})
	b.configureAt(5, Outage{})
	for at := range time.Duration(7) {
		b.sendAt(at, 100) // those of 2 and 5 come after the change
	}
	b.run()
	if got, want := b.fates(), "DDxxxDD"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := b.departures(), []time.Duration{10, 11, 15, 16}; !slices.Equal(got, want) {
		t.Errorf("packets arrived at %d, want %d", got, want)
	}
}

func TestAPausedLinkGoesOnWithWhatWasLeft(t *testing.T) {
	const us = time.Microsecond
	rate := Rate{Rate: 8 * MbitPerSecond} // 1 µs a byte
	limited := rate
	limited.Queue = FIFO{Limit: Limit{Packets: 2}}
	paused := func(r Rate) Rate { r.Paused = true; return r }
	for _, c := range []struct {
		name    string
		start   Rate
		changes map[time.Duration]Rate
		sends   []time.Duration // of 100 bytes, after the change of the same time
		fates   string
		want    []time.Duration
	}{
		{
			"in the middle of a packet", rate,
			map[time.Duration]Rate{30 * us: paused(rate), 1030 * us: rate},
			[]time.Duration{0, 0}, "DD", []time.Duration{1100 * us, 1200 * us},
		},
		{
			"twice in a packet", rate,
			map[time.Duration]Rate{30 * us: paused(rate), 40 * us: rate, 70 * us: paused(rate), 90 * us: rate},
			[]time.Duration{0}, "D", []time.Duration{130 * us},
		},
		{
			"another rate meanwhile", rate,
			map[time.Duration]Rate{50 * us: paused(rate), 60 * us: paused(Rate{Rate: 16 * MbitPerSecond}), 70 * us: {Rate: 4 * MbitPerSecond}},
			[]time.Duration{0}, "D", []time.Duration{170 * us},
		},
		{
			"an idle link queues under the limit", limited,
			map[time.Duration]Rate{10 * us: paused(limited), 500 * us: limited},
			[]time.Duration{20 * us, 30 * us, 40 * us}, "DDx", []time.Duration{600 * us, 700 * us},
		},
		{
			"from the start", paused(rate),
			map[time.Duration]Rate{500 * us: rate},
			[]time.Duration{0, 600 * us}, "DD", []time.Duration{600 * us, 700 * us},
		},
		{
			"an unlimited rate", paused(Rate{}),
			map[time.Duration]Rate{500 * us: {}},
			[]time.Duration{0, 20 * us, 600 * us}, "DDD", []time.Duration{500 * us, 500 * us, 600 * us},
		},
		{
			"to an unlimited rate", rate,
			map[time.Duration]Rate{50 * us: paused(rate), 500 * us: {}},
			[]time.Duration{0, 0, 20 * us}, "DDD", []time.Duration{500 * us, 500 * us, 500 * us},
		},
		{
			"at the instant at which a packet ends", rate,
			map[time.Duration]Rate{100 * us: paused(rate), 500 * us: rate},
			[]time.Duration{0, 0}, "DD", []time.Duration{100 * us, 600 * us},
		},
		{
			"with nothing to send", rate,
			map[time.Duration]Rate{100 * us: paused(rate), 500 * us: rate},
			[]time.Duration{700 * us}, "D", []time.Duration{800 * us},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, c.start)
			for at, r := range c.changes {
				b.configureAt(at, r)
			}
			for _, at := range c.sends {
				b.sendAt(at, 100)
			}
			b.run()
			if got := b.fates(); got != c.fates {
				t.Errorf("%s, want %s", got, c.fates)
			}
			if got := b.departures(); !slices.Equal(got, c.want) {
				t.Errorf("packets departed at %d, want %d", got, c.want)
			}
		})
	}
}

// 1000 bytes at 3 Mbit/s take 2666666 2/3 ns. Three pauses of 100 ns leave the
// sum as it is, wherever they fall.
func TestAPauseLosesNoFractionOfANanosecond(t *testing.T) {
	for _, at := range []time.Duration{1, 2_666_666, 2_666_667, 2_666_668, 5_333_333} {
		b := newBench(t, 1, Rate{Rate: 3 * MbitPerSecond})
		for i := range time.Duration(3) {
			b.configureAt(at+200*i, Rate{Rate: 3 * MbitPerSecond, Paused: true})
			b.configureAt(at+200*i+100, Rate{Rate: 3 * MbitPerSecond})
		}
		for range 3 {
			b.send(1000)
		}
		b.run()
		if got := b.departures(); got[2] != 8_000_300 {
			t.Errorf("pauses from %d: packets departed at %d, want the last at 8000300", at, got)
		}
	}
}

func TestAPausedQueueMarksByTheWholeWait(t *testing.T) {
	link := Rate{Rate: 8 * MbitPerSecond, Queue: FIFO{Mark: Limit{Time: 50 * time.Microsecond}}}
	paused := link
	paused.Paused = true
	b := newBench(t, 1, paused)
	b.configureAt(60*time.Microsecond, link)
	b.sendFrom(1, 10, ECT0)
	b.clock.At(40*time.Microsecond, func() { b.sendFrom(1, 10, ECT0) })
	seen := b.run()
	if seen[0].ecn != CE || seen[1].ecn != ECT0 {
		t.Errorf("codepoints %d and %d, want CE and ECT(0)", seen[0].ecn, seen[1].ecn)
	}
	if seen[0].wait != 60*time.Microsecond || seen[1].wait != 30*time.Microsecond {
		t.Errorf("waits %s and %s, want 60 and 30 µs", seen[0].wait, seen[1].wait)
	}
}

func TestAPausedTraceLosesItsOpportunities(t *testing.T) {
	trace := Trace{Opportunities: []time.Duration{1 * ms, 2 * ms}, Period: 4 * ms, Queue: FIFO{Limit: Limit{Packets: 2}}}
	paused := trace
	paused.Paused = true
	b := newBench(t, 1, trace)
	b.send(2000) // of which 1500 leave before the pause
	b.configureAt(1500*time.Microsecond, paused)
	b.configureAt(6*ms, trace) // at the very time of one
	b.sendAt(3*ms, 900)
	b.sendAt(4*ms, 300)
	b.sendAt(5*ms, 300)
	b.run()
	if got, want := b.fates(), "DDDx"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := b.departures(), []time.Duration{9 * ms, 9 * ms, 10 * ms}; !slices.Equal(got, want) {
		t.Errorf("departures %v, want %v", got, want)
	}
}

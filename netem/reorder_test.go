package netem

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPacketsThatSkipTheDelayOvertakeOthers(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name    string
		reorder Reorder
		order   []uint64        // of packets at 0, 1, 2… ms
		times   []time.Duration // in ms
	}{
		{"nothing", Reorder{}, []uint64{1, 2, 3, 4, 5, 6}, []time.Duration{0, 1, 2, 3, 4, 5}},
		{"a delay for all", Reorder{Delay: 10 * ms}, []uint64{1, 2, 3, 4, 5, 6}, []time.Duration{10, 11, 12, 13, 14, 15}},
		{"a delay for all with a gap", Reorder{Delay: 10 * ms, Gap: 2}, []uint64{1, 2, 3, 4, 5, 6}, []time.Duration{10, 11, 12, 13, 14, 15}},
		{"a delay for none", Reorder{Delay: 10 * ms, P: 1}, []uint64{1, 2, 3, 4, 5, 6}, []time.Duration{0, 1, 2, 3, 4, 5}},
		{"a gap of 1", Reorder{Delay: 10 * ms, P: 1, Gap: 1}, []uint64{1, 2, 3, 4, 5, 6}, []time.Duration{0, 1, 2, 3, 4, 5}},
		{"a gap of 2", Reorder{Delay: 10 * ms, P: 1, Gap: 2}, []uint64{2, 4, 6, 1, 3, 5}, []time.Duration{1, 3, 5, 10, 12, 14}},
		{"a gap of 3", Reorder{Delay: 10 * ms, P: 1, Gap: 3}, []uint64{3, 6, 1, 2, 4, 5}, []time.Duration{2, 5, 10, 11, 13, 14}},
		{"a short delay", Reorder{Delay: 2500 * time.Microsecond, P: 1, Gap: 5}, []uint64{1, 2, 5, 3, 4, 6}, nil},
		{"no delay to skip", Reorder{P: 1, Gap: 3}, []uint64{1, 2, 3, 4, 5, 6}, []time.Duration{0, 1, 2, 3, 4, 5}},
	} {
		b := newBench(t, 1, c.reorder)
		for i := range 6 {
			b.sendAt(time.Duration(i)*ms, 100)
		}
		b.run()
		if !slices.Equal(b.delivered, c.order) {
			t.Errorf("%s: packets arrived in the order %d, want %d", c.name, b.delivered, c.order)
		}
		for i, at := range b.departures() {
			if c.times != nil && at != c.times[i]*ms {
				t.Errorf("%s: departures at %v, want %d ms", c.name, b.departures(), c.times)
				break
			}
		}
	}
}

// skipped returns how many of n packets skip the delay.
func skipped(t *testing.T, seed uint64, n int, r Reorder) float64 {
	t.Helper()
	r.Delay = time.Second
	b := newBench(t, seed, r)
	for range n {
		b.send(1)
	}
	b.run()
	count := 0.0
	for _, at := range b.departures() {
		if at == 0 {
			count++
		}
	}
	return count
}

// From one packet that skips the delay to the next there are Gap−1 packets and
// a geometric number with mean 1/P and variance (1−P)/P². By the central limit
// theorem of renewals, the number of them among n has the variance
// n·(1−P)/P² / mean³.
func TestTheShareOfPacketsThatSkipTheDelay(t *testing.T) {
	const n, seed = 100_000, 1
	for _, c := range []Reorder{{P: 0.25}, {P: 0.25, Gap: 5}, {P: 0.5, Gap: 2}, {P: 0.01, Gap: 100}} {
		mean := float64(max(1, c.Gap)-1) + 1/c.P
		most := 3.29*math.Sqrt(n*(1-c.P)/(c.P*c.P)/(mean*mean*mean)) + 1
		if got := skipped(t, seed, n, c); math.Abs(got-n/mean) > most {
			t.Errorf("seed %d: %+v: %v of %d skip the delay, want %.0f ± %.0f", seed, c, got, n, n/mean, most)
		}
	}
}

// Within a gap of 1 the correlation is that of Bernoulli, and so is the rate.
func TestCorrelationOfReorderingIsThatOfLoss(t *testing.T) {
	const n, seed = 100_000, 1
	want := 0.175 / 0.75 * n
	// Neighbours correlate, which makes the variance less than twice the binomial's.
	most := 3.29 * math.Sqrt(2*n*0.2333*0.7667)
	if got := skipped(t, seed, n, Reorder{P: 0.3, Correlation: 0.25}); math.Abs(got-want) > most {
		t.Errorf("seed %d: %v of %d skip the delay, want %.0f ± %.0f", seed, got, n, want, most)
	}
}

func TestAChangeOfTheGapDoesNotShiftTheStream(t *testing.T) {
	const n = 300
	after := func(first Reorder) []time.Duration {
		first.Delay = time.Microsecond
		b := newBench(t, 1, first)
		b.configureAt(99, Reorder{Delay: time.Microsecond, P: 0.3})
		times := make([]time.Duration, n)
		for i := range n {
			b.sendAt(time.Duration(i), 1)
		}
		for _, s := range b.run() {
			times[s.id-1] = s.at
		}
		return times[100:]
	}
	want := after(Reorder{P: 0.3})
	for _, first := range []Reorder{{}, {P: 1}, {P: 0.5, Gap: 7}} {
		if got := after(first); !slices.Equal(got, want) {
			t.Errorf("seed 1: after %+v departures at\n%d\nwant\n%d", first, got, want)
		}
	}
}

func TestLookaheadOfReordering(t *testing.T) {
	for _, c := range []struct {
		reorder Reorder
		want    time.Duration
	}{
		{Reorder{}, 7},
		{Reorder{Delay: 5}, 12},
		{Reorder{Delay: 5, P: 0.1}, 7},
		{Reorder{Delay: 9, P: 0.1}, 7},
	} {
		b := newBench(t, 1, Rate{Rate: MbitPerSecond}, c.reorder, Delay{7})
		if got := b.path.stages[0].ahead; got != c.want {
			t.Errorf("%+v before a delay of 7: lookahead %d, want %d", c.reorder, got, c.want)
		}
	}
}

// Whatever changes, those that wait keep their order among themselves, those
// that do not are never late, and none is lost or made.
func TestReorderingConservesPackets(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		config := rapid.Custom(func(r *rapid.T) Reorder {
			return Reorder{
				Delay:       time.Duration(rapid.IntRange(0, 50).Draw(r, "delay")),
				P:           aProbability(r),
				Correlation: aProbability(r),
				Gap:         rapid.IntRange(0, 4).Draw(r, "gap"),
			}
		})
		b := newBench(t, rapid.Uint64().Draw(r, "seed"), config.Draw(r, "first"))
		for range rapid.IntRange(1, 60).Draw(r, "packets") {
			b.sendAt(time.Duration(rapid.IntRange(0, 200).Draw(r, "at")), 100)
		}
		for range rapid.IntRange(0, 10).Draw(r, "changes") {
			b.configureAt(time.Duration(rapid.IntRange(0, 250).Draw(r, "at")), config.Draw(r, "change"))
		}
		for at := range time.Duration(300) {
			b.clock.runUntil(at)
			if err := b.path.check(); err != nil {
				r.Fatal(err)
			}
		}
		var ids, waited []uint64
		for _, s := range b.run() {
			ids = append(ids, s.id)
			if s.at > s.sent {
				waited = append(waited, s.id)
			}
		}
		if !slices.IsSorted(waited) {
			r.Fatalf("packets that were delayed arrived in the order %d", waited)
		}
		slices.Sort(ids)
		if uint64(len(ids)) != b.sent || len(slices.Compact(ids)) != len(ids) {
			r.Fatalf("the packets %d arrived, of %d", ids, b.sent)
		}
	})
}

func TestReorderRefuses(t *testing.T) {
	for want, e := range map[string]Reorder{
		"the delay is not between 0 and 24h0m0s": {Delay: -1},
		"the probability is not between 0 and 1": {P: 2},
		"the correlation is not between 0 and 1": {Correlation: 2},
		"the gap is negative":                    {Gap: -1},
	} {
		if _, err := NewPath(&testClock{}, "p", 1, []Element{e}, nil, nil); err == nil || err.Error() != "netem: path p: reorder: "+want {
			t.Errorf("%+v: error %v, want %s", e, err, want)
		}
	}
}

package netem

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// follow configures a rate, a delay and a loss as a profile says until a time.
func (b *bench) follow(p Profile, until time.Duration) {
	for at, ok := p.Next(0); ok && at < until; at, ok = p.Next(at) {
		for _, e := range elementsOf(p.At(at)) {
			b.configureAt(at, e)
		}
	}
}

func elementsOf(row ProfileRow) []Element {
	return []Element{Bernoulli{P: row.Loss}, Rate{Rate: row.Rate}, Delay{Delay: row.Delay}}
}

func TestALinkFollowsAProfile(t *testing.T) {
	p := Profile{HasRate: true, HasDelay: true, HasLoss: true, Period: 100 * ms, Rows: []ProfileRow{
		{0, 8 * MbitPerSecond, 10 * ms, 0}, // 1000 bytes a millisecond
		{20 * ms, 4 * MbitPerSecond, 30 * ms, 0},
		{40 * ms, 4 * MbitPerSecond, 30 * ms, 1},
		{50 * ms, 8 * MbitPerSecond, 5 * ms, 0},
	}}
	b := newBench(t, 1, elementsOf(p.At(0))...)
	b.follow(p, 200*ms)
	for _, at := range []time.Duration{0, 19 * ms, 19500 * time.Microsecond, 39 * ms, 40 * ms, 49*ms + 999_999, 55 * ms, 60 * ms, 100 * ms, 145 * ms, 150 * ms} {
		b.sendAt(at, 1000)
	}
	b.run()
	want := []time.Duration{
		11 * ms,
		50 * ms, // leaves the queue at 20 ms, when the delay has become 30 ms
		52 * ms, // half a millisecond of waiting, then 2 ms
		71 * ms, // sent by 41 ms
		// two are lost, and at 55 ms the one before is still on its way
		71 * ms,
		71 * ms,
		111 * ms, // the second period
		156 * ms, // as at 50 ms, for the one at 145 ms is lost
	}
	if got := b.departures(); !slices.Equal(got, want) {
		t.Errorf("departures %v, want %v", got, want)
	}
}

// Of 8000 bits 4000 are sent before the link stops. It stops for 100 ms, in
// which it sends a tenth of a bit, and then needs 499,987.5 ns for the rest.
func TestAPacketInTransmissionStaysThereWhileTheLinkIsStopped(t *testing.T) {
	p := Profile{HasRate: true, Once: true, Period: time.Second, Rows: []ProfileRow{
		{At: 0, Rate: 8 * MbitPerSecond},
		{At: 500 * time.Microsecond, Rate: Stopped},
		{At: 100*ms + 500*time.Microsecond, Rate: 8 * MbitPerSecond},
	}}
	b := newBench(t, 1, elementsOf(p.At(0))...)
	b.follow(p, time.Second)
	b.send(1000)
	b.send(1000)
	b.run()
	if got, want := b.departures(), []time.Duration{100_999_988, 101_999_988}; !slices.Equal(got, want) {
		t.Errorf("departures %v, want %v", got, want)
	}
}

// A busy link that follows a profile and one with the profile's opportunities
// send every packet in the same millisecond.
func TestTheOpportunitiesOfAProfileAreThoseOfALinkThatFollowsIt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := Profile{HasRate: true, Once: true}
		for range rapid.IntRange(1, 8).Draw(r, "rows") {
			p.Rows = append(p.Rows, ProfileRow{At: p.Period, Rate: BitRate(rapid.Int64Range(1, 100e6).Draw(r, "rate"))})
			p.Period += time.Duration(rapid.Int64Range(1, int64(10*ms)).Draw(r, "interval"))
		}
		trace, err := p.Trace()
		if err != nil {
			r.Fatal(err)
		}
		following, traced := newBench(t, 1, Rate{Rate: p.At(0).Rate}), newBench(t, 1, trace)
		for at, ok := p.Next(0); ok; at, ok = p.Next(at) {
			following.configureAt(at, Rate{Rate: p.At(at).Rate})
		}
		for range trace.Opportunities {
			following.send(int(MahimahiBytes))
			traced.send(int(MahimahiBytes))
		}
		following.clock.runUntil(p.Period)
		traced.clock.runUntil(trace.Period)
		got, want := traced.departures(), following.departures()
		if len(got) != len(want) && len(got) != len(want)+1 { // one may not have been earned
			r.Fatalf("%d packets left at opportunities, %d at the rate", len(got), len(want))
		}
		for i := range want {
			if ceilMillisecond(want[i]) != got[i] {
				r.Fatalf("packet %d left at the opportunity at %v, and at the rate at %v", i, got[i], want[i])
			}
		}
	})
}

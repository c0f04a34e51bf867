package netem

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheFractionOfANanosecondIsCarriedOver(t *testing.T) {
	const rate = 3 * MbitPerSecond
	b := newBench(t, 1, Rate{Rate: rate, Overhead: HeaderIPv4})
	sizes := rand.New(rand.NewPCG(1, 2))
	bits := int64(0)
	var want []time.Duration
	for range 1000 {
		size := 2*sizes.IntN(700) + 1
		b.send(size)
		bits += 8 * int64(size+28)
		want = append(want, time.Duration((bits*1e9+int64(rate)-1)/int64(rate))) // ceil(bits/rate)
	}
	b.run()
	if got := b.departures(); !slices.Equal(got, want) {
		t.Errorf("packets departed at\n%d\nwant\n%d", got, want)
	}
}

func TestTransmissionTimesAreExact(t *testing.T) {
	for _, c := range []struct {
		name  string
		rate  Rate
		sizes []int
		want  []time.Duration
	}{
		{"10 Mbit/s", Rate{Rate: 10 * MbitPerSecond, Overhead: HeaderIPv4}, []int{1280, 1280}, []time.Duration{1_046_400, 2_092_800}},
		{"thirds of a nanosecond", Rate{Rate: 3 * GbitPerSecond}, []int{1, 1, 1, 1}, []time.Duration{3, 6, 8, 11}},
		{"the slowest rate", Rate{Rate: BitPerSecond}, []int{1, 65507}, []time.Duration{8 * time.Second, 8 * 65508 * time.Second}},
		{"several packets a nanosecond", Rate{Rate: TbitPerSecond}, []int{25, 25, 25, 50, 1, 0}, []time.Duration{1, 1, 1, 1, 2, 2}},
		{"nothing but headers", Rate{Rate: 8 * BitPerSecond, Overhead: 1}, []int{0, 0}, []time.Duration{time.Second, 2 * time.Second}},
		{"unlimited", Rate{}, []int{1500, 1500}, []time.Duration{0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, c.rate)
			for _, size := range c.sizes {
				b.send(size)
			}
			b.run()
			if got := b.departures(); !slices.Equal(got, c.want) {
				t.Errorf("packets of %d bytes departed at %d, want %d", c.sizes, got, c.want)
			}
		})
	}
}

// At 3 Gbit/s a byte takes 8/3 ns, so that the first packet ends 1/3 ns before
// the time 3.
func TestAnIdleFractionIsNotSaved(t *testing.T) {
	for _, c := range []struct {
		arrival, want time.Duration
	}{
		{2, 6}, // waited: starts at 8/3
		{3, 6}, // 3 + 8/3 is 5 2/3: the link was idle for a third
		{4, 7},
	} {
		b := newBench(t, 1, Rate{Rate: 3 * GbitPerSecond})
		b.sendAt(0, 1)
		b.sendAt(c.arrival, 1)
		b.sendAt(c.arrival, 1)
		b.run()
		third := map[time.Duration]time.Duration{2: 8, 3: 9, 4: 10}[c.arrival] // start + 16/3, rounded up
		if got := b.departures(); !slices.Equal(got, []time.Duration{3, c.want, third}) {
			t.Errorf("arrival at %d: departures %d, want 3, %d and %d", c.arrival, got, c.want, third)
		}
	}
}

func TestARateChangeAppliesToWhatIsLeft(t *testing.T) {
	const byteTime = 8 * time.Microsecond // at 1 Mbit/s
	for _, c := range []struct {
		name    string
		changes map[time.Duration]BitRate
		want    []time.Duration // of two packets of 1000 bytes, from 1 Mbit/s
	}{
		{"none", nil, []time.Duration{8 * time.Millisecond, 16 * time.Millisecond}},
		{"twice as fast halfway", map[time.Duration]BitRate{500 * byteTime: 2 * MbitPerSecond}, []time.Duration{6 * time.Millisecond, 10 * time.Millisecond}},
		{"slower and back", map[time.Duration]BitRate{
			2 * time.Millisecond: 500 * KbitPerSecond,
			6 * time.Millisecond: MbitPerSecond,
		}, []time.Duration{10 * time.Millisecond, 18 * time.Millisecond}},
		{"to unlimited", map[time.Duration]BitRate{3 * time.Millisecond: 0}, []time.Duration{3 * time.Millisecond, 3 * time.Millisecond}},
		{"at the end of a packet", map[time.Duration]BitRate{8 * time.Millisecond: 2 * MbitPerSecond}, []time.Duration{8 * time.Millisecond, 12 * time.Millisecond}},
		// 8e12−1e6 units at 3e6 a nanosecond: 1 + 2666666 1/3, and 2666666 2/3 for the next.
		{"with a fraction left", map[time.Duration]BitRate{1: 3 * MbitPerSecond}, []time.Duration{2_666_668, 5_333_334}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, Rate{Rate: MbitPerSecond})
			for at, rate := range c.changes {
				b.configureAt(at, Rate{Rate: rate})
			}
			b.send(1000)
			b.send(1000)
			b.run()
			if got := b.departures(); !slices.Equal(got, c.want) {
				t.Errorf("packets departed at %d, want %d", got, c.want)
			}
		})
	}
}

func TestALinkThatWasUnlimitedQueuesAgain(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: MbitPerSecond})
	b.configureAt(time.Millisecond, Rate{})
	b.configureAt(2*time.Millisecond, Rate{Rate: 8 * MbitPerSecond})
	b.send(1000) // leaves when the link becomes unlimited
	b.sendAt(1500*time.Microsecond, 1000)
	b.sendAt(2*time.Millisecond, 1000)
	b.sendAt(2*time.Millisecond, 1000)
	b.run()
	want := []time.Duration{time.Millisecond, 1500 * time.Microsecond, 3 * time.Millisecond, 4 * time.Millisecond}
	if got := b.departures(); !slices.Equal(got, want) {
		t.Errorf("packets departed at %d, want %d", got, want)
	}
}

func TestAnOverheadChangeAppliesToArrivals(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond}) // 1 µs a byte
	b.send(100)
	b.send(100)
	b.configureAt(50*time.Microsecond, Rate{Rate: 8 * MbitPerSecond, Overhead: 40})
	b.sendAt(60*time.Microsecond, 100)
	b.run()
	want := []time.Duration{100 * time.Microsecond, 200 * time.Microsecond, 340 * time.Microsecond}
	if got := b.departures(); !slices.Equal(got, want) {
		t.Errorf("packets departed at %d, want %d", got, want)
	}
}

func TestQueueDelayIsTheSumOverThePathsQueues(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond}, Rate{Rate: 4 * MbitPerSecond})
	for range 3 {
		b.send(100)
	}
	// Departures from the first queue: 100, 200, 300 µs; from the second: 300, 500, 700.
	want := []time.Duration{0, (100 + 100) * time.Microsecond, (200 + 200) * time.Microsecond}
	for i, s := range b.run() {
		if s.wait != want[i] {
			t.Errorf("packet %d waited %s, want %s", s.id, s.wait, want[i])
		}
	}
}

func TestRateRefuses(t *testing.T) {
	for want, rate := range map[string]Rate{
		"netem: path p: queue: the rate is not between 0 and 1Tbit/s":            {Rate: TbitPerSecond + 1},
		"netem: path p: queue: the overhead is not between 0 and 1000 bytes":     {Overhead: -1},
		"netem: path p: queue: a limit in BDP must be resolved into bytes first": {Queue: FIFO{Limit: Limit{BDP: 1000}}},
		"netem: path p: queue: the limit is negative":                            {Queue: FIFO{Limit: Limit{Packets: -1}}},
	} {
		if _, err := NewPath(&testClock{}, "p", 1, []Element{rate}, nil, nil); err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", rate, err, want)
		}
	}
}

func TestARefusedChangeChangesNothing(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond})
	b.send(1000)
	b.send(1000)
	b.clock.At(100, func() {
		if err := b.path.Configure(Rate{Rate: 1, Queue: FIFO{Limit: Limit{BDP: 1}}}); err == nil {
			t.Error("a limit in BDP was accepted")
		}
	})
	b.run()
	if got, want := b.departures(), []time.Duration{time.Millisecond, 2 * time.Millisecond}; !slices.Equal(got, want) {
		t.Errorf("packets departed at %d, want %d", got, want)
	}
}

// lateClock is real time: it calls a little late, and says so.
type lateClock struct {
	*testClock
	late time.Duration
}

func (c lateClock) Now() time.Duration                { return c.now + c.late }
func (c lateClock) AtQuiet(t time.Duration, f func()) { c.testClock.At(t, f) }

func TestACallThatComesLateLosesNoCapacity(t *testing.T) {
	clock := lateClock{&testClock{}, 300}
	var left []time.Duration
	path, err := NewPath(clock, "path", 1, []Element{Rate{Rate: 8 * GbitPerSecond}}, func(p *Packet) { left = append(left, clock.now) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		path.Send(&Packet{Payload: someBytes[:1000]})
	}
	clock.runUntil(time.Second)
	// The clock's first call is 300 ns after the arrival, at 1300 ns of its
	// time, and it stays as late as that.
	if want := []time.Duration{1300, 2300, 3300}; !slices.Equal(left, want) {
		t.Errorf("packets departed at %d, want %d", left, want)
	}
}

// rateChange is a rate from a time on.
type rateChange struct {
	at   time.Duration
	rate BitRate
}

// finish returns when work in bits that starts at a time is done, for rates
// that change at whole nanoseconds.
func finish(start *big.Rat, bits int64, changes []rateChange) *big.Rat {
	left := new(big.Rat).SetInt64(bits * 1e9) // of which rate is done a nanosecond
	now := new(big.Rat).Set(start)
	for i, c := range changes {
		last := i == len(changes)-1
		if !last && now.Cmp(ratOf(changes[i+1].at)) >= 0 {
			continue
		}
		if c.rate == 0 {
			return now
		}
		rate := new(big.Rat).SetInt64(int64(c.rate))
		end := new(big.Rat).Add(now, new(big.Rat).Quo(left, rate))
		if last || end.Cmp(ratOf(changes[i+1].at)) <= 0 {
			return end
		}
		next := ratOf(changes[i+1].at)
		left.Sub(left, rate.Mul(rate, new(big.Rat).Sub(next, now)))
		now = next
	}
	return now
}

func ratOf(d time.Duration) *big.Rat { return new(big.Rat).SetInt64(int64(d)) }

func ceil(r *big.Rat) time.Duration {
	q, m := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	if m.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return time.Duration(q.Int64())
}

// The departure of every packet is what Lindley's recursion says, in exact
// rational numbers: max(arrival, departure of the last one) and then the work
// at the rates of that time. So the link exceeds no rate, never rests while
// there is work, and keeps no capacity for later. What the queue refuses has no
// effect on the others.
func TestDeparturesFollowLindleysRecursion(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rates := rapid.OneOf(rapid.Just(BitRate(0)), rapid.Custom(func(r *rapid.T) BitRate {
			return BitRate(rapid.Int64Range(1, int64(TbitPerSecond)).Draw(r, "rate"))
		}), rapid.SampledFrom([]BitRate{3 * GbitPerSecond, 7 * MbitPerSecond, TbitPerSecond, 999_999_937}))
		const overhead = 28
		limits := rapid.SampledFrom([]Limit{{}, {Packets: 1}, {Packets: 5}, {Bytes: 3000}, {Time: time.Microsecond}})
		changes := []rateChange{{0, rates.Draw(r, "first rate")}}
		b := newBench(t, 1, Rate{Rate: changes[0].rate, Overhead: overhead, Queue: FIFO{Limit: limits.Draw(r, "limit")}})

		// Rates change at odd times and packets arrive at even ones.
		at := time.Duration(0)
		for range rapid.IntRange(0, 5).Draw(r, "changes") {
			at += 2 * time.Duration(rapid.Int64Range(1, 5000).Draw(r, "pause"))
			c := rateChange{at - 1, rates.Draw(r, "rate")}
			changes = append(changes, c)
			b.configureAt(c.at, Rate{Rate: c.rate, Overhead: overhead, Queue: FIFO{Limit: limits.Draw(r, "limit")}})
		}
		at = 0
		for range rapid.IntRange(1, 40).Draw(r, "packets") {
			at += 2 * time.Duration(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 10), rapid.Int64Range(0, 1000)).Draw(r, "gap"))
			b.sendAt(at, rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 1472)).Draw(r, "size"))
		}
		last := new(big.Rat)
		id := uint64(0)
		for _, s := range b.run() {
			if s.fate == Dropped {
				continue
			}
			if s.id <= id {
				r.Fatalf("packet %d left after packet %d", s.id, id)
			}
			id = s.id
			start := last
			if ratOf(s.sent).Cmp(start) > 0 {
				start = ratOf(s.sent)
			}
			last = finish(start, 8*int64(s.size+overhead), changes)
			if want := ceil(last); s.at != want {
				r.Fatalf("packet %d of %d bytes, sent at %d, departed at %d, want %d", s.id, s.size, s.sent, s.at, want)
			}
		}
	})
}

// The times of departure are rounded up to a nanosecond, which is what the
// token bucket allows for.
func TestDeparturesKeepToATokenBucketOfOnePacket(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rate := rapid.Int64Range(1e3, 1e10).Draw(r, "rate")
		b := newBench(t, 1, Rate{Rate: BitRate(rate), Queue: FIFO{Limit: Limit{Packets: 20}}})
		at := time.Duration(0)
		for range 50 {
			at += time.Duration(rapid.Int64Range(0, 20_000).Draw(r, "gap"))
			b.sendAt(at, rapid.IntRange(0, 1500).Draw(r, "size"))
		}
		b.run()
		seen := slices.DeleteFunc(b.seen, func(s sighting) bool { return s.fate == Dropped })
		for i := range seen {
			work := int64(0)
			for _, s := range seen[i+1:] {
				work += int64(s.size) * 8e9
				if most := rate * int64(s.at-seen[i].at+1); work > most {
					r.Fatalf("between %d and %d the link did %d of %d", seen[i].at, s.at, work, most)
				}
			}
		}
	})
}

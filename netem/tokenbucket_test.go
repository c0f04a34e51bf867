package netem

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// At 8 Mbit/s a token of one byte comes each microsecond.
func TestATokenBucketSendsWhatTheLinkSaved(t *testing.T) {
	const us = time.Microsecond
	for _, c := range []struct {
		name     string
		rate     Rate
		arrivals []arrival
		fates    string
		want     []time.Duration
	}{
		{"a full bucket at the start", Rate{Rate: 8 * MbitPerSecond, Burst: 3000},
			[]arrival{{0, 1500}, {0, 1500}, {0, 1500}, {0, 500}}, "DDDD", []time.Duration{0, 0, 1500 * us, 2000 * us}},
		{"a link that rests for a while", Rate{Rate: 8 * MbitPerSecond, Burst: 3000},
			[]arrival{{0, 3000}, {500 * us, 400}, {600 * us, 1500}}, "DDD", []time.Duration{0, 500 * us, 1900 * us}},
		{"a bucket never overflows", Rate{Rate: 8 * MbitPerSecond, Burst: 1500},
			[]arrival{{100 * 365 * 24 * time.Hour, 1500}, {100 * 365 * 24 * time.Hour, 1}}, "DD", []time.Duration{100 * 365 * 24 * time.Hour, 100*365*24*time.Hour + us}},
		{"a packet waits for tokens for all of it", Rate{Rate: 8 * MbitPerSecond, Burst: 1500},
			[]arrival{{0, 1}, {0, 1500}, {0, 1}}, "DDD", []time.Duration{0, us, 2 * us}},
		{"a packet larger than the bucket is dropped", Rate{Rate: 8 * MbitPerSecond, Burst: 1500},
			[]arrival{{0, 1501}, {0, 1500}, {0, 1501}}, "xDx", []time.Duration{0}},
		{"overhead counts", Rate{Rate: 8 * MbitPerSecond, Burst: 1500, Overhead: HeaderIPv4},
			[]arrival{{0, 1473}, {0, 1472}, {0, 0}}, "xDD", []time.Duration{0, 28 * us}},
		{"the packet that waits counts in a limit in bytes", Rate{Rate: 8 * MbitPerSecond, Burst: 1000, Queue: FIFO{Limit: Limit{Bytes: 2000}}},
			[]arrival{{0, 1000}, {0, 1000}, {0, 1000}, {0, 1}, {1000 * us, 1}}, "DDDxx", []time.Duration{0, 1000 * us, 2000 * us}},
		{"and in one in packets", Rate{Rate: 8 * MbitPerSecond, Burst: 1000, Queue: FIFO{Limit: Limit{Packets: 2}}},
			[]arrival{{0, 1000}, {0, 1000}, {0, 1000}, {0, 1}}, "DDDx", []time.Duration{0, 1000 * us, 2000 * us}},
		{"a limit below the packet", Rate{Rate: 8 * MbitPerSecond, Burst: 1000, Queue: FIFO{Limit: Limit{Bytes: 500}}},
			[]arrival{{0, 501}, {0, 500}}, "xD", []time.Duration{0}},
		{"head drop spares the packet that waits", Rate{Rate: 8 * MbitPerSecond, Burst: 1000, Queue: FIFO{Limit: Limit{Packets: 2}, HeadDrop: true}},
			[]arrival{{0, 1000}, {0, 1000}, {0, 1000}, {0, 500}}, "DDxD", []time.Duration{0, 1000 * us, 1500 * us}},
		// 3 bit/s: the token of a byte takes 8/3 s, and no fraction of it is lost.
		{"fractions of nanoseconds are kept", Rate{Rate: 3, Burst: 1},
			[]arrival{{0, 1}, {0, 1}, {0, 1}, {0, 1}, {8 * time.Second, 1}}, "DDDDD",
			[]time.Duration{0, 2_666_666_667, 5_333_333_334, 8 * time.Second, 10_666_666_667}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, c.rate)
			for _, a := range c.arrivals {
				b.sendAt(a.at, a.size)
			}
			b.run()
			if got := b.fates(); got != c.fates {
				t.Errorf("fates %s, want %s", got, c.fates)
			}
			if got := b.departures(); !slices.Equal(got, c.want) {
				t.Errorf("packets departed at %d, want %d", got, c.want)
			}
		})
	}
}

// The change comes a millisecond after the bucket was emptied, when 1000 bytes
// of tokens have come.
func TestATokenBucketThatChangesKeepsItsTokens(t *testing.T) {
	const before = 8 * MbitPerSecond
	for _, c := range []struct {
		name string
		to   Rate
		size int
		want time.Duration
	}{
		{"faster", Rate{Rate: 2 * before, Burst: 2000}, 2000, ms + ms/2},
		{"slower", Rate{Rate: before / 2, Burst: 2000}, 2000, 3 * ms},
		{"smaller", Rate{Rate: before, Burst: 600}, 600, ms},
		{"larger", Rate{Rate: before, Burst: GB}, 2000, 2 * ms},
		{"to a link that saves nothing", Rate{Rate: before}, 2000, 3 * ms},
		{"unlimited", Rate{}, 2000, ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, Rate{Rate: before, Burst: 2000})
			b.sendAt(0, 2000)
			b.configureAt(ms, c.to)
			b.sendAt(ms, c.size)
			b.run()
			if got, want := b.departures(), []time.Duration{0, c.want}; !slices.Equal(got, want) {
				t.Errorf("packets departed at %d, want %d", got, want)
			}
		})
	}
	t.Run("limited again", func(t *testing.T) {
		b := newBench(t, 1, Rate{Rate: before, Burst: 2000})
		b.sendAt(0, 2000)
		b.configureAt(0, Rate{Burst: 2000})
		b.configureAt(0, Rate{Rate: before, Burst: 2000})
		b.sendAt(0, 2000)
		b.sendAt(0, 1000)
		b.run()
		if got, want := b.departures(), []time.Duration{0, 0, ms}; !slices.Equal(got, want) {
			t.Errorf("packets departed at %d, want %d", got, want)
		}
	})
	t.Run("paused", func(t *testing.T) {
		b := newBench(t, 1, Rate{Rate: before, Burst: 2000})
		b.sendAt(0, 2000)
		b.configureAt(ms, Rate{Rate: before, Burst: 2000, Paused: true})
		b.sendAt(2*ms, 600)
		b.sendAt(2*ms, 600)
		b.configureAt(5*ms, Rate{Rate: before, Burst: 2000})
		b.run()
		if got, want := b.departures(), []time.Duration{0, 5 * ms, 5*ms + 200*time.Microsecond}; !slices.Equal(got, want) {
			t.Errorf("packets departed at %d, want %d", got, want)
		}
	})
	t.Run("a link that saved nothing has nothing", func(t *testing.T) {
		b := newBench(t, 1, Rate{Rate: before})
		b.configureAt(ms, Rate{Rate: before, Burst: 2000})
		b.sendAt(ms, 1000)
		b.run()
		if got, want := b.departures(), []time.Duration{2 * ms}; !slices.Equal(got, want) {
			t.Errorf("the packet departed at %d, want %d", got, want)
		}
	})
}

// Fates and departures are what the bucket says in exact rational numbers,
// behind a queue of bytes in which the packet at the head waits for tokens. A
// time of departure is rounded up to a nanosecond. So in every interval at most
// burst + rate · t passes, and no packet waits that need not.
func TestATokenBucketIsExact(t *testing.T) {
	type leaving struct {
		at     time.Duration
		size   int64
		waited bool
	}
	rapid.Check(t, func(r *rapid.T) {
		rate := rapid.Int64Range(1, int64(TbitPerSecond)).Draw(r, "rate")
		burst := rapid.Int64Range(1, 3000).Draw(r, "burst")
		limit := rapid.Int64Range(0, 6000).Draw(r, "limit")
		b := newBench(t, 1, Rate{Rate: BitRate(rate), Burst: Bytes(burst), Queue: FIFO{Limit: Limit{Bytes: Bytes(limit)}}})
		byteTime := 8*int64(time.Second)/rate + 1
		at := time.Duration(0)
		for range rapid.IntRange(1, 40).Draw(r, "packets") {
			at += time.Duration(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 1500*byteTime)).Draw(r, "gap"))
			b.sendAt(at, rapid.IntRange(0, 2000).Draw(r, "size"))
		}
		b.run()
		slices.SortStableFunc(b.seen, func(x, y sighting) int { return int(x.id) - int(y.id) })
		perNanosecond := big.NewRat(rate, tokensPerByte) // bytes
		tokens, last := big.NewRat(burst, 1), new(big.Rat)
		var left []leaving
		for _, s := range b.seen {
			size, queued := int64(s.size), int64(0)
			for _, l := range left {
				if l.waited && l.at >= s.sent {
					queued += l.size
				}
			}
			if want := size > burst || limit > 0 && queued+size > limit; want != (s.fate == Dropped) {
				r.Fatalf("packet %d of %d bytes found %d waiting and had fate %d", s.id, size, queued, s.fate)
			}
			if s.fate == Dropped {
				continue
			}
			if now := ratOf(s.sent); now.Cmp(last) > 0 {
				tokens.Add(tokens, now.Sub(now, last).Mul(now, perNanosecond))
				if full := big.NewRat(burst, 1); tokens.Cmp(full) > 0 {
					tokens = full
				}
				last = ratOf(s.sent)
			}
			tokens.Sub(tokens, big.NewRat(size, 1))
			if tokens.Sign() < 0 {
				last = new(big.Rat).Sub(last, new(big.Rat).Quo(tokens, perNanosecond))
				tokens.SetInt64(0)
			}
			if want := ceil(last); s.at != want {
				r.Fatalf("packet %d of %d bytes, sent at %d, departed at %d, want %d", s.id, size, s.sent, s.at, want)
			}
			left = append(left, leaving{s.at, size, s.at > s.sent})
		}
		for i := range left {
			sum := int64(0)
			for _, l := range left[i:] {
				sum += l.size
				if most := burst*tokensPerByte + rate*int64(l.at-left[i].at+1); sum*tokensPerByte > most {
					r.Fatalf("between %d and %d %d bytes left", left[i].at, l.at, sum)
				}
			}
		}
	})
}

func TestAManagedQueueCountsThePacketThatWaitsForTokens(t *testing.T) {
	for _, q := range []Queue{CoDel{Limit: 2}, FQCoDel{Limit: 2}, PIE{Limit: 2}, RED{Limit: 2000, Min: 10_000, Max: 20_000, AvPkt: 1000}} {
		b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Burst: 1000, Queue: q})
		for range 4 {
			b.send(1000)
		}
		b.run()
		if got, want := b.departures(), []time.Duration{0, ms, 2 * ms}; !slices.Equal(got, want) {
			t.Errorf("%T: packets departed at %d, want %d", q, got, want)
		}
	}
}

func TestTheWaitForTokensIsThatOfTheQueue(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Burst: 1000})
	for range 3 {
		b.send(1000)
	}
	b.sendAt(ms+ms/2, 500)
	for i, s := range b.run() {
		if want := []time.Duration{0, ms, 2 * ms, ms}[i]; s.wait != want {
			t.Errorf("packet %d waited for %s, want %s", s.id, s.wait, want)
		}
	}
}

func TestABurstOutOfRangeIsRefused(t *testing.T) {
	for _, burst := range []Bytes{-1, GB + 1} {
		_, err := NewPath(&testClock{}, "p", 1, []Element{Rate{Rate: 1, Burst: burst}}, nil, nil)
		if want := "netem: path p: queue: the burst is not between 0 and 1GB"; err == nil || err.Error() != want {
			t.Errorf("a burst of %d: error %v, want %s", burst, err, want)
		}
	}
}

// In a second in which nothing waits the link could have sent 1000 packets of
// AvPkt, as the average learns even where all packets leave at once.
func TestAQueueRestsWhereTokensLetPacketsPass(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Burst: 3000, Queue: RED{Min: 10_000, Max: 30_000}})
	q := b.path.stages[0].runner.(*shaper).queue.(*red)
	q.average = 5000 << q.weight
	b.sendAt(0, 1000)
	b.sendAt(time.Second, 1000)
	b.run()
	if got, want := b.departures(), []time.Duration{0, time.Second}; !slices.Equal(got, want) {
		t.Fatalf("packets departed at %d, want %d", got, want)
	}
	if q.average != 0 {
		t.Errorf("after a second the average is %d bytes, want 0", q.average>>q.weight)
	}
}

package netem

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

type arrival struct {
	at   time.Duration
	size int
}

// At 8 Mbit/s a token of one byte comes each microsecond.
func TestAPolicerDropsWhatExceedsTheBucket(t *testing.T) {
	const us = time.Microsecond
	for _, c := range []struct {
		name     string
		policer  Policer
		arrivals []arrival
		want     string
	}{
		{"a full bucket at the start", Policer{Rate: 8 * MbitPerSecond, Burst: 3000},
			[]arrival{{0, 1500}, {0, 1500}, {0, 1}}, "DDx"},
		{"a packet conforms at the nanosecond of its last token", Policer{Rate: 8 * MbitPerSecond, Burst: 1500},
			[]arrival{{0, 1500}, {1500*us - 1, 1500}, {1500 * us, 1500}, {3000*us - 1, 1500}, {3000 * us, 1500}}, "DxDxD"},
		{"a smaller packet passes where a larger one did not", Policer{Rate: 8 * MbitPerSecond, Burst: 1500},
			[]arrival{{0, 1000}, {0, 501}, {0, 500}}, "DxD"},
		{"the bucket never overflows", Policer{Rate: 8 * MbitPerSecond, Burst: 1500},
			[]arrival{{100 * 365 * 24 * time.Hour, 1500}, {100 * 365 * 24 * time.Hour, 1}}, "Dx"},
		{"overhead counts", Policer{Rate: 8 * MbitPerSecond, Burst: 1500, Overhead: HeaderIPv4},
			[]arrival{{0, 1473}, {0, 1472}, {27 * us, 0}, {28 * us, 0}}, "xDxD"},
		{"an unlimited one", Policer{}, []arrival{{0, 65000}, {0, 65000}}, "DD"},
		// 3 bit/s: the token of a byte takes 8/3 s, and no fraction of it is lost.
		{"fractions of nanoseconds are kept", Policer{Rate: 3, Burst: 1},
			[]arrival{{0, 1}, {2_666_666_666, 1}, {2_666_666_667, 1}, {5_333_333_333, 1}, {5_333_333_334, 1}, {8_000_000_000, 1}, {8_000_000_001, 1}}, "DxDxDxD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, c.policer)
			for _, a := range c.arrivals {
				b.sendAt(a.at, a.size)
			}
			b.run()
			if got := b.fates(); got != c.want {
				t.Errorf("fates %s, want %s", got, c.want)
			}
			for _, s := range b.seen {
				if s.at != s.sent {
					t.Errorf("packet %d was delayed", s.id)
				}
			}
		})
	}
}

// The change comes a millisecond after the bucket was emptied.
func TestAPolicerThatChangesKeepsItsTokens(t *testing.T) {
	for _, c := range []struct {
		name string
		to   Policer
		size int
	}{
		{"slower", Policer{Rate: 1, Burst: 2000}, 1000},
		{"faster", Policer{Rate: GbitPerSecond, Burst: 2000}, 1000},
		{"smaller", Policer{Rate: 8 * MbitPerSecond, Burst: 400}, 400},
		{"larger", Policer{Rate: 8 * MbitPerSecond, Burst: GB}, 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, Policer{Rate: 8 * MbitPerSecond, Burst: 2000})
			b.sendAt(0, 2000)
			b.configureAt(ms, c.to)
			b.sendAt(ms, c.size+1)
			b.sendAt(ms, c.size)
			b.run()
			if got := b.fates(); got != "DxD" {
				t.Errorf("fates %s, want DxD", got)
			}
		})
	}
	t.Run("limited again", func(t *testing.T) {
		b := newBench(t, 1, Policer{Rate: 8 * MbitPerSecond, Burst: 2000})
		b.sendAt(0, 2000)
		b.configureAt(0, Policer{})
		b.sendAt(0, 2001)
		b.configureAt(0, Policer{Rate: 8 * MbitPerSecond, Burst: 2000})
		b.sendAt(0, 2000)
		b.sendAt(0, 1)
		b.run()
		if got := b.fates(); got != "DDDx" {
			t.Errorf("fates %s, want DDDx", got)
		}
	})
}

// In every interval at most burst + rate · t passes, and a packet is dropped
// only if it would have exceeded that in some interval that ends with it.
func TestAPolicerPassesBurstAndRateAndNoLess(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rate := rapid.Int64Range(1, int64(TbitPerSecond)).Draw(r, "rate")
		burst := rapid.Int64Range(1, 3000).Draw(r, "burst")
		b := newBench(t, 1, Policer{Rate: BitRate(rate), Burst: Bytes(burst)})
		byteTime := 8*int64(time.Second)/rate + 1
		at := time.Duration(0)
		for range rapid.IntRange(1, 40).Draw(r, "packets") {
			at += time.Duration(rapid.Int64Range(0, 1500*byteTime).Draw(r, "gap"))
			b.sendAt(at, rapid.IntRange(0, 2000).Draw(r, "size"))
		}
		seen := b.run()
		for i, last := range seen {
			exceeded := false
			sum := int64(0)
			for j := i; j >= 0; j-- {
				if j == i || seen[j].fate == Delivered {
					sum += int64(seen[j].size)
				}
				allowed := burst*tokensPerByte + rate*int64(last.at-seen[j].at)
				exceeded = exceeded || sum*tokensPerByte > allowed
			}
			if exceeded != (last.fate == Dropped) {
				r.Fatalf("packet %d exceeded the bucket: %v, fate %d", last.id, exceeded, last.fate)
			}
		}
	})
}

func TestPolicerRefuses(t *testing.T) {
	for want, bad := range map[string][]Policer{
		"netem: path p: policer: the rate is not between 0 and 1Tbit/s":        {{Rate: -1, Burst: 1}, {Rate: TbitPerSecond + 1, Burst: 1}},
		"netem: path p: policer: the burst is not between 1B and 1GB":          {{Rate: 1}, {Rate: 1, Burst: -1}, {Rate: 1, Burst: GB + 1}},
		"netem: path p: policer: the overhead is not between 0 and 1000 bytes": {{Overhead: -1}, {Overhead: 1001}},
	} {
		for _, e := range bad {
			if _, err := NewPath(&testClock{}, "p", 1, []Element{e}, nil, nil); err == nil || err.Error() != want {
				t.Errorf("%+v: error %v, want %s", e, err, want)
			}
		}
	}
}

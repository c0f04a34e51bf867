package tracegen

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/netem"
)

const (
	ms     = time.Millisecond
	second = time.Second
)

func generate(t *testing.T, model interface {
	Profile() (netem.Profile, error)
}) netem.Profile {
	t.Helper()
	p, err := model.Profile()
	if err != nil {
		t.Fatalf("%+v: %v", model, err)
	}
	return p
}

// The bytes belong to the models: a change of them makes other traces of all
// parameters and seeds.
func TestASeedGivesTheSameBytesOnEveryMachine(t *testing.T) {
	for _, c := range []struct {
		name  string
		model interface {
			Profile() (netem.Profile, error)
		}
		want string
	}{
		{"lte down", TypicalLTE(Downlink), "c79abf17e353f5f2"},
		{"lte up", TypicalLTE(Uplink), "62ebaf4a03bddd0f"},
		{"leo down", TypicalLEO(Downlink), "9fa116c050797dee"},
		{"leo up", TypicalLEO(Uplink), "c346c9059d2336c1"},
	} {
		var text bytes.Buffer
		if err := generate(t, c.model).WriteCSV(&text); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text.Bytes())
		if got := hex.EncodeToString(sum[:8]); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	a, b := TypicalLTE(Downlink), TypicalLTE(Downlink)
	b.Seed = 1
	if reflect.DeepEqual(generate(t, a), generate(t, b)) {
		t.Error("two seeds of LTE give the same trace")
	}
	c, d := TypicalLEO(Downlink), TypicalLEO(Downlink)
	d.Seed = 1
	if reflect.DeepEqual(generate(t, c), generate(t, d)) {
		t.Error("two seeds of LEO give the same trace")
	}
}

// near reports whether a mean is within the kbit/s to which rates are rounded,
// or one value more, which is much less than 2 %.
func near(got, want netem.BitRate) bool {
	return math.Abs(float64(got-want)) <= max(1e3, 0.001*float64(want))
}

func TestAnLTETraceHasItsMeanAndKeepsItsRange(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := TypicalLTE(Direction(rapid.IntRange(0, 1).Draw(r, "direction")))
		c.Seed = rapid.Uint64().Draw(r, "seed")
		c.Length = time.Duration(rapid.IntRange(5000, 60_000).Draw(r, "length")) * ms
		c.Step = time.Duration(rapid.IntRange(20, 100).Draw(r, "step")) * ms
		c.Rate = netem.BitRate(rapid.Int64Range(100, 100_000).Draw(r, "rate")) * netem.KbitPerSecond
		c.MaxRate = 8 * c.Rate
		c.Variability = rapid.Float64Range(0, 1.5).Draw(r, "variability")
		c.Outage = rapid.Float64Range(0, 0.05).Draw(r, "outage")
		p, err := c.Profile()
		if err != nil {
			if strings.Contains(err.Error(), "cannot be reached") {
				return // nearly all of it is an outage
			}
			r.Fatal(err)
		}
		_, mean, most := p.Rates()
		if !near(mean, c.Rate) || most > c.MaxRate || p.Period != c.Length {
			r.Fatalf("seed %d: mean %v, at most %v, want %v and %v", c.Seed, mean, most, c.Rate, c.MaxRate)
		}
		for i, row := range p.Rows {
			if row.At != time.Duration(i)*c.Step || row.Rate < netem.Stopped {
				r.Fatalf("seed %d: row %d is %+v", c.Seed, i, row)
			}
		}
	})
}

func TestTheOpportunitiesOfATraceHaveItsMean(t *testing.T) {
	for seed := range uint64(10) {
		for _, d := range []Direction{Downlink, Uplink} {
			lte, leo := TypicalLTE(d), TypicalLEO(d)
			lte.Seed, leo.Seed = seed, seed
			for want, p := range map[netem.BitRate]netem.Profile{lte.Rate: generate(t, lte), leo.Rate: generate(t, leo)} {
				trace, err := p.Trace()
				if err != nil {
					t.Fatal(err)
				}
				if got := trace.Rate(); math.Abs(float64(got-want)) > 0.001*float64(want) {
					t.Errorf("seed %d, %s: %s, want %s", seed, d, got, want)
				}
			}
		}
	}
}

// 10 hours have some 1,440 outages, so that their share and mean length deviate
// by some 4 % of what was asked.
func TestTheOutagesOfLTEHaveTheirShareAndLength(t *testing.T) {
	c := TypicalLTE(Downlink)
	c.Length, c.Step = 10*time.Hour, 250*ms
	p := generate(t, c)
	out, outages, before := 0, 0, netem.BitRate(0)
	for _, row := range p.Rows {
		if row.Rate == netem.Stopped {
			out++
			if before != netem.Stopped {
				outages++
			}
		}
		before = row.Rate
	}
	share := float64(out) / float64(len(p.Rows))
	length := float64(out) * 0.25 / float64(outages)
	if math.Abs(share-0.02) > 0.003 || math.Abs(length-0.5) > 0.06 {
		t.Errorf("seed %d: %v of the time in outages of %v s", c.Seed, share, length)
	}
}

func TestBothDirectionsOfLTEAreOutAtTheSameTimes(t *testing.T) {
	down, up := TypicalLTE(Downlink), TypicalLTE(Uplink)
	down.Length, up.Length = 5*time.Minute, 5*time.Minute
	a, b, same, out := generate(t, down).Rows, generate(t, up).Rows, 0, 0
	for i := range a {
		if (a[i].Rate == netem.Stopped) != (b[i].Rate == netem.Stopped) {
			t.Fatalf("seed %d: at %v the rates are %v and %v", down.Seed, a[i].At, a[i].Rate, b[i].Rate)
		}
		if a[i].Rate == netem.Stopped {
			out++
		} else if a[i].Rate == 3*b[i].Rate {
			same++
		}
	}
	if out == 0 || same > len(a)/100 {
		t.Errorf("seed %d: %d values in outages, %d the same but for their mean", down.Seed, out, same)
	}
}

func TestAVariabilityOfZeroIsAConstantRate(t *testing.T) {
	c := LTE{Length: second, Step: 100 * ms, Rate: netem.MbitPerSecond, MaxRate: 2 * netem.MbitPerSecond}
	for _, row := range generate(t, c).Rows {
		if row.Rate != netem.MbitPerSecond {
			t.Fatalf("seed %d: %+v", c.Seed, row)
		}
	}
}

// slotBegins are where a trace begins to lose everything.
func slotBegins(p netem.Profile) (at []time.Duration) {
	before := 0.0
	for _, row := range p.Rows {
		if row.Loss == 1 && before == 0 {
			at = append(at, row.At)
		}
		before = row.Loss
	}
	return at
}

func TestTheSlotsOfLEOBeginAtTheirSecondsOfTheMinute(t *testing.T) {
	for start, want := range map[time.Duration][]time.Duration{
		0:                {12 * second, 27 * second, 42 * second, 57 * second},
		12 * second:      {0, 15 * second, 30 * second, 45 * second},
		20*second + 1*ms: {6999 * ms, 21999 * ms, 36999 * ms, 51999 * ms},
		59 * second:      {13 * second, 28 * second, 43 * second, 58 * second},
	} {
		c := TypicalLEO(Downlink)
		c.Start = start
		p := generate(t, c)
		if got := slotBegins(p); !slices.Equal(got, want) {
			t.Errorf("seed %d: from second %v on slots begin at %v, want %v", c.Seed, start, got, want)
		}
		if p.Rows[0].At != 0 {
			t.Errorf("seed %d: the first row is at %v", c.Seed, p.Rows[0].At)
		}
	}
}

func TestRateAndDelayStepTogetherAtASlot(t *testing.T) {
	c := TypicalLEO(Downlink)
	c.Flutter, c.Drift = 0, 0
	p := generate(t, c)
	for i := 1; i < len(p.Rows); i++ {
		row, before := p.Rows[i], p.Rows[i-1]
		begins := row.Loss == 1 && before.Loss == 0
		if begins == (row.Delay == before.Delay) || begins == (row.Rate == before.Rate) {
			t.Errorf("seed %d: %+v follows %+v", c.Seed, row, before)
		}
	}
}

func TestALEOTraceHasItsMeanAndKeepsItsRanges(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := TypicalLEO(Direction(rapid.IntRange(0, 1).Draw(r, "direction")))
		c.Seed = rapid.Uint64().Draw(r, "seed")
		c.Length = time.Duration(rapid.IntRange(1, 180_000).Draw(r, "length")) * ms
		c.Start = time.Duration(rapid.IntRange(0, 59_999).Draw(r, "start")) * ms
		c.Step = time.Duration(rapid.IntRange(10, 15_000).Draw(r, "step")) * ms
		c.Drift = time.Duration(rapid.IntRange(0, 10_000).Draw(r, "drift")) * time.Microsecond
		p, err := c.Profile()
		if err != nil {
			r.Fatal(err)
		}
		if least, mean, most := p.Rates(); !near(mean, c.Rate) || least < c.Rate/5 || most > c.Rate/2*5 {
			r.Fatalf("seed %d: rates %v, %v, %v", c.Seed, least, mean, most)
		}
		if least, _, most := p.Delays(); least < 10*ms || most > 30*ms {
			r.Fatalf("seed %d: delays %v to %v", c.Seed, least, most)
		}
		for i, row := range p.Rows {
			inMinute := (row.At + c.Start - slotPhase + time.Minute) % slot
			if lost := inMinute < c.MaxOutage && row.Loss == 1; row.Loss != 0 && !lost || inMinute < c.MinOutage && !lost {
				r.Fatalf("seed %d: row %d, %v after the beginning of a slot, is %+v", c.Seed, i, inMinute, row)
			}
		}
		if err := p.WriteCSV(&bytes.Buffer{}); err != nil {
			r.Fatalf("seed %d: %v", c.Seed, err)
		}
	})
}

func TestBothDirectionsOfLEOHaveTheSamePath(t *testing.T) {
	down, up := generate(t, TypicalLEO(Downlink)).Rows, generate(t, TypicalLEO(Uplink)).Rows
	for i := range down {
		if down[i].At != up[i].At || down[i].Delay != up[i].Delay || down[i].Loss != up[i].Loss {
			t.Fatalf("seed 0: %+v down, %+v up", down[i], up[i])
		}
	}
}

func TestParametersThatCannotBeAreErrors(t *testing.T) {
	for want, change := range map[string]func(*LTE){
		"the length is 0s":                           func(c *LTE) { c.Length = 0 },
		"the step is 1":                              func(c *LTE) { c.Step = 1 },
		"are 86400000 values":                        func(c *LTE) { c.Length, c.Step = 24*time.Hour, ms },
		"the mean rate is 0bit/s":                    func(c *LTE) { c.Rate = 0 },
		"between 0bit/s and 1Mbit/s":                 func(c *LTE) { c.MaxRate = netem.MbitPerSecond },
		"the variability is NaN octaves":             func(c *LTE) { c.Variability = math.NaN() },
		"the coherence time is -1ns":                 func(c *LTE) { c.Coherence = -1 },
		"the share of outages is 0.6":                func(c *LTE) { c.Outage = 0.6 },
		"expected at least a step, 50ms":             func(c *LTE) { c.OutageLength = 49 * ms },
		"cannot be reached with at most 9Mbit/s and": func(c *LTE) { c.MaxRate, c.Outage, c.Length = c.Rate, 0.5, time.Hour },
	} {
		c := TypicalLTE(Downlink)
		change(&c)
		if _, err := c.Profile(); err == nil || !strings.HasPrefix(err.Error(), "LTE: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	for want, change := range map[string]func(*LEO){
		"the length is 25h": func(c *LEO) { c.Length = 25 * time.Hour },
		"the step is 16s":   func(c *LEO) { c.Step = 16 * second },
		"the start is 1m":   func(c *LEO) { c.Start = time.Minute },
		"between 20Mbit/s and 250Mbit/s": func(c *LEO) {
			c.Rate, c.MinRate, c.MaxRate = 10*netem.MbitPerSecond, 20*netem.MbitPerSecond, 250*netem.MbitPerSecond
		},
		"the round-trip times are 2":   func(c *LEO) { c.MinRTT, c.MaxRTT = 2, 1 },
		"the drift is -1ns":            func(c *LEO) { c.Drift = -1 },
		"the outages are 20ms to 15s":  func(c *LEO) { c.MaxOutage = slot },
		"the flutter is -1 octaves":    func(c *LEO) { c.Flutter = -1 },
		"the variability is 6 octaves": func(c *LEO) { c.Variability = 6 },
	} {
		c := TypicalLEO(Downlink)
		change(&c)
		if _, err := c.Profile(); err == nil || !strings.HasPrefix(err.Error(), "LEO: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
}

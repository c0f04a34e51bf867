package traffic

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/internal/lawtest"
	"github.com/wtsim/wtsim/netem"
)

const (
	ms   = time.Millisecond
	mbit = netem.MbitPerSecond
)

func TestConstantBitRateLeavesAtTheFirstWholeNanosecondAndNeverDrifts(t *testing.T) {
	for _, rate := range []netem.BitRate{12 * mbit, 7 * mbit, 999_999_937, netem.TbitPerSecond, 3} {
		start, size := 3*ms, netem.Bytes(1500)
		const packets = 20_000
		got := sent(t, testSeed, Config{Rate: rate, Start: start, Overhead: netem.HeaderIPv4}, start+due(packets-1, size, rate)+1)
		if len(got) < packets { // more at a rate that sends several in a nanosecond
			t.Fatalf("rate %s: %d packets, want %d", rate, len(got), packets)
		}
		for i, at := range got[:packets] {
			if want := start + due(i, size, rate); at != want {
				t.Fatalf("rate %s: packet %d leaves at %d, want %d", rate, i, at, want)
			}
		}
	}
}

func TestALargerPacketIsFollowedByALongerGap(t *testing.T) {
	b := newBench(t, testSeed, Config{Rate: 8 * mbit, Sizes: Mix{{100, 1}, {1000, 1}, {1400, 1}}, Stop: 100 * ms})
	b.clock.runUntil(time.Second)
	for i, a := range b.arrived[1:] {
		if got, want := a.Sent-b.arrived[i].Sent, time.Duration(b.arrived[i].Size)*time.Microsecond; got != want {
			t.Errorf("seed %d: %s after a packet of %s, want %s", testSeed, got, b.arrived[i].Size, want)
		}
	}
	if n := len(b.arrived); n < 80 {
		t.Errorf("seed %d: only %d packets", testSeed, n)
	}
}

func TestASourceSendsFromItsStartUntilBeforeItsStop(t *testing.T) {
	config := Config{Rate: 12 * mbit, Start: 10 * ms, Stop: 13 * ms} // a packet each millisecond
	if got, want := sent(t, testSeed, config, time.Second), []time.Duration{10 * ms, 11 * ms, 12 * ms}; !slices.Equal(got, want) {
		t.Errorf("packets left at %v, want %v", got, want)
	}
	config.Rate = 0
	if got := sent(t, testSeed, config, time.Second); len(got) > 0 {
		t.Errorf("a source without a rate sent at %v", got)
	}
}

func TestARampInStepsSendsWhatTheStepsAllow(t *testing.T) {
	const steps, first = 30, 75 * mbit
	b := newBench(t, testSeed, Config{Rate: first})
	bits := 0.0
	for i := range steps + 1 {
		rate := first - first/steps*netem.BitRate(i)
		b.setRateAt(time.Duration(i)*100*ms, rate)
		bits += 0.1 * float64(rate)
	}
	b.clock.runUntil(10 * time.Second)
	// The first packet leaves before any time has passed, and the last is paid for in part.
	if got, most := len(b.arrived), bits/8/1500+1; float64(got) > most || float64(got) < most-1 {
		t.Errorf("%d packets, want the whole ones of %.2f", got, most)
	}
	if last := b.times()[len(b.arrived)-1]; last >= steps*100*ms {
		t.Errorf("a packet left at %s, when the rate was 0", last)
	}
}

// The work between two packets is done at whatever rates there are, to the
// nanosecond: no change gains or loses any.
func TestPacketsLeaveWhenTheIntegralOfTheRateHasReachedThem(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type step struct {
			at   time.Duration
			rate netem.BitRate
		}
		drawRate := func() netem.BitRate {
			return netem.BitRate(rapid.SampledFrom([]int64{0, 1, 7, 1000, 1e6}).Draw(r, "rate")) * 1000
		}
		size := netem.Bytes(rapid.IntRange(12, 2000).Draw(r, "size"))
		steps := []step{{0, drawRate()}}
		b := newBench(t, testSeed, Config{Rate: steps[0].rate, Sizes: Mix{{size, 1}}})
		for range rapid.IntRange(0, 20).Draw(r, "steps") {
			next := step{steps[len(steps)-1].at + time.Duration(rapid.Int64Range(0, 1e7).Draw(r, "after")), drawRate()}
			steps = append(steps, next)
			b.setRateAt(next.at, next.rate)
		}
		end := steps[len(steps)-1].at + 10*ms
		b.clock.runUntil(end)

		var want []time.Duration
		work, packet := int64(0), int64(size)*8*bit
		for i, s := range steps {
			until := end
			if i+1 < len(steps) {
				until = steps[i+1].at
			}
			if s.rate == 0 {
				continue
			}
			for now := s.at; ; work += packet {
				left := max(0, work)
				at := now + time.Duration((left+int64(s.rate)-1)/int64(s.rate))
				// A packet that is due at the instant of a change leaves before it.
				if at > until || at == end {
					work -= int64(s.rate) * int64(until-now)
					break
				}
				work -= int64(s.rate) * int64(at-now)
				now = at
				want = append(want, at)
			}
		}
		if got := b.times(); !slices.Equal(got, want) {
			r.Errorf("size %d, steps %v: packets left at %v, want %v", size, steps, got, want)
		}
	})
}

func TestPoissonGapsAreExponentialAndIndependent(t *testing.T) {
	const mean = 1e-3 // 1500 bytes at 12 Mbit/s
	g := gaps(sent(t, testSeed, Config{Rate: 12 * mbit, Poisson: true, Overhead: netem.HeaderIPv4}, 100*time.Second))
	lawtest.Mean(t, testSeed, "gaps", g, mean, mean)
	lawtest.Distribution(t, testSeed, "gaps", g, func(x float64) float64 { return 1 - math.Exp(-x/mean) })
	products := make([]float64, len(g)/2) // of gaps that follow one another
	for i := range products {
		products[i] = (g[2*i]/mean - 1) * (g[2*i+1]/mean - 1)
	}
	lawtest.Mean(t, testSeed, "correlation of gaps", products, 0, 1)
}

func TestPoissonGapsDoNotDependOnSizes(t *testing.T) {
	b := newBench(t, testSeed, Config{Rate: 10 * mbit, Poisson: true, Sizes: IMIX()})
	b.clock.runUntil(20 * time.Second)
	mean := imixMean * 8 / 10e6
	g := gaps(b.times())
	lawtest.Mean(t, testSeed, "gaps", g, mean, mean)
	var small []float64
	for i, a := range b.arrived[:len(g)] {
		if a.Size == 40 {
			small = append(small, g[i])
		}
	}
	lawtest.Distribution(t, testSeed, "gaps after small packets", small, func(x float64) float64 { return 1 - math.Exp(-x/mean) })
}

// A source of equal packets that changes its rate draws the same numbers.
func TestAChangeOfTheRateStretchesThePoissonProcess(t *testing.T) {
	config := Config{Rate: 12 * mbit, Poisson: true, Start: time.Second}
	plain := sent(t, testSeed, config, 3*time.Second)
	b := newBench(t, testSeed, config)
	b.setRateAt(2*time.Second, 6*mbit)
	b.clock.runUntil(4 * time.Second)
	got := b.times()
	if len(got) < 1500 {
		t.Fatalf("seed %d: only %d packets", testSeed, len(got))
	}
	for i, at := range plain[:min(len(plain), len(got))] {
		want := at
		if at > 2*time.Second {
			want += at - 2*time.Second
		}
		if diff := got[i] - want; diff < -1 || diff > 1 { // whole nanoseconds are rounded up at either rate
			t.Fatalf("seed %d: packet %d leaves at %d, want %d", testSeed, i, got[i], want)
		}
	}
}

func TestABurstPausesThePacketsThatAreDue(t *testing.T) {
	times := Times{Mean: 10 * ms}
	config := Config{Rate: 12 * mbit, On: times, Off: times, Start: ms}
	got := sent(t, testSeed, config, 10*time.Second)
	random := netem.NewRand(testSeed, "source/bursts")
	length := times.variate()
	on, now, left := true, config.Start, time.Duration(0)
	var want []time.Duration
	for now < 10*time.Second { // a packet each millisecond of on time
		long := time.Duration(length.Of(random.Uint64()))
		if on {
			for ; left <= long; left += ms {
				want = append(want, now+left)
			}
			left -= long
		}
		on, now = !on, now+long
	}
	want = slices.DeleteFunc(want, func(at time.Duration) bool { return at >= 10*time.Second })
	if !slices.Equal(got, want) {
		t.Errorf("seed %d: %d packets, want %d: %v and %v", testSeed, len(got), len(want), got[:20], want[:20])
	}
}

// However often a source goes off and on before its next packet, it asks for one
// call of the clock beside that of the next turn.
func TestASourceThatTurnsOftenHasFewCallsAhead(t *testing.T) {
	short := Times{Mean: 10 * time.Microsecond}
	b := newBench(t, testSeed, Config{Rate: 12_000, On: short, Off: short})
	for range 10 {
		b.clock.runUntil(b.clock.now + 100*ms)
		if n := len(b.clock.calls); n > 2 {
			t.Fatalf("seed %d: %d calls ahead at %s, want 2", testSeed, n, b.clock.now)
		}
	}
	if len(b.arrived) != 1 { // the next one follows after a second of on times
		t.Errorf("seed %d: %d packets, want 1", testSeed, len(b.arrived))
	}
}

// The share of time in which a source is on is on/(on+off), and the time
// between the starts of two on times has the sum of both variances.
func TestBurstsLeaveTheirShareOfTheRate(t *testing.T) {
	const seconds = 500
	for _, shape := range []float64{0, 3} {
		b := newBench(t, testSeed, Config{Rate: 12 * mbit, On: Times{20 * ms, shape}, Off: Times{60 * ms, shape}})
		b.clock.runUntil(seconds * time.Second)
		got := float64(len(b.arrived)) / (1000 * seconds)
		// The variance of the share is p²(1−p)²(a²+b²)/n over n turns, with the coefficients of variation a and b.
		variation := 1.0
		if shape > 0 {
			variation = 1 / (shape * (shape - 2))
		}
		n := seconds / 0.080
		half := lawtest.NormalQuantile * 0.25 * 0.75 * math.Sqrt(2*variation/n)
		if math.Abs(got-0.25) > half {
			t.Errorf("seed %d: shape %v: %.4f of the rate, want 0.25 ± %.4f (99.9 %%)", testSeed, shape, got, half)
		}
	}
}

func TestTheSameSeedAndNameSendTheSame(t *testing.T) {
	config := Config{Rate: 10 * mbit, Poisson: true, Sizes: IMIX(), On: Times{Mean: 5 * ms}, Off: Times{5 * ms, 1.5}}
	first := sent(t, 1, config, time.Second)
	if again := sent(t, 1, config, time.Second); !slices.Equal(first, again) {
		t.Error("two runs of seed 1 differ")
	}
	if other := sent(t, 2, config, time.Second); slices.Equal(first, other) {
		t.Error("seeds 1 and 2 do not differ")
	}
}

func TestWhatTheHostRefusesIsCountedApart(t *testing.T) {
	b := newBench(t, testSeed, Config{Rate: 8 * mbit, Sizes: Mix{{1528, 1}, {528, 1}}, Overhead: 28, Stop: time.Second}, netem.MTU{Size: 1500, SendError: true})
	b.clock.runUntil(2 * time.Second)
	sent, refused := b.source.Totals()
	if got := b.sink.Totals(); got.Delivered != sent || got.Missing != 0 || sent.Bytes != 500*netem.Bytes(sent.Packets) {
		t.Errorf("sent %v, arrived %+v", sent, got)
	}
	if refused.Packets == 0 || refused.Bytes != 1500*netem.Bytes(refused.Packets) {
		t.Errorf("refused %v", refused)
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	for want, config := range map[string]Config{
		"traffic x: the rate is not between 0 and 1Tbit/s":                {Rate: netem.TbitPerSecond + 1},
		"traffic x: the overhead is not between 0 and 1000 bytes":         {Overhead: -1},
		"traffic x: 4 is not an ECN codepoint":                            {ECN: 4},
		"traffic x: the start or the stop is negative":                    {Stop: -1},
		"traffic x: one of the on and off times has no mean":              {On: Times{Mean: ms}},
		"traffic x: on times: the mean is not between 1µs and 24h0m0s":    {On: Times{Mean: 1}, Off: Times{Mean: ms}},
		"traffic x: off times: the shape is not above 1 and at most 1000": {On: Times{Mean: ms}, Off: Times{ms, 1}},
		"traffic x: the number of sizes is not between 1 and 65536":       {Sizes: Mix{}},
		"traffic x: the size 39B is not between 40B and 65.535KB":         {Sizes: Mix{{39, 1}}, Overhead: 28},
		"traffic x: the size 65.508KB is not between 12B and 65.507KB":    {Sizes: Mix{{65508, 1}}},
		"traffic x: a weight is not between 1 and a million":              {Sizes: Mix{{100, 0}}},
		"traffic x: on times: the shape is not above 1 and at most 1000":  {On: Times{ms, math.NaN()}, Off: Times{Mean: ms}},
		"traffic x: off times: the mean is not between 1µs and 24h0m0s":   {On: Times{Mean: ms}, Off: Times{Mean: 25 * time.Hour}},
	} {
		b := newBench(t, testSeed, Config{})
		if _, err := NewSource(b.clock, b.from, b.sink.Addr(), config, 1, "x"); err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", config, err, want)
		}
	}
	b := newBench(t, testSeed, Config{Rate: mbit})
	for _, rate := range []netem.BitRate{-1, netem.TbitPerSecond + 1} {
		if err := b.source.SetRate(rate); err == nil {
			t.Errorf("the rate %d was accepted", rate)
		}
	}
}

// In 10 ms the fastest source does more work than 63 bits hold.
func TestASourceThatIsCalledLateSendsAllThatIsDue(t *testing.T) {
	const size, late = maxPayload, 10 * ms
	b := newBench(t, testSeed, Config{Rate: netem.TbitPerSecond, Sizes: Mix{{size, 1}}})
	b.clock.now = late
	for range 2 { // the start, and the packet that is due then
		next := b.clock.calls[0]
		b.clock.calls = b.clock.calls[1:]
		next.run()
		b.clock.now += late
	}
	sent, _ := b.source.Totals()
	if want := int64(1 + late*1000/(8*size)); sent.Packets != want {
		t.Errorf("%d packets were sent in %s, want %d", sent.Packets, late, want)
	}
}

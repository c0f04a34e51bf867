package netem

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/internal/lawtest"
)

// delays returns the delays of n packets that come one after the other has
// left, in milliseconds.
func delays(tb testing.TB, seed uint64, n int, j Jitter) []float64 {
	b := newBench(tb, seed, j)
	for i := range n {
		b.sendAt(time.Duration(i)*time.Second, 100)
	}
	var ms []float64
	for _, s := range b.run() {
		ms = append(ms, float64(s.at-s.sent)/float64(time.Millisecond))
	}
	return ms
}

const ms = time.Millisecond

// The table of one value makes the delay known: value/8192 deviations.
func TestJitterIsTheTableValueTimesTheDeviation(t *testing.T) {
	for _, c := range []struct {
		value int16
		j     Jitter
		want  time.Duration
	}{
		{0, Jitter{Delay: 10, Deviation: 5}, 10},
		{8192, Jitter{Delay: 10, Deviation: 5}, 15},
		{-8192, Jitter{Delay: 10, Deviation: 5}, 5},
		{4096, Jitter{Delay: 10, Deviation: 5}, 13}, // 2.5, rounded away from zero
		{-4096, Jitter{Delay: 10, Deviation: 5}, 7},
		{4095, Jitter{Delay: 10, Deviation: 5}, 12},
		{-32768, Jitter{Delay: 10, Deviation: 5}, 0}, // -10
		{32767, Jitter{Delay: 20 * ms, Deviation: 8192}, 20*ms + 32767},
		{-32768, Jitter{Delay: maxDelay, Deviation: maxDelay / 4}, 0},
		{32767, Jitter{Delay: maxDelay, Deviation: maxDelay}, 5*maxDelay - maxDelay/8192},
	} {
		c.j.Distribution = newDistribution([]int16{c.value})
		b := newBench(t, 1, c.j)
		b.sendAt(7, 1)
		if got := b.run()[0].at - 7; got != c.want {
			t.Errorf("value %d, %s, %s: delay %d, want %d", c.value, c.j.Delay, c.j.Deviation, got, c.want)
		}
	}
}

func TestUniformJitterCoversItsRangeExactly(t *testing.T) {
	for random, want := range map[chance]time.Duration{0: 5, 1<<62 - 1: 9, 1 << 62: 10, 1<<63 - 1: 14} {
		if got := (&Jitter{Delay: 10, Deviation: 5}).delay(random); got != want {
			t.Errorf("random number %d: delay %d, want %d", random, got, want)
		}
	}
}

// A packet that is due earlier overtakes those that came before it, unless
// order is kept. The deviation turns the delay of 100 into that of the packet.
func TestJitterReordersUnlessOrderIsKept(t *testing.T) {
	for _, c := range []struct {
		inOrder bool
		times   []time.Duration
		order   []uint64
	}{
		{false, []time.Duration{41, 42, 42, 60, 100}, []uint64{3, 2, 4, 5, 1}},
		{true, []time.Duration{100, 100, 100, 100, 100}, []uint64{1, 2, 3, 4, 5}},
	} {
		b := newBench(t, 1, Jitter{Delay: 100, InOrder: c.inOrder})
		b.sendAt(0, 1)
		for i, delay := range []time.Duration{41, 39, 39, 56} { // sent at 1, 2, 3, 4
			b.configureAt(time.Duration(i+1), Jitter{Delay: delay, InOrder: c.inOrder})
			b.sendAt(time.Duration(i+1), 1)
		}
		b.run()
		if got := b.departures(); !slices.Equal(got, c.times) || !slices.Equal(b.delivered, c.order) {
			t.Errorf("in order %v: packets %d arrived at %d, want %d at %d", c.inOrder, b.delivered, got, c.order, c.times)
		}
	}
}

func TestJitterListsWhatItHoldsOldestFirst(t *testing.T) {
	b := newBench(t, 1, Jitter{Delay: 100})
	for i := range 5 {
		b.sendAt(time.Duration(i), 1)
		b.configureAt(time.Duration(i), Jitter{Delay: time.Duration(90 - 10*i)})
	}
	b.clock.runUntil(70) // 5 has left at 64
	var held []uint64
	b.path.stages[0].runner.Held(func(p *Packet) { held = append(held, p.ID) })
	if !slices.Equal(held, []uint64{1, 2, 3, 4}) {
		t.Errorf("it holds %d", held)
	}
}

// Means and deviations of independent delays. By the central limit theorem
// they lie within 3.29 standard errors of those of the distribution with a
// confidence of 99.9 %; that of a deviation σ is √((κ−1)/4n)·σ, for a kurtosis κ.
func TestMomentsOfJitter(t *testing.T) {
	const n, seed, mean, unit = 100_000, 1, 100.0, 8.0
	for _, c := range []struct {
		name            string
		d               *Distribution
		mean, deviation float64 // in units
		kurtosis        float64 // at most
	}{
		{"uniform", nil, 0, 1 / math.Sqrt(3), 1.8},
		{"normal", Normal(), 0, 1, 3},
		{"pareto", Pareto(), -0.0335, 0.8197, 11},
		{"paretonormal", ParetoNormal(), -0.0253, 0.8339, 8},
	} {
		got := delays(t, seed, n, Jitter{Delay: mean * ms, Deviation: unit * ms, Distribution: c.d})
		m, d := meanAndDeviation(got)
		wantMean, wantDeviation := mean+unit*c.mean, unit*c.deviation
		if most := 3.29 * wantDeviation / math.Sqrt(n); math.Abs(m-wantMean) > most+unit/1000 {
			t.Errorf("seed %d: %s: mean %.3f ms, want %.3f ± %.3f", seed, c.name, m, wantMean, most)
		}
		if most := 3.29 * wantDeviation * math.Sqrt((c.kurtosis-1)/(4*n)); math.Abs(d-wantDeviation) > most+unit/1000 {
			t.Errorf("seed %d: %s: deviation %.3f ms, want %.3f ± %.3f", seed, c.name, d, wantDeviation, most)
		}
	}
}

func meanAndDeviation(values []float64) (mean, deviation float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean) / float64(len(values))
	}
	return mean, math.Sqrt(deviation)
}

// The random numbers are an autoregression of the first order: the mean stays,
// the variance is that of the uniform distribution times (1−ρ)/(1+ρ), and
// neighbours correlate by ρ.
func TestCorrelatedJitter(t *testing.T) {
	const n, seed, unit = 200_000, 1, 8.0
	for _, rho := range []float64{0, 0.25, 0.5, 0.9} {
		got := delays(t, seed, n, Jitter{Delay: 100 * ms, Deviation: unit * ms, Correlation: rho})
		mean, half := lawtest.BatchMeans(got)
		if math.Abs(mean-100) > half || half > 0.2 {
			t.Errorf("seed %d: ρ = %v: mean %.3f ms ± %.3f (99.9 %%), want 100", seed, rho, mean, half)
		}
		variance := unit * unit / 3 * (1 - rho) / (1 + rho)
		squares, products := make([]float64, n), make([]float64, n)
		for i := range n {
			squares[i] = (got[i] - 100) * (got[i] - 100)
			products[i] = (got[i] - 100) * (got[max(i, 1)-1] - 100)
		}
		if v, half := lawtest.BatchMeans(squares); math.Abs(v-variance) > half || half > 0.1*variance {
			t.Errorf("seed %d: ρ = %v: variance %.3f ± %.3f (99.9 %%), want %.3f", seed, rho, v, half, variance)
		}
		if v, half := lawtest.BatchMeans(products); math.Abs(v-rho*variance) > half || half > 0.1*variance {
			t.Errorf("seed %d: ρ = %v: covariance %.3f ± %.3f (99.9 %%), want %.3f", seed, rho, v, half, rho*variance)
		}
	}
}

func TestFullCorrelationRepeatsTheFirstDelay(t *testing.T) {
	got := delays(t, 1, 100, Jitter{Delay: 100 * ms, Deviation: 50 * ms, Correlation: 1})
	if slices.Min(got) != slices.Max(got) {
		t.Errorf("delays from %v to %v ms", slices.Min(got), slices.Max(got))
	}
}

func TestJitterDependsOnTheSeedAlone(t *testing.T) {
	j := Jitter{Delay: 100 * ms, Deviation: 20 * ms, Distribution: ParetoNormal()}
	one, again, two := delays(t, 1, 100, j), delays(t, 1, 100, j), delays(t, 2, 100, j)
	if !slices.Equal(one, again) || slices.Equal(one, two) {
		t.Error("two runs of a seed differ, or those of two seeds do not")
	}
}

func TestAChangeOfTheDeviationDoesNotShiftTheStream(t *testing.T) {
	j := Jitter{Delay: 100 * ms, Deviation: 20 * ms}
	want := delays(t, 1, 20, j)
	b := newBench(t, 1, j)
	for i := range 20 {
		b.sendAt(time.Duration(i)*time.Second, 100)
	}
	b.configureAt(5*time.Second+500*ms, Jitter{})
	b.configureAt(9*time.Second+500*ms, j)
	for i, s := range b.run() {
		got, want := float64(s.at-s.sent)/float64(ms), want[i]
		if i > 5 && i <= 9 {
			want = 0
		}
		if got != want {
			t.Errorf("packet %d took %v ms, want %v", i+1, got, want)
		}
	}
}

func TestJitterRefuses(t *testing.T) {
	for want, bad := range map[string][]Jitter{
		"netem: path p: jitter: the delay is not between 0 and 24h0m0s":     {{Delay: -1}, {Delay: maxDelay + 1}},
		"netem: path p: jitter: the deviation is not between 0 and 24h0m0s": {{Deviation: -1}, {Deviation: math.MaxInt64}},
		"netem: path p: jitter: the correlation is not between 0 and 1":     {{Correlation: -0.1}, {Correlation: 1.1}, {Correlation: math.NaN()}},
		"netem: path p: jitter: a distribution without values":              {{Distribution: &Distribution{}}},
	} {
		for _, j := range bad {
			if _, err := NewPath(&testClock{}, "p", 1, []Element{j}, nil, nil); err == nil || err.Error() != want {
				t.Errorf("%+v: error %v, want %s", j, err, want)
			}
		}
	}
}

// Each packet leaves once, at its own time, and in order of these times.
func TestPacketsOvertakeEachOtherByTheirOwnDelays(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := newBench(t, 1, Jitter{})
		due := map[uint64]time.Duration{}
		sends := rapid.SliceOfN(rapid.IntRange(0, 20), 1, 100).Draw(r, "delays")
		for i, delay := range sends {
			at := time.Duration(i / 3)
			due[uint64(i)+1] = at + time.Duration(delay)
			b.configureAt(at, Jitter{Delay: time.Duration(delay)})
			b.sendAt(at, 1)
		}
		seen := b.run()
		if len(seen) != len(sends) {
			r.Fatalf("%d of %d packets arrived", len(seen), len(sends))
		}
		for i, s := range seen {
			if s.at != due[s.id] {
				r.Fatalf("packet %d arrived at %d, want %d", s.id, s.at, due[s.id])
			}
			if before := seen[max(i, 1)-1]; before.at == s.at && before.id > s.id {
				r.Fatalf("packet %d arrived before %d, which was due at the same time", before.id, s.id)
			}
		}
	})
}

func TestJitterLooksAheadToItsLeastDelay(t *testing.T) {
	for _, c := range []struct {
		j    Jitter
		want time.Duration
	}{
		{Jitter{}, 3}, // of what follows
		{Jitter{Delay: 10}, 13},
		{Jitter{Delay: 10, Deviation: 4}, 9},
		{Jitter{Delay: 10, Deviation: 14}, 3},
		{Jitter{Deviation: 1}, 3},
		{Jitter{Delay: 100, Deviation: 10, Distribution: Normal()}, 63},
		{Jitter{Delay: 100, Deviation: 10, Distribution: newDistribution([]int16{8192})}, 113},
	} {
		b := newBench(t, 1, c.j)
		if got := b.path.stages[0].runner.(prompt).lookahead(3); got != c.want {
			t.Errorf("%+v: %d, want %d", c.j, got, c.want)
		}
	}
}

// Packets that overtake each other are the same to a clock that puts quiet
// calls off, before and behind a link.
func TestALazyClockSeesTheSameOvertaking(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		overtaking := func() Element {
			j := another(r, Jitter{}).(Jitter)
			j.InOrder = false
			return j
		}
		link := Rate{Rate: 30 * GbitPerSecond}
		paths := [][]Element{{link, overtaking()}, {overtaking(), link, overtaking()}}
		sends := drawActions(r, "sends", 1, 60, nil)
		changes := drawActions(r, "changes", 0, 5, overtaking)
		sameHistory(r, t, paths, sends, changes)
	})
}

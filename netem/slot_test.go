package netem

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestPacketsLeaveInTheSlotThatTheyWaitFor(t *testing.T) {
	same := func(size int, times ...time.Duration) (a []arrival) {
		for _, at := range times {
			a = append(a, arrival{at, size})
		}
		return a
	}
	for _, c := range []struct {
		name     string
		slot     Slot
		arrivals []arrival
		want     []time.Duration
	}{
		{"none", Slot{Packets: 1, Bytes: 1}, same(1, 0, 0, 5), []time.Duration{0, 0, 5}},
		{"the first packet sets the slot", Slot{Min: 10}, same(1, 7, 10, 17, 18), []time.Duration{17, 17, 17, 28}},
		{"so many packets a slot", Slot{Min: 10, Packets: 2}, same(1, 0, 0, 0, 0, 0, 31), []time.Duration{10, 10, 20, 20, 30, 41}},
		{"a full slot sets the next for nobody yet", Slot{Min: 10, Packets: 1}, same(1, 0, 12, 35), []time.Duration{10, 20, 45}},
		{"a packet that comes as a slot opens", Slot{Min: 10, Packets: 1}, same(1, 0, 20, 20), []time.Duration{10, 20, 30}},
		{"so many bytes a slot", Slot{Min: 10, Bytes: 200}, same(72, 0, 0, 0), []time.Duration{10, 10, 20}},
		{"a slot ends with the packet that exceeds it", Slot{Min: 10, Bytes: 201}, same(72, 0, 0, 0, 0), []time.Duration{10, 10, 10, 20}},
		{"a packet larger than a slot", Slot{Min: 10, Bytes: 1}, same(1000, 0, 0), []time.Duration{10, 20}},
		{"the stricter limit counts", Slot{Min: 10, Packets: 3, Bytes: 200}, []arrival{{0, 72}, {0, 72}, {0, 0}, {0, 0}, {0, 0}}, []time.Duration{10, 10, 20, 20, 20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, c.slot)
			for _, a := range c.arrivals {
				b.sendAt(a.at, a.size)
			}
			b.run()
			if got := b.departures(); !slices.Equal(got, c.want) {
				t.Errorf("packets left at %d, want %d", got, c.want)
			}
			if !slices.IsSorted(b.delivered) {
				t.Errorf("packets left in the order %d", b.delivered)
			}
		})
	}
}

// The change comes at 5, when the slot at 10 is set.
func TestAChangeAppliesToTheNextSlot(t *testing.T) {
	for _, c := range []struct {
		name string
		to   Slot
		want []time.Duration
	}{
		{"longer", Slot{Min: 100, Packets: 1}, []time.Duration{10, 10, 112, 212}},
		{"none", Slot{}, []time.Duration{10, 10, 12, 13}},
	} {
		b := newBench(t, 1, Slot{Min: 10})
		b.configureAt(5, c.to)
		for _, at := range []time.Duration{0, 6, 12, 13} {
			b.sendAt(at, 1)
		}
		b.run()
		if got := b.departures(); !slices.Equal(got, c.want) {
			t.Errorf("%s: packets left at %d, want %d", c.name, got, c.want)
		}
	}
	b := newBench(t, 1, Slot{Min: 10, Packets: 1})
	b.sendAt(0, 1) // leaves at 10 and sets the slot at 20
	b.configureAt(11, Slot{})
	b.sendAt(12, 1)
	b.run()
	if got, want := b.departures(), []time.Duration{10, 12}; !slices.Equal(got, want) {
		t.Errorf("packets left at %d, want %d: a slot for nobody held one", got, want)
	}
}

// A packet alone waits for a time that is uniform from Min to Max. The mean and
// the variance, whose own is ((Max−Min)/2)⁴·(1/5−1/9)/n, are within 3.29 standard
// errors with a confidence of 99.9 %.
func TestSlotsAreUniformBetweenMinAndMax(t *testing.T) {
	const n, seed, half = 100_000, 1, 5.0
	b := newBench(t, seed, Slot{Min: 10 * ms, Max: 20 * ms})
	for i := range n {
		b.sendAt(time.Duration(i)*time.Second, 1)
	}
	var waits []float64
	for _, s := range b.run() {
		waits = append(waits, float64(s.at-s.sent)/float64(ms))
	}
	mean, deviation := meanAndDeviation(waits)
	if most := 3.29 * half / math.Sqrt(3*n); math.Abs(mean-15) > most {
		t.Errorf("seed %d: mean %.3f ms, want 15 ± %.3f", seed, mean, most)
	}
	if most := 3.29 * half * half * math.Sqrt((1./5-1./9)/n); math.Abs(deviation*deviation-half*half/3) > most {
		t.Errorf("seed %d: variance %.3f, want %.3f ± %.3f", seed, deviation*deviation, half*half/3, most)
	}
	if slices.Min(waits) < 10 || slices.Max(waits) > 20 {
		t.Errorf("waits from %v to %v ms", slices.Min(waits), slices.Max(waits))
	}
}

// Of Poisson arrivals at the rate λ, a slot of a fixed time D takes the packet
// that sets it and those that come meanwhile: 1 + λD. Their number is 1 plus a
// Poisson variable of the mean λD, so that 3.29·√(λD/n) bounds the mean of n
// bursts with a confidence of 99.9 %.
func TestMeanBurstOfPoissonArrivals(t *testing.T) {
	const packets, seed, perSlot = 200_000, 1, 4.0
	b := newBench(t, seed, Slot{Min: 10 * ms})
	random := rand.New(rand.NewPCG(seed, 0))
	at := time.Duration(0)
	for range packets {
		at += time.Duration(random.ExpFloat64() * float64(10*ms) / perSlot)
		b.sendAt(at, 1)
	}
	times := b.run()
	bursts := 1.0
	for i := range times[1:] {
		if times[i+1].at != times[i].at {
			bursts++
		}
	}
	const want = 1 + perSlot
	if got, most := packets/bursts, 3.29*math.Sqrt(perSlot/bursts); math.Abs(got-want) > most {
		t.Errorf("seed %d: mean burst %.3f, want %.3f ± %.3f", seed, got, want, most)
	}
}

func TestSlotRefuses(t *testing.T) {
	for want, bad := range map[string][]Slot{
		"netem: path p: slot: the delays are not between 0 and 24h0m0s":  {{Min: -1}, {Min: maxDelay + 1}, {Max: maxDelay + 1}},
		"netem: path p: slot: the greatest delay is less than the least": {{Min: 2, Max: 1}, {Min: 1, Max: -1}},
		"netem: path p: slot: a number of packets or bytes is negative":  {{Min: 1, Packets: -1}, {Min: 1, Bytes: -1}},
	} {
		for _, e := range bad {
			if _, err := NewPath(&testClock{}, "p", 1, []Element{e}, nil, nil); err == nil || err.Error() != want {
				t.Errorf("%+v: error %v, want %s", e, err, want)
			}
		}
	}
}

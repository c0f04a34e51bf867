package netem

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func runningRED(tb testing.TB, c RED) *red {
	b := newBench(tb, 1, Rate{Rate: 8 * MbitPerSecond, Queue: c}) // a byte a microsecond
	return b.path.stages[0].runner.(*shaper).queue.(*red)
}

// Figures of tc-red(8)'s example and of its defaults.
func TestREDDerivesWhatIsNotGiven(t *testing.T) {
	for _, c := range []struct {
		config, want RED
		weight       int
	}{
		{RED{Limit: 400_000, Min: 30_000, Max: 90_000, Burst: 55},
			RED{Limit: 400_000, Min: 30_000, Max: 90_000, P: 0.02, AvPkt: 1000, Burst: 55}, 5},
		{RED{}, RED{Limit: 400_000, Min: 33_333, Max: 100_000, P: 0.02, AvPkt: 1000, Burst: 55}, 5},
		{RED{Limit: 60_000, P: 1, AvPkt: 500}, RED{Limit: 60_000, Min: 5000, Max: 15_000, P: 1, AvPkt: 500, Burst: 16}, 3},
		{RED{Min: 32_000}, RED{Limit: 400_000, Min: 32_000, Max: 96_000, P: 0.02, AvPkt: 1000, Burst: 53}, 5},
	} {
		if q := runningRED(t, c.config); q.config != c.want || q.weight != c.weight {
			t.Errorf("%+v became %+v with weight %d, want %+v with %d", c.config, q.config, q.weight, c.want, c.weight)
		}
	}
}

func TestREDTakesANewProbabilityAtTheNextArrival(t *testing.T) {
	config := RED{Min: 10_000, Max: 30_000, P: 1e-6}
	q := runningRED(t, config)
	q.average, q.count = 20_000<<q.weight, -1
	q.signal(1<<63 - 1) // the next one is to come after a million
	if signal, _ := q.signal(0); signal {
		t.Error("a signal at the first arrival")
	}
	config.P = 1
	if err := q.configure(config); err != nil {
		t.Fatal(err)
	}
	if signal, _ := q.signal(0); !signal {
		t.Error("no signal with the new probability")
	}
}

// While the average does not change, the number of arrivals from one signal to
// the next is uniform between 1 and 1/p, where p is P times the share of the
// way from Min to Max.
func TestREDSignalsAtUniformDistances(t *testing.T) {
	q := runningRED(t, RED{Min: 10_000, Max: 30_000, P: 0.1})
	random := rand.New(rand.NewPCG(1, 0))
	for average, most := range map[int64]int{15_000: 40, 20_000: 20, 29_999: 11} {
		q.average, q.count = average<<q.weight, -1
		distances, at := make([]int, most+1), 0
		const signals = 20_000
		q.signal(random.Uint64() >> 1)
		for n := 0; n < signals; {
			at++
			if signal, hard := q.signal(random.Uint64() >> 1); signal && !hard {
				if at > most {
					t.Fatalf("average %d: %d arrivals to a signal, want at most %d", average, at, most)
				}
				distances[at]++
				n, at = n+1, 0
			}
		}
		p := 0.1 * float64(average-10_000) / 20_000
		for d, got := range distances[1:] {
			share := math.Min(p, 1-p*float64(d)) // the last may be a fraction
			want, deviation := signals*share, math.Sqrt(signals*share*(1-share))
			if math.Abs(float64(got)-want) > 4.5*deviation+1 {
				t.Errorf("average %d: %d signals after %d arrivals, want %.0f ± %.0f (99.999 %%)", average, got, d+1, want, 4.5*deviation)
			}
		}
	}
}

func TestREDSparesBelowMinAndDropsFromMax(t *testing.T) {
	q := runningRED(t, RED{Min: 10_000, Max: 30_000, P: 1})
	for average, want := range map[int64][2]bool{0: {}, 9_999: {}, 30_000: {true, true}, 90_000: {true, true}} {
		q.average = average << q.weight
		for range 100 {
			if signal, hard := q.signal(0); [2]bool{signal, hard} != want {
				t.Fatalf("average %d: signal %v, hard %v, want %v", average, signal, hard, want)
			}
		}
	}
}

func TestTheAverageOfREDIsExponential(t *testing.T) {
	q := runningRED(t, RED{Min: 30_000, Max: 90_000, Burst: 55}) // weight 1/32
	q.packets.bytes = 50_000
	for range 100 {
		q.arrive(0)
	}
	want := 50_000 * (1 - math.Pow(31.0/32, 100))
	if got := float64(q.average >> 5); math.Abs(got-want) > 2 {
		t.Errorf("average %v after 100 arrivals, want %.1f", got, want)
	}
	// In 20 ms the link could have sent 20 packets of 1000 bytes.
	q.packets.bytes, q.idle = 0, 0
	q.arrive(20*time.Millisecond + 999*time.Microsecond)
	want *= math.Pow(31.0/32, 20)
	if got := float64(q.average >> 5); math.Abs(got-want) > 2 || q.idle >= 0 {
		t.Errorf("average %v after an idle time of 20 packets, want %.1f", got, want)
	}
	q.idle = 0
	q.arrive(time.Hour)
	if q.average != 0 {
		t.Errorf("average %d in 1/32 byte after an hour, want 0", q.average)
	}
}

// Twice as much as the link sends: the average grows beyond Max.
func TestREDMarksCapablePacketsInstead(t *testing.T) {
	run := func(c RED, ecn ECN) (marked int64, dropped int) {
		c.Min, c.Max = 10_000, 30_000
		b := newBench(t, 1, millisecondLink(c))
		for at := time.Duration(0); at < time.Second; at += 500 * time.Microsecond {
			b.clock.At(at, func() { b.sendFrom(1, millisecondSize, ecn) })
		}
		b.run()
		return b.path.Counters()[0].Marked.Packets, len(b.drops())
	}
	if marked, dropped := run(RED{ECN: true}, ECT0); marked < 800 || dropped > 700 {
		t.Errorf("ECN: %d packets marked, %d dropped", marked, dropped)
	}
	if marked, dropped := run(RED{ECN: true, HardDrop: true}, ECT0); marked == 0 || dropped < 900 {
		t.Errorf("hard drop: %d packets marked, %d dropped", marked, dropped)
	}
	for _, c := range []RED{{}, {ECN: true}} {
		if marked, dropped := run(c, NotECT); marked > 0 || dropped < 900 {
			t.Errorf("not capable: %d packets marked, %d dropped", marked, dropped)
		}
	}
}

func TestREDDropsArrivalsBeyondItsLimit(t *testing.T) {
	b := newBench(t, 1, millisecondLink(RED{Limit: 3 * millisecondSize, Min: 10_000, Max: 30_000}))
	b.overload(6, 0, NotECT)
	b.run()
	if got, want := b.fates(), "DDDDxx"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestREDDependsOnTheSeedAlone(t *testing.T) {
	run := func(seed uint64) []time.Duration {
		b := newBench(t, seed, millisecondLink(RED{Min: 20_000, Max: 200_000, P: 0.5}))
		b.overload(50, time.Second, NotECT)
		b.run()
		return b.drops()
	}
	if !slices.Equal(run(1), run(1)) || slices.Equal(run(1), run(2)) {
		t.Error("drops do not depend on the seed, or not on it alone")
	}
}

func TestREDRefuses(t *testing.T) {
	for want, queue := range map[string]RED{
		"the limit is not between 0 and 1 GiB":                  {Limit: -1},
		"the thresholds are not 0 ≤ min < max ≤ 1 GiB":          {Min: 20_000, Max: 20_000},
		"the probability is not between 0 and 1":                {P: math.NaN()},
		"the average packet is not between 1 and 1048576 bytes": {AvPkt: -1},
		"the burst is not between 0 and 100000 packets":         {Burst: -1},
		"no weight of the average fits a burst of 5 packets of 1000 bytes and a minimum of 9000 bytes: the minimum must be more than a packet and no more than the burst": {Burst: 5, Min: 9000},
		"no weight of the average fits a burst of 1 packets of 1000 bytes and a minimum of 900 bytes: the minimum must be more than a packet and no more than the burst":  {Min: 900},
	} {
		_, err := NewPath(&testClock{}, "p", 1, []Element{Rate{Queue: queue}}, nil, nil)
		if want := "netem: path p: queue: " + want; err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", queue, err, want)
		}
	}
	b := newBench(t, 1, Rate{Queue: RED{}})
	if err := b.path.Configure(Rate{}); err == nil {
		t.Error("a running RED became a FIFO")
	}
}

// A packet that is dropped while the link is idle leaves it idle, so that the
// average goes on falling with time.
func TestADropOnAnIdleLinkLetsTheAverageFall(t *testing.T) {
	b := newBench(t, 1, Rate{Rate: 8 * MbitPerSecond, Queue: RED{Min: 10_000, Max: 30_000}})
	q := b.path.stages[0].runner.(*shaper).queue.(*red)
	q.average, q.idle = 100_000<<q.weight, 0
	b.send(1000)
	b.sendAt(time.Second, 1000)
	b.run()
	if got, want := b.fates(), "xD"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

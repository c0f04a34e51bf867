package traffic

import (
	"math"
	"testing"
	"time"

	"github.com/wtsim/wtsim/internal/lawtest"
	"github.com/wtsim/wtsim/netem"
)

// The laws of a queue, from a source through a link to a sink: packets of 1500
// bytes on average at 10 Mbit/s, a service time of 1.2 ms.
const (
	lawRate    = 10 * mbit
	lawService = 1.2 // ms
)

// poisson sends so many packets at a load of the link.
func poisson(t *testing.T, load float64, packets int, sizes Mix, limit netem.Limit) *bench {
	t.Helper()
	config := Config{
		Rate: netem.BitRate(load * float64(lawRate)), Poisson: true, Sizes: sizes, Overhead: netem.HeaderIPv4,
		Stop: time.Duration(float64(packets) * lawService / load * float64(ms)),
	}
	b := newBench(t, testSeed, config, netem.Rate{Rate: lawRate, Overhead: netem.HeaderIPv4, Queue: netem.FIFO{Limit: limit}})
	b.clock.runUntil(config.Stop + time.Minute)
	if err := b.network.Check(); err != nil {
		t.Errorf("seed %d: load %v: %v", testSeed, load, err)
	}
	return b
}

// meanWait compares what packets wait for their transmission with the law of
// Pollaczek and Khinchine, λ·E[s²]/2(1−ρ), and that with what it should be.
func meanWait(t *testing.T, load float64, sizes Mix, law, tolerance float64) {
	t.Helper()
	n, mean, squares := 0.0, 0.0, 0.0
	for _, s := range sizes.sizes() {
		service := float64(s.Size) * 8 / float64(lawRate) * 1e3 // ms
		n += float64(s.Weight)
		mean += float64(s.Weight) * service
		squares += float64(s.Weight) * service * service
	}
	want := load / mean * squares / 2 / (1 - load)
	if math.Abs(want/law-1) > tolerance {
		t.Errorf("load %v: the law says %.3f ms for these sizes, want %.1f within %v", load, want, law, tolerance)
	}
	var waits []float64
	for _, a := range poisson(t, load, int(20_000/(1-load)), sizes, netem.Limit{}).arrived {
		service := float64(a.Size+netem.HeaderIPv4) * 8 / float64(lawRate)
		waits = append(waits, 1e3*(a.Delay.Seconds()-service))
	}
	got, half := lawtest.BatchMeans(waits)
	if math.Abs(got-want) > half || half > 0.2*want {
		t.Errorf("seed %d: load %v: mean wait %.3f ms ± %.3f (99.9 %%), want %.3f", testSeed, load, got, half, want)
	}
}

func TestMeanWaitOfMD1(t *testing.T) {
	for load, want := range map[float64]float64{0.5: 0.6, 0.8: 2.4, 0.9: 5.4} {
		meanWait(t, load, nil, want, 1e-9)
	}
}

// Sizes cannot be exponential: a packet has at least 40 bytes, and whole ones.
// The mix has the sizes 50, 150, 250 … in the shares of an exponential
// distribution of the mean 1500, cut off at 20 means, which makes the second
// moment, and with it the wait, larger by less than a thousandth.
func TestMeanWaitOfMM1(t *testing.T) {
	for load, want := range map[float64]float64{0.5: 1.2, 0.8: 4.8, 0.9: 10.8} {
		meanWait(t, load, exponentialMix(), want, 1e-3)
	}
}

func exponentialMix() Mix {
	var m Mix
	for size := 0.0; size < 30_000; size += 100 {
		share := math.Exp(-size/1500) - math.Exp(-(size+100)/1500)
		if weight := int(math.Round(1e7 * share)); weight > 0 {
			m = append(m, Share{netem.Bytes(size) + 50, weight})
		}
	}
	return m
}

// Simple IMIX waits longer than packets of the same mean: 1.9 ms at a load of
// 0.8, and not 0.5.
func TestMeanWaitOfAMix(t *testing.T) {
	const service = imixMean * 8 / 10e3
	for _, load := range []float64{0.5, 0.8} {
		second := (7*40*40 + 4*576*576 + 1500*1500) / 12.0 / imixMean / imixMean
		meanWait(t, load, IMIX(), load/(1-load)*service*second/2, 1e-9)
	}
}

// A system with room for K packets, the one in transmission included, refuses
// (1−ρ)ρ^K / (1−ρ^(K+1)) of them.
func TestBlockingOfMM1K(t *testing.T) {
	for _, c := range []struct {
		load float64
		k    int
	}{{0.5, 2}, {0.8, 5}, {1.5, 5}} {
		want := (1 - c.load) * math.Pow(c.load, float64(c.k)) / (1 - math.Pow(c.load, float64(c.k+1)))
		b := poisson(t, c.load, 100_000, exponentialMix(), netem.Limit{Packets: c.k - 1})
		sent, _ := b.source.Totals()
		lost := make([]float64, sent.Packets)
		for i := range lost {
			lost[i] = 1
		}
		for _, a := range b.arrived {
			lost[a.Seq] = 0
		}
		got, half := lawtest.BatchMeans(lost)
		if math.Abs(got-want) > half || half > 0.1*want {
			t.Errorf("seed %d: load %v, K = %d: blocking %.4f ± %.4f (99.9 %%), want %.4f", testSeed, c.load, c.k, got, half, want)
		}
	}
}

// Sources that are together as fast as one Poisson source are one.
func TestPoissonSourcesAddUp(t *testing.T) {
	const sources, seconds = 10, 20
	b := newBench(t, testSeed, Config{})
	var times []time.Duration
	for i := range sources {
		sink, err := NewSink(b.clock, b.to, 0, func(a Arrival) { times = append(times, a.Sent) })
		if err == nil {
			_, err = NewSource(b.clock, b.from, sink.Addr(), Config{Rate: 1200_000, Poisson: true}, testSeed, string(rune('a'+i)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.clock.runUntil(seconds * time.Second)
	const mean = 1e-3
	g := gaps(times)
	lawtest.Mean(t, testSeed, "gaps", g, mean, mean)
	lawtest.Distribution(t, testSeed, "gaps", g, func(x float64) float64 { return 1 - math.Exp(-x/mean) })
}

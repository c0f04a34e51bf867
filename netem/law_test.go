package netem

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wtsim/wtsim/internal/lawtest"
)

// The laws of single queues, from Poisson arrivals at a link of 10 Mbit/s with
// packets of 1500 bytes on average: a service time of 1.2 ms.
const (
	lawRate    = 10 * MbitPerSecond
	lawSize    = 1500
	lawService = 1.2 // ms
	lawSeed    = 1
)

// poisson sends packets of the sizes that size returns, at a load of the link.
// The closer the load is to 1, the longer waits depend on those before.
func poisson(tb testing.TB, load float64, limit Limit, overhead Bytes, size func(*rand.Rand) int) []sighting {
	b := newBench(tb, lawSeed, Rate{Rate: lawRate, Overhead: overhead, Queue: FIFO{Limit: limit}})
	random := rand.New(rand.NewPCG(lawSeed, 0))
	packets := uint64(20_000 / math.Abs(1-load))
	next := func(mean float64) time.Duration {
		return time.Duration(random.ExpFloat64() * mean * float64(time.Millisecond))
	}
	var arrive func()
	arrive = func() {
		b.send(size(random))
		if b.sent < packets {
			b.clock.At(b.clock.now+next(lawService/load), arrive)
		}
	}
	arrive()
	return b.run()
}

func fixedSize(*rand.Rand) int { return lawSize - int(HeaderIPv4) }

func exponentialSize(r *rand.Rand) int {
	return int(math.Round(r.ExpFloat64() * lawSize)) // beyond maxPayload once in 10^19
}

func meanWait(t *testing.T, load float64, overhead Bytes, size func(*rand.Rand) int, want float64) {
	t.Helper()
	var waits []float64
	for _, s := range poisson(t, load, Limit{}, overhead, size) {
		waits = append(waits, s.wait.Seconds()*1000)
	}
	mean, half := lawtest.BatchMeans(waits)
	if math.Abs(mean-want) > half || half > 0.2*want {
		t.Errorf("seed %d: load %v: mean wait %.3f ms ± %.3f (99.9 %%), want %.1f", lawSeed, load, mean, half, want)
	}
}

// Pollaczek and Khinchine: the mean wait is ρ/(1−ρ) · s/2 for a service time s
// that does not vary.
func TestMeanWaitOfMD1(t *testing.T) {
	for load, want := range map[float64]float64{0.5: 0.6, 0.8: 2.4, 0.9: 5.4} {
		meanWait(t, load, HeaderIPv4, fixedSize, want)
	}
}

// And twice that for one that is exponential.
func TestMeanWaitOfMM1(t *testing.T) {
	for load, want := range map[float64]float64{0.5: 1.2, 0.8: 4.8, 0.9: 10.8} {
		meanWait(t, load, 0, exponentialSize, want)
	}
}

// A system with room for K packets, the one in transmission included, refuses
// (1−ρ)ρ^K / (1−ρ^(K+1)) of them.
func TestBlockingOfMM1K(t *testing.T) {
	for _, c := range []struct {
		load float64
		k    int
	}{{0.5, 2}, {0.8, 5}, {0.9, 10}, {1.5, 5}} {
		want := (1 - c.load) * math.Pow(c.load, float64(c.k)) / (1 - math.Pow(c.load, float64(c.k+1)))
		var lost []float64
		for _, s := range poisson(t, c.load, Limit{Packets: c.k - 1}, 0, exponentialSize) {
			lost = append(lost, float64(s.fate)) // Delivered is 0 and Dropped 1
		}
		mean, half := lawtest.BatchMeans(lost)
		if math.Abs(mean-want) > half || half > 0.1*want {
			t.Errorf("seed %d: load %v, K = %d: blocking %.4f ± %.4f (99.9 %%), want %.4f", lawSeed, c.load, c.k, mean, half, want)
		}
	}
}

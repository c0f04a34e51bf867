package law

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within {
		t.Errorf("%s is %v, want %v ± %v", what, got, want, within)
	}
}

func TestRandomLossHasTheConstantOfOttKempermanAndMathis(t *testing.T) {
	near(t, "C of Reno", Reno.randomLossConstant(), 1.3098, 1e-4)
}

func TestRandomLossIsWhatTheModelItselfGives(t *testing.T) {
	const losses = 1_000_000
	for _, c := range []AIMD{Reno, QUICGo, {Increase: 0.5, Decrease: 0.8}} {
		random := rand.New(rand.NewPCG(1, 2))
		var packets, roundTrips, window float64
		for range losses {
			sent := random.ExpFloat64()
			top := math.Sqrt(window*window + 2*c.Increase*sent)
			packets += sent
			roundTrips += (top - window) / c.Increase
			window = c.Decrease * top
		}
		near(t, fmt.Sprintf("C of %+v", c), c.randomLossConstant(), packets/roundTrips, 0.003)
	}
}

func TestRandomLossFallsWithTheRootOfTheLossRateAndTheRoundTrip(t *testing.T) {
	const mss = 1252
	// 1.7508 · 1252 · 8 bit / (0.1 s · √0.001)
	near(t, "goodput", float64(QUICGo.RandomLoss(1e-3, 100*time.Millisecond, mss)), 5.5452e6, 0.001e6)
	near(t, "ratio of loss", float64(QUICGo.RandomLoss(1e-4, 100*time.Millisecond, mss))/float64(QUICGo.RandomLoss(1e-2, 100*time.Millisecond, mss)), 10, 1e-4)
	near(t, "ratio of RTT", float64(QUICGo.RandomLoss(1e-3, 50*time.Millisecond, mss))/float64(QUICGo.RandomLoss(1e-3, 200*time.Millisecond, mss)), 4, 1e-4)
}

func TestPeriodicLossSendsItsPacketsInOneRiseOfTheWindow(t *testing.T) {
	near(t, "every 100th", float64(QUICGo.PeriodicLoss(100, 100*time.Millisecond, 1252)), 1.446e6, 0.001e6)
	near(t, "every 1000th", float64(QUICGo.PeriodicLoss(1000, 100*time.Millisecond, 1252)), 5.084e6, 0.001e6)
}

// sawtooth returns how many packets arrive in a round trip of a flow whose
// window grows in steps, round trip after round trip, with every k-th packet lost.
func sawtooth(c AIMD, k int) float64 {
	const cycles, warmUp = 2000, 100
	window, roundTrips := 30.0, 0.0
	for i := range cycles {
		window *= c.Decrease
		took, sent := 1.0, window // the recovery
		for sent+window < float64(k) {
			took, sent = took+1, sent+window
			window += c.Increase
		}
		if i >= warmUp {
			roundTrips += took + (float64(k)-sent)/window
		}
	}
	return (cycles - warmUp) * float64(k-1) / roundTrips
}

func TestPeriodicLossIsWhatTheModelItselfGivesOnAverage(t *testing.T) {
	for _, c := range []AIMD{Reno, QUICGo} {
		for _, k := range []int{100, 300, 1000} {
			// Of a single k the loss can come at the same part of a round trip each time.
			sum, n := 0.0, 0
			for every := k - k/10; every <= k+k/10; every++ {
				sum, n = sum+sawtooth(c, every)/float64(c.PeriodicLoss(every, time.Second, 1))*8, n+1
			}
			near(t, fmt.Sprintf("packets a round trip of %+v, of %d, by those predicted", c, k), sum/float64(n), 1, 0.012)
		}
	}
}

func TestUtilisationIsFullOnceTheWindowNeverFallsBelowTheLink(t *testing.T) {
	for buffer, want := range map[float64]float64{0.05: 0.889, 0.1: 0.921, 0.2: 0.966, 0.3: 0.991, 1/0.7 - 1: 1, 2: 1} {
		near(t, "utilisation", QUICGo.Utilisation(buffer), want, 0.0005)
	}
	near(t, "utilisation of Reno without a buffer", Reno.Utilisation(0), 0.75, 1e-12)
	near(t, "utilisation of Reno with a full one", Reno.Utilisation(1), 1, 1e-12)
}

func TestQueues(t *testing.T) {
	const service = 1200 * time.Microsecond // 1500 B at 10 Mbit/s
	for load, want := range map[float64]time.Duration{0.5: 600 * time.Microsecond, 0.8: 2400 * time.Microsecond, 0.9: 5400 * time.Microsecond} {
		near(t, "M/D/1", float64(MD1(load, service)), float64(want), 1)
		near(t, "M/M/1", float64(MM1(load, service)), float64(2*want), 1)
	}
	near(t, "blocking with one place", Blocking(0.5, 1), 1.0/3, 1e-12)
	near(t, "blocking at load 1", Blocking(1, 9), 0.1, 1e-12)
	const ms = time.Millisecond
	// 0, 100, 100 + 50, 150 + 56.25, 206.25 + 48.78 ms
	for within, want := range map[time.Duration]float64{-ms: 0, 0: 1, 99 * ms: 1, 101 * ms: 2, 149 * ms: 2, 151 * ms: 3, 206 * ms: 3, 207 * ms: 4, 255 * ms: 4, 256 * ms: 5} {
		near(t, fmt.Sprintf("drops within %s", within), float64(CoDelDrops(100*ms, within)), want, 0)
	}
	// With exact roots Σ interval/√count is about 2·interval·√drops.
	near(t, "drops within 10 s", float64(CoDelDrops(100*ms, 10*time.Second)), 50*50, 0.06*50*50)
	near(t, "blocking near load 1", Blocking(1+1e-7, 9), 0.1, 1e-6)
}

func TestLinks(t *testing.T) {
	near(t, "Gilbert", GilbertElliott(0.01, 0.19, 0, 1), 0.05, 1e-12)
	near(t, "Elliott", GilbertElliott(0.01, 0.19, 0.2, 0.98), 0.8*0.05+0.02*0.95, 1e-12)
	near(t, "burst", GilbertElliottBurst(0.25), 4, 0)
	near(t, "token bucket", float64(TokenBucket(30*netem.KB, 8*netem.MbitPerSecond, 2*time.Second)), 30e3+2e6, 0)
	near(t, "serialisation", float64(Serialisation(1308, 10*netem.MbitPerSecond)), float64(1046400), 0)
}

func TestTimers(t *testing.T) {
	const ms = time.Millisecond
	near(t, "first PTO", float64(PTO(100*ms, 12*ms, 25*ms, 0)), float64(173*ms), 0)
	near(t, "PTO at the granularity", float64(PTO(100*ms, 0, 25*ms, 0)), float64(126*ms), 0)
	near(t, "fourth PTO", float64(PTO(100*ms, 12*ms, 25*ms, 3)), float64(8*173*ms), 0)
	near(t, "idle timeout", float64(IdleTimeout(30*ms, 20*ms)), float64(20*ms), 0)
	near(t, "idle timeout of one end", float64(IdleTimeout(0, 20*ms)), float64(20*ms), 0)
}

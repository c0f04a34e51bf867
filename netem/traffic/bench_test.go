package traffic

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

var benchSources = []struct {
	name   string
	config Config
}{
	{"cbr", Config{}},
	{"poisson", Config{Poisson: true}},
	{"imix", Config{Sizes: IMIX()}},
	{"onoff", Config{On: Times{Mean: ms}, Off: Times{ms, 1.5}}},
}

// steadyState is a source of 100 Mbit/s through a link with a queue and a delay, after a second.
func steadyState(tb testing.TB, config Config) *bench {
	config.Rate, config.Overhead = 100*mbit, netem.HeaderIPv4
	b := newBench(tb, testSeed, config, netem.Rate{Rate: 120 * mbit, Overhead: netem.HeaderIPv4}, netem.Delay{Delay: ms})
	b.sink.arrived = nil
	b.clock.runUntil(time.Second)
	return b
}

func TestAPacketAllocatesNothing(t *testing.T) {
	for _, c := range benchSources {
		b := steadyState(t, c.config)
		before := b.sink.Totals().Delivered.Packets
		allocs := testing.AllocsPerRun(1, func() { b.clock.runUntil(b.clock.now + 100*ms) })
		packets := float64(b.sink.Totals().Delivered.Packets - before)
		// The garbage collector takes packets out of their pool, and the race detector a quarter of them.
		if packets < 500 || allocs > 0.6*packets {
			t.Errorf("seed %d: %s: %.0f allocations for %.0f packets", testSeed, c.name, allocs, packets)
		}
	}
}

// The cost of a packet from source to sink, its share of the clock included.
func BenchmarkPacket(b *testing.B) {
	for _, c := range benchSources {
		b.Run(c.name, func(b *testing.B) {
			bench := steadyState(b, c.config)
			before := bench.sink.Totals().Delivered.Packets
			b.ReportAllocs()
			for bench.sink.Totals().Delivered.Packets < before+int64(b.N) {
				bench.clock.runUntil(bench.clock.now + 100*time.Microsecond)
			}
		})
	}
}

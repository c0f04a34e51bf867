package traffic

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/netem"
)

func drawConfig(t *rapid.T) Config {
	times := func(label string) Times {
		x := Times{Mean: time.Duration(rapid.Int64Range(1e5, 1e8).Draw(t, label))}
		if rapid.Bool().Draw(t, "pareto") {
			x.Shape = rapid.Float64Range(1.01, 10).Draw(t, "shape")
		}
		return x
	}
	c := Config{
		Rate:     netem.BitRate(rapid.Int64Range(0, 2e7).Draw(t, "rate")),
		Poisson:  rapid.Bool().Draw(t, "poisson"),
		Overhead: netem.Bytes(rapid.IntRange(0, 28).Draw(t, "overhead")),
		Start:    time.Duration(rapid.Int64Range(0, 1e8).Draw(t, "start")),
		Stop:     time.Second,
	}
	if rapid.Bool().Draw(t, "bursts") {
		c.On, c.Off = times("on"), times("off")
	}
	for range rapid.IntRange(0, 3).Draw(t, "sizes") {
		c.Sizes = append(c.Sizes, Share{netem.Bytes(rapid.IntRange(40, 1500).Draw(t, "size")), rapid.IntRange(1, 9).Draw(t, "weight")})
	}
	return c
}

func drawElements(t *rapid.T) []netem.Element {
	p := func(label string) float64 { return rapid.SampledFrom([]float64{0, 0.1, 0.5, 1}).Draw(t, label) }
	return []netem.Element{
		netem.Bernoulli{P: p("loss") / 2},
		netem.Duplicate{P: p("duplicate")},
		netem.Corrupt{P: p("corrupt") / 2},
		netem.Rate{Rate: netem.BitRate(rapid.Int64Range(1e6, 2e7).Draw(t, "link")), Overhead: 28, Queue: netem.FIFO{Limit: netem.Limit{Packets: rapid.IntRange(1, 50).Draw(t, "limit")}}},
		netem.Jitter{Delay: 10 * ms, Deviation: time.Duration(rapid.Int64Range(0, 1e7).Draw(t, "deviation"))},
	}
}

// Whatever a source is told and a link does, each packet that leaves the link is
// counted once, as what it is, and no packet arrives that was not sent.
func TestASinkCountsWhatLeavesTheLink(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		config, elements := drawConfig(r), drawElements(r)
		type change struct {
			at   time.Duration
			rate netem.BitRate
		}
		var changes []change
		for range rapid.IntRange(0, 5).Draw(r, "changes") {
			changes = append(changes, change{
				time.Duration(rapid.Int64Range(0, 1.2e9).Draw(r, "at")), netem.BitRate(rapid.Int64Range(0, 2e7).Draw(r, "rate")),
			})
		}
		simulate := func() *bench {
			b := newBench(t, testSeed, config, elements...)
			for _, c := range changes {
				b.setRateAt(c.at, c.rate)
			}
			b.clock.runUntil(time.Minute)
			return b
		}
		b := simulate()
		if err := b.network.Check(); err != nil {
			r.Fatal(err)
		}
		sent, _ := b.source.Totals()
		in, out, _ := b.link.Forward.Totals()
		got := b.sink.Totals()
		if in != sent {
			r.Errorf("seed %d: the source sent %v, the link got %v", testSeed, sent, in)
		}
		sum := netem.Count{
			Packets: got.Delivered.Packets + got.Duplicated.Packets + got.Corrupted.Packets,
			Bytes:   got.Delivered.Bytes + got.Duplicated.Bytes + got.Corrupted.Bytes,
		}
		if sum != out {
			r.Errorf("seed %d: %v left the link, and %+v arrived", testSeed, out, got)
		}
		if got.Delivered.Packets+got.Missing > sent.Packets || got.Missing < 0 || got.Reordered > got.Delivered.Packets {
			r.Errorf("seed %d: %+v of %v", testSeed, got, sent)
		}
		seen := map[uint64]bool{}
		for _, a := range b.arrived {
			if seen[a.Seq] || a.Seq >= uint64(sent.Packets) || a.Sent < config.Start || a.Sent >= config.Stop || a.Delay < 0 {
				r.Errorf("seed %d: %+v arrived of %v", testSeed, a, sent)
			}
			seen[a.Seq] = true
		}
		if again := simulate(); !slices.Equal(again.arrived, b.arrived) {
			r.Errorf("seed %d: two runs differ", testSeed)
		}
	})
}

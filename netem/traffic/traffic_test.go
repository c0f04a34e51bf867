package traffic

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// testClock is virtual time on one goroutine, for few calls at a time.
type testClock struct {
	now   time.Duration
	calls []call // in the order in which they run
}

type call struct {
	at  time.Duration
	run func()
}

func (c *testClock) Now() time.Duration { return c.now }
func (c *testClock) Sent()              {}
func (c *testClock) Delivered()         {}
func (c *testClock) At(t time.Duration, f func()) {
	i := len(c.calls)
	for i > 0 && c.calls[i-1].at > t {
		i--
	}
	c.calls = slices.Insert(c.calls, i, call{max(t, c.now), f})
}
func (c *testClock) AtQuiet(t time.Duration, f func()) { c.At(t, f) }

// runUntil runs every call before the time t.
func (c *testClock) runUntil(t time.Duration) {
	for len(c.calls) > 0 && c.calls[0].at < t {
		next := c.calls[0]
		c.calls = slices.Delete(c.calls, 0, 1)
		c.now = next.at
		next.run()
	}
	c.now = t
}

const testSeed = 1

// bench is two hosts with a link, and what arrives from one at the other.
type bench struct {
	testing.TB
	clock    *testClock
	network  *netem.Network
	link     *netem.Link
	from, to *netem.Host
	source   *Source
	sink     *Sink
	arrived  []Arrival
}

func newBench(tb testing.TB, seed uint64, config Config, elements ...netem.Element) *bench {
	tb.Helper()
	b := &bench{TB: tb, clock: &testClock{}}
	b.network = netem.NewNetwork(b.clock, seed, nil)
	b.from, b.to = b.host("from"), b.host("to")
	var err error
	if b.link, err = b.network.Connect("link", b.from, b.to, elements, nil); err != nil {
		tb.Fatal(err)
	}
	if b.sink, err = NewSink(b.clock, b.to, 0, func(a Arrival) { b.arrived = append(b.arrived, a) }); err != nil {
		tb.Fatal(err)
	}
	if b.source, err = NewSource(b.clock, b.from, b.sink.Addr(), config, seed, "source"); err != nil {
		tb.Fatal(err)
	}
	return b
}

func (b *bench) host(name string) *netem.Host {
	b.Helper()
	h, err := b.network.AddHost(name)
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// setRateAt changes the rate at a time, before what else happens then.
func (b *bench) setRateAt(t time.Duration, r netem.BitRate) {
	b.clock.At(t, func() {
		if err := b.source.SetRate(r); err != nil {
			b.Fatal(err)
		}
	})
}

// times returns when the packets were sent.
func (b *bench) times() []time.Duration {
	times := make([]time.Duration, len(b.arrived))
	for i, a := range b.arrived {
		times[i] = a.Sent
	}
	return times
}

func sent(tb testing.TB, seed uint64, config Config, until time.Duration) []time.Duration {
	tb.Helper()
	b := newBench(tb, seed, config)
	b.clock.runUntil(until)
	return b.times()
}

// gaps returns the times between the values.
func gaps(times []time.Duration) []float64 {
	g := make([]float64, len(times)-1)
	for i := range g {
		g[i] = (times[i+1] - times[i]).Seconds()
	}
	return g
}

// due returns when n packets of a size have been sent at a rate: the first
// whole nanosecond.
func due(n int, size netem.Bytes, rate netem.BitRate) time.Duration {
	work := new(big.Int).Mul(big.NewInt(int64(n)*int64(size)*8), big.NewInt(int64(time.Second)))
	work.Add(work, big.NewInt(int64(rate)-1))
	return time.Duration(work.Div(work, big.NewInt(int64(rate))).Int64())
}

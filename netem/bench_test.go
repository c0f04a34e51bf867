package netem

import (
	"fmt"
	"net"
	"testing"
	"time"
)

// fewCalls is a clock for few calls at a time, which allocates nothing.
type fewCalls struct {
	now   time.Duration
	calls []call
}

func (c *fewCalls) Now() time.Duration                { return c.now }
func (c *fewCalls) At(t time.Duration, f func())      { c.calls = append(c.calls, call{at: t, run: f}) }
func (c *fewCalls) AtQuiet(t time.Duration, f func()) { c.At(t, f) }
func (c *fewCalls) Sent()                             {}
func (c *fewCalls) Delivered()                        {}

func (c *fewCalls) runUntil(t time.Duration) {
	for {
		first := -1
		for i := range c.calls {
			if c.calls[i].at <= t && (first < 0 || c.calls[i].at < c.calls[first].at) {
				first = i
			}
		}
		if first < 0 {
			c.now = t
			return
		}
		next := c.calls[first]
		c.calls = append(c.calls[:first], c.calls[first+1:]...)
		c.now = max(c.now, next.at)
		next.run()
	}
}

var benchPaths = []struct {
	name     string
	elements []Element
}{
	{"none", nil},
	{"mtu", []Element{MTU{Size: 1500}}},
	{"loss", []Element{Bernoulli{P: 0.01}}},
	{"correlated loss", []Element{Bernoulli{0.01, 0.25}}},
	{"gilbert-elliott", []Element{GilbertElliott{P: 0.01, R: 0.17, Bad: 1}}},
	{"markov", []Element{Markov{P13: 0.01, P31: 0.17, P32: 0.1, P23: 0.5}}},
	{"periodic", []Element{Periodic{100}}},
	{"list", []Element{ListedLoss{[]uint64{1, 10, 100, 1000}}}},
	{"mask", []Element{LossMask{1 << 40}}},
	{"filter", []Element{Filter{Loss: Bernoulli{P: 0.01}, Above: 1000, Until: time.Hour}}},
	{"duplicate", []Element{Duplicate{P: 0.01}}},
	{"reorder", []Element{Reorder{Delay: 20 * time.Millisecond, P: 0.1, Gap: 5}}},
	{"corrupt", []Element{Corrupt{P: 0.01}}},
	{"queue", []Element{benchRate}},
	{"token bucket", []Element{Rate{Rate: 100 * MbitPerSecond, Burst: 10_000, Overhead: HeaderIPv4}}},
	{"delay", []Element{Delay{20 * time.Millisecond}}},
	{"jitter", []Element{Jitter{Delay: 2 * time.Millisecond, Deviation: time.Millisecond, Distribution: Normal(), Correlation: 0.25}}},
	{"policer", []Element{Policer{Rate: 90 * MbitPerSecond, Burst: 10_000}}},
	{"ecn", []Element{ECNFault{Drop: 0.01, Bleach: 0.1, Mangle: 0.1, From: ECT0, To: CE}}},
	{"slot", []Element{Slot{Min: time.Millisecond, Max: 2 * time.Millisecond, Packets: 32}}},
	{"path", []Element{MTU{Size: 1500}, Bernoulli{P: 0.01}, benchRate, Delay{20 * time.Millisecond}}},
}

var benchRate = Rate{Rate: 100 * MbitPerSecond, Overhead: HeaderIPv4, Queue: FIFO{Limit: Limit{Bytes: 100_000}}}

// The cost of a packet of 1200 bytes on a path of one element, or of all of
// them, at a load of 0.98.
func BenchmarkPath(b *testing.B) {
	for _, c := range benchPaths {
		b.Run(c.name, func(b *testing.B) {
			clock := &fewCalls{}
			path, err := NewPath(clock, "path", 1, c.elements, (*Packet).release, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				path.Send(newPacket(addrOf(1, 1), addrOf(2, 2), someBytes[:1200], NotECT))
				clock.runUntil(clock.now + 100*time.Microsecond)
			}
		})
	}
}

// The same from socket to socket, with few and many other hosts and links.
func BenchmarkNetwork(b *testing.B) {
	for _, links := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("links=%d", links), func(b *testing.B) {
			clock := &fewCalls{}
			n := NewNetwork(clock, 1, nil)
			hub, err := n.AddHost("hub")
			if err != nil {
				b.Fatal(err)
			}
			for i := range links {
				h, err := n.AddHost(fmt.Sprint(i))
				if err == nil {
					_, err = n.Connect(h.name, hub, h, benchPaths[len(benchPaths)-1].elements, benchPaths[len(benchPaths)-1].elements)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			from, err := hub.Listen(0, SocketOptions{})
			if err != nil {
				b.Fatal(err)
			}
			to, err := n.hosts[1].Listen(9, SocketOptions{})
			if err != nil {
				b.Fatal(err)
			}
			addr, buf, sent := net.Addr(udp(addrOf(2, 9))), make([]byte, 1500), Count{}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := from.WriteTo(someBytes[:1200], addr); err != nil {
					b.Fatal(err)
				}
				n.Flush()
				n.Lookahead()
				clock.runUntil(clock.now + 100*time.Microsecond)
				for _, out, _ := n.links[0].Forward.Totals(); sent.Packets < out.Packets; sent.Packets++ {
					if _, _, err := to.ReadFrom(buf); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

package netem

import (
	"container/heap"
	"fmt"
	"net"
	"testing"
	"time"
)

// benchClock is a clock that allocates nothing in the long run, as that of a
// simulation.
type benchClock struct {
	now   time.Duration
	seq   int
	calls callHeap
}

func (c *benchClock) Now() time.Duration                { return c.now }
func (c *benchClock) AtQuiet(t time.Duration, f func()) { c.At(t, f) }
func (c *benchClock) Sent()                             {}
func (c *benchClock) Delivered()                        {}

// At is heap.Push, which would allocate.
func (c *benchClock) At(t time.Duration, f func()) {
	c.seq++
	c.calls = append(c.calls, call{max(t, c.now), c.seq, f})
	for i := len(c.calls) - 1; i > 0 && c.calls.Less(i, (i-1)/2); i = (i - 1) / 2 {
		c.calls.Swap(i, (i-1)/2)
	}
}

func (c *benchClock) runUntil(t time.Duration) {
	for len(c.calls) > 0 && c.calls[0].at <= t {
		next := c.calls[0]
		last := len(c.calls) - 1
		c.calls[0], c.calls[last] = c.calls[last], call{}
		if c.calls = c.calls[:last]; last > 0 {
			heap.Fix(&c.calls, 0)
		}
		c.now = next.at
		next.run()
	}
	c.now = t
}

// The cost of a packet of 1200 bytes on a path of one element, of those
// that most links have, and of ten, at a load of 0.98 of 100 Mbit/s.
func BenchmarkPath(b *testing.B) {
	run := func(name string, elements ...Element) {
		b.Run(name, func(b *testing.B) {
			send := steady(b, elements...)
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
	run("none")
	for _, c := range everyElement {
		run(c.name, c.element)
	}
	run("usual", usualPath...)
	run("ten",
		Outage{}, MTU{Size: 1500}, Policer{Rate: 200 * MbitPerSecond, Burst: MB}, ECNFault{Bleach: 0.0001},
		Filter{Loss: GilbertElliott{P: 0.00001, R: 0.5, Bad: 1}, Above: 200}, Duplicate{P: 0.0001}, Corrupt{P: 0.00001},
		usualPath[2], Reorder{Delay: time.Millisecond, P: 0.00001, Gap: 5},
		Jitter{Delay: 20 * time.Millisecond, Deviation: 100 * time.Microsecond, InOrder: true})
}

var usualPath = []Element{
	MTU{Size: 1500},
	Bernoulli{P: 0.01},
	Rate{Rate: 100 * MbitPerSecond, Overhead: HeaderIPv4, Queue: FIFO{Limit: Limit{Bytes: 100_000}}},
	Delay{20 * time.Millisecond},
}

// The same from socket to socket, with few and many other hosts and links.
func BenchmarkNetwork(b *testing.B) {
	for _, links := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("links=%d", links), func(b *testing.B) {
			clock := &benchClock{}
			n := NewNetwork(clock, 1, nil)
			hub, err := n.AddHost("hub")
			if err != nil {
				b.Fatal(err)
			}
			for i := range links {
				h, err := n.AddHost(fmt.Sprint(i))
				if err == nil {
					_, err = n.Connect(h.name, hub, h, usualPath, usualPath)
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

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

// The cost of a packet of 1200 bytes on a path of one element, and of those
// that most links have, at a load of 0.98 of 100 Mbit/s.
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
	run("path", usualPath...)
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
			clock := &fewCalls{}
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

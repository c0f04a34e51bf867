package wt

import (
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// unrelated is how much the heap may grow, in bytes, by what is not held
// because of the flood: the buffers of QUIC, of both ends, and of the network.
const unrelated = 3 << 20

// idle is how much more the ends of a connection may hold, in bytes, when nothing is under way.
const idle = 2 << 20

// gauge measures the live heap.
type gauge struct {
	before, most uint64
}

func liveHeap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func newGauge() *gauge { return &gauge{before: liveHeap()} }

// sample notes how much is in use now.
func (g *gauge) sample() { g.most = max(g.most, liveHeap()) }

// check checks that no more was in use, beside what is unrelated, than bound, in
// bytes, and that little more than it is in use when all has come to rest.
func (g *gauge) check(t *testing.T, bound int) {
	t.Helper()
	if growth := int(max(g.before, g.most) - g.before); growth > unrelated+bound {
		t.Errorf("the heap grew by %d bytes, %d are allowed", growth, unrelated+bound)
	}
	time.Sleep(time.Second)
	synctest.Wait()
	runtime.GC() // what is pooled goes with the second collection
	left := int(liveHeap()) - int(g.before)
	if left > idle+bound {
		t.Errorf("the heap stays larger by %d bytes, %d are allowed", left, idle+bound)
	}
}

// each runs f n times, and meanwhile lets the other end catch up and samples the heap 10 times.
func (g *gauge) each(n int, f func(i int)) {
	for i := range n {
		f(i)
		if (i+1)%max(1, n/10) == 0 {
			time.Sleep(rtt)
			synctest.Wait()
			g.sample()
		}
	}
}

// What a client can make the server hold is bounded by Limits, whatever it
// sends. A connection that is closed for its offences would hide that, so they are not counted.
func TestFloodsOfAClientFillNoMemory(t *testing.T) {
	limits := Limits{Offences: -1}.withDefaults()
	const datagramSize = 1 << 10
	payload := strings.Repeat("x", datagramSize)
	withSession := func(do func(*rawClient, *gauge, io.Writer, uint64)) func(*rawClient, *gauge) {
		return func(c *rawClient, g *gauge) {
			connect := c.connect("/ignore")
			do(c, g, connect, uint64(connect.StreamID()))
		}
	}
	capsules := func(n int, next func(i int) []byte) func(*rawClient, *gauge) {
		return withSession(func(_ *rawClient, g *gauge, connect io.Writer, _ uint64) {
			var b []byte
			g.each(n, func(i int) {
				if b = append(b, next(i)...); len(b) > 1<<14 || i == n-1 {
					connect.Write(b)
					b = b[:0]
				}
			})
		})
	}
	// streams opens streams for a session, whose ID may depend on that of the CONNECT stream.
	streams := func(n int, id func(connect uint64) uint64) func(*rawClient, *gauge) {
		return withSession(func(c *rawClient, g *gauge, _ io.Writer, connect uint64) {
			g.each(n, func(i int) {
				if i%2 == 0 {
					str := c.sendStream(id(connect), payload)
					str.Close()
					str.CancelRead(0)
				} else {
					c.sendUniStream(id(connect), payload).Close()
				}
			})
		})
	}
	configure := func(w *world) {
		w.server.SessionRate = -1
		w.serveQUIC.MaxStreamReceiveWindow, w.serveQUIC.MaxConnectionReceiveWindow = 512<<10, 768<<10
		w.serveQUIC.MaxIncomingStreams, w.serveQUIC.MaxIncomingUniStreams = 100, 100
	}
	for name, test := range map[string]struct {
		flood func(*rawClient, *gauge)
		bound int // bytes that the documented limits allow to be held
	}{
		"capsules without a value": {capsules(100_000, func(int) []byte { return capsule(0x17, "") }), 0},
		"unknown capsules":         {capsules(100_000, func(int) []byte { return capsule(0x17, "0123456789abcdef") }), 0},
		"DRAIN_SESSION":            {capsules(100_000, func(int) []byte { return capsule(capsuleDrain, "") }), 0},
		"MAX_DATA": {capsules(100_000, func(i int) []byte {
			return capsule(capsuleMaxData, string(varints(1<<40+uint64(i))))
		}), 0},
		"DATA_BLOCKED": {capsules(100_000, func(i int) []byte {
			return capsule(capsuleDataBlocked, string(varints(uint64(i))))
		}), 0},
		"a capsule without end": {capsules(2_000, func(i int) []byte {
			if i == 0 {
				return varints(0x17, 1<<62-1)
			}
			return []byte(payload)
		}), 0},
		"datagrams in capsules": {capsules(100_000, func(int) []byte { return capsule(capsuleDatagram, "0123456789abcdef") }), limits.DatagramQueue * 64},
		"large datagrams in capsules": {capsules(500, func(int) []byte {
			return capsule(capsuleDatagram, strings.Repeat("x", maxDatagramCapsule))
		}), limits.DatagramQueue * (maxDatagramCapsule + 1)},
		"datagrams of a session": {withSession(func(c *rawClient, g *gauge, _ io.Writer, id uint64) {
			g.each(10_000, func(int) { c.quic.SendDatagram(append(varints(id/4), payload...)) })
		}), limits.DatagramQueue * 2 * datagramSize},
		"early datagrams": {withSession(func(c *rawClient, g *gauge, _ io.Writer, _ uint64) {
			g.each(6_000, func(i int) { c.quic.SendDatagram(append(varints(1<<20+uint64(i)), payload...)) })
		}), limits.EarlyDatagrams * 2 * datagramSize},
		"early streams":                 {streams(6_000, func(uint64) uint64 { return 1 << 30 }), limits.EarlyStreams * 4 * datagramSize},
		"streams of what is no session": {streams(6_000, func(connect uint64) uint64 { return connect + 4 }), 0},
		"streams and datagrams of ended sessions": {withSession(func(c *rawClient, g *gauge, connect io.Writer, id uint64) {
			connect.(io.Closer).Close()
			time.Sleep(time.Second)
			g.each(6_000, func(int) {
				c.sendUniStream(id, payload).Close()
				c.quic.SendDatagram(append(varints(id/4), payload...))
			})
		}), 0},
		"streams that are reset at once": {withSession(func(c *rawClient, g *gauge, _ io.Writer, _ uint64) {
			g.each(6_000, func(i int) {
				str, err := c.quic.OpenUniStreamSync(context.Background())
				if err == nil {
					str.CancelWrite(0)
				}
			})
		}), 0},
		"streams of an unknown type": {withSession(func(c *rawClient, g *gauge, _ io.Writer, _ uint64) {
			g.each(6_000, func(i int) {
				if str, err := c.quic.OpenUniStreamSync(context.Background()); err == nil {
					str.Write(append(varints(0x21), payload...))
					str.Close()
				}
			})
		}), 0},
		"refused sessions": {func(c *rawClient, g *gauge) {
			g.each(800, func(i int) {
				str := c.begin()
				c.send(str, c.request("/nowhere"))
				str.Close()
				io.Copy(io.Discard, str)
			})
		}, 0},
		"sessions that end at once": {func(c *rawClient, g *gauge) {
			g.each(800, func(i int) {
				str := c.connect("/ignore")
				str.Close()
				io.Copy(io.Discard, str)
			})
		}, 0},
		"sessions that are given up": {func(c *rawClient, g *gauge) {
			g.each(800, func(i int) {
				str := c.begin()
				str.SendRequestHeader(c.request("/ignore"))
				str.CancelWrite(h3RequestCancelled)
				str.CancelRead(h3RequestCancelled)
			})
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			underAttack(t, limits, configure, func(w *world, c *rawClient, _ ends) {
				g := newGauge()
				test.flood(c, g)
				g.sample()
				g.check(t, test.bound)
			})
		})
	}
}

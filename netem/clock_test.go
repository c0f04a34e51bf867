package netem

import (
	"container/heap"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testClock is virtual time on one goroutine. With a lookahead it is lazy: it
// passes over quiet calls for as long as it may, as a simulation that sleeps
// does.
type testClock struct {
	lookahead func() time.Duration // nil to be eager
	late      func() time.Duration // by which it calls late, as a clock of real time does; nil is never
	flush     func() bool          // called before each step, unless it is nil

	now     time.Duration
	reached time.Duration // how far time has moved, quiet calls or not
	seq     int
	calls   callHeap
	quiet   callHeap

	delivered int // during this step
	broken    []string
}

type call struct {
	at  time.Duration
	seq int
	run func()
}

type callHeap []call

func (h callHeap) Len() int      { return len(h) }
func (h callHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *callHeap) Push(x any)   { *h = append(*h, x.(call)) }
func (h callHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h *callHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (c *testClock) Now() time.Duration { return c.now }

func (c *testClock) At(t time.Duration, f func()) {
	if t < c.reached && c.late == nil {
		c.broken = append(c.broken, fmt.Sprintf("a call for %d was asked for at %d", t, c.reached))
	}
	c.seq++
	heap.Push(&c.calls, call{max(t, c.now), c.seq, f})
}

func (c *testClock) AtQuiet(t time.Duration, f func()) {
	if c.lookahead == nil {
		c.At(t, f)
		return
	}
	c.seq++
	heap.Push(&c.quiet, call{max(t, c.now), c.seq, f})
}

func (c *testClock) Sent() {}

func (c *testClock) Delivered() {
	if c.delivered++; c.delivered > 1 {
		c.broken = append(c.broken, fmt.Sprintf("%d datagrams arrived in one step at %d", c.delivered, c.now))
	}
	if c.now != c.reached {
		c.broken = append(c.broken, fmt.Sprintf("a datagram of %d arrived at %d", c.now, c.reached))
	}
}

// step runs the first call that is due now, and reports whether there was one.
func (c *testClock) step() bool {
	c.delivered = 0
	if c.flush != nil {
		c.flush()
	}
	next := &c.calls
	if len(c.calls) == 0 || len(c.quiet) > 0 && (callHeap{c.quiet[0], c.calls[0]}).Less(0, 1) {
		next = &c.quiet
	}
	if len(*next) == 0 || (*next)[0].at > c.now {
		return false
	}
	heap.Pop(next).(call).run()
	return true
}

// runUntil runs every call up to and including those at the time t.
func (c *testClock) runUntil(t time.Duration) {
	for {
		for c.step() {
		}
		if c.now >= t {
			return
		}
		next := t
		if len(c.calls) > 0 {
			next = min(next, c.calls[0].at)
		}
		if len(c.quiet) > 0 {
			next = min(next, c.quiet[0].at+c.lookahead())
		}
		if c.late != nil {
			next += c.late()
		}
		c.reached = next
		for len(c.quiet) > 0 && c.quiet[0].at < next {
			c.now = c.quiet[0].at
			heap.Pop(&c.quiet).(call).run()
		}
		c.now = next
	}
}

// sighting is what an observer saw of a packet.
type sighting struct {
	id    uint64
	size  Bytes
	ecn   ECN
	sent  time.Duration
	at    time.Duration
	wait  time.Duration
	fate  Fate
	cause string
}

// bench is a path on a clock of its own, from which packets are taken away at
// the end.
type bench struct {
	testing.TB
	clock     *testClock
	path      *Path
	sent      uint64
	seen      []sighting
	delivered []uint64 // IDs
}

func newBench(tb testing.TB, seed uint64, elements ...Element) *bench {
	tb.Helper()
	b := &bench{TB: tb, clock: &testClock{}}
	deliver := func(p *Packet) {
		b.delivered = append(b.delivered, p.ID)
		p.release()
	}
	path, err := NewPath(b.clock, "path", seed, elements, deliver, func(o Outcome) {
		p := o.Packet
		b.seen = append(b.seen, sighting{p.ID, p.Size(), p.ECN, p.Sent, o.At, p.QueueDelay, o.Fate, o.Reason})
	})
	if err != nil {
		tb.Fatal(err)
	}
	b.path = path
	return b
}

var someBytes [maxPayload]byte

// send puts a packet on the path now.
func (b *bench) send(size int) { b.sendFrom(1, size, NotECT) }

// sendFrom is send from a port, with a codepoint.
func (b *bench) sendFrom(port uint16, size int, ecn ECN) {
	b.sent++
	p := newPacket(addrOf(1, port), addrOf(2, 2), someBytes[:size], ecn)
	p.ID = b.sent
	b.path.Send(p)
}

func (b *bench) sendAt(t time.Duration, size int) { b.clock.At(t, func() { b.send(size) }) }

func (b *bench) configureAt(t time.Duration, e Element) {
	b.clock.At(t, func() {
		if err := b.path.Configure(e); err != nil {
			b.Fatal(err)
		}
	})
}

// run runs until nothing is left to do, and checks conservation.
func (b *bench) run() []sighting {
	b.Helper()
	for len(b.clock.calls) > 0 {
		b.clock.runUntil(b.clock.calls[0].at)
	}
	if err := b.path.check(); err != nil {
		b.Fatal(err)
	}
	return b.seen
}

// fates returns a letter for each packet in order of ID: D delivered, x
// dropped, and . not known.
func (b *bench) fates() string {
	letters := make([]byte, b.sent)
	for i := range letters {
		letters[i] = '.'
	}
	for _, s := range b.seen {
		letters[s.id-1] = map[Fate]byte{Delivered: 'D', Dropped: 'x', InTransit: 't'}[s.fate]
	}
	return string(letters)
}

// codepoints returns a digit for each packet in order of ID: the ECN field that
// it had at the end.
func (b *bench) codepoints() string {
	digits := make([]byte, b.sent)
	for _, s := range b.seen {
		digits[s.id-1] = '0' + byte(s.ecn)
	}
	return string(digits)
}

// departures returns the times at which packets left, in the order in which
// they did.
func (b *bench) departures() []time.Duration {
	var times []time.Duration
	for _, s := range b.seen {
		if s.fate == Delivered {
			times = append(times, s.at)
		}
	}
	return times
}

func addrOf(host byte, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, host}), port)
}

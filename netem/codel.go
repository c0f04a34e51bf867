package netem

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// CoDel is a first-in first-out queue that keeps its standing delay low
// (RFC 8289), with the arithmetic of Linux's codel (include/net/codel_impl.h)
// but times in nanoseconds, where Linux counts 1024 of them. It drops at its
// head, and a packet that finds Limit packets waiting on arrival. The zero value
// has Linux's defaults.
//
// A change takes effect at the next packet. A limit that shrinks drops nothing
// that the queue has taken in, where Linux drops what exceeds it from the head.
type CoDel struct {
	Limit    int           // packets; 0 is 1000
	Target   time.Duration // the delay that is acceptable to stand; 0 is 5 ms
	Interval time.Duration // the time for which it may stand, about the longest common round trip; 0 is 100 ms
	ECN      bool          // mark ECN-capable packets rather than drop them

	// CEThreshold sets ECN-capable packets that waited longer to CE, whatever
	// else happens and whatever their codepoint (Linux's ce_threshold without a
	// selector); 0 is never.
	CEThreshold time.Duration
}

func (CoDel) start(s *shaper) queue {
	q := &codel{shaper: s}
	q.aqm = codelAQM{env: s.env, waiting: &q.packets.bytes}
	return q
}

type codel struct {
	shaper  *shaper
	limit   int
	aqm     codelAQM
	packets backlog
	flow    codelFlow
}

func (q *codel) configure(e Queue) error {
	c, ok := e.(CoDel)
	if !ok {
		return fmt.Errorf("a running CoDel cannot become a %T", e)
	}
	if err := c.check(); err != nil {
		return err
	}
	q.limit = orDefault(c.Limit, 1000)
	q.aqm.configure(c)
	return nil
}

// pass implements queue. The state was that of a packet without delay when the
// queue ran empty.
func (q *codel) pass(p *Packet) *Packet { return p }

func (q *codel) enqueue(p *Packet) {
	if ahead, _ := q.shaper.ahead(); ahead+q.packets.len() >= q.limit {
		q.aqm.env.Drop(p)
		return
	}
	q.packets.push(p)
}

func (q *codel) dequeue() *Packet { return q.aqm.dequeue(&q.packets, &q.flow) }

func (q *codel) held(yield func(*Packet)) { q.packets.held(yield) }

// orDefault returns value, or what a zero value stands for.
func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// deviceMTU is Linux's psched_mtu of an Ethernet device.
const deviceMTU Bytes = 1514

// codelAQM is what the flows of one queue share: parameters, and the bytes
// that wait in all of them.
type codelAQM struct {
	env              *Env
	waiting          *Bytes
	target, interval time.Duration
	ecn              bool
	ceThreshold      time.Duration
}

func (c CoDel) check() error {
	switch {
	case c.Limit < 0:
		return errors.New("the limit is negative")
	case c.Target < 0 || c.Interval < 0 || c.CEThreshold < 0:
		return errors.New("a time is negative")
	case c.Interval > time.Hour:
		return errors.New("the interval is longer than an hour")
	}
	return nil
}

func (a *codelAQM) configure(c CoDel) {
	a.target = orDefault(c.Target, 5*time.Millisecond)
	a.interval = orDefault(c.Interval, 100*time.Millisecond)
	a.ceThreshold = orDefault(c.CEThreshold, math.MaxInt64)
	a.ecn = c.ECN
}

// codelFlow is the control law's state for one flow (RFC 8289, section 5.2).
type codelFlow struct {
	firstAbove time.Duration // when the delay will have been above target for an interval; 0 while it is not
	dropNext   time.Duration // when to drop next, while dropping
	count      uint32        // drops since dropping began, or since a longer while
	lastCount  uint32        // count when dropping began
	invSqrt    uint16        // 1/√count, in 2^-16
	dropping   bool
}

// pop removes the oldest packet, nil if there is none, and reports whether it
// may be dropped: the delay has been above target for an interval (RFC 8289,
// section 5.6, dodequeue). With no more than a packet waiting there is no
// standing queue (section 4.1).
func (a *codelAQM) pop(b *backlog, f *codelFlow, now time.Duration) (p *Packet, drop bool) {
	p = b.pop()
	switch {
	case p == nil, now-p.queued < a.target, *a.waiting <= deviceMTU:
		f.firstAbove = 0
	case f.firstAbove == 0:
		f.firstAbove = now + a.interval
	default:
		drop = now > f.firstAbove
	}
	return p, drop
}

// signal marks p, or else drops it and returns the packet behind it, like pop.
func (a *codelAQM) signal(b *backlog, f *codelFlow, p *Packet, now time.Duration) (next *Packet, drop, marked bool) {
	if a.ecn && a.env.Mark(p) {
		return p, true, true
	}
	a.env.Drop(p)
	next, drop = a.pop(b, f, now)
	return next, drop, false
}

// dequeue removes the packet to send next (RFC 8289, section 5.5).
func (a *codelAQM) dequeue(b *backlog, f *codelFlow) *Packet {
	now := a.env.Clock.Now()
	p, drop := a.pop(b, f, now)
	switch {
	case !drop:
		f.dropping = false
	case f.dropping:
		for marked := false; f.dropping && !marked && now >= f.dropNext; {
			f.count++
			f.newton()
			p, drop, marked = a.signal(b, f, p, now)
			if f.dropping = drop; drop {
				f.dropNext = f.controlLaw(f.dropNext, a.interval)
			}
		}
	default:
		p, _, _ = a.signal(b, f, p, now)
		f.enter(now, a.interval)
	}
	if p != nil && now-p.queued > a.ceThreshold {
		a.env.Mark(p)
	}
	return p
}

// enter begins to drop. The rate of the last time is a good start if that was
// not long ago (RFC 8289, section 5.5; Linux takes 16 intervals for long).
func (f *codelFlow) enter(now, interval time.Duration) {
	f.dropping = true
	if delta := f.count - f.lastCount; delta > 1 && now-f.dropNext < 16*interval {
		f.count = delta
		f.newton()
	} else {
		f.count, f.invSqrt = 1, math.MaxUint16
	}
	f.lastCount = f.count
	f.dropNext = f.controlLaw(now, interval)
}

// newton brings invSqrt nearer to 1/√count by one step of Newton's method, x
// becoming x/2·(3 − count·x²). Like Linux's, it is off for the first few counts:
// 0.5 for 1/√2.
func (f *codelFlow) newton() {
	x := uint64(f.invSqrt) << 16
	square := x * x >> 32
	// A count that doubled or more at once makes the factor negative, and then
	// as large as Linux's, whose arithmetic wraps in the same way.
	factor := (3<<32 - uint64(f.count)*square) >> 2
	f.invSqrt = uint16(factor * x >> (32 - 2 + 1) >> 16)
}

// controlLaw returns t + interval/√count (RFC 8289, section 5.6).
func (f *codelFlow) controlLaw(t, interval time.Duration) time.Duration {
	return t + interval*time.Duration(f.invSqrt)>>16
}

package netem

import (
	"errors"
	"fmt"
	"time"
)

// PIE is a first-in first-out queue that drops arrivals with a probability that
// brings its delay to a target (RFC 8033), with the arithmetic of Linux's pie
// (include/net/pie.h) but times in nanoseconds. The delay is the wait of the
// packet that left last, as in Linux without dq_rate_estimator. The zero value
// has Linux's defaults.
//
// The probability changes each Update from the start on. A change of Update
// takes effect after the next one; other changes do at once. A limit that
// shrinks drops nothing that the queue has taken in.
type PIE struct {
	Limit    int           // packets; 0 is 1000
	Target   time.Duration // 0 is 15 ms, at most 30 s
	Update   time.Duration // 0 is 15 ms, at least 100 µs
	MaxBurst time.Duration // how long a burst that follows on a time without congestion drops nothing; 0 is 150 ms
	Alpha    int           // weight of the delay's distance from the target, in 1/16 a second; 0 is 2, at most 32
	Beta     int           // weight of the delay's change, in the same unit; 0 is 20, at most 32
	ECN      bool          // mark ECN-capable packets rather than drop them, while the probability is at most 10 %
	ByteMode bool          // less probability for small packets, by their share of 1514 bytes on the wire
}

func (PIE) start(s *shaper) queue { return &pie{shaper: s} }

const (
	pieMTU   Bytes = 1514             // Linux's psched_mtu of an Ethernet device
	pieOne   int64 = 1<<56 - 1        // the probability 1
	pieDelay       = 30 * time.Second // longer delays count as this: within it no sum overflows
)

type pie struct {
	shaper  *shaper
	config  PIE // with defaults filled in
	packets backlog
	next    time.Duration // the time of the next update
	left    time.Duration // when a packet was sent last; negative if not since the last reset
	pieState
}

// pieState is what an update reads and changes, besides left.
type pieState struct {
	prob        int64         // of pieOne
	accumulated int64         // sum of prob over arrivals since the last drop or mark
	delay, old  time.Duration // now, and at the last update
	burst       time.Duration // left of MaxBurst
}

func (q *pie) configure(e Queue) error {
	c, ok := e.(PIE)
	if !ok {
		return fmt.Errorf("a running PIE cannot become a %T", e)
	}
	c.Limit = orDefault(c.Limit, 1000)
	c.Target = orDefault(c.Target, 15*time.Millisecond)
	c.Update = orDefault(c.Update, 15*time.Millisecond)
	c.MaxBurst = orDefault(c.MaxBurst, 150*time.Millisecond)
	c.Alpha = orDefault(c.Alpha, 2)
	c.Beta = orDefault(c.Beta, 20)
	switch {
	case c.Limit < 0:
		return errors.New("the limit is negative")
	case c.Target < 0 || c.Target > pieDelay:
		return errors.New("the target is not between 0 and 30 s")
	case c.Update < 100*time.Microsecond || c.Update > time.Hour:
		return errors.New("the update interval is not between 100 µs and an hour")
	case c.MaxBurst < 0:
		return errors.New("the burst is negative")
	case c.Alpha < 0 || c.Alpha > 32 || c.Beta < 0 || c.Beta > 32:
		return errors.New("alpha and beta are not between 0 and 32")
	}
	now := q.shaper.env.Clock.Now()
	if started := q.config.Limit > 0; started {
		q.advance(now)
	} else {
		q.next, q.burst, q.left = now+c.Update, c.MaxBurst, -1
	}
	q.config = c
	return nil
}

func (q *pie) pass(p *Packet) *Packet {
	q.enqueue(p)
	return q.dequeue()
}

// enqueue implements RFC 8033, sections 4.1 and 5.1. It draws a number for each
// arrival, so that no change of the parameters shifts the stream.
func (q *pie) enqueue(p *Packet) {
	q.advance(p.queued)
	random := int64(q.shaper.env.Rand.Uint64() >> 8)
	ahead, _ := q.shaper.ahead()
	full := ahead+q.packets.len() >= q.config.Limit
	if !full && q.early(p, random) {
		full = !(q.config.ECN && q.prob <= pieOne/10 && q.shaper.env.Mark(p))
	}
	if full {
		q.accumulated = 0
		q.shaper.env.Drop(p)
		return
	}
	q.packets.push(p)
}

// early decides whether p is to be dropped before the queue is full.
func (q *pie) early(p *Packet, random int64) bool {
	switch {
	case q.burst > 0, // RFC 8033, section 4.4
		q.delay < q.config.Target/2 && q.prob < pieOne/5,
		q.packets.bytes < 2*pieMTU:
		return false
	}
	prob := q.prob
	if q.config.ByteMode && p.wire <= pieMTU {
		prob = int64(p.wire) * (prob / int64(pieMTU))
	}
	// Drops are neither close together nor far apart (RFC 8033, section 5.4).
	q.accumulated += prob
	switch {
	case prob == 0:
		q.accumulated = 0
		return false
	case q.accumulated < pieOne/100*85:
		return false
	case q.accumulated >= pieOne/2*17, random < prob:
		q.accumulated = 0
		return true
	}
	return false
}

func (q *pie) dequeue() *Packet {
	p := q.packets.pop()
	if p == nil {
		return nil
	}
	now := q.shaper.env.Clock.Now()
	q.advance(now)
	q.delay = now - p.queued
	if q.packets.len() == 0 {
		q.delay = 0
	}
	if q.left >= 0 {
		q.burst = max(0, q.burst-(now-q.left))
	}
	q.left = now
	return p
}

// advance makes the updates that are due. Between calls nothing changes that
// they read, so that they need no timers, and once an update changes nothing
// those after it do not either.
func (q *pie) advance(now time.Duration) {
	for q.next <= now {
		before := q.pieState
		q.update()
		if q.pieState == before {
			q.next += (now - q.next) / q.config.Update * q.config.Update
		}
		q.next += q.config.Update
	}
}

// update adjusts the probability (RFC 8033, sections 4.2 and 5.5).
func (q *pie) update() {
	const perNanosecond = pieOne / int64(time.Second) / 16
	delay, old := min(q.delay, pieDelay), min(q.old, pieDelay)
	alpha, beta := int64(q.config.Alpha)*perNanosecond, int64(q.config.Beta)*perNanosecond
	// Smaller steps where the probability is small: 1/2 below 10 %, 1/8 below
	// 1 %, and so on by a fourth for each tenth, to 1/2048 below 10^-6.
	if q.prob < pieOne/10 {
		alpha, beta = alpha>>1, beta>>1
		for power := int64(100); power <= 1_000_000 && q.prob < pieOne/power; power *= 10 {
			alpha, beta = alpha>>2, beta>>2
		}
	}
	delta := alpha*int64(delay-q.config.Target) + beta*int64(delay-old)
	if q.prob >= pieOne/10 {
		delta = min(delta, pieOne/100*2)
	}
	if delay > 250*time.Millisecond {
		delta += pieOne / 50
	}
	q.prob = min(max(0, q.prob+delta), pieOne)
	if delay == 0 && old == 0 && q.packets.len() == 0 {
		q.prob -= q.prob / 64
	}
	if q.prob == 0 && delay < q.config.Target/2 && old < q.config.Target/2 {
		q.burst, q.accumulated, q.left = q.config.MaxBurst, 0, -1
	}
	q.old = q.delay
}

func (q *pie) held(yield func(*Packet)) { q.packets.held(yield) }

package netem

import (
	"errors"
	"time"
)

const (
	pieOne   int64 = 1<<56 - 1        // the probability 1
	pieMark  int64 = 10               // percent up to which PIE marks
	pieDelay       = 30 * time.Second // longer delays count as this: within it no sum overflows
)

// pieAQM is the parameters of PIE, which the flows of one queue share.
type pieAQM struct {
	env              *Env
	target, maxBurst time.Duration
	interval         time.Duration // between updates; 0 before the start
	alpha, beta      int64         // of pieOne a nanosecond
	mark             int64         // the greatest probability with which packets are marked; negative is none
	byteMode         bool
}

// pieState is what PIE remembers of a flow.
type pieState struct {
	ticks
	left time.Duration // when a packet was sent last; negative if not since the last reset
	pieControl
}

// pieControl is what an update reads and changes, besides left.
type pieControl struct {
	prob        int64         // of pieOne
	accumulated int64         // sum of prob over arrivals since the last drop or mark
	delay, old  time.Duration // now, and at the last update
	burst       time.Duration // left of maxBurst
}

// withDefaults fills in what the AQM needs.
func (c PIE) withDefaults() PIE {
	c.Target = orDefault(c.Target, 15*time.Millisecond)
	c.Update = orDefault(c.Update, 15*time.Millisecond)
	c.MaxBurst = orDefault(c.MaxBurst, 150*time.Millisecond)
	c.Alpha = orDefault(c.Alpha, 2)
	c.Beta = orDefault(c.Beta, 20)
	return c
}

func (c PIE) check() error {
	if c.Limit < 0 {
		return errors.New("the limit is negative")
	}
	if err := checkUpdates(c.Target, c.Update); err != nil {
		return err
	}
	switch {
	case c.MaxBurst < 0:
		return errors.New("the burst is negative")
	case c.Alpha < 0 || c.Alpha > 32 || c.Beta < 0 || c.Beta > 32:
		return errors.New("alpha and beta are not between 0 and 32")
	}
	return nil
}

// checkUpdates checks the target of a controller and the time between its
// updates.
func checkUpdates(target, update time.Duration) error {
	switch {
	case target < 0 || target > pieDelay:
		return errors.New("the target is not between 0 and 30 s")
	case update < 100*time.Microsecond || update > time.Hour:
		return errors.New("the update interval is not between 100 µs and an hour")
	}
	return nil
}

// configure takes parameters that are checked, and the percentage up to which
// packets are marked. The flows are to be advanced first.
func (a *pieAQM) configure(c PIE, mark int64) {
	const perNanosecond = pieOne / int64(time.Second) / 16
	a.target, a.interval, a.maxBurst = c.Target, c.Update, c.MaxBurst
	a.alpha, a.beta = int64(c.Alpha)*perNanosecond, int64(c.Beta)*perNanosecond
	a.mark, a.byteMode = -1, c.ByteMode
	if c.ECN {
		a.mark = pieOne * mark / 100
	}
}

// start makes a new flow's first update due, and leaves one that runs alone.
func (a *pieAQM) start(s *pieState, now time.Duration) {
	if s.next == 0 {
		s.next, s.burst, s.left = now+a.interval, a.maxBurst, -1
	}
}

// admit takes p in, or drops it (RFC 8033, sections 4.1 and 5.1). It draws one
// number in each case.
func (a *pieAQM) admit(b *backlog, s *pieState, p *Packet, full bool) bool {
	random := int64(a.env.Rand.Uint64() >> 8)
	a.advance(b, s, p.queued)
	if !full && a.early(b, s, p, random) {
		full = !(s.prob <= a.mark && a.env.Mark(p))
	}
	if full {
		s.accumulated = 0
		a.env.Drop(p)
		return false
	}
	b.push(p)
	return true
}

// early decides whether p is to be dropped before the queue is full.
func (a *pieAQM) early(b *backlog, s *pieState, p *Packet, random int64) bool {
	switch {
	case s.burst > 0, // RFC 8033, section 4.4
		s.delay < a.target/2 && s.prob < pieOne/5,
		b.bytes < 2*deviceMTU:
		return false
	}
	prob := s.prob
	if a.byteMode && p.wire <= deviceMTU {
		prob = int64(p.wire) * (prob / int64(deviceMTU))
	}
	// Drops are neither close together nor far apart (RFC 8033, section 5.4).
	s.accumulated += prob
	switch {
	case prob == 0:
		s.accumulated = 0
		return false
	case s.accumulated < pieOne/100*85:
		return false
	case s.accumulated >= pieOne/2*17, random < prob:
		s.accumulated = 0
		return true
	}
	return false
}

func (a *pieAQM) dequeue(b *backlog, s *pieState) *Packet {
	now := a.env.Clock.Now()
	a.advance(b, s, now)
	p := b.pop()
	if p == nil {
		return nil
	}
	s.delay = now - p.queued
	if b.len() == 0 {
		s.delay = 0
	}
	if s.left >= 0 {
		s.burst = max(0, s.burst-(now-s.left))
	}
	s.left = now
	return p
}

// advance makes the updates that are due, before anything changes that they
// read.
func (a *pieAQM) advance(b *backlog, s *pieState, now time.Duration) {
	s.run(now, a.interval, func(time.Duration) (changed bool) {
		before := s.pieControl
		a.update(b, s)
		return s.pieControl != before
	})
}

// update adjusts the probability (RFC 8033, sections 4.2 and 5.5).
func (a *pieAQM) update(b *backlog, s *pieState) {
	delay, old := min(s.delay, pieDelay), min(s.old, pieDelay)
	alpha, beta := a.alpha, a.beta
	// Smaller steps where the probability is small: 1/2 below 10 %, 1/8 below
	// 1 %, and so on by a fourth for each tenth, to 1/2048 below 10^-6.
	if s.prob < pieOne/10 {
		alpha, beta = alpha>>1, beta>>1
		for power := int64(100); power <= 1_000_000 && s.prob < pieOne/power; power *= 10 {
			alpha, beta = alpha>>2, beta>>2
		}
	}
	delta := proportionalIntegral(alpha, beta, delay, old, a.target)
	if s.prob >= pieOne/10 {
		delta = min(delta, pieOne/100*2)
	}
	if delay > 250*time.Millisecond {
		delta += pieOne / 50
	}
	s.prob = min(max(0, s.prob+delta), pieOne)
	if delay == 0 && old == 0 && b.len() == 0 {
		s.prob -= s.prob / 64
	}
	if s.prob == 0 && delay < a.target/2 && old < a.target/2 {
		s.burst, s.accumulated, s.left = a.maxBurst, 0, -1
	}
	s.old = s.delay
}

// proportionalIntegral is the controller of RFC 8033, section 4.2, and of
// RFC 9332, appendix A.1: the change of a probability, by the distance of the
// delay from its target and by its own change since the last update.
func proportionalIntegral(alpha, beta int64, delay, old, target time.Duration) int64 {
	return alpha*int64(delay-target) + beta*int64(delay-old)
}

// ticks is the times of updates that are made one after the other when next
// something would change what they read: they need no timer.
type ticks struct{ next time.Duration }

// run calls update for each tick up to now, and for none before the start, when
// the interval is 0. Once an update changes nothing, those after it do not
// either.
func (t *ticks) run(now, interval time.Duration, update func(at time.Duration) (changed bool)) {
	if interval == 0 {
		return
	}
	for t.next <= now {
		if !update(t.next) {
			t.next += (now - t.next) / interval * interval
		}
		t.next += interval
	}
}

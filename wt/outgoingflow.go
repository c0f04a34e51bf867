package wt

import (
	"context"
	"slices"
)

// outgoingFlow is what this end may send in a session. It is guarded by the
// mutex of the connection's scheduler, as QUIC takes from it while it builds packets.
type outgoingFlow struct {
	sched   *scheduler
	data    credit
	streams [numDirections]credit
	turn    turn
	limiter func(int) int // take
}

func newOutgoingFlow(sched *scheduler, p peerSettings) *outgoingFlow {
	f := &outgoingFlow{sched: sched}
	f.limiter = f.take
	f.data.limit = int64(p.maxData)
	for d := range f.streams {
		f.streams[d].limit = int64(min(p.maxStreams[d], maxStreams))
	}
	return f
}

// credit is an amount that the peer lets grow, and those who wait for it.
type credit struct {
	limit, used int64
	told        int64 // one more than the limit at which the peer was told of being blocked
	waiting     []chan struct{}
}

// enter puts a caller in line. The channel is closed when it may try again.
func (c *credit) enter() chan struct{} {
	ready := make(chan struct{})
	c.waiting = append(c.waiting, ready)
	return ready
}

// wake lets the first in line try again. Each of them, and whoever gives up,
// calls it for the next, so that none is left behind; who comes just then may overtake.
func (c *credit) wake() {
	if c.used < c.limit && len(c.waiting) > 0 {
		close(c.waiting[0])
		c.waiting = c.waiting[1:]
	}
}

// blocked reports whether the peer is yet to be told that its limit blocks this end.
func (c *credit) blocked() bool {
	news := c.told != c.limit+1
	c.told = c.limit + 1
	return news
}

// raiseData and raiseStreams set the limits that capsules of the peer carry,
// which may only grow (draft-ietf-webtrans-http3-16, section 5.6).
func (f *outgoingFlow) raiseData(limit uint64) error {
	return f.raise(&f.data, limit, "WT_MAX_DATA")
}

func (f *outgoingFlow) raiseStreams(d direction, limit uint64) error {
	if limit > maxStreams {
		return flowFault("WT_MAX_STREAMS of %d", limit)
	}
	return f.raise(&f.streams[d], limit, "WT_MAX_STREAMS")
}

func (f *outgoingFlow) raise(c *credit, limit uint64, name string) error {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	if int64(limit) <= c.limit {
		return flowFault("%s went from %d to %d", name, c.limit, limit)
	}
	c.limit = int64(limit)
	c.wake()
	return nil
}

// hasCredit reports whether there is credit for data.
func (f *outgoingFlow) hasCredit() bool {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	return f.data.used < f.data.limit
}

// reserveStream takes credit for one stream, which it waits for if it may, and
// else fails with errNoCredit.
func (s *Session) reserveStream(ctx context.Context, d direction, mayWait bool) error {
	f := s.outFlow
	if f == nil {
		return nil
	}
	c := &f.streams[d]
	for {
		var ready chan struct{}
		f.sched.mu.Lock()
		took := c.used < c.limit
		if took {
			c.used++
			c.wake()
		} else if mayWait {
			ready = c.enter()
		}
		tell, limit := c.used >= c.limit && len(c.waiting) > 0 && c.blocked(), c.limit
		f.sched.mu.Unlock()
		if tell {
			s.out.send(d.streamsBlockedCapsule(), uint64(limit))
		}
		if took {
			return nil
		}
		if !mayWait {
			return errNoCredit
		}
		select {
		case <-ready:
			continue
		case <-ctx.Done():
		case <-s.ctx.Done():
		}
		f.leave(c, ready)
		if s.ctx.Err() != nil {
			return ended(s.ctx)
		}
		return context.Cause(ctx)
	}
}

// returnStream gives back the credit for a stream that could not be opened.
func (s *Session) returnStream(d direction) {
	if f := s.outFlow; f != nil {
		f.sched.mu.Lock()
		f.streams[d].used--
		f.streams[d].wake()
		f.sched.mu.Unlock()
	}
}

// leave takes a caller out of the line; if it was its turn the next one gets it.
func (f *outgoingFlow) leave(c *credit, ready chan struct{}) {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	if i := slices.Index(c.waiting, ready); i >= 0 {
		c.waiting = slices.Delete(c.waiting, i, i+1)
		return
	}
	c.wake()
}

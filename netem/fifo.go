package netem

import (
	"errors"
	"fmt"
)

// FIFO is a first-in first-out queue, like Linux's pfifo and bfifo. A packet
// that would exceed the limit is dropped on arrival (tail drop). The packet in
// transmission does not count. A limit that shrinks below what the queue holds
// drops nothing before the next arrival, and with tail drop nothing that the
// queue has taken in.
type FIFO struct {
	Limit    Limit // bytes count as on the wire; a BDP must be resolved first
	HeadDrop bool  // make room for an arrival by dropping the oldest packets, like Linux's pfifo_head_drop

	// Mark sets ECN-capable packets to CE above a threshold, and leaves others
	// alone. In bytes or packets it is that of the queue's length on arrival,
	// with the arrival (RFC 8257, section 3.1). As a time it is that of the
	// packet's own wait, when its transmission starts, like step_thresh of
	// Linux's dualpi2. A BDP must be resolved first.
	Mark Limit
}

func (FIFO) start(s *shaper) queue { return &fifo{shaper: s} }

type fifo struct {
	shaper  *shaper
	config  FIFO
	packets backlog
}

func (q *fifo) configure(c Queue) error {
	f, ok := c.(FIFO)
	if !ok {
		return fmt.Errorf("a running FIFO cannot become a %T", c)
	}
	for _, l := range []Limit{f.Limit, f.Mark} {
		switch {
		case l.BDP != 0:
			return errors.New("a limit in BDP must be resolved into bytes first")
		case l.Bytes < 0 || l.Packets < 0 || l.Time < 0:
			return errors.New("the limit is negative")
		}
	}
	q.config = f
	return nil
}

// pass implements queue. A packet that waits for nothing exceeds no threshold,
// but in front of a token bucket no packet passes beside the queue.
func (q *fifo) pass(p *Packet) *Packet {
	if q.shaper.burst > 0 && q.full(p, 0, 0) {
		q.shaper.env.Drop(p)
		return nil
	}
	return p
}

func (q *fifo) enqueue(p *Packet) {
	packets, bytes := q.shaper.ahead()
	if q.config.HeadDrop && !q.full(p, packets, bytes) {
		for q.full(p, packets+q.packets.len(), bytes+q.packets.bytes) {
			q.shaper.env.Drop(q.packets.pop())
		}
	}
	if q.full(p, packets+q.packets.len(), bytes+q.packets.bytes) {
		q.shaper.env.Drop(p)
		return
	}
	q.packets.push(p)
	mark := q.config.Mark
	if mark.Packets > 0 && q.packets.len() > mark.Packets || mark.Bytes > 0 && q.packets.bytes > mark.Bytes {
		q.shaper.env.Mark(p)
	}
}

// full reports whether p has no room behind some packets.
func (q *fifo) full(p *Packet, packets int, bytes Bytes) bool {
	limit := q.config.Limit
	return limit.Packets > 0 && packets >= limit.Packets ||
		limit.Bytes > 0 && bytes+p.wire > limit.Bytes ||
		limit.Time > 0 && bytes+p.wire > q.shaper.capacity(limit.Time)
}

func (q *fifo) dequeue() *Packet {
	p := q.packets.pop()
	if threshold := q.config.Mark.Time; p != nil && threshold > 0 && q.shaper.waited(p) > threshold {
		q.shaper.env.Mark(p)
	}
	return p
}

func (q *fifo) held(yield func(*Packet)) { q.packets.held(yield) }

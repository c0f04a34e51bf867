package netem

import (
	"errors"
	"fmt"
)

// FIFO is a first-in first-out queue, like Linux's pfifo and bfifo. A packet
// that would exceed the limit is dropped on arrival (tail drop). The packet in
// transmission does not count. A limit that shrinks below what the queue holds
// drops nothing that it has taken in.
type FIFO struct {
	Limit Limit // bytes count as on the wire; a BDP must be resolved first
}

func (FIFO) start(s *shaper) queue { return &fifo{shaper: s} }

type fifo struct {
	shaper *shaper
	limit  Limit
	ring   ring[*Packet]
	bytes  Bytes // on the wire
}

func (q *fifo) configure(c Queue) error {
	f, ok := c.(FIFO)
	switch {
	case !ok:
		return fmt.Errorf("a running FIFO cannot become a %T", c)
	case f.Limit.BDP != 0:
		return errors.New("a limit in BDP must be resolved into bytes first")
	case f.Limit.Bytes < 0 || f.Limit.Packets < 0 || f.Limit.Time < 0:
		return errors.New("the limit is negative")
	}
	q.limit = f.Limit
	return nil
}

func (q *fifo) enqueue(p *Packet) {
	full := q.limit.Packets > 0 && q.ring.len() >= q.limit.Packets ||
		q.limit.Bytes > 0 && q.bytes+p.wire > q.limit.Bytes ||
		q.limit.Time > 0 && q.bytes+p.wire > q.shaper.capacity(q.limit.Time)
	if full {
		q.shaper.env.Drop(p)
		return
	}
	q.bytes += p.wire
	q.ring.push(p)
}

func (q *fifo) dequeue() *Packet {
	if q.ring.len() == 0 {
		return nil
	}
	p := q.ring.pop()
	q.bytes -= p.wire
	return p
}

func (q *fifo) held(yield func(*Packet)) {
	for i := range q.ring.len() {
		yield(*q.ring.at(i))
	}
}

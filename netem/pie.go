package netem

import (
	"fmt"
	"time"
)

// PIE is a first-in first-out queue that drops arrivals with a probability that
// brings its delay to a target (RFC 8033), with the arithmetic of Linux's pie
// (net/sched/sch_pie.c) but times in nanoseconds. The delay is the wait of the
// packet that left last, as in Linux without dq_rate_estimator. The zero value
// has Linux's defaults.
//
// It differs from Linux in that the first update comes after one Update and not
// after half a second, in that the probability is never more than 1, and in
// that a mark starts the sum of probabilities anew in each case, as a drop does.
//
// The probability changes each Update from the start on. A change of Update
// takes effect after the next one; other changes do at once. A limit that
// shrinks drops nothing that the queue has taken in, where Linux drops what
// exceeds it from the head.
type PIE struct {
	Limit    int           // packets; 0 is 1000
	Target   time.Duration // 0 is 15 ms, at most 30 s
	Update   time.Duration // 0 is 15 ms, at least 100 µs
	MaxBurst time.Duration // how long a burst that follows on a time without congestion drops nothing; 0 is 150 ms, as always in Linux
	Alpha    int           // weight of the delay's distance from the target, in 1/16 a second; 0 is 2, at most 32
	Beta     int           // weight of the delay's change, in the same unit; 0 is 20, at most 32
	ECN      bool          // mark ECN-capable packets rather than drop them, while the probability is at most 10 %
	ByteMode bool          // less probability for small packets, by their share of 1514 bytes on the wire
}

func (PIE) start(s *shaper) queue { return &pie{shaper: s, aqm: pieAQM{env: s.env}} }

type pie struct {
	shaper  *shaper
	limit   int
	aqm     pieAQM
	packets backlog
	state   pieState
}

func (q *pie) configure(e Queue) error {
	c, ok := e.(PIE)
	if !ok {
		return fmt.Errorf("a running PIE cannot become a %T", e)
	}
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return err
	}
	now := q.aqm.env.Clock.Now()
	q.aqm.advance(&q.packets, &q.state, now)
	q.limit = orDefault(c.Limit, 1000)
	q.aqm.configure(c, pieMark)
	q.aqm.start(&q.state, now)
	return nil
}

func (q *pie) pass(p *Packet) *Packet {
	q.enqueue(p)
	return q.dequeue()
}

// enqueue draws a number for each arrival, so that no change of the parameters
// shifts the stream.
func (q *pie) enqueue(p *Packet) {
	ahead, _ := q.shaper.ahead()
	q.aqm.admit(&q.packets, &q.state, p, ahead+q.packets.len() >= q.limit)
}

func (q *pie) dequeue() *Packet { return q.aqm.dequeue(&q.packets, &q.state) }

func (q *pie) held(yield func(*Packet)) { q.packets.held(yield) }

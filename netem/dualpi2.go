package netem

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// DualPI2 is two queues that share a link (RFC 9332): one for scalable flows,
// which it keeps short by marking, and one for classic flows, with a longer
// target. Their signals are coupled so that a flow gets about the same share in
// either. It has the arithmetic of Linux's dualpi2 (net/sched/sch_dualpi2.c); the
// zero value has Linux's defaults.
//
// ECT(1) and CE are for the low-latency queue, which marks; ECT(0) and Not-ECT
// for the classic one, which marks or drops (section 2.3). There are no filters
// by other fields of the packet, and no min_qlen_step.
//
// The probability changes each Update from the start on. A change of Update
// takes effect after the next one; other changes do at the next packet. A limit
// that shrinks drops nothing that the queues have taken in, where Linux drops
// what exceeds it.
type DualPI2 struct {
	Limit  int           // packets of both queues; 0 is 10000
	Memory Bytes         // bytes on the wire of both queues, where Linux counts its buffers; 0 is 3028 for each packet of Limit
	Target time.Duration // of the delay of the queue whose delay is longer; 0 is 15 ms, at most 30 s
	Update time.Duration // 0 is 16 ms, at least 100 µs
	Alpha  float64       // weight of the delay's distance from the target, in 1/s, to 1/256; 0 is 0.16, at most 100000
	Beta   float64       // weight of the delay's change, in the same unit; 0 is 3.2, at most 100000

	// Coupling is k of RFC 9332, section 2.1: packets are marked in the
	// low-latency queue with a probability of k times that whose square is the
	// probability of the classic queue; 0 is 2, at most 255.
	Coupling int

	// Step is the threshold above which the low-latency queue marks every packet:
	// a time for the packet's own wait, or a number of packets behind it; the zero
	// value is 1 ms.
	Step Limit

	// ClassicProtection is the least share of the link for the classic queue
	// while both have packets, in percent; 0 is 10, at most 100.
	ClassicProtection int

	AnyECT    bool // ECT(0) is for the low-latency queue too
	DropEarly bool // decide on a packet as it arrives, and not as it is sent; the step stays where it is (Linux's drop_enqueue)

	// Overflow has the low-latency queue never drop but beyond a limit. Else, when
	// it would mark every packet, it drops as the classic queue does, and then that
	// one does not mark but drop (section 4.2.3).
	Overflow bool
}

func (DualPI2) start(s *shaper) queue {
	q := &dualPI2{shaper: s}
	q.low.sum, q.classic.sum = &q.sum, &q.sum
	return q
}

// dualOne is the probability 1.
const dualOne = math.MaxUint32

type dualPI2 struct {
	shaper      *shaper
	config      DualPI2 // with defaults filled in
	alpha, beta int64   // of dualOne a nanosecond, in 1/64

	low, classic backlog
	sum          load // of both

	// credit says whose turn it is while both have packets: that of low unless it
	// is positive. It is percent times bytes.
	credit int64

	ticks
	dualControl
}

// dualControl is what an update changes.
type dualControl struct {
	prob int64         // p' of RFC 9332, section 2.1, of dualOne
	old  time.Duration // the delay at the last update
}

func (q *dualPI2) configure(e Queue) error {
	c, ok := e.(DualPI2)
	if !ok {
		return fmt.Errorf("a running DualPI2 cannot become a %T", e)
	}
	c.Limit = orDefault(c.Limit, 10_000)
	c.Memory = orDefault(c.Memory, 2*deviceMTU*min(Bytes(c.Limit), math.MaxInt64/(2*deviceMTU)))
	c.Target = orDefault(c.Target, 15*time.Millisecond)
	c.Update = orDefault(c.Update, 16*time.Millisecond)
	c.Alpha = orDefault(c.Alpha, 0.16)
	c.Beta = orDefault(c.Beta, 3.2)
	c.Coupling = orDefault(c.Coupling, 2)
	c.Step = orDefault(c.Step, Limit{Time: time.Millisecond})
	c.ClassicProtection = orDefault(c.ClassicProtection, 10)
	if err := c.check(); err != nil {
		return err
	}
	now := q.shaper.env.Clock.Now()
	started, protection := q.config.Limit > 0, q.config.ClassicProtection
	if started {
		q.advance(now)
	} else {
		q.next = now + c.Update
	}
	q.config = c
	q.alpha, q.beta = dualWeight(c.Alpha), dualWeight(c.Beta)
	if protection != c.ClassicProtection {
		q.resetCredit()
	}
	return nil
}

func (c DualPI2) check() error {
	if c.Limit < 0 || c.Memory < 0 {
		return errors.New("the limit is negative")
	}
	if err := checkUpdates(c.Target, c.Update); err != nil {
		return err
	}
	switch {
	case !(c.Alpha >= 1./256 && c.Alpha <= 1e5 && c.Beta >= 1./256 && c.Beta <= 1e5):
		return errors.New("alpha and beta are not between 1/256 and 100000")
	case c.Coupling < 0 || c.Coupling > 255:
		return errors.New("the coupling factor is not between 1 and 255")
	case c.Step.Bytes != 0 || c.Step.BDP != 0:
		return errors.New("the step is neither a time nor a number of packets")
	case c.Step.Time < 0 || c.Step.Packets < 0:
		return errors.New("the step is negative")
	case c.ClassicProtection < 0 || c.ClassicProtection > 100:
		return errors.New("the protection of the classic queue is not between 1 and 100 percent")
	}
	return nil
}

// dualWeight rounds as Linux does: to 1/256 a second, and then to 1/64 of
// 1/dualOne a nanosecond.
func dualWeight(perSecond float64) int64 {
	return int64(math.Round(perSecond*256)) * dualOne / 4 / int64(time.Second)
}

// resetCredit lets the queue with the greater share come first.
func (q *dualPI2) resetCredit() {
	share := int64(q.config.ClassicProtection)
	q.credit = int64(deviceMTU) * (share - (100 - share))
}

func (q *dualPI2) pass(p *Packet) *Packet {
	q.enqueue(p)
	return q.dequeue()
}

// enqueue draws a number for each arrival, which decides about the packet then or
// later, so that no change of the parameters shifts the stream.
func (q *dualPI2) enqueue(p *Packet) {
	q.advance(p.queued)
	p.lot = q.shaper.env.Rand.Uint64()
	// RFC 9332, section 2.3.
	low := p.ECN == ECT1 || p.ECN == CE || p.ECN == ECT0 && q.config.AnyECT
	ahead, _ := q.shaper.ahead()
	switch {
	case ahead+q.sum.packets >= q.config.Limit || q.sum.bytes+p.wire > q.config.Memory,
		q.config.DropEarly && q.signal(p, low):
		q.shaper.env.Drop(p)
	case low:
		q.low.push(p)
	default:
		q.classic.push(p)
	}
}

func (q *dualPI2) dequeue() *Packet {
	q.advance(q.shaper.env.Clock.Now())
	for {
		p, low, change := q.pick()
		switch {
		case p == nil:
			q.resetCredit()
			return nil
		case !q.config.DropEarly && q.signal(p, low):
			q.shaper.env.Drop(p)
			continue
		case low && q.aboveStep(p):
			q.shaper.env.Mark(p)
		}
		q.credit += change
		return p
	}
}

// pick removes a packet from the queue whose turn it is, and returns how its
// transmission changes the credit: weighted round robin by bytes, if both queues
// have packets (RFC 9332, sections 2.4 and 4.2.2).
func (q *dualPI2) pick() (p *Packet, low bool, change int64) {
	share := int64(q.config.ClassicProtection)
	both := q.low.len() > 0 && q.classic.len() > 0
	low = q.classic.len() == 0 || both && q.credit <= 0
	if low {
		p = q.low.pop()
	} else {
		p, share = q.classic.pop(), share-100
	}
	if both {
		change = share * int64(p.wire)
	}
	return p, low, change
}

// signal marks p, or else reports that it is to be dropped, with a probability of
// p'² in the classic queue and k·p' in the other (RFC 9332, section 2.1). With
// fewer bytes waiting than two large packets have it does neither.
func (q *dualPI2) signal(p *Packet, low bool) (drop bool) {
	if q.sum.bytes < 2*deviceMTU {
		return false
	}
	first, second := int64(p.lot>>32), int64(p.lot&math.MaxUint32)
	square := max(first, second) <= q.prob // both: appendix A.1
	linear := q.prob * int64(q.config.Coupling)
	overload := linear > dualOne // section 4.2.3
	switch {
	case overload && square && (!low || !q.config.Overflow):
		return true
	case low && (overload || first <= linear), !low && square:
		return !q.shaper.env.Mark(p)
	}
	return false
}

// aboveStep reports whether p, which is about to leave the low-latency queue,
// exceeds the step (RFC 9332, section 2.4: the L queue's own AQM).
func (q *dualPI2) aboveStep(p *Packet) bool {
	if step := q.config.Step; step.Packets > 0 {
		return q.low.len() > step.Packets
	}
	return q.shaper.waited(p) > q.config.Step.Time
}

// advance makes the updates that are due, before anything changes that they
// read.
func (q *dualPI2) advance(now time.Duration) {
	q.run(now, q.config.Update, func(at time.Duration) (changed bool) {
		before := q.dualControl
		q.update(at)
		return q.dualControl != before || q.sum.packets > 0
	})
}

// update adjusts the probability by the longer of the two delays, which are those
// of the packets at the heads (RFC 9332, appendix A.1).
func (q *dualPI2) update(at time.Duration) {
	delay := time.Duration(0)
	for _, b := range [...]*backlog{&q.low, &q.classic} {
		if b.len() > 0 {
			delay = max(delay, at-(*b.ring.at(0)).queued)
		}
	}
	delay = min(delay, pieDelay)
	q.prob += proportionalIntegral(q.alpha, q.beta, delay, q.old, q.config.Target) / 64
	most := int64(dualOne)
	if q.config.Overflow {
		most /= int64(q.config.Coupling)
	}
	q.prob = min(max(0, q.prob), most)
	q.old = delay
}

// held lists the packets of both queues in the order of their arrival.
func (q *dualPI2) held(yield func(*Packet)) {
	packets := make([]*Packet, 0, q.sum.packets)
	for _, b := range [...]*backlog{&q.low, &q.classic} {
		b.held(func(p *Packet) { packets = append(packets, p) })
	}
	inOrder(packets, yield)
}

package netem

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"
)

// RED is a first-in first-out queue that drops arrivals early, with a
// probability that grows with its average length (Floyd and Jacobson, 1993;
// RFC 2309, section 3), like Linux's red without adaptation (include/net/red.h,
// tc-red(8)). Lengths are bytes on the wire. Zero values are tc's defaults; tc
// has none for the limit and for AvPkt.
//
// While the link is idle the average falls by its rate at that time, exactly:
// tc makes a table of powers of 1/2 for a rate that it is told.
//
// A change takes effect at the next packet; a limit that shrinks drops nothing
// that the queue has taken in. In Linux a change empties the queue and sets the
// average to 0.
type RED struct {
	Limit Bytes   // 0 is 400 KB, at most 1 GiB
	Max   Bytes   // average length from which all arrivals are dropped; 0 is 3·Min, or Limit/4 if there is no Min
	Min   Bytes   // average length from which some are, less than Max; 0 is Max/3
	P     float64 // probability as the average comes to Max, 0 to 1; 0 is 0.02

	// AvPkt is the size of a packet on average, by which the average falls while
	// the link is idle; 0 is 1000 bytes. Burst is about how many such packets
	// may arrive at once at an empty queue before the average comes to Min; 0 is
	// (2·Min+Max)/(3·AvPkt), which is rounded down, and the most is 100000. It
	// makes the weight of the average, a power of 1/2, as in tc: there is one
	// only if Min is more than AvPkt and no more than Burst such packets.
	AvPkt Bytes
	Burst int

	ECN      bool // mark ECN-capable packets rather than drop them
	HardDrop bool // but drop them too at Max
}

func (RED) start(s *shaper) queue { return &red{shaper: s, idle: -1} }

type red struct {
	shaper  *shaper
	config  RED    // with defaults filled in
	weight  int    // of an arrival in the average, a power of 1/2
	slope   uint64 // P/(Max−Min), in 2^-63
	packets backlog

	average int64         // length, in 2^-weight bytes
	count   int64         // arrivals since the last drop or mark; negative while the average is below Min or at Max
	random  uint64        // of 63 bits: the next one is when count times the average above Min comes to random/slope
	idle    time.Duration // since when the link has been idle, negative if it is not
}

func (q *red) configure(e Queue) error {
	c, ok := e.(RED)
	if !ok {
		return fmt.Errorf("a running RED cannot become a %T", e)
	}
	c.Limit = orDefault(c.Limit, 400*KB)
	if c.Max == 0 && c.Min > 0 {
		c.Max = 3 * c.Min
	}
	c.Max = orDefault(c.Max, c.Limit/4)
	c.Min = orDefault(c.Min, c.Max/3)
	c.P = orDefault(c.P, 0.02)
	c.AvPkt = orDefault(c.AvPkt, 1000)
	switch {
	case c.Limit < 0 || c.Limit > GiB:
		return errors.New("the limit is not between 0 and 1 GiB")
	case c.Min < 0 || c.Max <= c.Min || c.Max > GiB:
		return errors.New("the thresholds are not 0 ≤ min < max ≤ 1 GiB")
	case c.AvPkt < 0 || c.AvPkt > MiB:
		return errors.New("the average packet is not between 1 and 1048576 bytes")
	case c.Burst < 0 || c.Burst > 100_000:
		return errors.New("the burst is not between 0 and 100000 packets")
	}
	p, err := newChance(c.P)
	if err != nil {
		return err
	}
	if c.Burst == 0 {
		c.Burst = int(min(100_000, (2*c.Min+c.Max)/(3*c.AvPkt)))
	}
	weight := redWeight(c)
	if weight == 0 {
		return fmt.Errorf("no weight of the average fits a burst of %d packets of %d bytes and a minimum of %d bytes: the minimum must be more than a packet and no more than the burst", c.Burst, c.AvPkt, c.Min)
	}
	q.average = q.average >> q.weight << weight
	q.weight, q.config = weight, c
	q.slope = max(1, uint64(p)/uint64(c.Max-c.Min))
	return nil
}

// redWeight returns the least weight for which a burst does not exceed Min, and
// 0 if there is none (tc's ewma, after section 6.1 of the paper).
func redWeight(c RED) int {
	a := float64(c.Burst) + 1 - float64(c.Min)/float64(c.AvPkt)
	if a < 1 {
		return 0
	}
	for weight := 1; weight < 32; weight++ {
		w, power := math.Ldexp(1, -weight), 1.0
		for range c.Burst {
			power *= 1 - w
		}
		if a <= (1-power)/w {
			return weight
		}
	}
	return 0
}

func (q *red) pass(p *Packet) *Packet {
	q.enqueue(p)
	return q.dequeue()
}

// enqueue draws a number for each arrival, so that no change of the parameters
// shifts the stream.
func (q *red) enqueue(p *Packet) {
	random := q.shaper.env.Rand.Uint64() >> 1
	q.arrive(p.queued)
	signal, hard := q.signal(random)
	spared := q.config.ECN && !(hard && q.config.HardDrop)
	_, ahead := q.shaper.ahead()
	switch {
	case signal && !(spared && q.shaper.env.Mark(p)), ahead+q.packets.bytes+p.wire > q.config.Limit:
		q.shaper.env.Drop(p)
	default:
		q.packets.push(p)
	}
}

// arrive brings the average up to date.
func (q *red) arrive(now time.Duration) {
	if q.idle < 0 {
		q.average += int64(q.packets.bytes) - q.average>>q.weight
		return
	}
	// As if so many packets had found an empty queue as the link could have
	// sent: the average times (1−2^-weight)^n, in 2^-32, by squares.
	n := q.shaper.capacity(now-q.idle) / q.config.AvPkt
	for factor := uint64(1)<<32 - uint64(1)<<(32-q.weight); n > 0 && q.average > 0; n >>= 1 {
		if n&1 == 1 {
			hi, lo := bits.Mul64(uint64(q.average), factor)
			q.average = int64(hi<<32 | lo>>32)
		}
		factor = factor * factor >> 32
	}
	q.idle = -1
}

// signal decides whether an arrival is to be dropped or marked, and whether
// that is because the average is at Max or above. Between Min and Max the
// number of arrivals from one to the next is uniform between 1 and the inverse
// of the probability (section 7 of the paper, method 2).
func (q *red) signal(random uint64) (signal, hard bool) {
	above := q.average>>q.weight - int64(q.config.Min)
	switch {
	case above < 0:
		q.count = -1
		return false, false
	case above >= int64(q.config.Max-q.config.Min):
		q.count = -1
		return true, true
	}
	q.count++
	if q.count > 0 && uint64(above*q.count) < q.random/q.slope {
		return false, false
	}
	signal = q.count > 0
	q.count, q.random = 0, random
	return signal, false
}

func (q *red) dequeue() *Packet {
	p := q.packets.pop()
	if p == nil {
		q.idle = q.shaper.env.Clock.Now()
	}
	return p
}

func (q *red) held(yield func(*Packet)) { q.packets.held(yield) }

package netem

import (
	"errors"
	"math"
	"math/bits"
	"time"
)

// Rate sends packets one after the other at a bit rate, from a queue.
//
// All arithmetic is in integers and exact: the fraction of a nanosecond that a
// transmission leaves of its last one goes to the next packet of a busy period,
// so that capacity is neither lost nor invented. A packet departs at the first
// whole nanosecond at which its last bit is sent.
//
// A change of the rate applies to what is left of the packet in transmission. A
// change of the overhead applies to packets that arrive from then on. When the
// rate becomes unlimited, all packets leave at that instant.
//
// While the link is paused, the transmission stands still and arrivals wait in
// the queue, even of an idle link and at an unlimited rate. Afterwards the link
// goes on with what was left, no faster than its rate.
//
// With a Burst it is the token bucket of tc-tbf(8): a link that has rested sends
// up to so many bytes at once, and in any time t at most Burst plus Rate·t. As in
// Linux (net/sched/sch_tbf.c), a packet leaves whole when there are tokens for
// all of it, and one larger than the burst is dropped. The packet that waits for
// its tokens still counts in the limit of the queue, and its wait as the queue's;
// head drop spares it. The bucket is full at the start, and when the rate was
// unlimited; after a change it holds what it held, but at most the new burst,
// where tc would fill it. A bucket stands still while the link is paused.
type Rate struct {
	Rate     BitRate // 0 is unlimited: packets pass at once; at most 1 Tbit/s
	Burst    Bytes   // size of the token bucket, at most 1 GB; 0 saves nothing while the link rests
	Overhead Bytes   // added to each UDP payload on the wire, as by tc-stab(8), at most 1000; see [HeaderIPv4]
	Queue    Queue   // nil is a [FIFO] without limit
	Paused   bool    // an outage that holds packets; for one that drops them see [Outage]
}

// Kind implements [Element]. Packets that the queue refuses are dropped by
// this kind.
func (Rate) Kind() string { return "queue" }

// Start implements [Element].
func (r Rate) Start(env *Env) (Runner, error) {
	s := &shaper{env: env}
	s.tick = s.timer
	s.queue = r.queue().start(s)
	return s, s.Configure(r)
}

func (r Rate) queue() Queue {
	if r.Queue == nil {
		return FIFO{}
	}
	return r.Queue
}

// Queue configures the queue in front of a [Rate]: a [FIFO], [RED], [CoDel],
// [FQCoDel], [PIE], [FQPIE] or [DualPI2]. A running queue cannot become one of another type.
type Queue interface {
	start(*shaper) queue // not configured yet
}

// queue is a running queue. It drops packets, on arrival or later, through the
// shaper's Env.
type queue interface {
	configure(Queue) error
	pass(*Packet) *Packet // takes a packet while the link is idle and returns it, or nil if it dropped it
	enqueue(*Packet)
	dequeue() *Packet // nil when it holds none
	held(yield func(*Packet))
}

// shaper is a running Rate.
//
// Work is measured in bits times 10^9, of which the link does rate units a
// nanosecond.
type shaper struct {
	env      *Env
	rate     int64
	burst    Bytes
	overhead Bytes
	queue    queue
	paused   bool // what waits stays in the queue

	sending *Packet       // the packet in transmission, nil when idle
	began   time.Duration // when its transmission, or its wait for tokens, began
	work    int64         // what was left of it at the time since
	since   time.Duration // when it started, or the rate last changed
	done    time.Duration // when the transmission ends, never while it is paused, or from when on an idle link saves
	spare   int64         // what the link can do beyond work until then, or has saved by then
	tick    func()        // timer, made once
}

func (s *shaper) Configure(e Element) error {
	c, err := configured[Rate](e)
	if err != nil {
		return err
	}
	if err := checkRate(c.Rate, c.Overhead); err != nil {
		return err
	}
	if c.Burst < 0 || c.Burst > GB {
		return errors.New("the burst is not between 0 and 1GB")
	}
	if err := s.queue.configure(c.queue()); err != nil {
		return err
	}
	old, now := *s, s.env.Clock.Now()
	s.rate, s.burst, s.overhead, s.paused = int64(c.Rate), c.Burst, c.Overhead, c.Paused
	switch {
	case s.sending == nil:
		s.done, s.spare = now, s.depth()
		if old.rate > 0 {
			s.spare = min(s.spare, old.saved(now))
		}
		if old.paused && !s.paused {
			if p := s.queue.dequeue(); p != nil {
				s.transmit(p, now, s.spare)
			}
		}
	case now < s.done:
		if !old.paused {
			s.work -= old.rate * int64(now-s.since)
		}
		s.since = now
		s.schedule()
	}
	return nil
}

// saved returns the tokens of an idle link.
func (s *shaper) saved(now time.Duration) int64 {
	elapsed := int64(now - s.done)
	switch {
	case s.paused:
		return min(s.depth(), s.spare)
	case s.rate == 0 || elapsed > (s.depth()-s.spare)/s.rate: // or the product could overflow
		return s.depth()
	}
	return min(s.depth(), s.spare+elapsed*s.rate)
}

// depth returns the tokens of a full bucket.
func (s *shaper) depth() int64 { return int64(s.burst) * tokensPerByte }

// ahead returns what waits for tokens: it has left the queue, but counts in its
// limit.
func (s *shaper) ahead() (packets int, bytes Bytes) {
	if s.burst == 0 || s.sending == nil {
		return 0, 0
	}
	return 1, s.sending.wire
}

// checkRate checks a rate and the bytes that a packet has on the wire beside its payload.
func checkRate(r BitRate, overhead Bytes) error {
	switch {
	case r < 0 || r > TbitPerSecond:
		return errors.New("the rate is not between 0 and 1Tbit/s")
	case overhead < 0 || overhead > 1000:
		return errors.New("the overhead is not between 0 and 1000 bytes")
	}
	return nil
}

func (s *shaper) Receive(p *Packet) {
	if s.rate == 0 && s.sending == nil && !s.paused {
		s.env.Forward(p)
		return
	}
	p.wire = p.Size() + s.overhead
	p.queued = s.env.Clock.Now()
	switch {
	case s.burst > 0 && p.wire > s.burst:
		s.env.Drop(p)
	case s.sending != nil || s.paused:
		s.queue.enqueue(p)
	default:
		if p = s.queue.pass(p); p != nil {
			s.begin(p)
		}
	}
}

// begin sends p, which finds the link idle.
func (s *shaper) begin(p *Packet) {
	saved, need := s.saved(p.queued), int64(p.wire)*tokensPerByte
	if s.burst > 0 && saved >= need {
		s.done, s.spare = p.queued, saved-need
		s.queue.dequeue() // the link asks for the next packet, and so an AQM learns that it rests
		s.env.Forward(p)
		return
	}
	s.transmit(p, p.queued, saved)
}

// waited returns how long p has been in the queue.
func (s *shaper) waited(p *Packet) time.Duration { return s.env.Clock.Now() - p.queued }

// transmit starts the transmission of p, of which the link has done credit
// already.
func (s *shaper) transmit(p *Packet, start time.Duration, credit int64) {
	p.QueueDelay += start - p.queued
	s.sending, s.began = p, start
	s.work = int64(p.wire)*tokensPerByte - credit
	s.since = start
	s.schedule()
}

// schedule asks for the call that ends the transmission. The credit may exceed
// the whole work where the rate sends several packets a nanosecond.
func (s *shaper) schedule() {
	if s.paused {
		s.done = never
		return
	}
	s.done, s.spare = s.since, 0
	if s.rate > 0 {
		duration := (max(0, s.work) + s.rate - 1) / s.rate
		s.done += time.Duration(duration)
		s.spare = s.rate*duration - s.work
	}
	s.env.at(s.done, s.tick)
}

// timer ends a transmission. A change of the rate, or a pause, leaves the old
// call behind, which finds that the transmission ends at another time. At the
// very instant at which a pause begins, what ends does end, and what follows on
// it stands still at its start.
//
// The next transmission starts when this one ended, even if a clock of real
// time calls late, and before the whole nanosecond only if the packet was
// there before it.
func (s *shaper) timer() {
	if s.sending == nil || s.env.Clock.Now() < s.done {
		return
	}
	p := s.sending
	s.sending = nil
	if s.burst > 0 {
		p.QueueDelay += s.done - s.began
	}
	if next := s.queue.dequeue(); next != nil {
		if next.queued < s.done {
			s.transmit(next, s.done, s.spare)
		} else {
			s.transmit(next, next.queued, s.saved(next.queued))
		}
	}
	s.env.Forward(p)
}

func (s *shaper) Held(yield func(*Packet)) {
	if s.sending != nil {
		yield(s.sending)
	}
	s.queue.held(yield)
}

// lookahead implements prompt: packets pass at once at an unlimited rate.
func (s *shaper) lookahead(next time.Duration) time.Duration { return next }

// capacity returns the bytes that the rate sends in d, rounded down.
func (s *shaper) capacity(d time.Duration) Bytes {
	if s.rate == 0 {
		return math.MaxInt64
	}
	hi, lo := bits.Mul64(uint64(s.rate), uint64(d))
	const unit = 8 * uint64(time.Second)
	if hi >= unit {
		return math.MaxInt64
	}
	n, _ := bits.Div64(hi, lo, unit)
	return Bytes(min(n, math.MaxInt64))
}

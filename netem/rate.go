package netem

import (
	"errors"
	"math/bits"
	"time"
)

// Rate sends packets one after the other at a bit rate, from a queue.
//
// All arithmetic is in integers and exact: the fraction of a nanosecond that a
// transmission needs beyond its last whole one is carried over to the next
// packet of a busy period, so that capacity is neither lost nor invented. A
// packet departs at the first whole nanosecond at which its last bit is sent.
type Rate struct {
	Rate     BitRate // 0 is unlimited: packets pass at once
	Overhead Bytes   // added to each UDP payload on the wire; see [HeaderIPv4]
	Queue    Queue   // nil is a [FIFO] without limit
}

// Kind implements [Element]. Packets that the queue refuses are dropped by
// this kind.
func (Rate) Kind() string { return "queue" }

// Start implements [Element].
func (r Rate) Start(env *Env) (Runner, error) {
	s := &shaper{env: env}
	s.tick = s.timer
	queue := r.Queue
	if queue == nil {
		queue = FIFO{}
	}
	started, err := queue.start(s)
	if err != nil {
		return nil, err
	}
	s.queue = started
	return s, s.Configure(r)
}

// Queue configures the queue in front of a [Rate].
type Queue interface {
	start(*shaper) (queue, error)
}

// queue is a running queue. It drops packets, on arrival or later, through the
// shaper's Env.
type queue interface {
	configure(Queue) error
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
	overhead Bytes
	queue    queue

	sending *Packet       // the packet in transmission, nil when idle
	work    int64         // what was left of it at the time since
	since   time.Duration // when work was last brought up to date
	done    time.Duration // when the transmission ends
	tick    func()        // timer, made once
}

func (s *shaper) Configure(e Element) error {
	c, err := configured[Rate](e)
	if err != nil {
		return err
	}
	switch {
	case c.Rate < 0 || c.Rate > TbitPerSecond:
		return errors.New("the rate is not between 0 and 1Tbit/s")
	case c.Overhead < 0 || c.Overhead > 1000:
		return errors.New("the overhead is not between 0 and 1000 bytes")
	}
	if c.Queue != nil {
		if err := s.queue.configure(c.Queue); err != nil {
			return err
		}
	}
	now := s.env.Clock.Now()
	if s.sending != nil {
		s.work = max(0, s.work-s.rate*int64(now-s.since))
		s.since = now
	}
	s.rate, s.overhead = int64(c.Rate), c.Overhead
	switch {
	case s.sending == nil:
	case s.rate == 0:
		s.flush()
	default:
		s.schedule()
	}
	return nil
}

func (s *shaper) Receive(p *Packet) {
	if s.rate == 0 {
		s.env.Forward(p)
		return
	}
	p.wire = p.Size() + s.overhead
	p.queued = s.env.Clock.Now()
	if s.sending == nil {
		s.transmit(p, p.queued, 0)
	} else {
		s.queue.enqueue(p)
	}
}

// transmit starts the transmission of p now, of which the link has done credit
// already.
func (s *shaper) transmit(p *Packet, now time.Duration, credit int64) {
	p.QueueDelay = now - p.queued
	s.sending = p
	s.work = int64(p.wire)*8*int64(time.Second) - credit
	s.since = now
	s.schedule()
}

func (s *shaper) schedule() {
	s.done = s.since + time.Duration((s.work+s.rate-1)/s.rate)
	s.env.Clock.AtQuiet(s.done, s.tick)
}

// timer ends a transmission. A change of the rate leaves the old call behind,
// which finds that the transmission ends at another time.
func (s *shaper) timer() {
	now := s.env.Clock.Now()
	if s.sending == nil || now < s.done {
		return
	}
	p := s.sending
	credit := s.rate*int64(now-s.since) - s.work
	s.sending = nil
	if next := s.queue.dequeue(); next != nil {
		s.transmit(next, now, credit)
	}
	s.env.Forward(p)
}

// flush sends all at once: the link has become unlimited.
func (s *shaper) flush() {
	s.env.Forward(s.sending)
	s.sending = nil
	now := s.env.Clock.Now()
	for p := s.queue.dequeue(); p != nil; p = s.queue.dequeue() {
		p.QueueDelay = now - p.queued
		s.env.Forward(p)
	}
}

func (s *shaper) Held(yield func(*Packet)) {
	if s.sending != nil {
		yield(s.sending)
	}
	s.queue.held(yield)
}

// capacity returns the bytes that the rate sends in d, rounded down.
func (s *shaper) capacity(d time.Duration) Bytes {
	hi, lo := bits.Mul64(uint64(s.rate), uint64(d))
	const unit = 8 * uint64(time.Second)
	if hi >= unit {
		return 1<<63 - 1
	}
	n, _ := bits.Div64(hi, lo, unit)
	return Bytes(min(n, 1<<63-1))
}

package netem

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"time"
)

// Trace sends packets when a recorded link could, like mm-link(1) of mahimahi:
// at each of its Opportunities the link takes so many bytes of the packets that
// wait. What nothing waits for is lost. A packet may take several
// opportunities, and leaves at the one that takes its last byte; several small packets share one. A
// packet that arrives at the very time of an opportunity waits for the next one.
type Trace struct {
	// Opportunities are times within a period, in ascending order. Equal ones add up.
	Opportunities []time.Duration
	Period        time.Duration // after which they begin again; at least the last opportunity, at most 24 hours
	Once          bool          // they do not begin again: the link is dead after the first period
	Bytes         Bytes         // that an opportunity takes, 0 is [MahimahiBytes]
	Overhead      Bytes         // as that of [Rate]
	Queue         Queue         // nil is a [FIFO] without limit; a limit in time is at the mean rate
	Paused        bool          // opportunities are lost, and packets wait, as those of [Rate]; the time of the trace goes on
}

// MahimahiBytes is what an opportunity of a mahimahi trace takes: one packet of the usual MTU.
const MahimahiBytes Bytes = 1500

// maxTraceLines bounds a trace file. It is some three hours at 100 Mbit/s.
const maxTraceLines = 100_000_000

// ParseMahimahi reads a trace of mahimahi: a line for each opportunity, with
// the whole milliseconds since the beginning, in ascending order. The last line is the period too.
func ParseMahimahi(r io.Reader) (Trace, error) {
	var t Trace
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		n := len(t.Opportunities) + 1
		number, err := strconv.ParseUint(lines.Text(), 10, 63)
		at := time.Duration(number) * time.Millisecond
		switch {
		case err != nil || number > uint64(maxDelay/time.Millisecond):
			return Trace{}, fmt.Errorf("line %d: %q is not a number of milliseconds up to %d", n, lines.Text(), maxDelay/time.Millisecond)
		case at < t.Period:
			return Trace{}, fmt.Errorf("line %d: %d comes after %d; expected ascending times", n, number, t.Period/time.Millisecond)
		case n > maxTraceLines:
			return Trace{}, fmt.Errorf("more than %d lines", maxTraceLines)
		}
		t.Opportunities, t.Period = append(t.Opportunities, at), at
	}
	if err := lines.Err(); err != nil {
		return Trace{}, fmt.Errorf("line %d: %w", len(t.Opportunities)+1, err)
	}
	if t.Period == 0 {
		return Trace{}, errors.New("no opportunity after 0 ms")
	}
	return t, nil
}

// Rate returns the mean capacity of the trace, rounded down.
func (t Trace) Rate() BitRate {
	if t.Period <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(t.bytes())*8*uint64(len(t.Opportunities)), uint64(time.Second))
	if hi >= uint64(t.Period) {
		return TbitPerSecond
	}
	rate, _ := bits.Div64(hi, lo, uint64(t.Period))
	return BitRate(min(rate, uint64(TbitPerSecond)))
}

func (t Trace) bytes() Bytes {
	if t.Bytes == 0 {
		return MahimahiBytes
	}
	return t.Bytes
}

// Kind implements [Element]. Packets that the queue refuses are dropped by
// this kind.
func (Trace) Kind() string { return "trace" }

// Start implements [Element].
func (t Trace) Start(env *Env) (Runner, error) {
	r := &trace{env: env, shaper: &shaper{env: env}}
	r.tick = r.opportunity
	r.queue = Rate{Queue: t.Queue}.queue().start(r.shaper)
	return r, r.Configure(t)
}

type trace struct {
	env    *Env
	trace  Trace
	shaper *shaper // of which the queue knows the Env and the rate
	queue  queue

	cycle   time.Duration // when the current period began
	next    int           // the next opportunity of the period
	waiting bool          // for the opportunity due
	due     time.Duration
	tick    func() // opportunity, made once

	taken   time.Duration // until when opportunities were taken
	budget  Bytes         // left of them
	sending *Packet       // the packet of which a part was sent
	left    Bytes         // what is left of it
}

// Configure replaces the trace, which begins at this instant unless its times
// stay the same.
func (t *trace) Configure(e Element) error {
	c, err := configured[Trace](e)
	if err != nil {
		return err
	}
	switch {
	case len(c.Opportunities) == 0:
		return errors.New("the trace has no opportunity")
	case !slices.IsSorted(c.Opportunities) || c.Opportunities[0] < 0:
		return errors.New("the opportunities are not ascending times")
	case c.Period <= 0 || c.Period > maxDelay || c.Opportunities[len(c.Opportunities)-1] > c.Period:
		return fmt.Errorf("the period does not hold all opportunities, or is longer than %s", maxDelay)
	case c.Bytes < 0 || c.Bytes > 1<<30:
		return errors.New("an opportunity takes less than 0 or more than 1GiB")
	}
	if err := checkRate(0, c.Overhead); err != nil {
		return err
	}
	if err := t.queue.configure(Rate{Queue: c.Queue}.queue()); err != nil {
		return err
	}
	if old := t.trace; c.Period != old.Period || c.Once != old.Once || !slices.Equal(c.Opportunities, old.Opportunities) {
		t.cycle, t.next, t.waiting, t.budget = t.env.Clock.Now(), 0, false, 0
	}
	if c.Paused {
		t.waiting, t.budget = false, 0
	}
	t.trace = c
	t.shaper.rate, t.shaper.overhead = int64(max(1, c.Rate())), c.Overhead
	if !t.waiting && t.budget == 0 {
		held := false
		t.Held(func(*Packet) { held = true })
		if held {
			t.await(t.env.Clock.Now())
		}
	}
	return nil
}

func (t *trace) Receive(p *Packet) {
	p.wire = p.Size() + t.trace.Overhead
	p.queued = t.env.Clock.Now()
	t.queue.enqueue(p)
	if t.budget == 0 && !t.waiting {
		t.await(p.queued)
	}
}

// await asks for the first opportunity later than now, unless the trace is
// paused or has ended.
func (t *trace) await(now time.Duration) {
	if t.trace.Paused {
		return
	}
	o := t.trace.Opportunities
	if elapsed := now - t.cycle; elapsed >= t.trace.Period {
		if t.trace.Once {
			return
		}
		t.cycle += elapsed / t.trace.Period * t.trace.Period
		t.next = 0
	}
	t.next += searchAfter(o[t.next:], now-t.cycle)
	if t.next == len(o) {
		if t.trace.Once {
			return
		}
		t.cycle, t.next = t.cycle+t.trace.Period, 0
	}
	t.waiting, t.due = true, t.cycle+o[t.next]
	t.env.at(t.due, t.tick)
}

// searchAfter returns the index of the first time later than t.
func searchAfter(times []time.Duration, t time.Duration) int {
	i, _ := slices.BinarySearchFunc(times, t, func(at, t time.Duration) int {
		if at <= t {
			return -1
		}
		return 1
	})
	return i
}

// opportunity sends a packet in the opportunities of this time, and if they take
// more asks for another call, so that what a packet sets off comes to rest
// before the next one leaves. A replaced trace leaves its call behind, which
// finds that another time is due.
func (t *trace) opportunity() {
	now := t.env.Clock.Now()
	if t.waiting && now >= t.due {
		t.waiting = false
		t.budget, t.taken = t.take(now), now
	}
	if t.budget == 0 {
		return
	}
	if t.sending == nil {
		if t.sending = t.queue.dequeue(); t.sending == nil {
			t.budget = 0 // the rest is lost
			return
		}
		t.sending.QueueDelay += now - t.sending.queued
		t.left = t.sending.wire
	}
	taken := min(t.budget, t.left)
	t.budget -= taken
	t.left -= taken
	if t.budget > 0 {
		t.env.at(t.due, t.tick)
	} else {
		t.await(t.taken)
	}
	if t.left == 0 {
		p := t.sending
		t.sending = nil
		t.env.Forward(p)
	}
}

// take returns what all opportunities of this time take, and those since the
// time that was due if a clock of real time calls late.
func (t *trace) take(now time.Duration) Bytes {
	o, n := t.trace.Opportunities, 0
	for {
		for ; t.next < len(o) && t.cycle+o[t.next] <= now; t.next++ {
			n++
		}
		if t.next < len(o) || t.trace.Once || t.cycle+t.trace.Period > now {
			break
		}
		t.cycle, t.next = t.cycle+t.trace.Period, 0 // the end of a period is the beginning of the next one
	}
	return Bytes(n) * t.trace.bytes()
}

// lookahead implements prompt: a packet may come just before an opportunity.
func (t *trace) lookahead(next time.Duration) time.Duration { return next }

func (t *trace) Held(yield func(*Packet)) {
	if t.sending != nil {
		yield(t.sending)
	}
	t.queue.held(yield)
}

package netem

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Element configures one stage of a [Path]. Its zero value does nothing to the
// packets that pass, as far as its kind allows.
type Element interface {
	// Kind is the element's name in errors and counters.
	Kind() string

	// Start returns a running element, or an error that says which field is
	// wrong.
	Start(*Env) (Runner, error)
}

// Runner is a running element. Its methods are called on the goroutine that
// owns the clock.
type Runner interface {
	// Receive takes a packet.
	Receive(*Packet)

	// Configure replaces the configuration at this instant. The argument has
	// the type of the element that started the runner.
	Configure(Element) error

	// Held calls yield for each packet that the element holds, oldest first.
	Held(yield func(*Packet))
}

// prompt is a Runner that calls for times with [Env.at] only.
type prompt interface {
	// lookahead returns the least time from the arrival of a packet to a step
	// that cannot be put off, if that time is next in the element that follows.
	lookahead(next time.Duration) time.Duration
}

// Count is a number of datagrams and their UDP payload.
type Count struct {
	Packets int64
	Bytes   Bytes
}

func (c *Count) add(p *Packet) {
	c.Packets++
	c.Bytes += p.Size()
}

// Counters is what an element did so far.
type Counters struct {
	Kind    string
	In      Count
	Out     Count
	Dropped Count
	Marked  Count // datagrams whose ECN field it set to CE

	Duplicated Count // copies that it made: In + Duplicated = Out + Dropped + what it holds
	Corrupted  Count // datagrams whose payload it changed
}

// Env connects a running element with its path.
type Env struct {
	Clock Clock
	Rand  *rand.Rand // the element's own random stream

	path     *Path
	next     *Env // nil at the end of the path
	runner   Runner
	counters Counters
	little   little

	ahead time.Duration // the lookahead of what follows
	quiet bool          // it has called AtQuiet
}

// at calls f at time t to hand on at most one packet. Unless that may reach a
// host at once the step is a quiet one; see [Clock.AtQuiet].
func (e *Env) at(t time.Duration, f func()) {
	if e.ahead == 0 {
		e.Clock.At(t, f)
		return
	}
	if !e.quiet {
		e.quiet = true
		e.path.derive()
	}
	e.Clock.AtQuiet(t, f)
}

func (e *Env) receive(p *Packet, now time.Duration) {
	e.counters.In.add(p)
	e.little.enter(p, now)
	e.runner.Receive(p)
}

// Forward hands a packet to the next element.
func (e *Env) Forward(p *Packet) {
	now := e.Clock.Now()
	e.counters.Out.add(p)
	e.little.leave(p, now)
	if e.next != nil {
		e.next.receive(p, now)
		return
	}
	e.path.finish(p)
}

// Drop ends a packet.
func (e *Env) Drop(p *Packet) {
	e.counters.Dropped.add(p)
	e.little.leave(p, e.Clock.Now())
	e.path.dropped(p, e.counters.Kind)
}

// Mark sets the ECN field of an ECN-capable packet to CE, and reports whether
// the packet is ECN-capable. If it is not, congestion can only be signalled by
// [Env.Drop] (RFC 3168, section 5).
func (e *Env) Mark(p *Packet) bool {
	switch p.ECN {
	case NotECT:
		return false
	case ECT0, ECT1:
		e.counters.Marked.add(p)
		p.ECN = CE
	}
	return true
}

// Duplicate returns a copy of a packet, with the same ID, for the element to
// hand on or to end as it does the original. What the original waited in queues
// is not counted again for the copy.
func (e *Env) Duplicate(p *Packet) *Packet {
	p = p.clone()
	p.QueueDelay = 0
	e.counters.Duplicated.add(p)
	e.little.enter(p, e.Clock.Now())
	e.path.duplicated.add(p)
	return p
}

// check compares the counters with what the element holds, and then how long it
// held what with Little's law.
func (e *Env) check() error {
	var held Count
	e.runner.Held(held.add)
	c := e.counters
	if !conserved(c.In, c.Duplicated, c.Out, c.Dropped, held) {
		return fmt.Errorf("%s does not conserve packets: it took in %v, duplicated %v, but handed on %v, dropped %v and holds %v (packets, bytes)", c.Kind, c.In, c.Duplicated, c.Out, c.Dropped, held)
	}
	number := c.In.Packets + c.Duplicated.Packets - c.Out.Packets - c.Dropped.Packets
	if err := e.little.check(e.Clock.Now(), number, e.runner.Held); err != nil {
		return fmt.Errorf("%s breaks Little's law: %w", c.Kind, err)
	}
	return nil
}

// conserved reports whether what came in and what was duplicated is all that
// went out, was dropped and is held.
func conserved(in, duplicated, out, dropped, held Count) bool {
	return in.Packets+duplicated.Packets == out.Packets+dropped.Packets+held.Packets &&
		in.Bytes+duplicated.Bytes == out.Bytes+dropped.Bytes+held.Bytes
}

// configured returns the configuration of a running element's own type, for
// the start of Configure.
func configured[T Element](e Element) (T, error) {
	c, ok := e.(T)
	if !ok {
		return c, fmt.Errorf("a running %T cannot become a %T", c, e)
	}
	return c, nil
}

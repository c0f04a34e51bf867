package netem

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Slot holds packets and lets them go in bursts, as links do that aggregate
// frames or wait for a grant to send, like "slot" of tc-netem(8) (sch_netem.c
// of Linux, get_slot_next).
//
// A packet that finds the last slot in the past sets the time of the next one:
// a random time between Min and Max later. Packets wait for it and leave
// together, in order. When a slot has let go as many packets or bytes as it
// may, it sets the time of the next slot in the same way, for those that are
// left or come until then.
//
// A change applies to slots that are set from then on, except that without Min
// and Max no other packet waits for a slot for which none does.
type Slot struct {
	Min, Max time.Duration // 0 to 24 hours; a Max of 0 is Min, and without both nothing waits

	Packets int   // that a slot lets go, 0 is any number
	Bytes   Bytes // of IP packets, with which a slot is over once it has let them go, 0 is any number
}

// Kind implements [Element].
func (Slot) Kind() string { return "slot" }

// Start implements [Element].
func (c Slot) Start(env *Env) (Runner, error) {
	r := &slot{env: env, opens: -1}
	r.depart = r.departed
	return r, r.Configure(c)
}

type slot struct {
	env     *Env
	config  Slot
	opens   time.Duration // when the slot that was set last opens
	packets int           // that this slot may still let go
	bytes   Bytes
	waiting ring[*Packet]
	depart  func() // departed, made once
}

func (s *slot) Configure(e Element) error {
	c, err := configured[Slot](e)
	if err != nil {
		return err
	}
	if c.Max == 0 {
		c.Max = c.Min
	}
	switch {
	case c.Min < 0 || c.Max > maxDelay:
		return fmt.Errorf("the delays are not between 0 and %s", maxDelay)
	case c.Max < c.Min:
		return errors.New("the greatest delay is less than the least")
	case c.Packets < 0 || c.Bytes < 0:
		return errors.New("a number of packets or bytes is negative")
	}
	if s.config = c; c.Max == 0 && s.waiting.len() == 0 {
		s.opens = -1
	}
	return nil
}

func (s *slot) Receive(p *Packet) {
	if s.waiting.len() > 0 {
		s.waiting.push(p)
		return
	}
	now := s.env.Clock.Now()
	if s.opens < now {
		s.set(now)
	}
	if s.opens == now {
		s.letGo(p)
		return
	}
	s.waiting.push(p)
	s.env.at(s.opens, s.depart)
}

// set sets the next slot, with one random number.
func (s *slot) set(now time.Duration) {
	c := s.config
	wait, _ := bits.Mul64(s.env.Rand.Uint64(), uint64(c.Max-c.Min)+1)
	s.opens = now + c.Min + time.Duration(wait)
	if s.packets = c.Packets; s.packets == 0 {
		s.packets = math.MaxInt
	}
	if s.bytes = c.Bytes; s.bytes == 0 {
		s.bytes = math.MaxInt64
	}
}

// departed hands on one packet, and the clock calls again for the next one even
// if the slot is still open: what a packet sets off comes to rest before the
// next one arrives.
func (s *slot) departed() { s.letGo(s.waiting.pop()) }

// letGo hands on a packet in the slot that is open.
func (s *slot) letGo(p *Packet) {
	s.packets--
	s.bytes -= p.Size() + HeaderIPv4
	if s.packets <= 0 || s.bytes <= 0 {
		s.set(s.env.Clock.Now())
	}
	if s.waiting.len() > 0 {
		s.env.at(s.opens, s.depart)
	}
	s.env.Forward(p)
}

func (s *slot) Held(yield func(*Packet)) {
	for i := range s.waiting.len() {
		yield(*s.waiting.at(i))
	}
}

// lookahead implements prompt: a packet may find a slot that opens at once.
func (s *slot) lookahead(next time.Duration) time.Duration { return next }

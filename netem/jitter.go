package netem

import (
	"errors"
	"fmt"
	"math/bits"
	"time"
)

// Jitter is a delay that varies from packet to packet, like "delay" of
// tc-netem(8) with its time, jitter, correlation and distribution (sch_netem.c
// of Linux, tabledist). Each packet leaves when its own delay ends, so that
// packets overtake each other, unless InOrder is set. Packets that are due at
// the same time keep their order. A delay below 0 is one of 0.
//
// A change applies to packets that arrive from then on.
type Jitter struct {
	Delay        time.Duration // what the distribution varies, 0 to 24 hours
	Deviation    time.Duration // unit of the distribution, 0 to 24 hours
	Distribution *Distribution // nil is uniform: Delay ± Deviation

	// Correlation, 0 to 1, is how much each random number r depends on the one
	// before: r = (1−ρ)·u + ρ·r′ for a uniform number u, as in the Linux kernel
	// (get_crandom). The numbers have the autocorrelation ρ and, around the same
	// mean, a variance that is smaller by (1−ρ)/(1+ρ).
	//
	// They pick a place in the distribution by their size. Linux picks it by
	// their remainder, in which little of the correlation is left.
	Correlation float64

	// InOrder keeps packets in order: one that is due before another that came
	// earlier leaves right behind it.
	InOrder bool
}

// Kind implements [Element].
func (Jitter) Kind() string { return "jitter" }

// Start implements [Element].
func (j Jitter) Start(env *Env) (Runner, error) {
	r := &jitter{env: env}
	r.depart = r.departed
	return r, r.Configure(j)
}

type jitter struct {
	env    *Env
	config Jitter
	random correlated
	flying flights
	latest time.Duration // when the last packet leaves that has come so far
	count  uint64        // of packets that had to wait
	depart func()        // departed, made once
}

func (j *jitter) Configure(e Element) error {
	c, err := configured[Jitter](e)
	if err != nil {
		return err
	}
	switch {
	case c.Delay < 0 || c.Delay > maxDelay:
		return fmt.Errorf("the delay is not between 0 and %s", maxDelay)
	case c.Deviation < 0 || c.Deviation > maxDelay:
		return fmt.Errorf("the deviation is not between 0 and %s", maxDelay)
	case c.Distribution != nil && len(c.Distribution.table) == 0:
		return errors.New("a distribution without values")
	}
	if err := j.random.configure(0, c.Correlation); err != nil {
		return err
	}
	j.config = c
	return nil
}

// Receive draws a number even when there is no deviation, so that a change of
// it does not shift the stream.
func (j *jitter) Receive(p *Packet) {
	now := j.env.Clock.Now()
	due := now + max(0, j.config.delay(j.random.next(draw(j.env.Rand))))
	if j.config.InOrder {
		due = max(due, j.latest)
	}
	j.latest = max(j.latest, due)
	if due == now && (len(j.flying) == 0 || j.flying[0].due > now) {
		j.env.Forward(p)
		return
	}
	j.count++
	j.flying.push(timedFlight{flight{p, due}, j.count})
	j.env.at(due, j.depart)
}

// departed hands on one packet: there is a call for each, in the order of the
// times at which they are due.
func (j *jitter) departed() { j.env.Forward(j.flying.pop().packet) }

// delay returns the delay that belongs to a number below 2^63.
func (c *Jitter) delay(random chance) time.Duration {
	if c.Distribution == nil {
		offset, _ := bits.Mul64(uint64(random)<<1, uint64(2*c.Deviation))
		return c.Delay - c.Deviation + time.Duration(offset)
	}
	table := c.Distribution.table
	k, _ := bits.Mul64(uint64(random)<<1, uint64(len(table)))
	return c.Delay + c.scaled(table[k])
}

// scaled returns a value of the distribution as a time, rounded to the nearest
// nanosecond, and away from zero in the middle of two.
func (c *Jitter) scaled(value int16) time.Duration {
	x := c.Deviation * time.Duration(value) // at most 2^62
	if x < 0 {
		return (x - distScale/2) / distScale
	}
	return (x + distScale/2) / distScale
}

func (j *jitter) Held(yield func(*Packet)) { j.flying.held(yield) }

// lookahead implements prompt, with the least delay.
func (j *jitter) lookahead(next time.Duration) time.Duration {
	c := &j.config
	if c.Distribution == nil {
		return max(0, c.Delay-c.Deviation) + next
	}
	return max(0, c.Delay+c.scaled(c.Distribution.least)) + next
}

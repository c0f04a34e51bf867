package netem

import (
	"errors"
	"time"
)

// Reorder is a [Delay] that some packets skip, like "delay" with "reorder" and
// "gap" of tc-netem(8): these overtake what came within the last Delay. Gap−1
// packets are delayed; each one after them skips the delay with probability P,
// with the correlation of [Bernoulli], until one does, and then the count
// begins again (netem_enqueue in net/sched/sch_netem.c). The share of packets
// that skip it is 1/(Gap−1+1/P) without correlation.
//
// The packets that are delayed keep their order. Other than in the kernel, a
// change of the configuration does not begin the count again.
type Reorder struct {
	Delay       time.Duration // 0 to 24 hours
	P           float64       // 0 to 1
	Correlation float64       // 0 to 1
	Gap         int           // in packets; 0 is 1, tc's default
}

// Kind implements [Element].
func (Reorder) Kind() string { return "reorder" }

// Start implements [Element].
func (r Reorder) Start(env *Env) (Runner, error) {
	run := &reorder{delay: delay{env: env}}
	run.depart = run.departed
	return run, run.Configure(r)
}

type reorder struct {
	delay
	chance  correlated
	gap     int
	delayed int // since a packet skipped the delay
}

func (r *reorder) Configure(e Element) error {
	c, err := configured[Reorder](e)
	if err != nil {
		return err
	}
	if c.Gap < 0 {
		return errors.New("the gap is negative")
	}
	chance := r.chance
	if err := chance.configure(c.P, c.Correlation); err != nil {
		return err
	}
	if err := r.delay.Configure(Delay{c.Delay}); err != nil {
		return err
	}
	r.chance, r.gap = chance, max(1, c.Gap)
	return nil
}

// Receive draws a number even within the gap, where the kernel does not, so that
// a change of the gap does not shift the stream. It does not count there for
// the correlation.
func (r *reorder) Receive(p *Packet) {
	uniform := draw(r.env.Rand)
	if r.delayed >= r.gap-1 && r.chance.decide(uniform) {
		r.delayed = 0
		r.env.Forward(p)
		return
	}
	r.delayed++
	r.delay.Receive(p)
}

// lookahead implements prompt.
func (r *reorder) lookahead(next time.Duration) time.Duration {
	if r.chance.chance > 0 {
		return next
	}
	return r.delay.lookahead(next)
}

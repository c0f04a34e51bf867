package netem

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"time"
)

// The random decisions of sch_netem.c, in its arithmetic of 32 bits.

// scale32 returns a probability as tc passes it to the kernel (set_percent in
// iproute2's tc/q_netem.c).
func scale32(p float64) uint32 { return uint32(math.RoundToEven(p * math.MaxUint32)) }

// crandom is a sequence of correlated random numbers.
type crandom struct{ last, rho uint32 }

// next continues the sequence with a uniform number (get_crandom).
func (c *crandom) next(uniform uint32) uint32 {
	if c.rho == 0 {
		return uniform
	}
	rho := uint64(c.rho) + 1
	c.last = uint32((uint64(uniform)*(1<<32-rho) + uint64(c.last)*rho) >> 32)
	return c.last
}

// chance32 happens with a probability, and with certainty at its greatest.
type chance32 struct {
	p      uint32
	random crandom
}

func (c *chance32) configure(p, correlation float64) {
	c.p, c.random.rho = scale32(p), scale32(correlation)
}

func (c *chance32) happens(uniform uint32) bool { return c.p > 0 && c.p >= c.random.next(uniform) }

// netemDraws is the random numbers of a packet, all of them drawn even where
// none is needed.
type netemDraws struct {
	duplicate, state, lose, corrupt, reorder, delay uint32
	bit                                             uint64
}

func drawNetem(r *rand.Rand) netemDraws {
	a, b, c := r.Uint64(), r.Uint64(), r.Uint64()
	return netemDraws{
		duplicate: uint32(a >> 32), state: uint32(a), lose: uint32(b >> 32),
		corrupt: uint32(b), reorder: uint32(c >> 32), delay: uint32(c), bit: r.Uint64(),
	}
}

// netemLoss is a running loss model (loss_event). Other than the kernel's, the sum
// of two probabilities of a [Markov] that round up to 2^32 together is not 0.
type netemLoss struct {
	random  chance32
	gilbert *gilbert32
	markov  *markov
}

// configure begins a model anew.
func (l *netemLoss) configure(c Loss) {
	l.random.p, l.gilbert, l.markov = 0, nil, nil
	switch c := c.(type) {
	case Bernoulli:
		l.random.configure(c.P, c.Correlation)
	case GilbertElliott:
		l.gilbert = &gilbert32{p: scale32(c.P), r: scale32(c.R), h: math.MaxUint32 - scale32(c.Bad), k1: scale32(c.Good)}
	case Markov:
		p := func(p float64) chance { return chance(scale32(p)) }
		l.markov = &markov{p13: p(c.P13), p31: p(c.P31), p32: p(c.P32), p23: p(c.P23), p14: p(c.P14)}
	}
}

func (l *netemLoss) happens(n *netemDraws) bool {
	switch {
	case l.gilbert != nil:
		return l.gilbert.lose(n.state, n.lose)
	case l.markov != nil:
		return l.markov.loses(chance(n.state))
	}
	return l.random.happens(n.lose)
}

// gilbert32 is [GilbertElliott] (loss_gilb_ell), with h and k1 named as in the
// kernel: in the bad state a packet survives with the probability h.
type gilbert32 struct {
	bad         bool
	p, r, h, k1 uint32
}

func (g *gilbert32) lose(change, lost uint32) bool {
	if g.bad {
		g.bad = change >= g.r
		return lost > g.h
	}
	g.bad = change < g.p
	return lost < g.k1
}

// scatter returns a time around a mean that belongs to a random number
// (tabledist).
func scatter(mean, jitter time.Duration, random uint32, d *Distribution) time.Duration {
	jitter = min(jitter, math.MaxInt32)
	switch {
	case jitter == 0:
		return mean
	case d == nil:
		return mean - jitter + time.Duration(random)%(2*jitter)
	}
	t := time.Duration(d.table[random%uint32(len(d.table))])
	x := jitter % distScale * t
	if x >= 0 {
		x += distScale / 2
	} else {
		x -= distScale / 2
	}
	return mean + x/distScale + jitter/distScale*t
}

// leastScatter returns the least of these times.
func leastScatter(mean, jitter time.Duration, d *Distribution) time.Duration {
	if d == nil {
		return scatter(mean, jitter, 0, nil)
	}
	return scatter(mean, jitter, 0, &Distribution{table: []int16{d.least}})
}

// between returns a time from least to most, which it does not reach
// (get_slot_next).
func between(least, most time.Duration, random uint32) time.Duration {
	hi, lo := bits.Mul64(uint64(most-least), uint64(random))
	return least + time.Duration(hi<<32|lo>>32)
}

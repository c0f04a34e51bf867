package netem

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
)

// chance is a probability, as the number of 63-bit numbers for which something
// happens: comparing integers keeps the outcome the same on every processor.
type chance uint64

// certain is the chance of 1.
const certain chance = 1 << 63

var errProbability = errors.New("the probability is not between 0 and 1")

func newChance(p float64) (chance, error) {
	if math.IsNaN(p) || p < 0 || p > 1 {
		return 0, errProbability
	}
	return chance(p * float64(certain)), nil
}

type namedChance struct {
	name string
	p    float64
	to   *chance
}

// newChances sets each chance to its probability, or none of them on an error,
// which names the first that is wrong.
func newChances(named ...namedChance) error {
	for _, n := range named {
		if _, err := newChance(n.p); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
	}
	for _, n := range named {
		*n.to, _ = newChance(n.p)
	}
	return nil
}

// draw returns a 63-bit random number.
func draw(r *rand.Rand) chance { return chance(r.Uint64() >> 1) }

// correlated is a chance whose outcomes are correlated as those of the Linux
// kernel are; see [Bernoulli].
type correlated struct {
	chance chance
	rho    chance
	last   chance // the number that decided last
	drawn  bool   // whether there was one
}

func (c *correlated) configure(p, correlation float64) error {
	threshold, err := newChance(p)
	if err != nil {
		return err
	}
	rho, err := newChance(correlation)
	if err != nil {
		return errors.New("the correlation is not between 0 and 1")
	}
	c.chance, c.rho = threshold, rho
	return nil
}

// happens draws a number even when the probability is 0 or 1.
func (c *correlated) happens(r *rand.Rand) bool { return c.decide(draw(r)) }

// decide continues the sequence with a uniform number.
func (c *correlated) decide(uniform chance) bool { return c.next(uniform) < c.chance }

// next returns the number that follows in the sequence from a uniform number.
// Before the first one there is none to correlate with.
func (c *correlated) next(uniform chance) chance {
	if !c.drawn {
		c.last, c.drawn = uniform, true
	}
	hi1, lo1 := bits.Mul64(uint64(uniform), uint64(certain-c.rho))
	hi2, lo2 := bits.Mul64(uint64(c.last), uint64(c.rho))
	lo, carry := bits.Add64(lo1, lo2, 0)
	c.last = chance((hi1+hi2+carry)<<1 | lo>>63)
	return c.last
}

package netem

import (
	"errors"
	"math"
	"time"
)

// Bernoulli loses each packet with probability P, independently of the others,
// like "loss random" of tc-netem(8).
type Bernoulli struct {
	P float64 // 0 to 1
}

// Kind implements [Element].
func (Bernoulli) Kind() string { return "loss" }

// Start implements [Element].
func (b Bernoulli) Start(env *Env) (Runner, error) {
	r := &bernoulli{env: env}
	return r, r.Configure(b)
}

type bernoulli struct {
	env *Env
	// A packet is lost when a 63-bit random number is below the threshold:
	// drawing integers keeps the outcome the same on every processor.
	threshold uint64
}

func (b *bernoulli) Configure(e Element) error {
	c, err := configured[Bernoulli](e)
	if err != nil {
		return err
	}
	if math.IsNaN(c.P) || c.P < 0 || c.P > 1 {
		return errors.New("the probability is not between 0 and 1")
	}
	b.threshold = uint64(c.P * (1 << 63))
	return nil
}

// Receive draws a number even when the probability is 0 or 1, so that a change
// of the probability does not shift the stream.
func (b *bernoulli) Receive(p *Packet) {
	if b.env.Rand.Uint64()>>1 < b.threshold {
		b.env.Drop(p)
		return
	}
	b.env.Forward(p)
}

func (b *bernoulli) Held(func(*Packet)) {}

func (b *bernoulli) lookahead(next time.Duration) time.Duration { return next }

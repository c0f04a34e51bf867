package tracegen

import (
	"math/rand/v2"
	"time"
)

// walk is a mean-reverting random walk: the autoregressive process of order 1
// that samples an Ornstein-Uhlenbeck process.
type walk struct {
	rand       *rand.Rand
	x          fixed
	keep, push fixed
}

// newWalk returns a walk around 0 with a deviation, whose correlation falls by
// a factor of e in the coherence time. With no coherence time its values are
// independent.
func newWalk(r *rand.Rand, deviation fixed, step, coherence time.Duration) *walk {
	w := &walk{rand: r, push: deviation}
	if coherence > 0 {
		w.keep = exp2(-ratio(int64(step), int64(coherence), 20*octave).times(log2e))
		if w.keep > 0 {
			w.push = deviation.times(root(uint64(one-w.keep) * uint64(one+w.keep)))
		}
	}
	w.x = deviation.times(normal(r))
	return w
}

// next returns the value of a step.
func (w *walk) next() fixed {
	x := w.x
	w.x = w.keep.times(x) + w.push.times(normal(w.rand))
	return x
}

package analysis

import (
	"math"
	"time"
)

// capacity holds how many bits a link could have sent in each bin of time. Where
// the rate changes within a bin, the bits are taken to be spread evenly over it.
type capacity struct {
	width time.Duration
	known bool
	last  time.Duration
	rate  float64 // bit/s, 0 is unlimited
	bits  []float64
}

// add says that a rate holds from a time on.
func (c *capacity) add(at time.Duration, rate float64) {
	if c.known {
		c.advance(at)
	}
	c.known, c.last, c.rate = true, at, rate
}

func (c *capacity) advance(to time.Duration) {
	for c.last < to {
		i := int(c.last / c.width)
		for len(c.bits) <= i {
			c.bits = append(c.bits, 0)
		}
		end := min(to, time.Duration(i+1)*c.width)
		if c.rate == 0 {
			c.bits[i] = math.Inf(1)
		} else {
			c.bits[i] += c.rate * (end - c.last).Seconds()
		}
		c.last = end
	}
}

// need returns the seconds that a number of bits take from a time on, and whether
// they are sent before what is known of the rate ends.
func (c *capacity) need(bits float64, from time.Duration) (float64, bool) {
	took := 0.0
	for at := from; at < c.last; {
		i := int(at / c.width)
		begin := time.Duration(i) * c.width
		end := min(begin+c.width, c.last)
		share := (end - at).Seconds()
		rate := c.bits[i] / (end - begin).Seconds()
		if rate*share >= bits {
			return took + bits/rate, true
		}
		bits -= rate * share
		took += share
		at = end
	}
	return 0, false
}

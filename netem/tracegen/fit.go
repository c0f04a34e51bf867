package tracegen

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// resolution is what rates are rounded down to.
const resolution = netem.KbitPerSecond

// fit sets the rates of a profile in proportion to weights, one a row, by the
// factor that makes their mean over time the one that is asked for. A rate is
// at least and at most the limits, and [netem.Stopped] where the weight is 0.
func fit(p *netem.Profile, weights []fixed, mean, least, most netem.BitRate) error {
	set := func(factor uint64) (total wide) {
		for i := range p.Rows {
			rate := netem.Stopped
			if weights[i] > 0 {
				rate = scaled(weights[i], factor, most)
				rate = max(least, rate-rate%resolution, netem.Stopped)
			}
			end := p.Period
			if i+1 < len(p.Rows) {
				end = p.Rows[i+1].At
			}
			p.Rows[i].Rate = rate
			total.add(uint64(rate), uint64(end-p.Rows[i].At))
		}
		return total
	}
	var asked wide
	asked.add(uint64(mean), uint64(p.Period))
	const largest = 1 << 62 // reaches any rate from any weight
	if all := set(largest); all.less(asked) {
		return fmt.Errorf("a mean of %s cannot be reached with at most %s and these outages", mean, most)
	}
	if none := set(0); asked.less(none) {
		return fmt.Errorf("a mean of %s cannot be reached with at least %s", mean, least)
	}
	low, high := uint64(0), uint64(largest) // the largest factor with at most the mean is in [low, high)
	for high-low > 1 {
		if middle := low + (high-low)/2; asked.less(set(middle)) {
			high = middle
		} else {
			low = middle
		}
	}
	set(low)
	return nil
}

// scaled returns weight·factor, at most a limit.
func scaled(weight fixed, factor uint64, most netem.BitRate) netem.BitRate {
	hi, lo := bits.Mul64(uint64(weight), factor)
	if hi>>32 != 0 {
		return most
	}
	return netem.BitRate(min(hi<<32|lo>>32, uint64(most)))
}

// wide is a sum of 128 bits.
type wide struct{ hi, lo uint64 }

func (w *wide) add(a, b uint64) {
	hi, lo := bits.Mul64(a, b)
	var carry uint64
	w.lo, carry = bits.Add64(w.lo, lo, 0)
	w.hi += hi + carry
}

func (w wide) less(v wide) bool { return w.hi < v.hi || w.hi == v.hi && w.lo < v.lo }

// Direction is a direction of a link.
type Direction uint8

// The directions.
const (
	Downlink Direction = iota // to the terminal
	Uplink                    // from it
)

// String returns the word for the direction.
func (d Direction) String() string {
	if d == Uplink {
		return "uplink"
	}
	return "downlink"
}

// The bounds of a trace.
const (
	maxLength = 24 * time.Hour
	maxRows   = 500_000
)

// checkTrace checks what the models have in common.
func checkTrace(length, step time.Duration, mean, least, most netem.BitRate) error {
	switch {
	case length <= 0 || length > maxLength:
		return fmt.Errorf("the length is %s; expected more than 0 and at most %s", length, maxLength)
	case step < time.Millisecond || step > time.Minute:
		return fmt.Errorf("the step is %s; expected 1ms to 1m", step)
	case length/step > maxRows:
		return fmt.Errorf("%s in steps of %s are %d values; expected at most %d", length, step, length/step, maxRows)
	case least < 0 || most > netem.TbitPerSecond || mean < netem.KbitPerSecond || mean < least || mean > most:
		return fmt.Errorf("the mean rate is %s; expected at least 1kbit/s, and between %s and %s", mean, least, most)
	}
	return nil
}

// checkOctaves checks a deviation of logarithms to base 2.
func checkOctaves(name string, octaves float64) error {
	if !(octaves >= 0 && octaves <= 5) {
		return fmt.Errorf("the %s is %v octaves; expected 0 to 5", name, octaves)
	}
	return nil
}

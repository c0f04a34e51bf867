package traffic

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/wtsim/wtsim/internal/variate"
	"github.com/wtsim/wtsim/netem"
)

// Config configures a [Source]. The zero value is silent.
type Config struct {
	// Rate is the mean rate in bytes on the link, while the source is on; at
	// most 1 Tbit/s. A source with the rate 0 sends nothing.
	Rate netem.BitRate

	// Poisson says that the times between packets are exponential and do not
	// depend on the sizes of the packets. Otherwise a packet follows when the
	// rate has had the time to send the one before it, as from a busy link, and
	// the first one leaves at Start.
	Poisson bool

	// On and Off are the lengths of the times in which the source is on and
	// off, in turn, beginning with an on time. A source without either is always
	// on. What is left of the time to the next packet when the source goes off
	// passes when it is on again, so that the mean rate is Rate times the share
	// of the time in which it is on.
	On, Off Times

	// Sizes are those of the packets; nil is 1500 bytes.
	Sizes Mix

	// Overhead is what a packet has on the link beside its UDP payload, at most
	// 1000 bytes; see [netem.HeaderIPv4].
	Overhead netem.Bytes

	// ECN is the codepoint of the packets.
	ECN netem.ECN

	// The source sends from Start on and before Stop, which is never if it is 0.
	Start, Stop time.Duration
}

// Times is a random length of time. The zero value is no time at all.
type Times struct {
	Mean time.Duration // 1 µs to 24 hours

	// Shape is that of a Pareto distribution, more than 1 and at most 1000; the
	// shortest time is Mean·(Shape−1)/Shape, and the variance is infinite up to 2.
	// The times are exponential if it is 0.
	Shape float64
}

const (
	maxTime  = 24 * time.Hour
	minMean  = time.Microsecond
	maxShape = 1000
)

// check returns an error that says which field is wrong.
func (c *Config) check() error {
	switch {
	case c.Rate < 0 || c.Rate > netem.TbitPerSecond:
		return errRate
	case c.Overhead < 0 || c.Overhead > 1000:
		return errors.New("the overhead is not between 0 and 1000 bytes")
	case c.ECN > netem.CE:
		return fmt.Errorf("%d is not an ECN codepoint", c.ECN)
	case c.Start < 0 || c.Stop < 0:
		return errors.New("the start or the stop is negative")
	case (c.On.Mean == 0) != (c.Off.Mean == 0):
		return errors.New("one of the on and off times has no mean")
	}
	for _, t := range []struct {
		name string
		Times
	}{{"on", c.On}, {"off", c.Off}} {
		if err := t.check(); err != nil {
			return fmt.Errorf("%s times: %w", t.name, err)
		}
	}
	return c.Sizes.check(c.Overhead)
}

var errRate = errors.New("the rate is not between 0 and 1Tbit/s")

func (t Times) check() error {
	switch {
	case t.Mean != 0 && (t.Mean < minMean || t.Mean > maxTime):
		return fmt.Errorf("the mean is not between %s and %s", minMean, maxTime)
	case t.Shape != 0 && (math.IsNaN(t.Shape) || t.Shape <= 1 || t.Shape > maxShape):
		return fmt.Errorf("the shape is not above 1 and at most %d", maxShape)
	}
	return nil
}

// variate returns the distribution of the times, in ns.
func (t Times) variate() variate.Variate {
	if t.Shape == 0 {
		return variate.Exponential(int64(t.Mean))
	}
	return variate.Pareto(int64(t.Mean), t.Shape)
}

package tracegen

import (
	"fmt"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// LTE is the model of a mobile phone that moves; see the package comment.
type LTE struct {
	Seed      uint64
	Direction Direction     // which walk of the seed
	Length    time.Duration // at most 24 hours
	Step      time.Duration // for which a rate holds, 1 ms to 1 minute; usually 20 to 100 ms

	Rate    netem.BitRate // mean, outages included
	MaxRate netem.BitRate // at which rates are cut; 0 is five times Rate

	Variability float64       // deviation of the logarithm of the rate to base 2, in octaves: 1 is a factor of two; 0 to 5
	Coherence   time.Duration // in which the correlation of that logarithm falls by a factor of e; 0 is none

	Outage       float64       // share of the time without any rate, 0 to 0.5
	OutageLength time.Duration // mean, at least Step if there are outages
}

// TypicalLTE returns 60 s of a phone on the move: a mean of 9 Mbit/s down or 3
// Mbit/s up, which varies by a factor of two within a second, with outages of
// half a second in the mean for 2 % of the time.
func TypicalLTE(d Direction) LTE {
	c := LTE{
		Direction: d, Length: time.Minute, Step: 50 * time.Millisecond,
		Rate:        9 * netem.MbitPerSecond,
		Variability: 1, Coherence: time.Second,
		Outage: 0.02, OutageLength: 500 * time.Millisecond,
	}
	if d == Uplink {
		c.Rate = 3 * netem.MbitPerSecond
	}
	return c
}

// Profile returns the rate over time, in whole kbit/s, [netem.Stopped] in
// outages, or an error that says which parameter is wrong.
func (c LTE) Profile() (netem.Profile, error) {
	if c.MaxRate == 0 {
		c.MaxRate = min(5*c.Rate, netem.TbitPerSecond)
	}
	if err := c.check(); err != nil {
		return netem.Profile{}, fmt.Errorf("LTE: %w", err)
	}
	p := netem.Profile{HasRate: true, Period: c.Length}
	var weights []fixed
	fading := newWalk(stream(c.Seed, "lte fading "+c.Direction.String()), newFixed(c.Variability), c.Step, c.Coherence)
	outages := stream(c.Seed, "lte outages")
	draw := func() fixed { return fixed(outages.Uint32()) }
	// With the share of outages s, the chain leaves one with the probability
	// step/length, and enters one with that times s/(1−s).
	share, leave := newFixed(c.Outage), fixed(0)
	if share > 0 {
		leave = ratio(int64(c.Step), int64(c.OutageLength), one)
	}
	enter := ratio(int64(leave.times(share)), int64(one-share), one)
	out := draw() < share
	for at := time.Duration(0); at < c.Length; at += c.Step {
		weight := exp2(fading.next())
		if out {
			weight = 0
		}
		p.Rows, weights = append(p.Rows, netem.ProfileRow{At: at}), append(weights, weight)
		if change := draw(); out {
			out = change >= leave
		} else {
			out = change < enter
		}
	}
	if err := fit(&p, weights, c.Rate, 0, c.MaxRate); err != nil {
		return netem.Profile{}, fmt.Errorf("LTE: %w", err)
	}
	return p, nil
}

func (c LTE) check() error {
	if err := checkTrace(c.Length, c.Step, c.Rate, 0, c.MaxRate); err != nil {
		return err
	}
	switch {
	case c.Coherence < 0:
		return fmt.Errorf("the coherence time is %s; expected 0 or more", c.Coherence)
	case !(c.Outage >= 0 && c.Outage <= 0.5):
		return fmt.Errorf("the share of outages is %v; expected 0 to 0.5", c.Outage)
	case c.Outage > 0 && c.OutageLength < c.Step:
		return fmt.Errorf("outages are %s long; expected at least a step, %s", c.OutageLength, c.Step)
	}
	return checkOctaves("variability", c.Variability)
}

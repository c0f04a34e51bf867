package tracegen

import (
	"fmt"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// The slots of a LEO: as long as that, and the first of a minute begins then.
const (
	slot      = 15 * time.Second
	slotPhase = 12 * time.Second
)

// LEO is the model of a terminal of a low Earth orbit constellation; see the
// package comment.
type LEO struct {
	Seed      uint64
	Direction Direction     // which rates of the seed
	Length    time.Duration // at most 24 hours; if it is whole minutes, a trace that begins again keeps the phase
	Start     time.Duration // the second of the minute at which the trace begins, 0 to less than 1 minute
	Step      time.Duration // for which values within a slot hold, 1 ms to 15 s

	Rate             netem.BitRate // mean
	MinRate, MaxRate netem.BitRate // to which rates are cut; 0 are a fifth and two and a half times Rate
	Variability      float64       // deviation of the logarithm of a slot's rate to base 2, in octaves: 1 is a factor of two; 0 to 5
	Flutter          float64       // the same within a slot, with a coherence time of 1 s

	MinRTT, MaxRTT time.Duration // between which round-trip times are; the delay is half of them
	Drift          time.Duration // by which the delay changes at most within a slot

	MinOutage, MaxOutage time.Duration // at the beginning of a slot, 0 to less than 15 s
}

// TypicalLEO returns 60 s from second 0 of a minute on: a mean of 100 Mbit/s
// between 20 and 250 down, or 12 Mbit/s between 2.4 and 30 up, round-trip times
// of 20 to 60 ms, and outages of 20 to 120 ms at the steps.
func TypicalLEO(d Direction) LEO {
	c := LEO{
		Direction: d, Length: time.Minute, Step: 250 * time.Millisecond,
		Rate:        100 * netem.MbitPerSecond,
		Variability: 0.75, Flutter: 0.15,
		MinRTT: 20 * time.Millisecond, MaxRTT: 60 * time.Millisecond, Drift: time.Millisecond,
		MinOutage: 20 * time.Millisecond, MaxOutage: 120 * time.Millisecond,
	}
	if d == Uplink {
		c.Rate = 12 * netem.MbitPerSecond
	}
	return c
}

// Profile returns rate, delay and loss over time, or an error that says which
// parameter is wrong. Rates are in whole kbit/s and delays in whole
// microseconds, and so are the ends of outages in whole milliseconds.
func (c LEO) Profile() (netem.Profile, error) {
	if c.MinRate == 0 {
		c.MinRate = c.Rate / 5
	}
	if c.MaxRate == 0 {
		c.MaxRate = min(c.Rate/2*5, netem.TbitPerSecond)
	}
	if err := c.check(); err != nil {
		return netem.Profile{}, fmt.Errorf("LEO: %w", err)
	}
	p := netem.Profile{HasRate: true, HasDelay: true, HasLoss: true, Period: c.Length}
	var weights []fixed
	path := stream(c.Seed, "leo path")
	rates := stream(c.Seed, "leo rate "+c.Direction.String())
	begin := slotPhase - c.Start // of the slot that 0 is in
	for begin > 0 {
		begin -= slot
	}
	for ; begin < c.Length; begin += slot {
		delay := between(path, c.MinRTT.Microseconds(), c.MaxRTT.Microseconds()) / 2
		drift := between(path, -c.Drift.Microseconds(), c.Drift.Microseconds())
		outage := time.Duration(between(path, c.MinOutage.Milliseconds(), c.MaxOutage.Milliseconds())) * time.Millisecond
		level := newFixed(c.Variability).times(normal(rates))
		flutter := newWalk(rates, newFixed(c.Flutter), c.Step, time.Second)
		for since := time.Duration(0); since < slot; since += c.Step {
			weight := exp2(level + flutter.next())
			moved := delay + drift*since.Microseconds()/slot.Microseconds()
			row := netem.ProfileRow{
				At:    begin + since,
				Delay: max(c.MinRTT/2, min(time.Duration(moved)*time.Microsecond, c.MaxRTT/2)),
			}
			end := min(row.At+c.Step, begin+slot)
			add := func(until time.Duration) { // the row, as far as it is within the trace
				if row.At = max(0, row.At); row.At < min(until, c.Length) {
					p.Rows, weights = append(p.Rows, row), append(weights, weight)
				}
			}
			if up := min(begin+outage, end); row.At < up {
				row.Loss = 1
				add(up)
				row.At, row.Loss = up, 0
			}
			add(end)
		}
	}
	if err := fit(&p, weights, c.Rate, c.MinRate, c.MaxRate); err != nil {
		return netem.Profile{}, fmt.Errorf("LEO: %w", err)
	}
	return p, nil
}

func (c LEO) check() error {
	if err := checkTrace(c.Length, c.Step, c.Rate, c.MinRate, c.MaxRate); err != nil {
		return err
	}
	switch {
	case c.Step > slot:
		return fmt.Errorf("the step is %s; expected at most %s", c.Step, slot)
	case c.Start < 0 || c.Start >= time.Minute:
		return fmt.Errorf("the start is %s; expected 0 to less than 1m", c.Start)
	case c.MinRTT < 0 || c.MaxRTT < c.MinRTT || c.MaxRTT > maxLength:
		return fmt.Errorf("the round-trip times are %s to %s; expected a range from 0 to %s", c.MinRTT, c.MaxRTT, maxLength)
	case c.Drift < 0 || c.Drift > maxLength:
		return fmt.Errorf("the drift is %s; expected 0 to %s", c.Drift, maxLength)
	case c.MinOutage < 0 || c.MaxOutage < c.MinOutage || c.MaxOutage >= slot:
		return fmt.Errorf("the outages are %s to %s; expected a range from 0 to less than %s", c.MinOutage, c.MaxOutage, slot)
	}
	if err := checkOctaves("flutter", c.Flutter); err != nil {
		return err
	}
	return checkOctaves("variability", c.Variability)
}

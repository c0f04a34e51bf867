package scenario

import (
	"bytes"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Trace configures a recorded link: in place of a rate if the file is one of
// mahimahi, see [netem.Trace], and otherwise as the values over time that its
// columns hold, of rate, delay and loss, see [netem.Profile].
type Trace struct {
	File string `toml:"file" default:"" short:"true" doc:"a file relative to the scenario's: mahimahi's, columns of seconds and Mbit/s, or CSV with a header such as time_s,rate_mbps,delay_ms,loss"`
	Loop bool   `toml:"loop" default:"true" doc:"whether the trace begins again at its end; if not, one of mahimahi then sends nothing more, and others keep their last values"`

	content *traceContent // nil without a file
}

type traceContent struct {
	netem.TraceFile
	capacity netem.Profile // of a trace of mahimahi, in windows
	rate     netem.BitRate // the mean, 0 if the trace does not set it
	delay    time.Duration // likewise
}

func newTraceContent(file netem.TraceFile, loop bool) *traceContent {
	file.Trace.Once, file.Profile.Once = !loop, !loop
	t := &traceContent{TraceFile: file}
	if file.Format == netem.FormatMahimahi {
		t.capacity, t.rate = file.Trace.Profile(capacityWindow), file.Trace.Rate()
		return t
	}
	if file.Profile.HasRate {
		_, t.rate, _ = file.Profile.Rates()
	}
	if file.Profile.HasDelay {
		_, t.delay, _ = file.Profile.Delays()
	}
	return t
}

// Profile returns the values over time that the trace gives to the direction,
// and whether there are any.
func (t *Trace) Profile() (netem.Profile, bool) {
	if t.content == nil || t.content.Format == netem.FormatMahimahi {
		return netem.Profile{}, false
	}
	return t.content.Profile, true
}

// capacityWindow is the time over which the capacity of a mahimahi trace is
// shown as a rate.
const capacityWindow = 100 * time.Millisecond

// Capacity returns the rate over time of a mahimahi trace, in windows of 100
// ms, and whether it is one.
func (t *Trace) Capacity() (netem.Profile, bool) {
	if !t.mahimahi() {
		return netem.Profile{}, false
	}
	return t.content.capacity, true
}

func (t *Trace) mahimahi() bool { return t.content != nil && t.content.Format == netem.FormatMahimahi }

// loadTrace reads a direction's trace.
func (c *checker) loadTrace(d *LinkDirection, path func(key ...string) []string) error {
	if d.Trace.File == "" {
		return nil
	}
	key := Trace{File: d.Trace.File, Loop: d.Trace.Loop}
	if c.traces[key] == nil {
		data, err := c.readFile(d.Trace.File, path("trace", "file"))
		if err != nil {
			return err
		}
		file, err := netem.ParseTraceFile(bytes.NewReader(data))
		if err != nil {
			return c.fail(path("trace", "file"), "%s: %v", d.Trace.File, err)
		}
		c.traces[key] = newTraceContent(file, d.Trace.Loop)
	}
	d.Trace.content = c.traces[key]
	return c.checkTraced(d, path)
}

// checkTraced checks that nothing sets what a direction's trace sets.
func (c *checker) checkTraced(d *LinkDirection, path func(key ...string) []string) error {
	mahimahi := d.Trace.mahimahi()
	p, _ := d.Trace.Profile()
	switch {
	case (mahimahi || p.HasRate) && d.Rate > 0:
		return c.fail(path("rate"), "set, and the trace sets the rate too; expected one of them")
	case mahimahi && d.Burst > 0:
		return c.fail(path("burst"), "set, but a trace of mahimahi has no token bucket; expected no burst")
	case p.HasDelay && d.Delay > 0:
		return c.fail(path("delay"), "set, and the trace sets the delay too; expected one of them")
	case p.HasLoss && d.Loss.Kind != "none":
		return c.fail(path("loss"), "set, and the trace sets the loss too; expected one of them")
	}
	return nil
}

// At returns the configuration with the values that its trace has at a virtual
// time, in place of those that the trace does not leave to others.
func (d *LinkDirection) At(t time.Duration) LinkDirection {
	c := d.Clone()
	p, ok := d.Trace.Profile()
	if !ok {
		return c
	}
	row := p.At(t)
	if p.HasRate {
		c.Rate = row.Rate
	}
	if p.HasDelay {
		c.Delay = row.Delay
	}
	if p.HasLoss {
		c.Loss.Kind, c.Loss.Config = "bernoulli", &Bernoulli{P: row.Loss}
	}
	return c
}

// nominal returns the rate and the propagation delay to which limits in BDP
// refer: those of the start, and of a trace the means.
func (d *LinkDirection) nominal() (rate netem.BitRate, propagation time.Duration) {
	rate, propagation = d.Rate, d.Delay+d.Reorder.Delay+d.Netem.config.Delay
	if t := d.Trace.content; t != nil { // which sets a rate only where there is no other
		rate, propagation = max(rate, t.rate), propagation+t.delay
	}
	return rate, propagation
}

// bandwidthDelay returns the rate and the round trip that make the
// bandwidth-delay product of a direction.
func (l *Link) bandwidthDelay(direction string) (netem.BitRate, time.Duration) {
	rate, _ := l.direction(direction).nominal()
	_, there := l.Forward.nominal()
	_, back := l.Reverse.nominal()
	return rate, there + back
}

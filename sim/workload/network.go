package workload

import (
	"fmt"
	"reflect"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// link is a link of the scenario.
type link struct {
	name       string
	between    [2]string
	directions [2]*direction // indexed by record.Direction
}

// direction is one direction of a link, as it is configured at the moment.
type direction struct {
	link     *scenario.Link
	name     string // forward or reverse
	entity   string
	path     *netem.Path
	config   scenario.LinkDirection
	elements []netem.Element // of config and the outages
	overhead netem.Bytes     // as configured at the start

	dropping, holding int // outages of each kind that have not ended
}

func (w *Workload) buildNetwork() {
	for i := range w.scenario.Hosts {
		name := w.scenario.Hosts[i].Name
		w.hosts[name] = w.world.Host(name)
	}
	for i := range w.scenario.Links {
		w.buildLink(&w.scenario.Links[i])
	}
}

func (w *Workload) buildLink(config *scenario.Link) {
	l := &link{name: config.Name, between: config.Between}
	for i, c := range []scenario.LinkDirection{config.Forward, config.Reverse} {
		d := &direction{
			link:     config,
			name:     record.Direction(i).String(),
			entity:   "links." + config.Name + "." + record.Direction(i).String(),
			config:   c.Clone(),
			overhead: c.Overhead,
		}
		now := d.config.At(0)
		d.elements = config.Elements(d.name, &now, scenario.Outages{})
		l.directions[i] = d
	}
	built := w.world.Link(config.Name, w.hosts[config.Between[0]], w.hosts[config.Between[1]],
		l.directions[record.Forward].elements, l.directions[record.Reverse].elements)
	if built == nil {
		return // the world keeps the error
	}
	l.directions[record.Forward].path, l.directions[record.Reverse].path = built.Forward, built.Reverse
	w.links = append(w.links, l)
	for _, d := range l.directions {
		w.sampleRate(d)
		w.sampleDelay(d)
		w.scheduleTrace(d)
		w.scheduleChanges(d)
		w.scheduleOutages(d)
	}
}

// scheduleTrace has the values of a direction's trace set and recorded.
func (w *Workload) scheduleTrace(d *direction) {
	if p, ok := d.config.Trace.Profile(); ok {
		w.each(p, func() { w.configure(d) })
	}
	if p, ok := d.config.Trace.Capacity(); ok {
		w.each(p, func() { w.sampleRate(d) })
	}
}

// each calls f whenever the values of a profile change.
func (w *Workload) each(p netem.Profile, f func()) {
	var await func(time.Duration)
	await = func(now time.Duration) {
		if next, ok := p.Next(now); ok {
			w.world.At(next, func() {
				f()
				await(next)
			})
		}
	}
	await(0)
}

// scheduleChanges has the scenario's changes of a direction made.
func (w *Workload) scheduleChanges(d *direction) {
	for i := range d.link.Changes {
		if change := &d.link.Changes[i]; change.Applies(d.name) {
			w.world.At(change.At, func() { w.change(d, change) })
		}
	}
}

// change begins a change of a direction now, and records it.
func (w *Workload) change(d *direction, change *scenario.Change) {
	w.recorder.event(record.Event{Kind: record.EventLinkChanged, Entity: d.entity, Text: change.Describe(d.name)})
	from := d.config.Clone()
	w.step(d, change, &from, 0)
}

// step brings a direction as far as a change is when elapsed of it has passed.
func (w *Workload) step(d *direction, change *scenario.Change, from *scenario.LinkDirection, elapsed time.Duration) {
	change.Apply(&d.config, from, d.name, elapsed)
	w.configure(d)
	if elapsed < change.Over {
		next := min(elapsed+change.Step, change.Over)
		w.world.At(change.At+next, func() { w.step(d, change, from, next) })
	}
}

// scheduleOutages has the scenario's outages of a direction begin and end.
func (w *Workload) scheduleOutages(d *direction) {
	for i := range d.link.Outages {
		o := &d.link.Outages[i]
		if !o.Applies(d.name) {
			continue
		}
		active, what := &d.dropping, "down"
		if o.Packets == "hold" {
			active, what = &d.holding, "on hold"
		}
		set := func(by int, text string) {
			*active += by
			w.configure(d)
			w.recorder.event(record.Event{Kind: record.EventLinkChanged, Entity: d.entity, Text: text})
		}
		for _, at := range o.Times(w.scenario.TimeLimit) {
			w.world.At(at, func() { set(1, what) })
			w.world.At(at+o.For, func() { set(-1, "no longer "+what) })
		}
	}
}

// configure gives the path what the direction's configuration and outages ask
// for now.
func (w *Workload) configure(d *direction) {
	old, now := d.elements, d.config.At(w.world.Now())
	d.elements = d.link.Elements(d.name, &now, scenario.Outages{Drop: d.dropping > 0, Hold: d.holding > 0})
	for i, e := range d.elements {
		if reflect.DeepEqual(e, old[i]) {
			continue
		}
		if err := d.path.Configure(e); err != nil {
			// The scenario's validation admits no such values.
			panic(fmt.Sprintf("workload: a valid change of %s was refused: %v", d.entity, err))
		}
		switch e.(type) {
		case netem.Rate:
			w.sampleRate(d)
		case netem.Delay, netem.Jitter:
			w.sampleDelay(d)
		}
	}
}

// sampleRate records the rate that a direction has now; sampleDelay its delay.
func (w *Workload) sampleRate(d *direction) {
	now := w.world.Now()
	c := d.config.At(now)
	if p, ok := c.Trace.Capacity(); ok {
		c.Rate = p.At(now).Rate
	}
	w.recorder.sample(record.Sample{Time: now, Name: record.SeriesLinkRate, Entity: d.entity, Value: float64(c.Rate)})
}

func (w *Workload) sampleDelay(d *direction) {
	now := w.world.Now()
	c := d.config.At(now)
	w.recorder.sample(record.Sample{Time: now, Name: record.SeriesLinkDelay, Entity: d.entity, Value: c.Delay.Seconds()})
}

package workload

import (
	"fmt"
	"strings"
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
	entity    string
	path      *netem.Path
	config    scenario.LinkDirection
	firstRate netem.BitRate // as configured at the start, which is what a BDP refers to
	roundTrip time.Duration // likewise
	overhead  netem.Bytes   // likewise
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
	roundTrip := config.Forward.Delay + config.Reverse.Delay
	l := &link{name: config.Name, between: config.Between}
	for i, c := range []scenario.LinkDirection{config.Forward, config.Reverse} {
		l.directions[i] = &direction{
			entity:    "links." + config.Name + "." + record.Direction(i).String(),
			config:    c,
			firstRate: c.Rate,
			roundTrip: roundTrip,
			overhead:  c.Overhead,
		}
	}
	built := w.world.Link(config.Name, w.hosts[config.Between[0]], w.hosts[config.Between[1]],
		l.directions[record.Forward].elements(), l.directions[record.Reverse].elements())
	if built == nil {
		return // the world keeps the error
	}
	l.directions[record.Forward].path, l.directions[record.Reverse].path = built.Forward, built.Reverse
	w.links = append(w.links, l)
	for _, d := range l.directions {
		w.sampleRate(d, 0)
		w.sampleDelay(d, 0)
	}
	for i := range config.Changes {
		change := &config.Changes[i]
		w.world.At(change.At, func() {
			for i, d := range l.directions {
				if change.Direction == "both" || change.Direction == record.Direction(i).String() {
					w.apply(change, d)
				}
			}
		})
	}
}

// elements returns the path of a direction: mtu, loss, queue and rate, delay.
func (d *direction) elements() []netem.Element {
	return []netem.Element{d.mtu(), d.loss(), d.rate(), netem.Delay{Delay: d.config.Delay}}
}

func (d *direction) mtu() netem.MTU {
	return netem.MTU{Size: d.config.MTU.Size, SendError: d.config.MTU.Error}
}

func (d *direction) loss() netem.Bernoulli { return netem.Bernoulli{P: d.config.Loss.P} }

func (d *direction) rate() netem.Rate {
	return netem.Rate{
		Rate:     d.config.Rate,
		Overhead: d.config.Overhead,
		Queue:    netem.FIFO{Limit: d.config.Queue.Limit.Resolve(d.firstRate, d.roundTrip)},
	}
}

// apply changes a direction now, and records what changed.
func (w *Workload) apply(change *scenario.Change, d *direction) {
	var changed []string
	note := func(key string, value any) { changed = append(changed, fmt.Sprintf("%s = %v", key, value)) }
	configure := func(e netem.Element) {
		if err := d.path.Configure(e); err != nil {
			// The scenario's validation admits no such values.
			panic(fmt.Sprintf("workload: a valid change of %s was refused: %v", d.entity, err))
		}
	}
	if change.Rate != nil {
		d.config.Rate = *change.Rate
		note("rate", d.config.Rate)
	}
	if change.Overhead != nil {
		d.config.Overhead = *change.Overhead
		note("overhead", d.config.Overhead)
	}
	if change.Queue != nil {
		d.config.Queue = *change.Queue
		note("queue", d.config.Queue.Limit)
	}
	if change.Rate != nil || change.Overhead != nil || change.Queue != nil {
		configure(d.rate())
	}
	if change.Delay != nil {
		d.config.Delay = *change.Delay
		note("delay", d.config.Delay)
		configure(netem.Delay{Delay: d.config.Delay})
	}
	if change.MTU != nil {
		d.config.MTU = *change.MTU
		note("mtu", d.config.MTU.Size)
		configure(d.mtu())
	}
	if change.Loss != nil {
		d.config.Loss = *change.Loss
		note("loss", d.config.Loss.P)
		configure(d.loss())
	}
	w.recorder.event(record.Event{Kind: record.EventLinkChanged, Entity: d.entity, Text: strings.Join(changed, ", ")})
	if change.Rate != nil {
		w.sampleRate(d, change.At)
	}
	if change.Delay != nil {
		w.sampleDelay(d, change.At)
	}
}

func (w *Workload) sampleRate(d *direction, at time.Duration) {
	w.recorder.sample(record.Sample{Time: at, Name: record.SeriesLinkRate, Entity: d.entity, Value: float64(d.config.Rate)})
}

func (w *Workload) sampleDelay(d *direction, at time.Duration) {
	w.recorder.sample(record.Sample{Time: at, Name: record.SeriesLinkDelay, Entity: d.entity, Value: d.config.Delay.Seconds()})
}

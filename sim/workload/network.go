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
	group      string // the link's name in the scenario
	between    [2]string
	built      *netem.Link
	nat        *netem.NAT    // nil if there is none
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
	nodes := make(map[string]netem.Node)
	for i := range w.scenario.Hosts {
		for _, name := range w.scenario.Hosts[i].Instances() {
			h := w.world.Host(name)
			if h == nil {
				return // the world keeps the error
			}
			w.hosts[name], nodes[name] = h, h
		}
	}
	for i := range w.scenario.Routers {
		r := w.world.Router(w.scenario.Routers[i].Name)
		if r == nil {
			return // the world keeps the error
		}
		w.routers = append(w.routers, r)
		nodes[r.Name()] = r
	}
	for _, in := range w.scenario.LinkInstances() {
		w.buildLink(in, nodes[in.Between[0]], nodes[in.Between[1]])
	}
	w.buildRoutes(nodes)
}

// buildRoutes pins the scenario's static routes, which are for the NATs too that
// stand for hosts.
func (w *Workload) buildRoutes(nodes map[string]netem.Node) {
	links := make(map[string]*link)
	for _, l := range w.links {
		links[l.name] = l
	}
	type hop struct{ at, nat string }
	natted := make(map[hop]bool)
	for _, r := range w.scenario.Routing() {
		w.world.Route(nodes[r.At], w.hosts[r.To].Addr(), links[r.Link].built)
		if h := (hop{r.At, r.NAT}); r.NAT != "" && !natted[h] {
			natted[h] = true // by the route of the first host behind it
			w.world.Route(nodes[r.At], links[r.NAT].nat.Addr(), links[r.Link].built)
		}
	}
}

func (w *Workload) buildLink(in scenario.LinkInstance, a, b netem.Node) {
	config := in.Link
	l := &link{name: in.Name, group: config.Name, between: in.Between}
	for i, c := range []scenario.LinkDirection{config.Forward, config.Reverse} {
		d := &direction{
			link:     config,
			name:     record.Direction(i).String(),
			entity:   "links." + in.Name + "." + record.Direction(i).String(),
			config:   c.Clone(),
			overhead: c.Overhead,
		}
		now := d.config.At(0)
		d.elements = config.Elements(d.name, &now, scenario.Outages{})
		l.directions[i] = d
	}
	l.built = w.world.Link(in.Name, a, b, l.directions[record.Forward].elements, l.directions[record.Reverse].elements)
	if l.built == nil {
		return // the world keeps the error
	}
	l.directions[record.Forward].path, l.directions[record.Reverse].path = l.built.Forward, l.built.Reverse
	w.links = append(w.links, l)
	if inside := config.NAT.Inside; inside == config.Between[0] {
		w.buildNAT(l, a, config)
	} else if inside != "" {
		w.buildNAT(l, b, config)
	}
	for _, d := range l.directions {
		w.sampleRate(d)
		w.sampleDelay(d)
		w.scheduleTrace(d)
		w.scheduleChanges(d)
		w.scheduleOutages(d)
	}
}

// behaviors are the names of what a NAT tells apart.
var behaviors = map[string]netem.NATBehavior{
	"endpoint-independent":       netem.EndpointIndependent,
	"address-dependent":          netem.AddressDependent,
	"address-and-port-dependent": netem.AddressAndPortDependent,
}

// buildNAT puts the scenario's NAT on a link, and has it rebound.
func (w *Workload) buildNAT(l *link, inside netem.Node, config *scenario.Link) {
	nat := w.world.NAT(l.built, inside, netem.NATConfig{
		Timeout: config.NAT.Timeout, InboundRefresh: config.NAT.InboundRefresh,
		Mapping: behaviors[config.NAT.Mapping], Filtering: behaviors[config.NAT.Filtering],
	})
	if nat == nil {
		return // the world keeps the error
	}
	l.nat = nat
	for i := range config.Rebinds {
		rebind, do := &config.Rebinds[i], nat.RebindPorts
		if rebind.What == "address" {
			do = nat.RebindAddress
		}
		w.again(rebind.At, rebind.Every, func(time.Duration) {
			do()
			w.recorder.event(record.Event{Kind: record.EventLinkChanged, Entity: "links." + l.name, Text: "nat: new " + rebind.What})
		})
	}
}

// again calls f at a time and, unless every is 0, so often from then on until the
// end of the run.
func (w *Workload) again(at, every time.Duration, f func(now time.Duration)) {
	w.world.At(at, func() {
		if every > 0 && at+every < w.scenario.TimeLimit {
			w.again(at+every, every, f)
		}
		f(at)
	})
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
		w.again(o.At, o.Every, func(now time.Duration) {
			set(1, what)
			w.world.At(now+o.For, func() { set(-1, "no longer "+what) })
		})
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

package scenario

import (
	"slices"

	"github.com/wtsim/wtsim/netem"
)

// Outages is which outages a direction of a link has at a moment.
type Outages struct {
	Drop bool // what enters is lost
	Hold bool // what enters waits in the queue
}

// Elements returns the path that one direction of a link has with a
// configuration, which is that at the start or one that changes or a trace lead
// to: the same elements for all of them.
func (l *Link) Elements(direction string, d *LinkDirection, out Outages) []netem.Element {
	ever := func(uses func(*LinkDirection) bool) bool { return l.ever(direction, uses) }
	var path []netem.Element
	add := func(needed bool, e netem.Element) {
		if needed {
			path = append(path, e)
		}
	}
	add(slices.ContainsFunc(l.Outages, func(o Outage) bool { return o.Applies(direction) && o.Packets == "drop" }), netem.Outage{Down: out.Drop})
	add(true, netem.MTU{Size: d.MTU.Size, SendError: d.MTU.Error})
	add(ever((*LinkDirection).polices), netem.Policer{Rate: d.Policer.Rate, Burst: d.Policer.Burst, Overhead: d.Overhead})
	add(ever((*LinkDirection).harmsECN), d.ECN.element())
	add(true, netem.Filter{Loss: d.Loss.Config.model(), Above: d.Loss.Above, From: d.Loss.From, Until: d.Loss.Until, Burst: d.Loss.Burst})
	add(ever((*LinkDirection).duplicates), netem.Duplicate(d.Duplicate))
	add(ever((*LinkDirection).corrupts), netem.Corrupt(d.Corrupt))
	add(ever((*LinkDirection).disciplines), d.Netem.config)
	add(true, l.queue(direction, d, out))
	add(ever((*LinkDirection).aggregates), netem.Slot(d.Slot))
	add(ever((*LinkDirection).reorders), netem.Reorder{Delay: d.Reorder.Delay, P: d.Reorder.P, Correlation: d.Reorder.Correlation, Gap: d.Reorder.Gap})
	if ever((*LinkDirection).jitters) {
		return append(path, netem.Jitter{
			Delay: d.Delay, Deviation: d.Jitter.Deviation, Distribution: d.Jitter.Distribution.table,
			Correlation: d.Jitter.Correlation, InOrder: !d.Jitter.Reorder,
		})
	}
	return append(path, netem.Delay{Delay: d.Delay})
}

// ever reports whether a direction is, at the start or after a change, as the
// function says.
func (l *Link) ever(direction string, uses func(*LinkDirection) bool) bool {
	if uses(l.direction(direction)) {
		return true
	}
	for i := range l.Changes {
		if uses(l.Changes[i].direction(direction)) {
			return true
		}
	}
	return false
}

// queue returns the queue and what empties it: a rate or a trace.
func (l *Link) queue(direction string, d *LinkDirection, out Outages) netem.Element {
	queue := d.Queue.Config.queue(l.resolver(direction))
	if d.Trace.mahimahi() {
		t := d.Trace.content.Trace
		t.Overhead, t.Queue, t.Paused = d.Overhead, queue, out.Hold
		return t
	}
	rate, paused := d.Rate, out.Hold
	if p, ok := d.Trace.Profile(); ok && p.HasRate && rate == netem.Stopped {
		// What a time of the queue's limit holds is that of the mean rate meanwhile.
		rate, paused = d.Trace.content.rate, true
	}
	return netem.Rate{Rate: rate, Burst: d.Burst, Overhead: d.Overhead, Queue: queue, Paused: paused}
}

func (d *LinkDirection) disciplines() bool { return d.Netem.text != "" }
func (d *LinkDirection) polices() bool     { return d.Policer.Rate > 0 }
func (d *LinkDirection) harmsECN() bool {
	return d.ECN.Drop > 0 || d.ECN.Bleach > 0 || d.ECN.Mangle > 0
}
func (d *LinkDirection) duplicates() bool { return d.Duplicate.P > 0 }
func (d *LinkDirection) corrupts() bool   { return d.Corrupt.P > 0 }
func (d *LinkDirection) aggregates() bool { return d.Slot.Min > 0 || d.Slot.Max > 0 }
func (d *LinkDirection) reorders() bool   { return d.Reorder.Delay > 0 }
func (d *LinkDirection) jitters() bool    { return d.Jitter.Deviation > 0 }

// resolver returns the function that replaces limits in BDP.
func (l *Link) resolver(direction string) func(netem.Limit) netem.Limit {
	rate, roundTrip := l.bandwidthDelay(direction)
	return func(limit netem.Limit) netem.Limit { return limit.Resolve(rate, roundTrip) }
}

// codepoints are the names of the ECN field's values.
var codepoints = map[string]netem.ECN{"not-ect": netem.NotECT, "ect0": netem.ECT0, "ect1": netem.ECT1, "ce": netem.CE}

func (e *ECNFault) element() netem.ECNFault {
	return netem.ECNFault{Drop: e.Drop, Bleach: e.Bleach, Mangle: e.Mangle, From: codepoints[e.From], To: codepoints[e.To]}
}

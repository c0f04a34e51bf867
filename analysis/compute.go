package analysis

import (
	"math"
	"strings"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// Compute returns the metrics of a recording, which it reads once as a stream.
// A metric that a run gives no value for, such as the completion time of a
// flow that did not complete, is left out, and so is one whose tables were not
// recorded.
func Compute(rec *record.Recording) (Metrics, error) {
	t := newTotals(rec.Run)
	for s, err := range rec.Samples() {
		if err != nil {
			return nil, err
		}
		t.sample(s)
	}
	names := newLinkNames(rec.Run.Links)
	for p, err := range rec.Packets() {
		if err != nil {
			return nil, err
		}
		name := names.of(p.Link, p.Direction)
		t.link(name).packet(&p)
	}
	lines := newTimelines(rec.Run.Sessions)
	for e, err := range rec.Events() {
		if err != nil {
			return nil, err
		}
		t.event(e)
		lines.event(e)
	}
	return t.metrics(lines), nil
}

// totals is everything that is added up over a recording.
type totals struct {
	run         record.Run
	bin         time.Duration
	links       table[linkTotals]
	flows       table[flowTotals]
	connections table[connectionTotals]
	traffic     table[trafficTotals]
}

func newTotals(run record.Run) *totals {
	t := &totals{run: run, bin: binWidth(run.Virtual)}
	names := newLinkNames(run.Links)
	for _, l := range run.Links {
		for d, counters := range []*record.Counters{&l.Forward, &l.Reverse} {
			link := t.link(names.of(l.Name, record.Direction(d)))
			if !run.Has(record.TablePackets) {
				link.count(counters)
			}
		}
	}
	for _, f := range run.Flows {
		t.flows.get(f.Entity)
	}
	for _, c := range run.Connections {
		t.connections.get(c.Entity).sent = c.Sent
	}
	for _, x := range run.Traffic {
		t.traffic.get(x.Entity).counts = x
	}
	return t
}

func (t *totals) link(name *linkName) *linkTotals {
	if name.totals == nil {
		name.totals = t.links.get(name.entity)
		name.totals.overhead = name.overhead
	}
	return name.totals
}

func (t *totals) sample(s record.Sample) {
	switch {
	case s.Name == record.SeriesLinkRate:
		l := t.links.get(s.Entity)
		l.rate.add(s.Time, s.Value)
		l.capacity.width = t.bin
		l.capacity.add(s.Time, s.Value)
	case strings.HasPrefix(s.Name, "conn."):
		t.connections.get(s.Entity).sample(s)
	case strings.HasPrefix(s.Name, "flow."):
		t.flows.get(s.Entity).sample(s, t.bin, t.run.Virtual)
	case strings.HasPrefix(s.Name, "traffic."):
		t.traffic.get(s.Entity).sample(s)
	}
}

func (t *totals) event(e record.Event) {
	switch {
	case strings.HasPrefix(e.Kind, "connection.") && e.Side != "":
		t.connections.get(e.Entity + "." + e.Side).event(e)
	case strings.HasPrefix(e.Kind, "flow."):
		t.flows.get(e.Entity).event(e)
	case strings.HasPrefix(e.Kind, "traffic."):
		t.traffic.get(e.Entity).event(e)
	}
}

func (t *totals) metrics(lines *timelineSet) Metrics {
	var m Metrics
	m.put(runDuration, ofRun, t.run.Virtual.Seconds())
	m.put(runDatagramsEntered, ofRun, float64(t.run.Datagrams))
	fairnessMetrics(&m, t.rivals(), t.run.Virtual)
	for _, entity := range t.flows.names {
		t.flows.get(entity).metrics(&m, entity, t.run.Virtual)
	}
	for _, entity := range t.links.names {
		if l := t.links.get(entity); l.capacity.known {
			l.capacity.advance(t.run.Virtual)
		}
	}
	connections := map[string]string{}
	for _, s := range t.run.Sessions {
		connections[s.Entity] = s.Connection
	}
	for _, f := range t.run.Flows {
		for _, entity := range f.Way {
			if l := t.links.byName[entity]; l != nil {
				l.carriesFlows = true
				l.applications += t.flows.get(f.Entity).delivered
			}
		}
		if goodput, ok := t.flows.get(f.Entity).goodput(t.run.Virtual); ok {
			m.put(flowPower, f.Entity, goodput/t.delay(f, connections[f.Session]))
		}
		if least, ok := t.leastTime(f); ok {
			if took, ok := t.flows.get(f.Entity).completion(); ok {
				m.put(flowSlowdown, f.Entity, took.Seconds()/least)
			}
		}
	}
	timelines := lines.finish()
	first := firstOnConnection(timelines, lines.connection)
	for _, line := range timelines {
		line.metrics(&m, first[line.Entity])
	}
	for _, entity := range t.connections.names {
		t.connections.get(entity).metrics(&m, entity, t.run.Virtual)
	}
	for _, entity := range t.traffic.names {
		t.traffic.get(entity).metrics(&m, entity, t.run.Virtual)
	}
	for _, entity := range t.links.names {
		t.links.get(entity).metrics(&m, entity, t.run.Virtual)
	}
	m = m.onlyOf(t.run)
	m = append(m, groupMetrics(m, t.run)...)
	m.sort()
	return m
}

// delay returns the mean delay of a flow in seconds: that of its frames, or the
// RTT where the bytes of a bulk flow are sent. It is not a number without one.
func (t *totals) delay(f record.Flow, connection string) float64 {
	switch f.Kind {
	case "media":
		return t.flows.get(f.Entity).delay.mean() / nano
	case "download":
		return t.meanRTT(connection + ".server")
	case "upload":
		return t.meanRTT(connection + ".client")
	}
	return math.NaN()
}

func (t *totals) meanRTT(end string) float64 {
	if c := t.connections.byName[end]; c != nil {
		return c.rtt.mean() / nano
	}
	return math.NaN()
}

// leastTime returns the seconds that the links of a flow's way need for its
// bytes, and whether that can be known.
func (t *totals) leastTime(f record.Flow) (float64, bool) {
	if f.Size == 0 || len(f.Way) == 0 {
		return 0, false
	}
	least := 0.0
	for _, entity := range f.Way {
		l := t.links.byName[entity]
		if l == nil {
			return 0, false
		}
		needed, ok := l.capacity.need(8*float64(f.Size), t.flows.get(f.Entity).started)
		if !ok {
			return 0, false
		}
		least = max(least, needed)
	}
	return least + f.RTT.Seconds(), true
}

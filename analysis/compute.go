package analysis

import (
	"math"
	"strings"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// Compute returns the metrics of a whole recording. A metric that a run gives
// no value for, such as the completion time of a flow that did not complete, is
// left out, and so is one whose tables were not recorded.
func Compute(rec *record.Recording) (Metrics, error) {
	all, err := ComputeWindows(rec, Window{})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// ComputeWindows returns the metrics of each of the windows of a recording. It
// reads the recording once, as a stream, however many there are. It refuses a
// window that is empty or not within the run.
func ComputeWindows(rec *record.Recording, windows ...Window) ([]Metrics, error) {
	t, err := newTotals(rec.Run, windows)
	if err != nil {
		return nil, err
	}
	lines, err := t.read(rec)
	if err != nil {
		return nil, err
	}
	return t.metrics(lines.finish(), lines.connection), nil
}

// read adds up a recording, and returns the timelines of its sessions.
func (t *totals) read(rec *record.Recording) (*timelineSet, error) {
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
		t.packet(names.of(p.Link, p.Direction), &p)
	}
	lines := newTimelines(rec.Run.Sessions)
	for e, err := range rec.Events() {
		if err != nil {
			return nil, err
		}
		t.event(e)
		lines.event(e)
	}
	return lines, nil
}

// totals is everything that is added up over a recording, of each entity for
// each window.
type totals struct {
	run         record.Run
	bin         time.Duration
	windows     []span
	entered     []uint64 // datagrams that had entered the network before each window ended, and
	before      []uint64 // before it began
	links       table[linkTotals]
	flows       table[flowTotals]
	connections table[connectionTotals]
	dialed      map[string]time.Duration // when the clients of connections dialed
	traffic     table[trafficTotals]
	resets      resetCounter
	failures    failureCounter
	streams     table[streamTotals]   // of flows, and of connection ends
	deadlines   map[string]*deadlines // of flows that have some
}

func newTotals(run record.Run, windows []Window) (*totals, error) {
	t := &totals{run: run, bin: binWidth(run.Virtual), resets: newResetCounter(run.Sessions), dialed: map[string]time.Duration{}}
	for _, w := range windows {
		in, err := w.of(run.Virtual)
		if err != nil {
			return nil, err
		}
		t.windows = append(t.windows, in)
	}
	n := len(windows)
	t.entered, t.before = make([]uint64, n), make([]uint64, n)
	t.failures = newFailureCounter(n)
	t.links.new = func() *linkTotals { return &linkTotals{in: make([]linkWindow, n)} }
	t.flows.new = func() *flowTotals { return &flowTotals{in: make([]flowWindow, n)} }
	t.connections.new = func() *connectionTotals { return &connectionTotals{in: make([]connectionWindow, n)} }
	t.traffic.new = func() *trafficTotals { return &trafficTotals{in: make([]trafficWindow, n)} }
	t.streams.new = func() *streamTotals { return &streamTotals{in: make([]streamWindow, n)} }
	names := newLinkNames(run.Links)
	for _, l := range run.Links {
		for d, counters := range []*record.Counters{&l.Forward, &l.Reverse} {
			link := t.link(names.of(l.Name, record.Direction(d)))
			if !run.Has(record.TablePackets) {
				for i := range link.in {
					link.in[i].count(counters)
				}
			}
		}
	}
	for _, f := range run.Flows {
		t.flows.get(f.Entity)
	}
	t.deadlines = newDeadlines(run.Flows, n)
	for _, c := range run.Connections {
		t.connections.get(c.Entity).sent = c.Sent
	}
	for _, x := range run.Traffic {
		t.traffic.get(x.Entity).counts = x
	}
	return t, nil
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
		l.capacity.width = t.bin
		l.capacity.add(s.Time, s.Value)
		for i := range l.in {
			l.in[i].rate.add(&t.windows[i], s.Time, s.Value)
		}
	case strings.HasPrefix(s.Name, "conn."):
		t.connections.get(s.Entity).sample(t.windows, s)
	case strings.HasPrefix(s.Name, "flow."):
		t.flows.get(s.Entity).sample(t.windows, s, t.bin, t.run.Virtual)
	case strings.HasPrefix(s.Name, "traffic."):
		t.traffic.get(s.Entity).sample(t.windows, s)
	case strings.HasPrefix(s.Name, "stream."):
		t.streams.get(s.Entity).sample(t.windows, s)
	}
}

func (t *totals) packet(name *linkName, p *record.Packet) {
	// Datagrams are numbered in the order in which they enter the network.
	for i := range t.windows {
		if w := &t.windows[i]; p.Sent < w.from {
			t.before[i] = max(t.before[i], p.ID)
		} else if p.Sent < w.to {
			t.entered[i] = max(t.entered[i], p.ID)
		}
	}
	l := t.link(name)
	bytes := int64(p.Size) + l.overhead
	for i := range l.in {
		l.in[i].packet(&t.windows[i], p, bytes)
	}
}

func (t *totals) event(e record.Event) {
	t.resets.event(t.windows, e)
	t.failures.event(t.windows, e)
	switch {
	case strings.HasPrefix(e.Kind, "connection.") && e.Side != "":
		if e.Kind == record.EventDialStarted {
			t.dialed[e.Entity] = e.Time
		}
		t.connections.get(e.Entity+"."+e.Side).event(t.windows, e)
	case strings.HasPrefix(e.Kind, "flow."):
		t.flows.get(e.Entity).event(t.windows, e)
		t.deadlines[e.Entity].event(t.windows, e)
	case strings.HasPrefix(e.Kind, "traffic."):
		t.traffic.get(e.Entity).event(e)
	}
}

// metrics returns the metrics of each window.
func (t *totals) metrics(timelines []Timeline, connection func(session string) string) []Metrics {
	for _, entity := range t.links.names {
		if l := t.links.get(entity); l.capacity.known {
			l.capacity.advance(t.run.Virtual)
		}
	}
	first := firstOnConnection(timelines, connection)
	all := make([]Metrics, len(t.windows))
	for i := range all {
		m := &all[i]
		t.metricsOf(i, m)
		for _, line := range timelines {
			line.metrics(m, &t.windows[i], first[line.Entity])
			t.resets.metrics(m, line.Entity, i)
		}
		*m = m.onlyOf(t.run, t.windows[i].whole)
		*m = append(*m, groupMetrics(*m, t.run)...)
		m.sort()
	}
	return all
}

// metricsOf adds the metrics of window i, but those of sessions and groups.
func (t *totals) metricsOf(i int, m *Metrics) {
	w := &t.windows[i]
	m.put(runDuration, ofRun, w.length().Seconds())
	m.put(runDatagramsEntered, ofRun, float64(t.datagrams(i)))
	discardMetrics(m, t.run, w)
	t.failures.metrics(m, i)
	fairnessMetrics(m, t.rivals(i), i, w)
	connections := connectionsOf(t.run.Sessions)
	for _, entity := range t.flows.names {
		t.flows.get(entity).metrics(m, entity, i, w)
	}
	carried := map[string]float64{} // bytes of flows that applications got, by link
	for _, f := range t.run.Flows {
		flow := t.flows.get(f.Entity)
		for _, entity := range f.Way {
			carried[entity] += flow.in[i].bytes
		}
		if goodput, ok := flow.goodput(i, w); ok {
			m.put(flowPower, f.Entity, goodput/t.delay(i, f, connections[f.Session]))
		}
		if took, ok := flow.completion(w); ok {
			if least, ok := t.leastTime(f); ok {
				m.put(flowSlowdown, f.Entity, took.Seconds()/least)
			}
		}
	}
	for _, entity := range t.connections.names {
		t.connections.get(entity).metrics(m, entity, i, w)
	}
	t.lifetimeMetrics(m, w)
	t.goodputMetrics(m, i)
	t.streamMetrics(m, i)
	t.deadlineMetrics(m, i, w)
	for _, entity := range t.traffic.names {
		t.traffic.get(entity).metrics(m, entity, i, w)
	}
	for _, entity := range t.links.names {
		l := t.links.get(entity)
		l.in[i].metrics(m, entity, w)
		if applications, ok := carried[entity]; ok {
			m.put(linkGoodput, entity, applications/float64(l.in[i].bytes))
		}
	}
}

// datagrams returns how many datagrams entered the network in window i.
func (t *totals) datagrams(i int) uint64 {
	entered := max(t.entered[i], t.before[i])
	if t.windows[i].end == t.run.Virtual {
		entered = t.run.Datagrams
	}
	return entered - t.before[i]
}

// delay returns the mean delay of a flow in seconds: that of its frames, or the
// RTT where the bytes of a bulk flow are sent. It is not a number without one.
func (t *totals) delay(i int, f record.Flow, connection string) float64 {
	switch f.Kind {
	case "media":
		return t.flows.get(f.Entity).in[i].delay.mean() / nano
	case "download":
		return t.meanRTT(i, connection+".server")
	case "upload":
		return t.meanRTT(i, connection+".client")
	}
	return math.NaN()
}

func (t *totals) meanRTT(i int, end string) float64 {
	if c := t.connections.byName[end]; c != nil {
		return c.in[i].rtt.mean() / nano
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

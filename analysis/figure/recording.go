package figure

import (
	"fmt"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// Option chooses what of a recording figures show.
type Option func(*options)

type options struct{ session string }

// OfSession chooses the session whose datagrams are shown, by its name; by default
// it is the first one.
func OfSession(name string) Option { return func(o *options) { o.session = name } }

// FromRecording returns what the figures of a recording show. It fails if the
// recording is broken or has not what the options choose.
func FromRecording(rec *record.Recording, choose ...Option) (Data, error) {
	all, err := analysis.Load(rec)
	if err != nil {
		return Data{}, fmt.Errorf("figures: %w", err)
	}
	return FromData(rec, all, choose...)
}

// outside is the end of the name of runs that were not simulated: nobody else will get
// the same figure.
func outside(m record.Manner) string {
	if m == record.MannerSimulated {
		return ""
	}
	return ", " + m.InWords()
}

// FromData is [FromRecording] for a recording that [analysis.Load] has read
// already.
func FromData(rec *record.Recording, all *analysis.Data, choose ...Option) (Data, error) {
	var o options
	for _, option := range choose {
		option(&o)
	}
	m, err := readMoments(rec)
	if err != nil {
		return Data{}, fmt.Errorf("figures: %w", err)
	}
	links, traffic := newLinks(rec.Run, all), trafficGroups(rec.Run, all)
	d := Data{
		Name:       fmt.Sprintf("%s, seed\u00a0%d", rec.Run.Name, rec.Run.Seed) + outside(rec.Run.Manner()),
		End:        rec.Run.Virtual,
		Bin:        all.Bin,
		Directions: links.directions(rec.Run, all, traffic, m),
		Queues:     links.queues(all),
		Changes:    m.changes,
		Moves:      m.moves,
		Senders:    senders(all, m),
		Sessions:   sessions(all, m),
	}
	for _, s := range all.Named(record.SeriesSmoothedRTT) {
		d.RTTs = append(d.RTTs, RTT{Name: endName(s.Entity), Smoothed: points(s), Latest: points(all.Of(record.SeriesLatestRTT, s.Entity))})
	}
	for _, s := range all.Named(record.SeriesOneWayDelay) {
		d.Delays = append(d.Delays, Series{flowName(s.Entity) + ": one-way delay", points(s)})
	}
	for _, s := range all.Named(record.SeriesMessageRTT) {
		d.Delays = append(d.Delays, Series{flowName(s.Entity) + ": round trip", points(s)})
	}
	d.addDistributions(all)
	for _, s := range all.Named(analysis.SeriesFairness) {
		d.Fairness = points(s)
	}
	for _, s := range all.Named(analysis.SeriesShare) {
		d.Shares = append(d.Shares, Series{flowName(s.Entity), points(s)})
	}
	for _, g := range traffic {
		if len(g.delay) > 0 {
			d.TrafficDelays = append(d.TrafficDelays, Series{g.name, g.delay})
		}
	}
	d.Chosen, d.Incidents = strings.TrimPrefix(o.session, "sessions."), m.incidents.links
	if err := d.readPackets(rec, all, m, o); err != nil {
		return Data{}, fmt.Errorf("figures: %w", err)
	}
	return d, nil
}

// addDistributions sorts distributions by what they are of.
func (d *Data) addDistributions(all *analysis.Data) {
	links := linkNames(all.Run)
	for _, kind := range []struct {
		of, words string
		to        *[]Distribution
		name      func(entity string) string
	}{
		{record.SeriesLatestRTT, "RTT", &d.Latencies, endName},
		{record.SeriesOneWayDelay, "one-way delay", &d.Latencies, flowName},
		{record.SeriesMessageRTT, "round trip", &d.Latencies, flowName},
		{analysis.SeriesQueueDelay, "", &d.Queueing, func(entity string) string { return links[entity] }},
		{analysis.TeardownNotified, "peer notified", &d.Teardowns, flowName},
		{analysis.TeardownStreams, "last stream ended at both ends", &d.Teardowns, flowName},
		{analysis.TeardownGone, "no state left at either end", &d.Teardowns, flowName},
	} {
		for _, x := range all.Distributions {
			if x.Name != kind.of || x.Count == 0 {
				continue
			}
			out := Distribution{Count: x.Count, Points: make([]XY, len(x.Points))}
			for i, p := range x.Points {
				out.Points[i] = XY{p.V, p.Share}
			}
			switch {
			case x.Entity != "" && x.Members > 1:
				out.Name = fmt.Sprintf("%s of %d", kind.name(x.Entity), x.Members)
			case x.Entity != "":
				out.Name = kind.name(x.Entity)
			case x.Members > 1:
				out.Name = fmt.Sprintf("%d others", x.Members)
			}
			switch {
			case out.Name == "":
				out.Name = kind.words
			case kind.words != "":
				out.Name += ": " + kind.words
			}
			*kind.to = append(*kind.to, out)
		}
	}
}

// linkNames returns what link directions are called in figures.
func linkNames(run record.Run) map[string]string {
	out := map[string]string{}
	for _, l := range run.Links {
		out["links."+l.Name+"."+record.Forward.String()] = l.Name + ", " + l.Between[0] + " → " + l.Between[1]
		out["links."+l.Name+"."+record.Reverse.String()] = l.Name + ", " + l.Between[1] + " → " + l.Between[0]
	}
	return out
}

// points turns the points of the analysis into those of a figure.
func points(s analysis.Series) []Point {
	out := make([]Point, len(s.Points))
	for i, p := range s.Points {
		out[i] = Point(p)
	}
	return out
}

// moments are the events that figures mark.
type moments struct {
	changes, moves  []time.Duration
	losses          map[string][]time.Duration // by connection end
	incidents       *incidents
	firstLosses     map[string][]time.Duration // all of the first ones, by connection end
	started, finish map[string]time.Duration   // of flows
	links           []migration                // to which links the moves were
}

// migration is a client's change to another link.
type migration struct {
	at               time.Duration
	connection, link string
}

func readMoments(rec *record.Recording) (moments, error) {
	m := moments{incidents: newIncidents(), losses: map[string][]time.Duration{}, firstLosses: map[string][]time.Duration{}, started: map[string]time.Duration{}, finish: map[string]time.Duration{}}
	for e, err := range rec.Events() {
		if err != nil {
			return moments{}, err
		}
		m.incidents.event(e, rec.Run.Virtual)
		switch e.Kind {
		case record.EventLinkChanged:
			if n := len(m.changes); n == 0 || m.changes[n-1] != e.Time {
				m.changes = append(m.changes, e.Time)
			}
		case record.EventMigrated:
			m.moves = append(m.moves, e.Time)
			m.links = append(m.links, migration{e.Time, e.Entity, e.Text})
		case record.EventPacketLost:
			end := e.Entity + "." + e.Side
			if n := len(m.firstLosses[end]); n < wholeLosses && (n == 0 || m.firstLosses[end][n-1] != e.Time) {
				m.firstLosses[end] = append(m.firstLosses[end], e.Time)
			}
			// Losses of one moment are one mark.
			if n := len(m.losses[end]); n == 0 || bucketOf(m.losses[end][n-1], rec.Run.Virtual) != bucketOf(e.Time, rec.Run.Virtual) {
				m.losses[end] = append(m.losses[end], e.Time)
			}
		case record.EventFlowStarted:
			m.started[e.Entity] = e.Time
		case record.EventFlowFinished, record.EventFlowFailed:
			m.finish[e.Entity] = e.Time
		}
	}
	return m, nil
}

// during cuts the bins of a flow to the time during which it ran: before and
// after it, a goodput of zero would say that it starved.
func (m moments) during(s analysis.Series, bin, end time.Duration) []Point {
	var out []Point
	for _, p := range s.Points {
		if p.T+bin/2 > m.started[s.Entity] {
			out = append(out, Point(p))
		}
	}
	if len(out) == 0 {
		return nil
	}
	until, known := m.finish[s.Entity]
	if !known {
		until = end
	}
	for t := out[len(out)-1].T/bin*bin + bin; t < until; t += bin {
		out = append(out, Point{t + min(bin, end-t)/2, 0})
	}
	return out
}

// senders returns the connection ends that sent data: those that had half of
// their first congestion window in flight at some time. The others only
// acknowledge, and their windows say nothing.
func senders(all *analysis.Data, m moments) []Sender {
	var out []Sender
	for _, s := range all.Named(record.SeriesCwnd) {
		flight := points(all.Of(record.SeriesBytesInFlight, s.Entity))
		if len(s.Points) > 0 && 2*highest([]Series{{Points: flight}}) >= s.Points[0].V {
			out = append(out, Sender{Name: endName(s.Entity), Window: points(s), InFlight: flight, Losses: m.losses[s.Entity]})
		}
	}
	return out
}

// stepOf finds the step of an event.
var stepOf = map[string]Step{
	record.EventDialStarted:       Dial,
	record.EventHandshakeComplete: HandshakeComplete,
	record.EventSettings:          Settings,
	record.EventConnectSent:       ConnectSent,
	record.EventConnectReceived:   ConnectReceived,
	record.EventEstablished:       Established,
	record.EventSessionFailed:     Failed,
	record.EventCloseCalled:       CloseCalled,
	record.EventCloseSent:         CloseSent,
	record.EventCloseNotified:     CloseNotified,
	record.EventLastStreamEnded:   LastStreamEnded,
	record.EventConnectStreamDone: ConnectStreamDone,
	record.EventSessionGone:       Gone,
}

func sessions(all *analysis.Data, m moments) []Session {
	connections := map[string]string{}
	for _, s := range all.Run.Sessions {
		connections[s.Entity] = s.Connection
	}
	var out []Session
	for _, t := range all.Timelines {
		s := Session{Name: strings.TrimPrefix(t.Entity, "sessions.")}
		for _, mark := range t.Marks {
			if step, known := stepOf[mark.Kind]; known {
				side := Client
				if mark.Side == "server" {
					side = Server
				}
				s.Events = append(s.Events, Event{step, side, mark.T})
			}
		}
		if len(s.Events) > 0 {
			s.Moves = m.incidents.moves[connections[t.Entity]]
			out = append(out, s)
		}
	}
	return out
}

// flowName shortens "flows.bulk" to "bulk" and "sessions.main.flows.bulk" to
// "main, bulk".
func flowName(entity string) string {
	entity = strings.TrimPrefix(strings.TrimPrefix(entity, "sessions."), "flows.")
	return strings.Replace(entity, ".flows.", ", ", 1)
}

// endName shortens "connections.main.server" to "main, server".
func endName(entity string) string {
	entity = strings.TrimPrefix(entity, "connections.")
	if i := strings.LastIndexByte(entity, '.'); i >= 0 {
		return entity[:i] + ", " + entity[i+1:]
	}
	return entity
}

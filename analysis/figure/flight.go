package figure

import (
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// Exchange is what the ends of a session's connection sent each other while the
// session was set up, or torn down.
type Exchange struct {
	Session string
	Part    string    // "Set-up" or "Teardown"
	Hosts   [2]string // by side
	Links   []string  // that the datagrams crossed, from the client to the server
	Events  []Event   // in order of time
	Flights []Flight  // in order of time
}

// Flight is a datagram, or several that went the same way at about the same
// time.
type Flight struct {
	From  Side
	Count int
	Bytes int64            // UDP payload of all
	Sent  [2]time.Duration // when the first and the last were sent
	Done  [2]time.Duration // when the first and the last arrived, or were dropped
	Fate  string           // why they were dropped; empty: they arrived
	Link  string           // that dropped them
	Hop   int              // which of the links on their way that is, from 1
	Key   bool             // it left, or arrived, at the moment of an event
}

// underway is the fate of datagrams that were on their way at the end of a run.
const underway = "under way"

// add makes one flight of two.
func (f *Flight) add(g *Flight) {
	f.Count += g.Count
	f.Bytes += g.Bytes
	f.Sent = [2]time.Duration{min(f.Sent[0], g.Sent[0]), max(f.Sent[1], g.Sent[1])}
	f.Done = [2]time.Duration{min(f.Done[0], g.Done[0]), max(f.Done[1], g.Done[1])}
}

// route is what the datagrams of a flight have in common.
type route struct {
	from       Side
	fate, link string
	hop        int
	key        bool
}

// merge makes one flight of those that follow each other on a route closely at
// both ends, as near tells.
func merge(flights []Flight, near func(f, g *Flight) bool) []Flight {
	var out []Flight
	last := map[route]int{}
	for i := range flights {
		g := &flights[i]
		way := route{g.From, g.Fate, g.Link, g.Hop, g.Key}
		if n, ok := last[way]; ok && near(&out[n], g) {
			out[n].add(g)
			continue
		}
		last[way] = len(out)
		out = append(out, *g)
	}
	return out
}

// maxFlights is how many flights of an exchange are kept. When there are more,
// those are made one that begin and end within a part of the time.
const maxFlights = 2000

// window collects an exchange.
type window struct {
	Exchange
	from, until time.Duration
	grain       time.Duration // within which flights are made one
}

// add adds a datagram that was on its way during the window.
func (w *window) add(j *journey) {
	if j.sent > w.until || j.done < w.from {
		return
	}
	f := Flight{From: Side(j.end % 2), Count: 1, Bytes: j.size, Sent: [2]time.Duration{j.sent, j.sent}, Done: [2]time.Duration{j.done, j.done}}
	switch j.stage {
	case arrived:
	case dropped:
		f.Fate, f.Link, f.Hop = j.fate, j.link, int(j.hop)
	default:
		f.Fate, f.Link, f.Hop = underway, j.link, int(j.hop)
		f.Done[0], f.Done[1] = w.until, w.until
	}
	f.Key = slices.ContainsFunc(w.Events, func(e Event) bool {
		return e.Side == f.From && e.Time == j.sent || e.Side != f.From && e.Time == j.done && j.stage == arrived
	})
	w.Flights = append(w.Flights, f)
	if len(w.Flights) > maxFlights {
		w.condense()
	}
}

// condense makes the flights at most half of those that are kept.
func (w *window) condense() {
	w.grain = max(w.grain, (w.until-w.from)/maxFlights, 1)
	for ; ; w.grain *= 2 {
		w.Flights = merge(w.Flights, func(f, g *Flight) bool {
			return g.Sent[1]-f.Sent[0] <= w.grain && max(f.Done[1], g.Done[1])-min(f.Done[0], g.Done[0]) <= w.grain
		})
		if len(w.Flights) <= maxFlights/2 || w.grain > w.until {
			return
		}
	}
}

// windowsOf returns the windows of the set-up and of the teardown of a session,
// those of them that there are. The first session of a connection is set up from
// the dial on, the others from their request on.
func windowsOf(s Session, first bool, end time.Duration) []*window {
	setup, teardown := part(s.Events)
	begin := func(e Event) bool { return e.Step == ConnectSent || e.Step == Failed }
	if i := slices.IndexFunc(setup, begin); !first && i >= 0 {
		setup = setup[i:]
	}
	if i := slices.IndexFunc(teardown, func(e Event) bool { return e.Step == CloseCalled || e.Step == CloseNotified }); i >= 0 {
		teardown = teardown[i:]
	}
	var out []*window
	add := func(part string, events []Event, over bool) {
		if len(events) == 0 {
			return
		}
		w := &window{Exchange: Exchange{Session: s.Name, Part: part, Events: events}, from: events[0].Time, until: end}
		if over {
			// What is sent at the end, such as the last acknowledgments, is
			// still to be seen.
			last := events[len(events)-1].Time
			w.until = min(end, last+(last-w.from)/8)
		}
		out = append(out, w)
	}
	has := func(events []Event, step Step, side Side) bool {
		return slices.ContainsFunc(events, func(e Event) bool { return e.Step == step && e.Side == side })
	}
	add("Set-up", setup, has(setup, Established, Client) || has(setup, Failed, Client))
	add("Teardown", teardown, has(teardown, Gone, Client) && has(teardown, Gone, Server))
	return out
}

// part parts the events of a session's set-up from those of its teardown.
func part(events []Event) (setup, teardown []Event) {
	for _, e := range events {
		if e.Step >= CloseCalled {
			teardown = append(teardown, e)
		} else {
			setup = append(setup, e)
		}
	}
	return setup, teardown
}

// asksFirst reports whether a session is the first to ask of those on its
// connection.
func asksFirst(s Session, all []Session, run record.Run) bool {
	asked := func(s Session) (time.Duration, bool) {
		i := slices.IndexFunc(s.Events, func(e Event) bool { return e.Step == ConnectSent })
		if i < 0 {
			return 0, false
		}
		return s.Events[i].Time, true
	}
	own, ok := asked(s)
	if !ok {
		return true
	}
	connection := connectionOf("sessions."+s.Name, run)
	beside := map[string]bool{}
	for _, other := range run.Sessions {
		beside[other.Entity] = other.Connection == connection
	}
	for _, other := range all {
		if at, ok := asked(other); ok && beside["sessions."+other.Name] && at < own {
			return false
		}
	}
	return true
}

// connectionOf returns the entity name of a session's connection.
func connectionOf(session string, run record.Run) string {
	for _, s := range run.Sessions {
		if s.Entity == session {
			return s.Connection
		}
	}
	return "connections." + strings.TrimPrefix(session, "sessions.")
}

// endsOf returns the ends of a connection, as far as run.json has them.
func endsOf(connection string, run record.Run) (client, server record.Connection) {
	for _, c := range run.Connections {
		switch c.Entity {
		case connection + ".client":
			client = c
		case connection + ".server":
			server = c
		}
	}
	return client, server
}

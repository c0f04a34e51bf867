package analysis

import (
	"cmp"
	"slices"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// Mark is an event on a timeline.
type Mark struct {
	T     time.Duration // virtual time
	Kind  string        // one of the Event constants of package record
	Side  string        // "client", "server" or ""
	Value int64         // as the kind explains
	Text  string        // as the kind explains
}

// Timeline is the life of a session: the events of its set-up and teardown and
// those of its connection, in order of time.
type Timeline struct {
	Entity string // the session
	Marks  []Mark
}

// Find returns the first mark of a kind at a side ("" is any side), and
// whether there is one.
func (t Timeline) Find(kind, side string) (Mark, bool) {
	for _, m := range t.Marks {
		if m.Kind == kind && (side == "" || m.Side == side) {
			return m, true
		}
	}
	return Mark{}, false
}

// timelineSet collects timelines.
type timelineSet struct {
	lines        table[Timeline]
	connections  map[string]string      // of each session
	ofConnection map[string][]*Timeline // the sessions of each connection
	earlier      map[string][]Mark      // marks of connections that no session is known to use
}

func newTimelines(sessions []record.Session) *timelineSet {
	s := &timelineSet{
		connections:  map[string]string{},
		ofConnection: map[string][]*Timeline{},
		earlier:      map[string][]Mark{},
	}
	for _, session := range sessions {
		s.session(session.Entity, session.Connection)
	}
	return s
}

// session returns the timeline of a session on a connection.
func (s *timelineSet) session(entity, connection string) *Timeline {
	t := s.lines.get(entity)
	if t.Entity == "" {
		t.Entity = entity
		t.Marks = append(t.Marks, s.earlier[connection]...)
		s.connections[entity] = connection
		s.ofConnection[connection] = append(s.ofConnection[connection], t)
	}
	return t
}

// connection returns the connection of a session.
func (s *timelineSet) connection(session string) string { return s.connections[session] }

func (s *timelineSet) event(e record.Event) {
	mark := Mark{e.Time, e.Kind, e.Side, e.Value, e.Text}
	switch {
	case setUpEvents[e.Kind]:
		s.earlier[e.Entity] = append(s.earlier[e.Entity], mark)
		for _, t := range s.ofConnection[e.Entity] {
			t.Marks = append(t.Marks, mark)
		}
	case isSessionEvent(e.Kind):
		t := s.session(e.Entity, connectionOf(e.Entity))
		t.Marks = append(t.Marks, mark)
	}
}

// finish returns the timelines in the order of the sessions.
func (s *timelineSet) finish() []Timeline {
	all := make([]Timeline, 0, len(s.lines.names))
	for _, session := range s.lines.names {
		t := s.lines.get(session)
		slices.SortStableFunc(t.Marks, func(a, b Mark) int { return cmp.Compare(a.T, b.T) })
		all = append(all, *t)
	}
	return all
}

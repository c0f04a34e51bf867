package figure

import (
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// Incident is something that befell a link, or the path of a session.
type Incident struct {
	Of          string // the link; empty for the path of a session
	Kind        IncidentKind
	From, Until time.Duration
	Text        string // what changed, as in the scenario; the link that a client moves to
}

// IncidentKind is what an incident is.
type IncidentKind uint8

// The kinds of incidents.
const (
	Outage      IncidentKind = iota // a link drops what comes
	Hold                            // a link holds what comes
	LinkChange                      // a parameter of a link changes
	Migration                       // a client probes another path and moves to it
	NoMigration                     // a client probes another path and stays on its own
)

// String returns what the kind is called.
func (k IncidentKind) String() string {
	return [...]string{"outage", "packets held", "link changed", "migration", "failed migration"}[k]
}

// maxIncidents is how many incidents of a link, or of a session's path, are kept.
const maxIncidents = 500

// incidents collects the incidents of a run. What befalls both directions of a
// link at once is one.
type incidents struct {
	links   []Incident
	count   map[string]int        // of each link
	moves   map[string][]Incident // of each connection, of which the last may not have ended
	pending map[string]bool       // whether it has not
}

func newIncidents() *incidents {
	return &incidents{count: map[string]int{}, moves: map[string][]Incident{}, pending: map[string]bool{}}
}

// The words with which a recording tells of outages.
var outageWords = map[string]IncidentKind{"down": Outage, "on hold": Hold}

func (c *incidents) event(e record.Event, end time.Duration) {
	switch e.Kind {
	case record.EventLinkChanged:
		c.change(e, end)
	case record.EventPathProbed:
		if len(c.moves[e.Entity]) < maxIncidents {
			c.moves[e.Entity] = append(c.moves[e.Entity], Incident{Kind: NoMigration, From: e.Time, Until: end, Text: e.Text})
			c.pending[e.Entity] = true
		}
	case record.EventMigrated, record.EventMigrationFailed:
		if all := c.moves[e.Entity]; c.pending[e.Entity] {
			last := &all[len(all)-1]
			last.Until, last.Text = e.Time, e.Text
			if e.Kind == record.EventMigrated {
				last.Kind = Migration
			}
			c.pending[e.Entity] = false
		}
	}
}

// change takes the change of a link.
func (c *incidents) change(e record.Event, end time.Duration) {
	link := strings.TrimPrefix(e.Entity, "links.")
	for _, d := range []record.Direction{record.Forward, record.Reverse} {
		link = strings.TrimSuffix(link, "."+d.String())
	}
	i := Incident{Of: link, Kind: LinkChange, From: e.Time, Until: e.Time, Text: e.Text}
	if words, over := strings.CutPrefix(e.Text, "no longer "); over {
		// Outages of a link follow each other: the last one of the kind ends.
		if kind, known := outageWords[words]; known {
			for n := len(c.links) - 1; n >= 0; n-- {
				if last := &c.links[n]; last.Of == link && last.Kind == kind {
					last.Until = e.Time
					return
				}
			}
			return
		}
	}
	if kind, known := outageWords[e.Text]; known {
		i.Kind, i.Until, i.Text = kind, end, ""
	}
	for n := len(c.links) - 1; n >= 0 && c.links[n].From == i.From; n-- {
		if c.links[n] == i {
			return
		}
	}
	if c.count[link]++; c.count[link] <= maxIncidents {
		c.links = append(c.links, i)
	}
}

// within returns the incidents that a time has a part of.
func within(all []Incident, from, until time.Duration) []Incident {
	return slices.DeleteFunc(slices.Clone(all), func(i Incident) bool { return i.Until < from || i.From > until })
}

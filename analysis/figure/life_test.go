package figure

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/sim/record"
)

func TestWhatBefallsLinksAndPathsIsCollected(t *testing.T) {
	c := newIncidents()
	change := func(at time.Duration, entity, text string) {
		c.event(record.Event{Time: at, Kind: record.EventLinkChanged, Entity: entity, Text: text}, time.Minute)
	}
	change(1*ms, "links.wifi.forward", "down")
	change(1*ms, "links.wifi.reverse", "down")
	change(2*ms, "links.lte.forward", "on hold")
	change(3*ms, "links.wifi.forward", "no longer down")
	change(3*ms, "links.wifi.reverse", "no longer down")
	change(4*ms, "links.lte.forward", "rate = 1Mbit/s")
	change(5*ms, "links.wifi", "nat: new port")
	change(6*ms, "links.wifi.forward", "down")
	change(7*ms, "links.wifi.forward", "no longer on hold") // of an outage that nobody saw begin
	want := []Incident{
		{Of: "wifi", Kind: Outage, From: 1 * ms, Until: 3 * ms},
		{Of: "lte", Kind: Hold, From: 2 * ms, Until: time.Minute},
		{Of: "lte", Kind: LinkChange, From: 4 * ms, Until: 4 * ms, Text: "rate = 1Mbit/s"},
		{Of: "wifi", Kind: LinkChange, From: 5 * ms, Until: 5 * ms, Text: "nat: new port"},
		{Of: "wifi", Kind: Outage, From: 6 * ms, Until: time.Minute},
	}
	if diff := cmp.Diff(want, c.links); diff != "" {
		t.Error(diff)
	}

	path := func(at time.Duration, kind, text string) {
		c.event(record.Event{Time: at, Kind: kind, Entity: "connections.main", Side: "client", Text: text}, time.Minute)
	}
	path(10*ms, record.EventPathProbed, "lte")
	path(20*ms, record.EventMigrated, "lte")
	path(30*ms, record.EventPathProbed, "wifi")
	path(40*ms, record.EventMigrationFailed, "wifi: no answer")
	path(50*ms, record.EventPathProbed, "wifi")
	want = []Incident{
		{Kind: Migration, From: 10 * ms, Until: 20 * ms, Text: "lte"},
		{Kind: NoMigration, From: 30 * ms, Until: 40 * ms, Text: "wifi: no answer"},
		{Kind: NoMigration, From: 50 * ms, Until: time.Minute, Text: "wifi"},
	}
	if diff := cmp.Diff(want, c.moves["connections.main"]); diff != "" {
		t.Error(diff)
	}
}

func TestOfAnyNumberOfChangesABoundedNumberIsKept(t *testing.T) {
	c := newIncidents()
	for i := range time.Duration(3 * maxIncidents) {
		c.event(record.Event{Time: i, Kind: record.EventLinkChanged, Entity: "links.a.forward", Text: "rate"}, time.Minute)
		c.event(record.Event{Time: i, Kind: record.EventPathProbed, Entity: "connections.a", Text: "b"}, time.Minute)
	}
	if len(c.links) != maxIncidents || len(c.moves["connections.a"]) != maxIncidents {
		t.Errorf("%d changes and %d migrations", len(c.links), len(c.moves["connections.a"]))
	}
}

func TestTheLifeOfASessionShowsWhatHappenedDuringIt(t *testing.T) {
	s := session("main", 40*ms)
	links := []Incident{
		{Of: "wifi", Kind: Outage, From: 5 * time.Second, Until: 6 * time.Second},
		{Of: "wifi", Kind: LinkChange, From: 20 * time.Second, Until: 20 * time.Second}, // when it was over
	}
	if p, ok := newLife(s, links[1:], time.Minute); ok {
		t.Errorf("there is a panel with the rows %v", p.rows)
	}
	s.Moves = []Incident{{Kind: Migration, From: 7 * time.Second, Until: 8 * time.Second, Text: "lte"}}
	p, ok := newLife(s, links, time.Minute)
	if !ok {
		t.Fatal("there is no panel")
	}
	want := [][]string{
		{"main", "From dial to end", "", "set-up", "0", "0.0815"},
		{"main", "From dial to end", "", "open", "0.0815", "10"},
		{"main", "From dial to end", "", "teardown", "10", "10.04045"},
		{"main", "From dial to end", "path", "migration: lte", "7", "8"},
		{"main", "From dial to end", "wifi", "outage", "5", "6"},
	}
	if diff := cmp.Diff(want, p.table()); diff != "" {
		t.Error(diff)
	}
}

// TestNoWordOfALifeCollides lays out any incidents.
func TestNoWordOfALifeCollides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := session(strings.Repeat("s", rapid.IntRange(1, 60).Draw(t, "name")), 40*ms)
		incident := rapid.Custom(func(t *rapid.T) Incident {
			from := time.Duration(rapid.Int64Range(0, int64(12*time.Second)).Draw(t, "from"))
			return Incident{
				Of:   rapid.SampledFrom([]string{"a", "backbone", strings.Repeat("link-", 30), "b", "c", "d", "e", "f"}).Draw(t, "link"),
				Kind: IncidentKind(rapid.IntRange(0, int(NoMigration)).Draw(t, "kind")), From: from,
				Until: from + time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "length")),
				Text:  rapid.SampledFrom([]string{"", "rate = 1Mbit/s", strings.Repeat("words ", 40)}).Draw(t, "text"),
			}
		})
		f := timeline(Data{
			End: 12 * time.Second, Sessions: []Session{s}, Incidents: rapid.SliceOfN(incident, 1, 40).Draw(t, "incidents"),
		})
		for _, width := range widths {
			checkLayout(t, f, width)
		}
	})
}

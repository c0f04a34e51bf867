package analysis_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

func TestDelaysAreDistributedByFlowOrGroup(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}}
	delay := func(name, entity string, seconds ...float64) {
		for _, s := range seconds {
			m.samples = append(m.samples, record.Sample{Name: name, Entity: entity, Value: s})
		}
	}
	for _, name := range []string{"s-1", "s-2"} {
		m.run.Sessions = append(m.run.Sessions, record.Session{Entity: "sessions." + name, Connection: "connections." + name, Group: "sessions.s"})
		m.run.Flows = append(m.run.Flows,
			record.Flow{Entity: "sessions." + name + ".flows.voice", Kind: "media", Session: "sessions." + name, Group: "sessions.s.flows.voice"},
			record.Flow{Entity: "sessions." + name + ".flows.bulk", Kind: "upload", Session: "sessions." + name, Group: "sessions.s.flows.bulk"})
	}
	delay(record.SeriesOneWayDelay, "sessions.s-1.flows.voice", 0.02, 0.04)
	delay(record.SeriesOneWayDelay, "sessions.s-2.flows.voice", 0.03, 0.05)
	delay(record.SeriesMessageRTT, "flows.ping", 0.1)
	delay(record.SeriesLatestRTT, "connections.s-1.client", 0.2) // where the upload's data are sent
	delay(record.SeriesLatestRTT, "connections.s-1.server", 0.3)
	want := []analysis.Distribution{
		{Entity: "connections.s.client", Members: 1, Name: record.SeriesLatestRTT, Unit: "s", Count: 1, Of: 1, Points: []analysis.Cumulative{{V: 0.2, Share: 1}}},
		{Entity: "sessions.s.flows.voice", Members: 2, Name: record.SeriesOneWayDelay, Unit: "s", Count: 4, Of: 4, Points: []analysis.Cumulative{{0.02, 0.25}, {0.03, 0.5}, {0.04, 0.75}, {0.05, 1}}},
		{Entity: "flows.ping", Members: 1, Name: record.SeriesMessageRTT, Unit: "s", Count: 1, Of: 1, Points: []analysis.Cumulative{{V: 0.1, Share: 1}}},
	}
	if diff := cmp.Diff(want, m.data(t).Distributions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEntitiesBeyondTheManyAreCountedTogether(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}}
	for i := range 300 {
		m.samples = append(m.samples, record.Sample{Name: record.SeriesMessageRTT, Entity: fmt.Sprintf("flows.f-%d", i), Value: 0.1})
	}
	got := m.data(t).Distributions
	if len(got) != 257 || got[0].Entity != "" || got[0].Members != 44 || got[0].Count != 44 {
		t.Errorf("%d distributions, the first of which is %+v", len(got), got[0])
	}
}

func TestTeardownsAreSharesOfTheSessionsThatWereClosed(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}, events: life("a", 0, 500*ms)}
	m.events = append(m.events, life("b", 0, 600*ms)...)
	m.events = m.events[:len(m.events)-1] // the client of b keeps its state
	m.events = append(m.events, session("sessions.c", "client", record.EventConnectSent, 0))
	only := func(name string, of int64, points ...analysis.Cumulative) analysis.Distribution {
		return analysis.Distribution{Members: 1, Name: name, Unit: "s", Count: int64(2 * points[len(points)-1].Share), Of: of, Points: points}
	}
	want := []analysis.Distribution{
		only(analysis.TeardownGone, 2, analysis.Cumulative{V: 0.044, Share: 0.5}),
		only(analysis.TeardownNotified, 2, analysis.Cumulative{V: 0.021, Share: 1}),
		only(analysis.TeardownStreams, 2, analysis.Cumulative{V: 0.022, Share: 1}),
	}
	if diff := cmp.Diff(want, m.data(t).Distributions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSharesAreOfTheFlowsThatLastTheWholeSecond(t *testing.T) {
	// b begins in second 0 and ends in second 2; in second 1 the index is 16/20.
	m := rivals(4*time.Second, [2]time.Duration{0, 600 * ms}, [2][]float64{{9000, 3000, 2000, 1000}, {0, 1000, 2000}})
	m.events = append(m.events, record.Event{Time: 2500 * ms, Kind: record.EventFlowFinished, Entity: "flows.b", Value: 3000})
	d := m.data(t)
	for _, c := range []struct {
		name, entity string
		want         []analysis.Point
	}{
		{analysis.SeriesFairness, "", []analysis.Point{{T: 1500 * ms, V: 0.8}}},
		{analysis.SeriesShare, "flows.a", []analysis.Point{{T: 1500 * ms, V: 0.75}}},
		{analysis.SeriesShare, "flows.b", []analysis.Point{{T: 1500 * ms, V: 0.25}}},
	} {
		if diff := cmp.Diff(c.want, d.Of(c.name, c.entity).Points); diff != "" {
			t.Errorf("%s of %q (-want +got):\n%s", c.name, c.entity, diff)
		}
	}
}

func TestFlowsThatGoDifferentWaysHaveNoShares(t *testing.T) {
	m := rivals(4*time.Second, [2]time.Duration{}, [2][]float64{{1, 1, 1}, {1, 1, 1}})
	m.run.Flows[1].Kind = "upload"
	if d := m.data(t); len(d.Named(analysis.SeriesFairness))+len(d.Named(analysis.SeriesShare)) != 0 {
		t.Error("a download and an upload share")
	}
}

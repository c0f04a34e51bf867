package figure

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// dumbbell is a run of two seconds of n downloads over a shared link of 8 Mbit/s
// between access links of 20 Mbit/s.
func dumbbell(n int) *analysis.Data {
	d := &analysis.Data{Bin: time.Second, Run: record.Run{Virtual: 2 * time.Second}}
	rate := func(entity string, points ...analysis.Point) {
		d.Series = append(d.Series, analysis.Series{Name: record.SeriesLinkRate, Entity: entity, Points: points})
	}
	d.Run.Links = []record.Link{{Name: "shared", Between: [2]string{"left", "right"}}}
	rate("links.shared.forward", analysis.Point{V: 8e6})
	for i := range n {
		host, access := fmt.Sprintf("client%d", i), fmt.Sprintf("access%d", i)
		d.Run.Links = append(d.Run.Links, record.Link{Name: access, Between: [2]string{"right", host}})
		rate("links."+access+".forward", analysis.Point{V: 20e6})
		entity := fmt.Sprintf("flows.f%d", i)
		d.Run.Flows = append(d.Run.Flows, record.Flow{
			Entity: entity, From: "left", To: host,
			Way: []string{"links.shared.forward", "links." + access + ".forward"},
		})
		d.Series = append(d.Series, analysis.Series{Name: analysis.SeriesFlowThroughput, Entity: entity, Points: []analysis.Point{{T: 500 * ms, V: 1e6}, {T: 1500 * ms, V: 2e6}}})
	}
	return d
}

// ways returns the directions of a run without its goodput.
func ways(d *analysis.Data, m moments) []Direction {
	out := newLinks(d.Run, d).directions(d.Run, d, trafficGroups(d.Run, d), m)
	for i := range out {
		out[i].Goodput = nil
	}
	return out
}

func TestFlowsThatShareABottleneckAreShownTogether(t *testing.T) {
	d := dumbbell(2)
	want := []Direction{{Name: "over shared, left → right", Rates: []Series{{"shared", []Point{{0, 8e6}}}}, Capacity: []Point{{0, 8e6}}}}
	if diff := cmp.Diff(want, ways(d, moments{})); diff != "" {
		t.Error(diff)
	}
	if got := newLinks(d.Run, d).directions(d.Run, d, nil, moments{})[0].Goodput; len(got) != 2 || got[1].Name != "f1" {
		t.Errorf("the flows are %v", got)
	}
}

func TestTheBottleneckIsTheLinkThatLeavesEachFlowTheLeast(t *testing.T) {
	for _, c := range []struct {
		name   string
		shared []analysis.Point // rate
		want   string
	}{
		{"eight flows share as much as two of them may have", []analysis.Point{{V: 40e6}}, "links.shared.forward"},
		{"eight flows share more than all of them may have", []analysis.Point{{V: 200e6}}, "links.access0.forward"},
		{"a link without a limit", []analysis.Point{{V: 0}}, "links.access0.forward"},
		{"a rate that falls after a quarter of the run: 400/4 + 3·60/4 = 145 < 8·20", []analysis.Point{{V: 400e6}, {T: 500 * ms, V: 60e6}}, "links.shared.forward"},
	} {
		d := dumbbell(8)
		d.Series[0].Points = c.shared
		if got := newLinks(d.Run, d).bottleneck(d.Run.Flows[0]); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestManyDirectionsAreShownTogether(t *testing.T) {
	d := dumbbell(maxDirections + 1)
	d.Series[0].Points[0].V = 0
	if got := ways(d, moments{}); len(got) != 1 || got[0].Name != "7 directions" || got[0].Rates != nil {
		t.Errorf("got %v", got)
	}
	d = dumbbell(maxDirections)
	d.Series[0].Points[0].V = 0
	if got := ways(d, moments{}); len(got) != maxDirections || got[5].Name != "left → client5" || got[5].Rates[0].Name != "access5" {
		t.Errorf("got %v", got)
	}
}

func TestAClientThatMayMoveHasTheRatesOfAllItsLinks(t *testing.T) {
	d := dumbbell(1)
	d.Run.Links = append(d.Run.Links, record.Link{Name: "cell", Between: [2]string{"client0", "left"}})
	d.Series = append(d.Series, analysis.Series{Name: record.SeriesLinkRate, Entity: "links.cell.reverse", Points: []analysis.Point{{V: 5e6}}})
	d.Series[0].Points = append(d.Series[0].Points, analysis.Point{T: 1500 * ms, V: 1e6}) // of the link that was left
	d.Run.Sessions = []record.Session{{Entity: "sessions.s", Connection: "connections.s"}}
	d.Run.Flows[0].Session = "sessions.s"
	shared, cell := Series{"shared", []Point{{0, 8e6}, {1500 * ms, 1e6}}}, Series{"cell", []Point{{0, 5e6}}}
	for _, c := range []struct {
		name     string
		m        moments
		rates    []Series
		capacity []Point
	}{
		{"nobody moves", moments{}, []Series{shared}, shared.Points},
		{"the client moves", moments{links: []migration{{time.Second, "connections.s", "cell"}}}, []Series{shared, cell}, []Point{{0, 8e6}, {time.Second, 5e6}}},
		{"another client moves", moments{links: []migration{{time.Second, "connections.x", "cell"}}}, []Series{shared, cell}, shared.Points},
		{"it moves there and back", moments{links: []migration{{time.Second, "connections.s", "cell"}, {1800 * ms, "connections.s", "shared"}}},
			[]Series{shared, cell}, []Point{{0, 8e6}, {time.Second, 5e6}, {1800 * ms, 1e6}}},
	} {
		d.Run.Links[0].Between = [2]string{"left", "client0"}
		want := []Direction{{Name: "left → client0", Rates: c.rates, Capacity: c.capacity}}
		if diff := cmp.Diff(want, ways(d, c.m)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestCrossTrafficStandsWithTheFlowsBetweenItsHosts(t *testing.T) {
	d := dumbbell(1)
	add := func(entity, group, to string, throughput ...analysis.Point) {
		d.Run.Traffic = append(d.Run.Traffic, record.Traffic{Entity: entity, Group: group, From: "left", To: to})
		d.Series = append(d.Series,
			analysis.Series{Name: analysis.SeriesTrafficThroughput, Entity: entity, Points: throughput},
			analysis.Series{Name: record.SeriesTrafficDelay, Entity: entity, Points: []analysis.Point{{T: 700 * ms, V: 0.02}}})
	}
	add("traffic.web-1", "traffic.web", "client0", analysis.Point{T: 500 * ms, V: 1e6}, analysis.Point{T: 1500 * ms, V: 2e6})
	add("traffic.web-2", "traffic.web", "client0", analysis.Point{T: 500 * ms, V: 3e6})
	add("traffic.late", "", "right", analysis.Point{T: 200 * ms}, analysis.Point{T: 300 * ms}, analysis.Point{T: 500 * ms, V: 7e6})
	add("traffic.silent", "", "right")
	rates := []Series{{"shared", []Point{{0, 8e6}}}}
	want := []Direction{{
		Name: "over shared, left → right", Rates: rates, Capacity: []Point{{0, 8e6}},
		Traffic: []Series{{"web, 2 sources", []Point{{500 * ms, 4e6}, {1500 * ms, 2e6}}}, {"late", []Point{{300 * ms, 0}, {500 * ms, 7e6}}}},
	}}
	if diff := cmp.Diff(want, ways(d, moments{})); diff != "" {
		t.Error(diff)
	}
	if got := trafficGroups(d.Run, d)[0].delay; len(got) != 2 {
		t.Errorf("the delays of a group are %v", got)
	}
}

func TestACapacityFarBeyondTheDataIsSaidInWords(t *testing.T) {
	for rate, areas := range map[float64]int{5e6: 1, 6e6: 0} {
		d := Data{End: time.Second, Directions: []Direction{{
			Name: "a → b", Rates: []Series{{"l", []Point{{0, rate}}}}, Capacity: []Point{{0, rate}}, Goodput: []Series{{"f", []Point{{500 * ms, 1e6}}}},
		}}}
		if got := len(throughput(d).panels[0].(*graph).areas); got != areas {
			t.Errorf("%g bit/s: %d areas, want %d", rate, got, areas)
		}
	}
}

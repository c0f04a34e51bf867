package sweep

import (
	"strings"
	"testing"
)

func TestDrawnCellsAreInEveryCellOfTheGridAndTheSameEachTime(t *testing.T) {
	o := Options{
		Grid:   []string{"quic.ecn=true,false"},
		Sample: []string{"links.access.delay=1ms..200ms:log", "links.access.rate=5..100Mbit/s"}, Samples: 10,
	}
	s, err := planned(t, "", o)
	if err != nil {
		t.Fatal(err)
	}
	values := valuesOf(s)
	if len(values) != 20 {
		t.Fatalf("there are %d cells, want 20", len(values))
	}
	for i, v := range values[:10] {
		if with := strings.Replace(v, "true", "false", 1); with != values[10+i] {
			t.Errorf("cell %d is %s, and with the other value of the grid %s", i, v, values[10+i])
		}
	}
	again, err := planned(t, "", o)
	if err != nil || strings.Join(valuesOf(again), ",") != strings.Join(values, ",") {
		t.Errorf("planned again, the cells are %q (%v), and were %q", valuesOf(again), err, values)
	}
	o.SampleSeed = 2
	if other, err := planned(t, "", o); err != nil || valuesOf(other)[0] == values[0] {
		t.Errorf("with another seed the first cell is the same (%v)", err)
	}
}

func TestEqualDrawsAreOneCell(t *testing.T) {
	s, err := planned(t, "[sweep]\nsamples = 10\nmethod = \"random\"\n[sweep.sample]\nquic.ecn = [true, false]", Options{})
	if err != nil || len(s.Cells) != 2 {
		t.Errorf("of ten draws of two values there are the cells %v (%v)", s, err)
	}
}

func TestMetricsOfGroupsAndTheirMembersCanBeShown(t *testing.T) {
	grid := Options{Grid: []string{"links.access.delay=1ms"}}
	for _, name := range []string{
		"flows.bulk.goodput.mean", "sessions.main-3.flows.bulk.goodput", "connections.main.server.rtt.p50", "connections.main-2.client.rtt.p50", "fairness.jain",
	} {
		grid.Metrics = []string{name}
		if _, err := planned(t, "", grid, "sessions.main.count=3"); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"flows.other-1.goodput", "links.access.sideways.dropped", "flows.bulk.goodput.p42", ""} {
		grid.Metrics = []string{name}
		if _, err := planned(t, "", grid); err == nil {
			t.Errorf("the metric %q can be shown", name)
		}
	}
}

package figure

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/seeds"
)

// made is a set of runs with overrides, a run for each value of the goodput.
func made(folder string, overrides []string, goodputs ...float64) seeds.Set {
	set := seeds.Set{Name: "made", Overrides: overrides}
	for i, goodput := range goodputs {
		seed := uint64(i + 1)
		set.Runs = append(set.Runs, seeds.Run{Seed: seed, Dir: folder + "/" + string('0'+rune(seed)), Metrics: analysis.Metrics{
			{Name: "run.duration", Value: 10, Unit: "s"},
			{Name: "flows.bulk.goodput", Entity: "flows.bulk", Value: goodput, Unit: "bit/s"},
			{Name: "flows.many.goodput.mean", Entity: "flows.many", Value: goodput, Unit: "bit/s"},
			{Name: "sessions.many-1.flows.many.goodput", Entity: "sessions.many-1.flows.many", Value: goodput, Unit: "bit/s", Member: true},
			{Name: "flows.voice.goodput", Entity: "flows.voice", Value: 64000, Unit: "bit/s"},
			{Name: "flows.voice.messages.sent", Entity: "flows.voice", Value: 50, Unit: "1"},
			{Name: "flows.voice.messages.delay.p95", Entity: "flows.voice", Value: 0.03, Unit: "s"},
			{Name: "links.a.forward.queue_delay.p95", Entity: "links.a.forward", Value: 0.001, Unit: "s"},
			{Name: "links.a.reverse.queue_delay.p95", Entity: "links.a.reverse", Value: 0.02, Unit: "s"},
		}})
	}
	return set
}

func TestSetsGiveTheGoodputOfBulkFlowsAndTheDelaysThatMatter(t *testing.T) {
	got, err := FromSets([]seeds.Set{made("x", []string{"a.rate=5"}, 1e6, 2e6)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	values := func(goodput float64) map[string]float64 {
		return map[string]float64{"flows.bulk.goodput": goodput, "flows.many.goodput.mean": goodput,
			"flows.voice.messages.delay.p95": 0.03, "links.a.reverse.queue_delay.p95": 0.02}
	}
	want := Sweep{
		Name: "made with a.rate=5",
		Sets: []RunSet{{Label: "seeds 1 to 2", Runs: []SeedRun{{1, values(1e6)}, {2, values(2e6)}}}},
		Metrics: []Quantity{
			{"flows.bulk.goodput", "goodput", "bit/s"},
			{"flows.many.goodput.mean", "goodput.mean", "bit/s"},
			{"flows.voice.messages.delay.p95", "messages.delay.p95", "s"},
			{"links.a.reverse.queue_delay.p95", "queue_delay.p95", "s"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSetsAreNamedByWhatTheyDifferIn(t *testing.T) {
	duration := func(m analysis.Metric) bool { return m.Name == "run.duration" }
	newer := made("new", nil, 1)
	newer.Versions.QUICGo = "v1"
	other := made("x", nil, 1)
	other.Name = "other"
	var five []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		five = append(five, name+"=1")
	}
	for _, c := range []struct {
		name, by string
		labels   []string
		sets     []seeds.Set
	}{
		{"made", ", by rate", []string{"none", "5Mbit/s", "20Mbit/s"},
			[]seeds.Set{made("x", []string{"rate=20Mbit/s"}, 1), made("x", nil, 1), made("x", []string{"rate=5Mbit/s"}, 1)}},
		{"made", ", by queue.kind and loss.p", []string{"fifo, 0.1", "codel, 0.02"},
			[]seeds.Set{made("x", []string{"links.a.queue.kind=fifo", "links.a.loss.p=0.1"}, 1), made("x", []string{"links.a.queue.kind=codel", "links.a.loss.p=0.02"}, 1)}},
		{"made", ", by links.a.loss.p and links.b.loss.p", []string{"1, 2", "2, 1"},
			[]seeds.Set{made("x", []string{"links.a.loss.p=1", "links.b.loss.p=2"}, 1), made("x", []string{"links.a.loss.p=2", "links.b.loss.p=1"}, 1)}},
		{"made", "", []string{"old", "new/1"}, []seeds.Set{made("old", nil, 1, 2), newer}},
		{"made, other", "", []string{"made", "other"}, []seeds.Set{made("x", nil, 1), other}},
		{"made", "", []string{"x/1", "y/1"}, []seeds.Set{made("x", nil, 1), made("y", five, 1)}},
	} {
		s, err := FromSets(c.sets, duration)
		if err != nil {
			t.Fatal(err)
		}
		var labels []string
		for _, set := range s.Sets {
			labels = append(labels, set.Label)
		}
		if s.Name != c.name || s.by() != c.by || !slices.Equal(labels, c.labels) {
			t.Errorf("%s%s: %q, want %s%s: %q", s.Name, s.by(), labels, c.name, c.by, c.labels)
		}
	}
}

func TestSetsThatShowNothingAreRefused(t *testing.T) {
	mixed := made("x", []string{"a=1"}, 1)
	mixed.Runs[0].Metrics[0].Unit = "ms"
	many := made("x", nil, 1)
	for i := range mostMetrics {
		many.Runs[0].Metrics = append(many.Runs[0].Metrics, analysis.Metric{Name: "m" + string('a'+rune(i)), Unit: "1"})
	}
	for says, sets := range map[string][]seeds.Set{
		"the runs have no such metric": {{Name: "made", Runs: []seeds.Run{{Seed: 1}}}},
		`the unit of run.duration is "s" in some runs and "ms" in others: different versions`: {made("x", nil, 1), mixed},
		"21 metrics are selected; a figure has room for 12":                                   {many},
	} {
		if _, err := FromSets(sets, func(analysis.Metric) bool { return true }); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error is %v, want that %s", err, says)
		}
	}
}

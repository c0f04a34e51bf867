package figure

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMigrationsAreMarkedApartFromChangesOfLinks(t *testing.T) {
	d := sample()
	d.Moves = []time.Duration{7 * time.Second}
	for _, f := range []Figure{throughput(d), delay(d)} {
		for i, p := range f.panels {
			g := p.(*graph)
			var labels []string
			for _, e := range g.entries() {
				labels = append(labels, e.label)
			}
			if named := slices.Contains(labels, "client migrated") && slices.Contains(labels, "link changed"); named != (i == 0) {
				t.Errorf("%s: the legend of graph %d is %q", f.Name, i, labels)
			}
			if len(g.instants) != 2 || !slices.Equal(g.instants[1].at, d.Moves) {
				t.Errorf("%s: graph %d marks %v", f.Name, i, g.instants)
			}
		}
	}
}

func TestOfManyQueuesThoseThatAreNextToEmptyAreNotShown(t *testing.T) {
	queue := func(name string, seconds float64) Series {
		return Series{name, []Point{{0, 0}, {time.Second, seconds}}}
	}
	d := Data{End: time.Second, Queues: []Series{queue("bottleneck", 0.04), queue("uplink", 0.005)}}
	for i := range maxLines {
		d.Queues = append(d.Queues, queue(fmt.Sprintf("access%d", i), 0.004))
	}
	shown := func() (name string, labels []string) {
		g := delay(d).panels[0].(*graph)
		for _, c := range g.curves {
			labels = append(labels, c.label)
		}
		return g.name, labels
	}
	name, labels := shown()
	if want := fmt.Sprintf("%d link directions with at most 4\u00a0ms are not shown", maxLines); name != want {
		t.Errorf("the graph is of %q, want %q", name, want)
	}
	if diff := cmp.Diff([]string{"bottleneck", "uplink"}, labels); diff != "" {
		t.Error(diff)
	}
	d.Queues = d.Queues[:maxLines] // few enough to show them all
	if name, labels := shown(); name != "" || len(labels) != maxLines {
		t.Errorf("%q shows %q", name, labels)
	}
}

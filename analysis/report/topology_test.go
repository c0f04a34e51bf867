package report

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/sim/record"
)

// linksOf returns links by the names of their ends, as "a-b".
func linksOf(pairs ...string) []record.Link {
	var out []record.Link
	for _, pair := range pairs {
		from, to, _ := strings.Cut(pair, "-")
		out = append(out, record.Link{Name: pair, Between: [2]string{from, to}})
	}
	return out
}

// rows returns the names of the nodes of a plan in columns, from above.
func rows(n network, p plan) [][]string {
	columns := make([][]int, len(p.spine))
	for i := range n.nodes {
		columns[p.column[i]] = append(columns[p.column[i]], i)
	}
	var out [][]string
	for _, nodes := range columns {
		slices.SortFunc(nodes, func(a, b int) int { return int(p.at[a].y - p.at[b].y) })
		var names []string
		for _, i := range nodes {
			names = append(names, n.nodes[i].name)
		}
		out = append(out, names)
	}
	return out
}

func TestTopologiesAreLaidOutFromWhoSendsToWhoReceives(t *testing.T) {
	for _, test := range []struct {
		name  string
		links []record.Link
		from  string
		to    string
		want  [][]string
	}{
		{"two hosts", linksOf("client-server"), "server", "client", [][]string{{"server"}, {"client"}}},
		{"a chain", linksOf("s-x", "x-y", "y-c"), "s", "c", [][]string{{"s"}, {"x"}, {"y"}, {"c"}}},
		{"a dumbbell", linksOf("s1-l", "s2-l", "l-r", "r-d1", "r-d2", "r-d3"), "s1", "d1",
			[][]string{{"s2", "s1"}, {"l"}, {"r"}, {"d2", "d1", "d3"}}},
		{"a parking lot", linksOf("a-b", "b-c", "s-a", "c-d", "x-b", "y-b"), "s", "d",
			[][]string{{"s"}, {"a"}, {"x", "b", "y"}, {"c"}, {"d"}}},
		{"two ways", linksOf("c-wifi", "wifi-s", "c-lte", "lte-s"), "s", "c", [][]string{{"s"}, {"lte", "wifi"}, {"c"}}},
	} {
		run := record.Run{Links: test.links, Flows: []record.Flow{{From: test.from, To: test.to}}}
		n := networkOf(run, nil)
		if diff := cmp.Diff(test.want, rows(n, newPlan(n))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestAGroupIsDrawnAsOne(t *testing.T) {
	scenario := `[hosts.server]
[hosts.client]
count = 3
[routers.hub]
[links.uplink]
between = ["server", "hub"]
[links.access]
between = ["hub", "client"]
rate = "10Mbit/s"
[links.access-2]
between = ["server", "hub"]
`
	text, err := json.Marshal(scenario)
	if err != nil {
		t.Fatal(err)
	}
	run := record.Run{Scenario: text, Links: []record.Link{
		{Name: "uplink", Between: [2]string{"server", "hub"}},
		{Name: "access-1", Between: [2]string{"hub", "client-1"}},
		{Name: "access-3", Between: [2]string{"hub", "client-3"}},
		{Name: "access-2", Between: [2]string{"server", "hub"}}, // has a name of its own
	}}
	_, tree, err := scenarioOf(run)
	if err != nil {
		t.Fatal(err)
	}
	const want = "Hosts: server, client (3). Routers: hub. uplink joins server and hub: no limit. " +
		"access (2 links) joins hub and client: 10 Mbit/s. access-2 joins server and hub: no limit."
	if got := describeNetwork(networkOf(run, tree)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLinksAreDescribedByWhatTheyDo(t *testing.T) {
	for _, test := range []struct {
		link tree
		want string
	}{
		{tree{"rate": "unlimited", "delay": "0s"}, ""},
		{tree{"rate": "20Mbit/s", "delay": "20ms", "queue": map[string]any{"kind": "fq_codel", "limit": "10240packets"}}, "20 Mbit/s, 20 ms, FQ-CoDel 10240 packets"},
		{tree{"delay": "20ms", "jitter": map[string]any{"deviation": "5ms"}}, "20 ms ± 5 ms"},
		{tree{"trace": map[string]any{"file": "traces/lte.csv"}, "queue": map[string]any{"kind": "fifo", "limit": "1MB"}}, "trace lte.csv, FIFO 1 MB"},
		{tree{"loss": map[string]any{"kind": "bernoulli", "p": 0.0005}}, "loss 0.05 %"},
		{tree{"loss": map[string]any{"kind": "bernoulli", "p": int64(0)}}, ""},
		{tree{"loss": map[string]any{"kind": "gilbert_elliott", "p": 0.01, "r": 0.2}}, "Gilbert-Elliott loss (1 %, 20 %)"},
		{tree{"loss": map[string]any{"kind": "periodic"}}, "periodic loss"},
		{tree{"netem": "delay 20ms"}, "netem delay 20ms"},
		{tree{"reorder": map[string]any{"p": 0.25}, "policer": map[string]any{"rate": "5Mbit/s"}, "ecn": map[string]any{"bleach": 0.1}}, "reorder 25 %, policer 5 Mbit/s, ECN bleach 10 %"},
		{tree{"mtu": map[string]any{"size": "1400B"}, "slot": map[string]any{"max": "2ms"}}, "MTU 1400 B, slots up to 2 ms"},
		{tree{"changes": []any{1}, "outages": []any{1, 2}, "nat": map[string]any{"inside": "client"}}, "changes once, 2 outages, NAT"},
	} {
		if got := strings.Join(linkWords(test.link)[0], ", "); got != test.want {
			t.Errorf("%v is %q, want %q", test.link, got, test.want)
		}
	}
}

func TestWhatDiffersInTheOtherDirectionHasAnArrow(t *testing.T) {
	l := link{name: "access", words: linkWords(tree{
		"rate": "20Mbit/s", "delay": "20ms", "loss": map[string]any{"kind": "bernoulli", "p": 0.01},
		"reverse": map[string]any{"rate": "5Mbit/s", "loss": map[string]any{"p": 0.02}},
	})}
	if diff := cmp.Diff([]string{"access", "→ 20 Mbit/s · loss 1 %", "← 5 Mbit/s · loss 2 %", "20 ms"}, l.lines(false, 40)); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
	if got := l.lines(true, 40)[1]; got != "← 20 Mbit/s · loss 1 %" {
		t.Errorf("with forward to the left: %q", got)
	}
}

// Whatever the network, every node is inside of the drawing and on none of the others.
func TestNodesAreApartAndInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
		name := rapid.SampledFrom(names)
		var links []record.Link
		for range rapid.IntRange(1, 12).Draw(t, "links") {
			from, to := name.Draw(t, "from"), name.Draw(t, "to")
			if from != to {
				links = append(links, record.Link{Name: from + to, Between: [2]string{from, to}})
			}
		}
		n := networkOf(record.Run{Links: links}, nil)
		p := newPlan(n)
		for i, a := range p.at {
			if a.x-a.width/2 < 0 || a.x+a.width/2 > p.width || a.y-nodeHeight/2 < 0 || a.y+nodeHeight/2 > p.height {
				t.Errorf("%s is at %v, outside of %v×%v", n.nodes[i].name, a, p.width, p.height)
			}
			for j, b := range p.at[:i] {
				if a.x-b.x < (a.width+b.width)/2 && b.x-a.x < (a.width+b.width)/2 && a.y-b.y < nodeHeight && b.y-a.y < nodeHeight {
					t.Errorf("%s and %s are on each other", n.nodes[i].name, n.nodes[j].name)
				}
			}
		}
	})
}

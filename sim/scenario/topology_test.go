package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// parkingLot has three routers in a row, pairs of hosts at the first one, and a
// detour between the first and the last.
const parkingLot = `
[hosts.left]
count = 2
[hosts.right]
count = 2
routes = { left = "down" }
[routers.a]
routes = { right-2 = "detour" }
[routers.b]
[routers.c]
[links.up]
between = ["left", "a"]
[links.ab]
between = ["a", "b"]
[links.bc]
between = ["b", "c"]
[links.down]
between = ["c", "right"]
[links.detour]
between = ["a", "c"]
delay = "1s"
[sessions.main]
client = "left"
server = "right"
`

func TestGroupsAreJoinedOneByOne(t *testing.T) {
	s := parse(t, parkingLot)
	var got []string
	for _, l := range s.LinkInstances() {
		got = append(got, fmt.Sprintf("%s:%s-%s", l.Name, l.Between[0], l.Between[1]))
	}
	if want := "up-1:left-1-a up-2:left-2-a ab:a-b bc:b-c down-1:c-right-1 down-2:c-right-2 detour:a-c"; strings.Join(got, " ") != want {
		t.Errorf("the links are %s, want %s", strings.Join(got, " "), want)
	}
	var pairs []string
	for _, in := range s.Instances() {
		pairs = append(pairs, in.Name+":"+in.Client+"-"+in.Server)
	}
	if want := "main-1:left-1-right-1 main-2:left-2-right-2"; strings.Join(pairs, " ") != want {
		t.Errorf("the sessions are %s, want %s", strings.Join(pairs, " "), want)
	}
}

// Ways are found between hosts one by one: what that takes may not grow with the
// number of pairs of hosts.
func TestTwoGroupsOfTenThousandHostsAreReadAtOnce(t *testing.T) {
	s := parse(t, `
[hosts.client]
count = 10000
[hosts.server]
count = 10000
[routers.r]
[links.c]
between = ["client", "r"]
[links.s]
between = ["r", "server"]
[sessions.s]
client = "client"
server = "server"
`)
	if n := len(s.Instances()); n != 10_000 {
		t.Errorf("%d sessions, want 10000", n)
	}
}

// ways are changes of parkingLot, with a way that datagrams then take.
var ways = []struct{ old, new, from, to, want string }{
	// The detour is one link, and those by b are two.
	{``, ``, "left-1", "right-1", "up-1 detour down-1"},
	{``, ``, "right-2", "left-1", "down-2 detour up-1"},
	{`between = ["a", "c"]`, `between = ["a", "b"]`, "left-1", "right-1", "up-1 ab bc down-1"},
	// Of ways of one length it is the one whose link comes first in the file.
	{`[links.ab]`, "[links.abc]\nbetween = [\"a\", \"c\"]\n[links.ab]", "left-1", "right-1", "up-1 abc down-1"},
	{`[links.ab]`, "[links.abc]\nbetween = [\"a\", \"c\"]\n[links.ab]", "left-1", "right-2", "up-1 detour down-2"},
	// A route is for all hosts of a group.
	{`right-2 = "detour"`, `right = "ab"`, "left-1", "right-1", "up-1 ab bc down-1"},
	// Hosts forward nothing.
	{`[links.detour]`, "[links.short]\nbetween = [\"left\", \"b\"]\n[links.detour]", "right-1", "right-2", "down-1 down-2"},
}

func TestDatagramsTakeTheShortestWayOrThatOfTheRoutes(t *testing.T) {
	for _, c := range ways {
		text := strings.Replace(parkingLot, c.old, c.new, 1)
		s := parse(t, text)
		check := &checker{Scenario: s, root: newTable("", origin{})}
		if err := check.checkRoutes(); err != nil {
			t.Fatal(err)
		}
		way, err := check.graph.way(c.from, c.to)
		var got []string
		for _, e := range way {
			got = append(got, e.link.Name)
		}
		if text := strings.Join(got, " "); err != nil || text != c.want {
			t.Errorf("with %s: from %s to %s by %q (%v), want %q", c.new, c.from, c.to, text, err, c.want)
		}
	}
}

func TestTheWaysOfAScenarioHaveTheDirectionsOfItsLinks(t *testing.T) {
	ways := parse(t, parkingLot).Ways()
	for _, c := range []struct{ from, to, want string }{
		{"left-1", "right-2", "up-1.forward detour.forward down-2.forward"},
		{"right-2", "left-1", "down-2.reverse detour.reverse up-1.reverse"},
	} {
		way, err := ways.Between(c.from, c.to)
		var got []string
		for _, leg := range way {
			got = append(got, leg.Link+"."+leg.Direction)
		}
		if text := strings.Join(got, " "); err != nil || text != c.want {
			t.Errorf("from %s to %s by %q (%v), want %q", c.from, c.to, text, err, c.want)
		}
	}
	if way, err := ways.Between("left-1", "right-3"); err == nil || err.Error() != `no host is called "right-3"` {
		t.Errorf("to a host that does not exist by %v (%v)", way, err)
	}
}

func TestRoutesThatLeadNowhereAreMistakes(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`[routers.b]`, "[routers.b]\nroutes.left = \"up\"", `x.toml:10: routers.b.routes.left.via: "up" is not the one link of b to left-1; expected one of ab, bc`},
		{`right-2 = "detour" }` + "\n[routers.b]", `right = "ab" }` + "\n[routers.b]\nroutes.right = \"ab\"", `x.toml:8: routers.a.routes.right: the route from a to right-1 goes in a circle; expected routes that lead there`},
	} {
		_, err := Parse("x.toml", []byte(strings.Replace(parkingLot, c.old, c.new, 1)))
		checkError(t, c.new, err, c.want)
	}
}

func TestARouteKnowsTheNATOfAHostWhoseOwnRouteComesLater(t *testing.T) {
	s := parse(t, `
[hosts.server]
routes = { client = "far" }
[hosts.client]
routes = { server = "dsl" }
[routers.r]
[links.lte]
between = ["client", "server"]
[links.dsl]
between = ["client", "r"]
nat = "client"
[links.far]
between = ["r", "server"]
[sessions.main]
client = "client"
server = "server"
`)
	want := []Hop{{"server", "client", "far", "dsl"}, {"client", "server", "dsl", ""}}
	if got := s.Routing(); !slices.Equal(got, want) {
		t.Errorf("the routes are %+v, want %+v", got, want)
	}
}

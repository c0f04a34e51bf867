package workload_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/scenario"
)

// anyTopology generates a scenario of hosts, groups and routers with any links
// between them, NATs, static routes, traffic and a session that moves.
func anyTopology(t *rapid.T) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	pick := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
	hosts, routers := []string{"a", "b", "c"}, []string{"r", "s"}
	nodes := slices.Concat(hosts, routers)
	links := []string{"a", "b", "c", "l0", "l1", "l2"}[:rapid.IntRange(3, 6).Draw(t, "links")]
	routes := func() string {
		var routes []string
		for _, host := range hosts {
			if rapid.IntRange(0, 9).Draw(t, "routed") == 9 {
				routes = append(routes, fmt.Sprintf("%s = %q", host, pick("via", links...)))
			}
		}
		return strings.Join(routes, ", ")
	}
	line("time_limit = \"3s\"\n[quic]\nkey_exchange = \"x25519\"\nidle_timeout = \"1s\"\nhandshake_timeout = \"1s\"")
	for _, h := range hosts {
		line("[hosts.%s]\ncount = %s\nroutes = { %s }", h, pick("count", "1", "1", "1", "2"), routes())
	}
	for _, r := range routers {
		line("[routers.%s]\nroutes = { %s }", r, routes())
	}
	for _, l := range links {
		first, second := l, "r" // a star, and more links
		if strings.HasPrefix(l, "l") {
			first, second = pick("first", nodes...), pick("second", nodes...)
		}
		line("[links.%s]\nbetween = [%q, %q]\nrate = \"10Mbit/s\"\ndelay = \"1ms\"\nqueue = \"100KB\"", l, first, second)
		if rapid.IntRange(0, 3).Draw(t, "translated") == 3 {
			line("nat = %q\nrebinds = [{ at = \"100ms\", every = \"200ms\", what = %q }]", pick("inside", first, second), pick("what", "port", "address"))
		}
	}
	line("[sessions.main]\nclient = \"a\"\nserver = \"b\"\ncount = %s", pick("count", "1", "2"))
	if rapid.Bool().Draw(t, "moves") {
		line("migrations = [{ at = \"100ms\", link = %q }, { at = \"250ms\", link = %q }]", pick("move", "a", links[len(links)-1]), pick("move", "a", links[len(links)-1]))
	}
	line("flows.voice = { kind = \"media\", duration = \"300ms\" }")
	if rapid.Bool().Draw(t, "crossed") {
		line("[traffic.cross]\nkind = \"cbr\"\nfrom = \"c\"\nto = %q\nrate = \"1Mbit/s\"\nstop = \"200ms\"", pick("to", "a", "b"))
	}
	return b.String()
}

func TestDatagramsFindTheirWaysInWhateverTopologyIsAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyTopology(t)
		s, err := scenario.Parse("random.toml", []byte(text))
		if err != nil {
			t.Skip(err)
		}
		readBack(t, s)
		r := simulate(t, s)
		var late *sim.TimeLimitError
		if r.err != nil && !errors.As(r.err, &late) {
			t.Fatalf("seed %d: %v\n%s", s.Seed, r.err, text)
		}
		r.accounted()
	})
}

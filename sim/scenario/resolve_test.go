package scenario

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestQUICParametersOfASessionOverrideThoseOfTheHostAndTheFile(t *testing.T) {
	s := parse(t, strings.NewReplacer(
		"[quic]", "[quic]\nidle_timeout = \"10s\"\nkeep_alive = \"1s\"",
		"[hosts.server]", "[hosts.server.quic]\nidle_timeout = \"20s\"\necn = false\nmax_streams = 5",
		"[sessions.main]", "[sessions.main]\nquic = { keep_alive = \"0s\", max_streams = 6 }",
	).Replace(base))
	want := defaultQUIC
	want.IdleTimeout, want.MaxStreams = 10*time.Second, 6
	checkQUIC(t, s, "client", want)
	want.IdleTimeout, want.ECN = 20*time.Second, false
	checkQUIC(t, s, "server", want)
}

func checkQUIC(t *testing.T, s *Scenario, host string, want QUIC) {
	t.Helper()
	if got := s.QUICFor(&s.Sessions[0], host); got != want {
		t.Errorf("%s has\n%+v, want\n%+v", host, got, want)
	}
}

func TestQUICParametersSetInGoOverrideToo(t *testing.T) {
	s := &Scenario{QUIC: defaultQUIC, Sessions: []Session{{QUIC: QUIC{IdleTimeout: time.Second}}}}
	want := defaultQUIC
	want.IdleTimeout = time.Second
	checkQUIC(t, s, "client", want)
}

func TestInstancesOfAGroupAreNumberedAndStaggered(t *testing.T) {
	s := &Scenario{
		Hosts: []Host{{Name: "a"}, {Name: "b"}, {Name: "pair", Count: 2}},
		Sessions: []Session{
			{Name: "alone", Client: "a", Server: "b"},
			{Name: "group", Client: "a", Server: "b", Count: 2, Start: time.Second, Stagger: 100 * time.Millisecond},
			{Name: "shared", Client: "a", Server: "b", Count: 2, Connection: "c"},
			{Name: "each", Client: "pair", Server: "b", Count: 2, Stagger: time.Second},
			{Name: "turns", Client: "a", Server: "pair", Count: 3},
			{Name: "one", Client: "pair-2", Server: "a"},
		},
	}
	want := []Instance{
		{&s.Sessions[0], "alone", "a", "b", "alone", 0},
		{&s.Sessions[1], "group-1", "a", "b", "group-1", time.Second},
		{&s.Sessions[1], "group-2", "a", "b", "group-2", 1100 * time.Millisecond},
		{&s.Sessions[2], "shared-1", "a", "b", "c", 0},
		{&s.Sessions[2], "shared-2", "a", "b", "c", 0},
		{&s.Sessions[3], "each-1", "pair-1", "b", "each-1", 0},
		{&s.Sessions[3], "each-2", "pair-2", "b", "each-2", time.Second},
		{&s.Sessions[3], "each-3", "pair-1", "b", "each-3", 2 * time.Second},
		{&s.Sessions[3], "each-4", "pair-2", "b", "each-4", 3 * time.Second},
		{&s.Sessions[4], "turns-1", "a", "pair-1", "turns-1", 0},
		{&s.Sessions[4], "turns-2", "a", "pair-2", "turns-2", 0},
		{&s.Sessions[4], "turns-3", "a", "pair-1", "turns-3", 0},
		{&s.Sessions[5], "one", "pair-2", "a", "one", 0},
	}
	if got := s.Instances(); !reflect.DeepEqual(got, want) {
		t.Errorf("instances are %+v, want %+v", got, want)
	}
}

func TestFlowsAreNamedShortlyWhereTheyCan(t *testing.T) {
	s := &Scenario{Hosts: []Host{{Name: "h"}}, Sessions: []Session{
		{Name: "a", Count: 1, Flows: []Flow{{Name: "own"}, {Name: "both"}}},
		{Name: "b", Count: 1, Flows: []Flow{{Name: "both"}}},
		{Name: "c", Count: 2, Flows: []Flow{{Name: "grouped"}}},
	}}
	for _, c := range []struct{ instance, flow, want string }{
		{"a", "own", "flows.own"},
		{"a", "both", "sessions.a.flows.both"},
		{"b", "both", "sessions.b.flows.both"},
		{"c-1", "grouped", "sessions.c-1.flows.grouped"},
	} {
		if got := s.FlowEntity(c.instance, c.flow); got != c.want {
			t.Errorf("%s of %s is %s, want %s", c.flow, c.instance, got, c.want)
		}
	}
}

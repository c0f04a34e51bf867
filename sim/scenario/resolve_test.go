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
	s := &Scenario{Sessions: []Session{
		{Name: "alone"},
		{Name: "group", Count: 2, Start: time.Second, Stagger: 100 * time.Millisecond},
		{Name: "shared", Count: 2, Connection: "c"},
	}}
	want := []Instance{
		{&s.Sessions[0], "alone", "alone", 0},
		{&s.Sessions[1], "group-1", "group-1", time.Second},
		{&s.Sessions[1], "group-2", "group-2", 1100 * time.Millisecond},
		{&s.Sessions[2], "shared-1", "c", 0},
		{&s.Sessions[2], "shared-2", "c", 0},
	}
	if got := s.Instances(); !reflect.DeepEqual(got, want) {
		t.Errorf("instances are %+v, want %+v", got, want)
	}
}

func TestFlowsAreNamedShortlyWhereTheyCan(t *testing.T) {
	s := &Scenario{Sessions: []Session{
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

func TestLinkBetweenFindsALinkFromEitherEnd(t *testing.T) {
	s := &Scenario{Links: []Link{{Name: "l", Between: [2]string{"a", "b"}}}}
	if s.LinkBetween("a", "b") != &s.Links[0] || s.LinkBetween("b", "a") != &s.Links[0] || s.LinkBetween("a", "c") != nil {
		t.Error("LinkBetween does not find the link, or one that is not there")
	}
}

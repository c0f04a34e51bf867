package scenario

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// QUICFor returns the QUIC parameters of one end of a session's connection:
// the file's, overridden by those of the host at that end, overridden by the
// session's. A field of a host's or session's QUIC counts as set if the scenario
// names it or if it is not zero.
func (s *Scenario) QUICFor(session *Session, host string) QUIC {
	q := s.QUIC
	if h := s.HostOf(host); h != nil {
		q.override(&h.QUIC)
	}
	q.override(&session.QUIC)
	return q
}

// override sets the fields that another QUIC has set.
func (q *QUIC) override(by *QUIC) {
	if *by == (QUIC{}) {
		return
	}
	to, from := reflect.ValueOf(q).Elem(), reflect.ValueOf(by).Elem()
	for _, f := range fieldsOf(from) {
		if by.isSet(f) {
			to.Field(f.index).Set(f.value)
		}
	}
}

// isSet reports whether a field of q was given a value.
func (q *QUIC) isSet(f field) bool { return q.set&(1<<f.index) != 0 || !f.value.IsZero() }

// Instance is one session of a group, or a session that is alone.
type Instance struct {
	Session    *Session
	Name       string        // the session's name; NAME-1, NAME-2, … in a group
	Client     string        // the host that dials
	Server     string        // the host that listens
	Connection string        // the name of the QUIC connection that it uses
	Start      time.Duration // virtual time at which the client begins
}

// InstancesOf returns the sessions that a Session stands for, in order of their
// starts: the clients of a group take turns, and so do servers.
func (s *Scenario) InstancesOf(session *Session) []Instance {
	clients, servers := s.hostsNamed(session.Client), s.hostsNamed(session.Server)
	if len(clients) == 0 || len(servers) == 0 {
		return nil // which validation does not let pass
	}
	count := s.countOf(session)
	starts := s.arrivals(session, count)
	var instances []Instance
	for i, name := range numbered(session.Name, count) {
		connection := session.Connection
		if connection == "" {
			connection = name
		}
		instances = append(instances, Instance{
			Session: session, Name: name, Connection: connection,
			Client: clients[i%len(clients)], Server: servers[i%len(servers)],
			Start: starts[i],
		})
	}
	return instances
}

// countOf returns the number of sessions that a Session stands for.
func (s *Scenario) countOf(session *Session) int {
	return max(session.Count, 1) * max(len(s.hostsNamed(session.Client)), 1)
}

// Instances returns the instances of all sessions, in the order of the file.
func (s *Scenario) Instances() []Instance {
	var all []Instance
	for i := range s.Sessions {
		all = append(all, s.InstancesOf(&s.Sessions[i])...)
	}
	return all
}

// FlowEntity returns the name that a flow of a session instance has in a
// recording: flows.NAME where only one flow of the scenario has this name, and
// sessions.INSTANCE.flows.NAME otherwise.
func (s *Scenario) FlowEntity(instance, flow string) string {
	if s.flowCount(flow) == 1 {
		return "flows." + flow
	}
	return "sessions." + instance + ".flows." + flow
}

// flowCount counts the flows that have a name, those of a group one by one.
func (s *Scenario) flowCount(name string) int {
	n := 0
	for i := range s.Sessions {
		for j := range s.Sessions[i].Flows {
			if s.Sessions[i].Flows[j].Name == name {
				n += s.countOf(&s.Sessions[i])
			}
		}
	}
	return n
}

// HasBatons reports whether the session belongs to a flow of kind baton.
func (s *Session) HasBatons() bool {
	return slices.ContainsFunc(s.Flows, func(f Flow) bool {
		_, batons := f.Config.(*Baton)
		return batons
	})
}

// RequestPath returns the path without its query, by which a server knows its applications.
func (s *Session) RequestPath() string {
	path, _, _ := strings.Cut(s.Path, "?")
	return path
}

package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/internal/nearest"
)

// Network returns a scenario's network without its sessions, for a time: the hosts,
// routers, links and cross traffic, or, unless link is empty, only the link of that name,
// between hosts of the names of its ends. The error names the links that there
// are.
func (s *Scenario) Network(link string, limit time.Duration) (*Scenario, error) {
	n := *s
	n.Sessions, n.Expect, n.Sweep, n.TimeLimit = nil, nil, Sweep{}, limit
	if link == "" {
		return &n, nil
	}
	all := s.LinkInstances()
	of := func(in LinkInstance) bool { return in.Name == link || in.Link.Name == link }
	found := slices.DeleteFunc(slices.Clone(all), func(in LinkInstance) bool { return !of(in) })
	switch {
	case len(found) == 0:
		var names []string
		for _, in := range all {
			names = append(names, in.Name)
		}
		return nil, unknownLink(link, names)
	case len(found) > 1:
		return nil, fmt.Errorf("%q is %d links; expected one of them, such as %s", link, len(found), found[0].Name)
	}
	in := found[0]
	l := *in.Link
	if l.NAT.Inside != "" {
		l.NAT.Inside = in.Between[0]
		if in.Link.NAT.Inside == in.Link.Between[1] {
			l.NAT.Inside = in.Between[1]
		}
	}
	l.Name, l.Between = in.Name, in.Between
	n.Links, n.Routers, n.Traffic, n.Hosts = []Link{l}, nil, nil, nil
	for _, end := range in.Between {
		h := Host{Name: end, Count: 1, GSO: true}
		if of := s.HostOf(end); of != nil {
			h.QUIC, h.GSO = of.QUIC, of.GSO
		}
		n.Hosts = append(n.Hosts, h)
	}
	return &n, nil
}

// unknownLink also takes names for what they are that captures and metrics have.
func unknownLink(name string, names []string) error {
	bare := strings.TrimPrefix(name, "links.")
	for _, direction := range []string{".forward", ".reverse"} {
		bare = strings.TrimSuffix(bare, direction)
	}
	return unknownName("link", name, bare, names)
}

// unknownName says that there is nothing of a kind and of a name, and what there is.
func unknownName(kind, name, bare string, names []string) error {
	if near := nearest.Word(bare, names); near != "" {
		return fmt.Errorf("the scenario has no %s %q; did you mean %q?", kind, name, near)
	}
	switch len(names) {
	case 0:
		return fmt.Errorf("the scenario has no %s %q, and no other", kind, name)
	case 1:
		return fmt.Errorf("the scenario has no %s %q; expected %s", kind, name, names[0])
	}
	return fmt.Errorf("the scenario has no %s %q; expected one of %s", kind, name, listed(names))
}

// HostsNamed returns the hosts that a name stands for: that of a host, of one of
// a group, or of a group. The error names the nearest one.
func (s *Scenario) HostsNamed(name string) ([]string, error) {
	if hosts := s.hostsNamed(name); len(hosts) > 0 {
		return hosts, nil
	}
	var names []string
	for i := range s.Hosts {
		names = append(names, s.Hosts[i].Name)
	}
	return nil, unknownName("host", name, strings.TrimPrefix(name, "hosts."), names)
}

// listed joins names, the first of many.
func listed(names []string) string {
	const most = 8
	text := ""
	for i, name := range names {
		if i == most {
			return text + ", …"
		}
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text
}

// SameHosts reports whether two names, each of a host, of one of a group or of a
// group, have a host in common.
func (s *Scenario) SameHosts(a, b string) bool {
	others := s.hostsNamed(b)
	return slices.ContainsFunc(s.hostsNamed(a), func(name string) bool { return slices.Contains(others, name) })
}

package scenario

import (
	"fmt"
	"slices"
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

func unknownLink(name string, names []string) error {
	if near := nearest.Word(name, names); near != "" {
		return fmt.Errorf("the scenario has no link %q; did you mean %q?", name, near)
	}
	return fmt.Errorf("the scenario has no link %q; expected one of %s", name, listed(names))
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
	if near := nearest.Word(name, names); near != "" {
		return nil, fmt.Errorf("the scenario has no host %q; did you mean %q?", name, near)
	}
	return nil, fmt.Errorf("the scenario has no host %q; expected one of %s", name, listed(names))
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

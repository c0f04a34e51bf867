package scenario

import (
	"strconv"
	"strings"
	"time"
)

// Host is a computer with an address on each of its links, or a group of equal
// ones. Hosts are in the order of the file: the first one acts first at each
// instant.
type Host struct {
	Name   string  `toml:"-"`
	Count  int     `toml:"count" default:"1" range:"1..10000" doc:"how many such hosts: with more than one the name is that of a group, of NAME-1, NAME-2, …"`
	QUIC   QUIC    `toml:"quic" inherit:"true" doc:"overrides of [quic] for this host's ends of connections"`
	GSO    bool    `toml:"gso" default:"true" doc:"whether the host's sockets offer generic segmentation offload"`
	Routes []Route `toml:"routes" doc:"static routes, each routes.HOST = \"LINK\""`
}

// Router forwards datagrams from link to link, at once, and runs nothing.
type Router struct {
	Name   string  `toml:"-"`
	Routes []Route `toml:"routes" doc:"static routes, each routes.HOST = \"LINK\""`
}

// Route is the link by which datagrams to a host leave a host or a router. What
// has no such route takes the first link of a way with the least number of
// links.
type Route struct {
	Name string `toml:"-"` // of the host, or of a group
	Via  string `toml:"via" required:"true" short:"true" doc:"the link by which datagrams to the host leave"`
}

// NAT configures a network address and port translator at the end of a link. See
// [netem.NATConfig].
type NAT struct {
	Inside         string        `toml:"inside" default:"" short:"true" doc:"the end of the link that is inside; the NAT is at the other end; empty: there is none"`
	Timeout        time.Duration `toml:"timeout" default:"5m" range:"0s..24h" doc:"how long a mapping lasts that nothing renews; 0 is for ever"`
	InboundRefresh bool          `toml:"inbound_refresh" default:"false" doc:"whether datagrams from outside renew a mapping too"`
	Mapping        string        `toml:"mapping" default:"endpoint-independent" oneof:"endpoint-independent address-dependent address-and-port-dependent" doc:"for what of a peer there is a mapping of its own (RFC 4787, section 4.1)"`
	Filtering      string        `toml:"filtering" default:"address-and-port-dependent" oneof:"endpoint-independent address-dependent address-and-port-dependent" doc:"what of a peer must be known from datagrams to it, to let its datagrams in (RFC 4787, section 5)"`
}

// Rebind makes a NAT forget its mappings.
type Rebind struct {
	At    time.Duration `toml:"at" required:"true" range:"0s..24h" doc:"virtual time at which the NAT forgets all its mappings"`
	Every time.Duration `toml:"every" default:"0s" range:"0s..24h" doc:"time from one rebinding to the next; 0 is once"`
	What  string        `toml:"what" default:"port" oneof:"port address" doc:"port: new mappings have other ports; address: the NAT has another public address too"`
}

// Instances returns the names of the hosts that a Host stands for.
func (h *Host) Instances() []string { return numbered(h.Name, h.Count) }

// numbered returns the names of a number of things: NAME-1, NAME-2, … if there
// are several.
func numbered(name string, count int) []string {
	if count <= 1 {
		return []string{name}
	}
	names := make([]string, count)
	for i := range names {
		names[i] = name + "-" + strconv.Itoa(i+1)
	}
	return names
}

// hostsNamed returns the hosts that a name in the scenario stands for: that of
// a host, of one of a group, or of a group. It returns nil if there are none.
func (s *Scenario) hostsNamed(name string) []string {
	switch h := s.HostOf(name); {
	case h == nil:
		return nil
	case h.Name == name:
		return h.Instances()
	}
	return []string{name}
}

// HostOf returns the table of the scenario that describes a host, by the name of
// the host or of its group.
func (s *Scenario) HostOf(name string) *Host {
	for i := range s.Hosts {
		if h := &s.Hosts[i]; h.Name == name || h.has(name) {
			return h
		}
	}
	return nil
}

// has reports whether a group has a host of a name.
func (h *Host) has(name string) bool {
	number, ok := strings.CutPrefix(name, h.Name+"-")
	i, err := strconv.Atoi(number)
	return ok && err == nil && h.Count > 1 && i >= 1 && i <= h.Count && strconv.Itoa(i) == number
}

// LinkInstance is a link, or one of those of a group of hosts.
type LinkInstance struct {
	Link    *Link
	Name    string    // the link's name; NAME-1, NAME-2, … where an end is a group
	Between [2]string // the two hosts or routers
}

// Instances returns the links that a link of a scenario stands for.
func (l *Link) Instances(s *Scenario) []LinkInstance {
	ends := [2][]string{s.ends(l.Between[0]), s.ends(l.Between[1])}
	count := max(len(ends[0]), len(ends[1]))
	instances := make([]LinkInstance, 0, count)
	for i, name := range numbered(l.Name, count) {
		between := [2]string{}
		for j, names := range ends {
			if len(names) == 0 {
				return nil // which validation does not let pass
			}
			between[j] = names[i%len(names)]
		}
		instances = append(instances, LinkInstance{Link: l, Name: name, Between: between})
	}
	return instances
}

// ends returns the nodes that the end of a link names.
func (s *Scenario) ends(name string) []string {
	for i := range s.Routers {
		if s.Routers[i].Name == name {
			return []string{name}
		}
	}
	return s.hostsNamed(name)
}

// LinkInstances returns the instances of all links, in the order of the file.
func (s *Scenario) LinkInstances() []LinkInstance {
	var all []LinkInstance
	for i := range s.Links {
		all = append(all, s.Links[i].Instances(s)...)
	}
	return all
}

// Hop is a static route of one host or router to one host.
type Hop struct {
	At, To string // the host or router, and the host
	Link   string // the link by which its datagrams leave, of a group one by one
	NAT    string // the link whose NAT stands for the host there; empty: none does
}

// Routing returns the static routes, of groups one by one.
func (s *Scenario) Routing() []Hop {
	_, hops := s.routed()
	return hops
}

// routed returns the graph with the static routes, and those.
func (s *Scenario) routed() (*graph, []Hop) {
	g := newGraph(s)
	var hops []Hop
	add := func(nodes []string, routes []Route) {
		for _, r := range routes {
			for _, node := range nodes {
				for _, host := range s.hostsNamed(r.Name) {
					if node != host && g.pin(g.nodes[node], host, r.Via) {
						hops = append(hops, Hop{At: node, To: host, Link: g.nodes[node].pins[host].link.Name})
					}
				}
			}
		}
	}
	for i := range s.Hosts {
		add(s.Hosts[i].Instances(), s.Hosts[i].Routes)
	}
	for i := range s.Routers {
		add([]string{s.Routers[i].Name}, s.Routers[i].Routes)
	}
	for i := range hops { // when all routes are known
		hops[i].NAT = g.nat(hops[i].To, hops[i].At)
	}
	return g, hops
}

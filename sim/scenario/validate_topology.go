package scenario

import (
	"fmt"
	"slices"
	"strconv"
)

// The largest numbers of links of a scenario, of those that have NATs, and of
// static routes, those of groups one by one.
const (
	maxLinks  = 100_000
	maxNATs   = 10_000
	maxRoutes = 1_000_000
)

// checkNodes checks that the names of hosts and routers are different.
func (c *checker) checkNodes() error {
	taken := map[string]string{}
	take := func(name, by string) error {
		if other, ok := taken[name]; ok {
			return fmt.Errorf("%q is a name of %s already; expected another", name, other)
		}
		taken[name] = by
		return nil
	}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		for _, name := range h.Instances() {
			if err := take(name, "hosts."+h.Name); err != nil {
				return c.fail([]string{"hosts", h.Name}, "%v", err)
			}
		}
		if h.Count > 1 {
			if err := take(h.Name, "hosts."+h.Name); err != nil {
				return c.fail([]string{"hosts", h.Name}, "%v", err)
			}
		}
	}
	for i := range c.Routers {
		name := c.Routers[i].Name
		if err := take(name, "routers."+name); err != nil {
			return c.fail([]string{"routers", name}, "%v", err)
		}
	}
	return nil
}

// checkLinks checks how many links there are, and that their names are different.
func (c *checker) checkLinks() error {
	links, nats := 0, 0
	taken := map[string]string{}
	for i := range c.Links {
		l := &c.Links[i]
		if err := c.checkEnds(l); err != nil {
			return err
		}
		count := max(c.countOfEnd(l.Between[0]), c.countOfEnd(l.Between[1]))
		if links += count; links > maxLinks {
			return c.fail([]string{"links", l.Name}, "makes %d links in all; expected at most %d", links, maxLinks)
		}
		if l.NAT.Inside != "" {
			if nats += count; nats > maxNATs {
				return c.fail([]string{"links", l.Name, "nat"}, "makes %d NATs in all; expected at most %d", nats, maxNATs)
			}
		}
		for _, name := range numbered(l.Name, count) {
			if other, ok := taken[name]; ok {
				return c.fail([]string{"links", l.Name}, "%q is a name of links.%s already; expected another", name, other)
			}
			taken[name] = l.Name
		}
	}
	return nil
}

// countOfEnd returns the number of hosts or routers that the end of a link names.
func (c *checker) countOfEnd(name string) int {
	if h := c.HostOf(name); h != nil && h.Name == name {
		return max(h.Count, 1)
	}
	return len(c.ends(name))
}

// checkEnds checks the two ends of a link.
func (c *checker) checkEnds(l *Link) error {
	path := []string{"links", l.Name, "between"}
	var counts [2]int
	for i, name := range l.Between {
		if counts[i] = c.countOfEnd(name); counts[i] == 0 {
			return c.unknown(path, "host or router", name, c.nodeNames())
		}
	}
	a, b := l.Between[0], l.Between[1]
	switch {
	case a == b:
		return c.fail(path, "joins %q to itself; expected two hosts or routers", a)
	case counts[0] > 1 && counts[1] > 1 && counts[0] != counts[1]:
		return c.fail(path, "%s is %d hosts and %s %d; expected as many, or one at an end", a, counts[0], b, counts[1])
	}
	if n := l.NAT.Inside; n != "" && n != a && n != b {
		return c.fail([]string{"links", l.Name, "nat", "inside"}, "%q is no end of the link; expected %s or %s", n, a, b)
	}
	for i, r := range l.Rebinds {
		at := []string{"links", l.Name, "rebinds", strconv.Itoa(i)}
		if l.NAT.Inside == "" {
			return c.fail(at, "set, but the link has no NAT; expected nat.inside, such as nat = %q", a)
		}
		if err := c.checkTime(r.At, append(at, "at")...); err != nil {
			return err
		}
		if r.Every > 0 && (c.TimeLimit-r.At)/r.Every > maxOutages {
			return c.fail(append(at, "every"), "makes more than %d rebindings; expected at least %s", maxOutages, (c.TimeLimit-r.At)/maxOutages)
		}
	}
	return nil
}

func (c *checker) nodeNames() []string {
	names := slices.Clone(c.hosts)
	for i := range c.Routers {
		names = append(names, c.Routers[i].Name)
	}
	return names
}

// checkRoutes checks the static routes, and makes the graph of the links.
func (c *checker) checkRoutes() error {
	c.graph = newGraph(c.Scenario)
	if err := c.eachRoute(c.checkRoute); err != nil {
		return err
	}
	return c.eachRoute(func(r *Route, node, host string, path []string) error {
		_, err := c.checkWay(node, host, path)
		return err
	})
}

// eachRoute calls a function for each static route of a host or router to a host,
// with the path at which it is written.
func (c *checker) eachRoute(f func(r *Route, node, host string, path []string) error) error {
	each := func(table, name string, nodes []string, routes []Route) error {
		for i := range routes {
			r := &routes[i]
			path := []string{table, name, "routes", r.Name}
			hosts := c.hostsNamed(r.Name)
			switch {
			case hosts == nil:
				return c.unknown(path, "host", r.Name, c.hosts)
			case len(nodes)*len(hosts) > maxRoutes:
				return c.fail(path, "makes %d routes; expected at most %d", len(nodes)*len(hosts), maxRoutes)
			}
			for _, node := range nodes {
				for _, host := range hosts {
					if node == host {
						continue
					}
					if err := f(r, node, host, path); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		if err := each("hosts", h.Name, h.Instances(), h.Routes); err != nil {
			return err
		}
	}
	for i := range c.Routers {
		r := &c.Routers[i]
		if err := each("routers", r.Name, []string{r.Name}, r.Routes); err != nil {
			return err
		}
	}
	return nil
}

// checkRoute adds a static route to the graph.
func (c *checker) checkRoute(r *Route, node, host string, path []string) error {
	if c.graph.pin(c.graph.nodes[node], host, r.Via) {
		return nil
	}
	return c.fail(append(path, "via"), "%q is not the one link of %s to %s%s", r.Via, node, host, suggest(r.Via, c.graph.linksOf(node)))
}

// linksOf returns the names of a node's links.
func (g *graph) linksOf(node string) []string {
	var names []string
	for _, e := range g.nodes[node].edges {
		names = append(names, e.link.Name)
	}
	return names
}

// checkWay checks that datagrams get from one host to another, and returns the
// links that they take.
func (c *checker) checkWay(from, to string, path []string) ([]edge, error) {
	way, err := c.graph.way(from, to)
	if err != nil {
		return nil, c.fail(path, "%v", err)
	}
	return way, nil
}

// checkOpenWay is checkWay for hosts of which the first one sends first, so that
// no NAT may be in front of the other.
func (c *checker) checkOpenWay(from, to string, path []string) ([]edge, error) {
	way, err := c.checkWay(from, to, path)
	for _, e := range way {
		end := e.link.Link.Between[0]
		if e.direction == "forward" {
			end = e.link.Link.Between[1]
		}
		if end == e.link.Link.NAT.Inside {
			return nil, c.fail(path, "%s is behind the NAT of links.%s, where %s cannot reach it; expected it outside", to, e.link.Link.Name, from)
		}
	}
	return way, err
}

// unknown says that a name is that of nothing.
func (c *checker) unknown(path []string, what, name string, known []string) error {
	if len(known) == 0 {
		return c.fail(path, "unknown %s %q; expected a table [hosts.%s]", what, name, name)
	}
	return c.fail(path, "unknown %s %q%s", what, name, suggest(name, known))
}

package scenario

import (
	"fmt"
	"slices"
)

// graph is the hosts, routers and links of a scenario, one by one. It knows the
// ways that datagrams take.
type graph struct {
	links   []LinkInstance
	nodes   map[string]*graphNode
	routers int
}

type graphNode struct {
	name   string
	router int             // from 1, 0 for a host
	edges  []edge          // in the order of the links
	trunks []edge          // those of edges that lead to routers
	pins   map[string]edge // by host: the static routes
	hops   []int32         // of a host to which a way was asked: from each router the number of links, 0 without a way
}

// edge is a link as seen from one of its ends.
type edge struct {
	link      *LinkInstance
	direction string // from this end
	to        *graphNode
}

func newGraph(s *Scenario) *graph {
	g := &graph{links: s.LinkInstances(), nodes: map[string]*graphNode{}, routers: len(s.Routers)}
	for i := range s.Hosts {
		for _, name := range s.Hosts[i].Instances() {
			g.nodes[name] = &graphNode{name: name}
		}
	}
	for i := range s.Routers {
		g.nodes[s.Routers[i].Name] = &graphNode{name: s.Routers[i].Name, router: i + 1}
	}
	for i := range g.links {
		l := &g.links[i]
		a, b := g.nodes[l.Between[0]], g.nodes[l.Between[1]]
		a.add(edge{l, "forward", b})
		b.add(edge{l, "reverse", a})
	}
	return g
}

func (n *graphNode) add(e edge) {
	n.edges = append(n.edges, e)
	if e.to.router > 0 {
		n.trunks = append(n.trunks, e)
	}
}

// isNamed reports whether the edge's link, or its group, has a name.
func (e edge) isNamed(name string) bool { return e.link.Name == name || e.link.Link.Name == name }

// pin gives a node a static route to a host by a link of a name. It reports
// whether the node has one such link, or one that leads to the host itself.
func (g *graph) pin(at *graphNode, host, via string) bool {
	found, ok := at.direct(g.nodes[host], func(e edge) bool { return e.isNamed(via) })
	if !ok {
		for _, e := range at.edges {
			if e.isNamed(via) {
				if ok {
					return false
				}
				found, ok = e, true
			}
		}
	}
	if ok {
		if at.pins == nil {
			at.pins = map[string]edge{}
		}
		at.pins[host] = found
	}
	return ok
}

// direct returns the first edge of those that the function accepts from one node
// to another.
func (n *graphNode) direct(to *graphNode, accept func(edge) bool) (edge, bool) {
	if len(n.edges) <= len(to.edges) {
		for _, e := range n.edges {
			if e.to == to && accept(e) {
				return e, true
			}
		}
		return edge{}, false
	}
	for _, e := range to.edges { // the same links in the same order, from the other end
		if e.to == n && accept(e) {
			back := edge{e.link, "forward", to}
			if e.direction == "forward" {
				back.direction = "reverse"
			}
			return back, true
		}
	}
	return edge{}, false
}

// way returns the links from one host to another: by static routes, and where
// there are none the first link of a shortest way. What goes in a circle or ends
// before the host is an error.
func (g *graph) way(from, to string) ([]edge, error) {
	goal := g.nodes[to]
	var way []edge
	for at := g.nodes[from]; at != goal; {
		next, ok := g.next(at, goal)
		switch {
		case len(way) > 0 && at.router == 0:
			return nil, fmt.Errorf("the route from %s to %s comes to host %s, which forwards nothing; expected routes that lead there", from, to, at.name)
		case !ok:
			return nil, fmt.Errorf("no links lead from %s to %s; expected a table [links.NAME] with between = [%q, %q], or several with routers between them", at.name, to, at.name, to)
		case len(way) > len(g.nodes):
			return nil, fmt.Errorf("the route from %s to %s goes in a circle; expected routes that lead there", from, to)
		}
		way = append(way, next)
		at = next.to
	}
	return way, nil
}

// next returns the first link of the way from a node to a host.
func (g *graph) next(at, goal *graphNode) (edge, bool) {
	if e, ok := at.pins[goal.name]; ok {
		return e, true
	}
	if e, ok := at.direct(goal, func(edge) bool { return true }); ok {
		return e, true
	}
	if goal.hops == nil {
		goal.hops = g.hops(goal)
	}
	var best edge
	for _, e := range at.trunks {
		if h := goal.hops[e.to.router]; h > 0 && (best.to == nil || h < goal.hops[best.to.router]) {
			best = e
		}
	}
	return best, best.to != nil
}

// hops returns the number of links from each router to a host. Only routers
// forward.
func (g *graph) hops(goal *graphNode) []int32 {
	hops := make([]int32, g.routers+1)
	for reached := []*graphNode{goal}; len(reached) > 0; reached = reached[1:] {
		n := reached[0]
		for _, e := range n.trunks {
			if r := e.to.router; hops[r] == 0 {
				hops[r] = hops[n.router] + 1 // hosts have the place that no router has
				reached = append(reached, e.to)
			}
		}
	}
	return hops
}

// nat returns the link with the last NAT on the way from a host to a node, which
// knows the host by the NAT's address, if the way back goes by that link too. It
// returns "" if there is none.
func (g *graph) nat(host, node string) string {
	way, _ := g.way(host, node)
	name := ""
	for _, e := range way {
		if inside := e.link.Link.NAT.Inside; inside != "" && inside == e.link.Link.Between[e.begin()] {
			name = e.link.Name
		}
	}
	back, _ := g.way(node, host)
	if !slices.ContainsFunc(back, func(e edge) bool { return e.link.Name == name }) {
		return ""
	}
	return name
}

// begin returns which end of its link an edge begins at.
func (e edge) begin() int {
	if e.direction == "reverse" {
		return 1
	}
	return 0
}

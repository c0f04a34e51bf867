package scenario

import "fmt"

// graph is the hosts, routers and links of a scenario, one by one. It knows the
// ways that datagrams take.
type graph struct {
	links []LinkInstance
	nodes map[string]*graphNode
}

type graphNode struct {
	name     string
	router   bool
	edges    []edge           // in the order of the links
	pins     map[string]edge  // by host: the static routes
	distance map[string]int32 // for hosts to which a way was asked: to each node the number of links, by name
}

// edge is a link as seen from one of its ends.
type edge struct {
	link      *LinkInstance
	direction string // from this end
	to        *graphNode
}

func newGraph(s *Scenario) *graph {
	g := &graph{links: s.LinkInstances(), nodes: map[string]*graphNode{}}
	for i := range s.Hosts {
		for _, name := range s.Hosts[i].Instances() {
			g.nodes[name] = &graphNode{name: name}
		}
	}
	for i := range s.Routers {
		g.nodes[s.Routers[i].Name] = &graphNode{name: s.Routers[i].Name, router: true}
	}
	for i := range g.links {
		l := &g.links[i]
		a, b := g.nodes[l.Between[0]], g.nodes[l.Between[1]]
		a.edges = append(a.edges, edge{l, "forward", b})
		b.edges = append(b.edges, edge{l, "reverse", a})
	}
	return g
}

// pin gives a node a static route to a host by a link of a name. It reports
// whether the node has one such link, or one that leads to the host itself.
func (g *graph) pin(at *graphNode, host, via string) bool {
	var found []edge
	for _, e := range at.edges {
		switch {
		case e.link.Name != via && e.link.Link.Name != via:
		case e.to.name == host:
			found = []edge{e}
		default:
			found = append(found, e)
		}
		if len(found) == 1 && found[0].to.name == host {
			break
		}
	}
	if len(found) != 1 {
		return false
	}
	if at.pins == nil {
		at.pins = map[string]edge{}
	}
	at.pins[host] = found[0]
	return true
}

// way returns the links from one host to another: by static routes, and where
// there are none the first link of a shortest way. What goes in a circle or ends
// before the host is an error.
func (g *graph) way(from, to string) ([]edge, error) {
	goal := g.nodes[to]
	if goal.distance == nil {
		goal.distance = g.distances(goal)
	}
	var way []edge
	for at := g.nodes[from]; at != goal; {
		next, ok := at.next(goal)
		switch {
		case len(way) > 0 && !at.router:
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

func (n *graphNode) next(goal *graphNode) (edge, bool) {
	if e, ok := n.pins[goal.name]; ok {
		return e, true
	}
	var best edge
	least := int32(0)
	for _, e := range n.edges {
		d, ok := goal.distance[e.to.name]
		if ok && (e.to == goal || e.to.router) && (best.to == nil || d < least) {
			best, least = e, d
		}
	}
	return best, best.to != nil
}

// distances returns the number of links from each node to a goal. Only routers
// forward.
func (g *graph) distances(goal *graphNode) map[string]int32 {
	d := map[string]int32{goal.name: 0}
	queue := []*graphNode{goal}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, e := range n.edges {
			if _, seen := d[e.to.name]; !seen {
				d[e.to.name] = d[n.name] + 1
				if e.to.router {
					queue = append(queue, e.to)
				}
			}
		}
	}
	return d
}

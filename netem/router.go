package netem

import (
	"net/netip"
)

// Node is what links join: a [Host] or a [Router].
type Node interface {
	// Name returns the node's name.
	Name() string

	base() *node
}

// node is what hosts and routers have in common.
type node struct {
	name    string
	network *Network
	router  int                  // from 1 in the order of AddRouter, 0 for a host
	arrive  func(*Packet)        // takes a packet from a link
	exits   []*Path              // in the order of links
	trunks  []*Path              // those of exits that end at a router
	pins    map[netip.Addr]*Path // routes that were set, by routed
	cache   map[routeKey]*Path   // routes that were looked up; hosts lock it
}

// Name returns the node's name.
func (n *node) Name() string { return n.name }

func (n *node) base() *node { return n }

// attach adds a path that begins at the node.
func (n *node) attach(p *Path) {
	n.exits = append(n.exits, p)
	if p.to.router > 0 {
		n.trunks = append(n.trunks, p)
	}
}

// Router is a node without address and sockets that sends each packet on by the
// route to its destination (see [Network.Route]), in no time of its own: queues
// and delays are those of links. A packet takes finitely many hops, because
// [Network.Start] admits no routes in a circle, so there is no TTL.
type Router struct {
	node
	noRoute Count
}

// AddRouter adds a router.
func (n *Network) AddRouter(name string) (*Router, error) {
	if err := n.changing(); err != nil {
		return nil, err
	}
	r := &Router{}
	r.node = n.newNode(name, r.receive)
	n.routers = append(n.routers, r)
	r.router = len(n.routers)
	return r, nil
}

func (n *Network) newNode(name string, arrive func(*Packet)) node {
	return node{name: name, network: n, arrive: arrive, cache: make(map[routeKey]*Path)}
}

// receive sends a packet on. It does so even while the network flushes: a
// packet that comes to a host by links that take no time waits there.
func (r *Router) receive(p *Packet) {
	path := r.network.cached(&r.node, routeKey{to: p.Dest.Addr()})
	if path == nil {
		r.noRoute.add(p)
		p.release()
		return
	}
	path.Send(p)
}

// NoRoute returns what arrived but could not be sent on for want of a route
// (ipSystemStatsInNoRoutes of RFC 4293).
func (r *Router) NoRoute() Count { return r.noRoute }

package netem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// The addresses of a network. What an address belongs to follows from its place
// in its block.
var (
	// hostBlock has an address for each host.
	hostBlock = netip.MustParsePrefix("10.0.0.0/8")

	// linkBlock has two addresses for each link, one for each end, as a
	// point-to-point link with a 31-bit prefix has (RFC 3021).
	linkBlock = netip.MustParsePrefix("172.16.0.0/12")

	// natBlock has 256 addresses for each NAT. It is the shared address space of
	// RFC 6598.
	natBlock = netip.MustParsePrefix("100.64.0.0/10")
)

// addrIn returns the i-th address of a block, from 0.
func addrIn(block netip.Prefix, i int) netip.Addr {
	first := block.Addr().As4()
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(first[:])+uint32(i))))
}

// indexIn returns the place of an address in a block, and whether it is there.
func indexIn(block netip.Prefix, addr netip.Addr) (int, bool) {
	if !block.Contains(addr) {
		return 0, false
	}
	first, a := block.Addr().As4(), addr.As4()
	return int(binary.BigEndian.Uint32(a[:]) - binary.BigEndian.Uint32(first[:])), true
}

// Route sets the link by which packets to an address leave a node, instead of
// the first link of a shortest path. The address is that of a host, that of a
// host on one of its links ([Host.AddrOn]), or the public one of a NAT, which
// stands for all that the NAT will have.
func (n *Network) Route(at Node, to netip.Addr, by *Link) error {
	if err := n.changing(); err != nil {
		return err
	}
	node := at.base()
	path := by.from(node)
	goal, _ := n.destination(to)
	switch {
	case path == nil:
		return fmt.Errorf("netem: the route of %s to %s goes by link %s, which does not end there", node.name, to, by.Name)
	case goal == nil:
		return fmt.Errorf("netem: the route of %s to %s: no host has this address", node.name, to)
	case node.pins[routed(to)] != nil:
		return fmt.Errorf("netem: %s has a route to %s already", node.name, to)
	}
	if node.pins == nil {
		node.pins = make(map[netip.Addr]*Path)
	}
	node.pins[routed(to)] = path
	n.pins = append(n.pins, pin{node, to})
	return nil
}

// routed returns the address that stands for those with the same routes: the
// first of a NAT's.
func routed(to netip.Addr) netip.Addr {
	if i, ok := indexIn(natBlock, to); ok {
		return addrIn(natBlock, i-i%natAddresses)
	}
	return to
}

// pin says that a node has a route of its own to an address.
type pin struct {
	at *node
	to netip.Addr
}

// Start fixes hosts, routers, links and routes. It returns an error if a route
// that was set leads in a circle, or to a node that does not send packets on. The
// first datagram starts the network too, and its sender gets the error.
func (n *Network) Start() error { return n.start() }

func (n *Network) fix() error {
	n.started.Store(true)
	var errs []error
	for _, p := range n.pins {
		errs = append(errs, n.follow(p))
	}
	return errors.Join(errs...)
}

var errStarted = errors.New("netem: the network has started; its hosts, links and routes are fixed")

// changing returns an error if the network has started.
func (n *Network) changing() error {
	if n.started.Load() {
		return errStarted
	}
	return nil
}

// follow goes the way of a packet from where a route was set. A way without such
// a place cannot be in a circle: each hop is a step nearer.
func (n *Network) follow(p pin) error {
	goal, last := n.destination(p.to)
	at := p.at
	for range len(n.hosts) + len(n.routers) {
		path := n.next(at, p.to)
		if path == nil {
			return fmt.Errorf("netem: the route of %s to %s ends at %s, which has none", p.at.name, p.to, at.name)
		}
		at = path.to
		if path == last || at == goal && last == nil {
			return nil
		}
		if at.router == 0 {
			return fmt.Errorf("netem: the route of %s to %s ends at host %s, which sends nothing on", p.at.name, p.to, at.name)
		}
	}
	return fmt.Errorf("netem: the route of %s to %s goes in a circle", p.at.name, p.to)
}

// destination returns where packets to an address are to come: to a host by any
// path (last is nil), or to the node at which the last path begins. It returns
// nil for an address that belongs to nobody.
func (n *Network) destination(addr netip.Addr) (goal *node, last *Path) {
	if i, ok := indexIn(hostBlock, addr); ok {
		if i >= 1 && i <= len(n.hosts) {
			return &n.hosts[i-1].node, nil
		}
	} else if i, ok := indexIn(linkBlock, addr); ok && i/2 < len(n.links) {
		// The first end has the even address.
		last = n.links[i/2].Reverse
		if i%2 == 1 {
			last = last.twin
		}
		if last.to.router == 0 {
			return last.from, last
		}
	} else if i, ok := indexIn(natBlock, addr); ok && i/natAddresses < len(n.nats) {
		last = n.nats[i/natAddresses].inward
		return last.from, last
	}
	return nil, nil
}

// next returns the path by which a packet to an address leaves a node, or nil:
// the route that was set, or the first one of those that lead there in the least
// number of hops. Hosts send nothing on, so that only the first and the last node
// of a way can be one.
func (n *Network) next(at *node, to netip.Addr) *Path {
	if p := at.pins[routed(to)]; p != nil {
		return p
	}
	goal, last := n.destination(to)
	switch {
	case goal == nil:
		return nil
	case goal == at:
		return last
	case goal.router == 0 && last != nil:
		return nil
	}
	if p := direct(at, goal); p != nil {
		return p
	}
	hops := n.hops(goal)
	var best *Path
	for _, p := range at.trunks {
		if h := hops[p.to.router]; h > 0 && (best == nil || h < hops[best.to.router]) {
			best = p
		}
	}
	return best
}

// direct returns the first path from one node to another without a node between
// them, or nil.
func direct(from, to *node) *Path {
	if len(from.exits) <= len(to.exits) {
		for _, p := range from.exits {
			if p.to == to {
				return p
			}
		}
	} else {
		for _, p := range to.exits {
			if p.to == from {
				return p.twin
			}
		}
	}
	return nil
}

// hops returns how many hops each router is from a node, and one more; 0 for
// those without a way to it. Ways lead through routers only.
func (n *Network) hops(goal *node) []int32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if hops := n.distances[goal]; hops != nil {
		return hops
	}
	hops := make([]int32, len(n.routers)+1)
	hops[goal.router] = 1 // hosts share the place that no router has
	for reached := []*node{goal}; len(reached) > 0; reached = reached[1:] {
		for _, p := range reached[0].trunks {
			if hops[p.to.router] == 0 {
				hops[p.to.router] = hops[reached[0].router] + 1
				reached = append(reached, p.to)
			}
		}
	}
	n.distances[goal] = hops
	return hops
}

// routeKey is an address, and for a socket that sends by one link the path of
// that link.
type routeKey struct {
	to    netip.Addr
	bound *Path
}

// cached returns the path by which what belongs to the key leaves a node, or
// nil. The network has started.
func (n *Network) cached(at *node, key routeKey) *Path {
	if p := at.cache[key]; p != nil {
		return p
	}
	p := n.bound(at, key)
	if p != nil {
		at.cache[key] = p
	}
	return p
}

// bound is next for a socket that sends by one link: its path, unless there is no
// way from that path's end.
func (n *Network) bound(at *node, key routeKey) *Path {
	if key.bound == nil {
		return n.next(at, key.to)
	}
	goal, last := n.destination(key.to)
	far := key.bound.to
	if far == goal && last == nil || key.bound == last || far.router > 0 && n.next(far, key.to) != nil {
		return key.bound
	}
	return nil
}

package netem

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"
)

// Network is hosts and the links between them.
type Network struct {
	driver  Driver
	seed    uint64
	observe func(Outcome)
	hosts   []*Host
	byAddr  map[netip.Addr]*Host
	links   []*Link
	packets uint64
}

// NewNetwork returns an empty network. The seed is that of every link's random
// streams. Unless it is nil, observe is called for each packet on each path
// when its fate is known.
func NewNetwork(driver Driver, seed uint64, observe func(Outcome)) *Network {
	return &Network{driver: driver, seed: seed, observe: observe, byAddr: make(map[netip.Addr]*Host)}
}

// Link is two paths between two hosts.
type Link struct {
	Name    string
	Forward *Path // from the first host to the second
	Reverse *Path // from the second to the first
}

// maxHosts keeps addresses within 10.0.0.0/8.
const maxHosts = 1<<24 - 2

// AddHost adds a host. The n-th host has the n-th address of 10.0.0.0/8, and
// comes n-th whenever hosts act at one instant.
func (n *Network) AddHost(name string) (*Host, error) {
	i := len(n.hosts) + 1
	if i > maxHosts {
		return nil, fmt.Errorf("netem: more than %d hosts", maxHosts)
	}
	h := &Host{
		name:    name,
		network: n,
		addr:    netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}),
		sockets: make(map[uint16]*Socket),
		routes:  make(map[netip.Addr]*Path),
	}
	n.hosts = append(n.hosts, h)
	n.byAddr[h.addr] = h
	return h, nil
}

// Connect joins two hosts. There can be one link between two hosts.
func (n *Network) Connect(name string, a, b *Host, forward, reverse []Element) (*Link, error) {
	switch {
	case a == b:
		return nil, fmt.Errorf("netem: link %s joins host %s with itself", name, a.name)
	case a.routes[b.addr] != nil:
		return nil, fmt.Errorf("netem: link %s: the hosts %s and %s have a link already", name, a.name, b.name)
	}
	f, err := NewPath(n.driver, name+".forward", n.seed, forward, b.receive, n.observe)
	if err != nil {
		return nil, err
	}
	r, err := NewPath(n.driver, name+".reverse", n.seed, reverse, a.receive, n.observe)
	if err != nil {
		return nil, err
	}
	a.routes[b.addr], b.routes[a.addr] = f, r
	l := &Link{Name: name, Forward: f, Reverse: r}
	n.links = append(n.links, l)
	return l, nil
}

// Flush moves what the hosts have sent into the links, host by host in the
// order of AddHost. It reports whether there was anything.
func (n *Network) Flush() bool {
	any := false
	for _, h := range n.hosts {
		for _, p := range h.takeOutbox() {
			any = true
			n.packets++
			p.ID = n.packets
			h.routes[p.Dest.Addr()].Send(p)
		}
	}
	return any
}

// Lookahead returns the least time that any link needs from the departure of a
// packet from a queue to its arrival: the bound of [Clock.AtQuiet].
func (n *Network) Lookahead() time.Duration {
	least := time.Duration(math.MaxInt64)
	for _, l := range n.links {
		least = min(least, l.Forward.lookahead, l.Reverse.lookahead)
	}
	return least
}

// Datagrams returns how many datagrams have entered the network.
func (n *Network) Datagrams() uint64 { return n.packets }

// Stop tells the observer of every packet that is still in a link.
func (n *Network) Stop() {
	for _, l := range n.links {
		l.Forward.stop()
		l.Reverse.stop()
	}
}

// Idle reports whether no link holds a packet.
func (n *Network) Idle() bool {
	for _, l := range n.links {
		for _, p := range []*Path{l.Forward, l.Reverse} {
			if p.in.Packets != p.out.Packets+p.droppedN.Packets {
				return false
			}
		}
	}
	return true
}

// Check verifies that every element of every path has conserved packets: bytes
// in = out + dropped + held.
func (n *Network) Check() error {
	var errs []error
	for _, l := range n.links {
		errs = append(errs, l.Forward.check(), l.Reverse.check())
	}
	return errors.Join(errs...)
}

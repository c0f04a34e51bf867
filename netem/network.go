package netem

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Network is hosts, routers and the links between them. Its methods are called
// on the goroutine that owns the clock; what it consists of is added before
// anything is sent.
type Network struct {
	driver    Driver
	seed      uint64
	observe   func(Outcome)
	hosts     []*Host
	routers   []*Router
	links     []*Link
	named     map[string]bool // links
	nats      []*NAT
	pins      []pin // in the order of Route
	start     func() error
	started   atomic.Bool
	datagrams uint64
	flushing  bool

	lookahead time.Duration // of all paths the least, or less if stale
	stale     bool

	mu        sync.Mutex
	senders   []*Host           // hosts whose outbox is not empty
	spare     []*Host           // the senders of the last flush, for reuse
	distances map[*node][]int32 // see hops
}

// NewNetwork returns an empty network. The seed is that of every link's random
// streams. Unless it is nil, observe is called for each packet on each path
// when its fate is known.
func NewNetwork(driver Driver, seed uint64, observe func(Outcome)) *Network {
	n := &Network{driver: driver, seed: seed, observe: observe, lookahead: never, named: make(map[string]bool), distances: make(map[*node][]int32)}
	n.start = sync.OnceValue(n.fix)
	return n
}

// Link is two paths between two nodes.
type Link struct {
	Name    string
	Forward *Path // from the first node to the second
	Reverse *Path // from the second to the first

	rank int // from 0, in the order of Connect
	nat  *NAT
}

// from returns the link's path from a node, or nil.
func (l *Link) from(n *node) *Path {
	switch n {
	case l.Forward.from:
		return l.Forward
	case l.Reverse.from:
		return l.Reverse
	}
	return nil
}

// The numbers that keep addresses within their blocks.
const (
	maxHosts = 1<<24 - 2
	maxLinks = 1 << 19
)

// AddHost adds a host. The n-th host has the n-th address of 10.0.0.0/8, and
// comes n-th whenever hosts act at one instant.
func (n *Network) AddHost(name string) (*Host, error) {
	if err := n.changing(); err != nil {
		return nil, err
	}
	i := len(n.hosts) + 1
	if i > maxHosts {
		return nil, fmt.Errorf("netem: more than %d hosts", maxHosts)
	}
	h := newHost(n, name, i)
	n.hosts = append(n.hosts, h)
	return h, nil
}

// Connect joins two nodes. There may be several links between the same two, but
// each has a name of its own: from it and the seed come its random streams.
func (n *Network) Connect(name string, a, b Node, forward, reverse []Element) (*Link, error) {
	if err := n.changing(); err != nil {
		return nil, err
	}
	first, second := a.base(), b.base()
	switch {
	case first == second:
		return nil, fmt.Errorf("netem: link %s joins %s with itself", name, first.name)
	case n.named[name]:
		return nil, fmt.Errorf("netem: there is a link %s already", name)
	case len(n.links) == maxLinks:
		return nil, fmt.Errorf("netem: more than %d links", maxLinks)
	}
	f, err := NewPath(n.driver, name+".forward", n.seed, forward, second.arrive, n.observe)
	if err != nil {
		return nil, err
	}
	r, err := NewPath(n.driver, name+".reverse", n.seed, reverse, first.arrive, n.observe)
	if err != nil {
		return nil, err
	}
	f.from, f.to, f.twin = first, second, r
	r.from, r.to, r.twin = second, first, f
	l := &Link{Name: name, Forward: f, Reverse: r, rank: len(n.links)}
	n.links = append(n.links, l)
	n.named[name] = true
	for _, p := range []*Path{f, r} {
		p.network = n
		p.from.attach(p)
		p.derive()
		n.stale = n.stale || p.from.router > 0
	}
	return l, nil
}

// hasSent adds a host to those that the next flush visits.
func (n *Network) hasSent(h *Host) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.senders = append(n.senders, h)
}

// Flush moves what the hosts have sent into the links, host by host in the
// order of AddHost and in the order of sending. It reports whether there was
// anything. No datagram arrives at a host during Flush: those that need no time
// to get there do so in calls of [Clock.At] for this instant.
func (n *Network) Flush() bool {
	n.mu.Lock()
	senders := n.senders
	n.senders, n.spare = n.spare[:0], senders
	n.mu.Unlock()
	slices.SortFunc(senders, func(a, b *Host) int { return cmp.Compare(a.index, b.index) })
	n.flushing = true
	for _, h := range senders {
		outbox := h.takeOutbox()
		for _, p := range outbox {
			n.enter(h, p)
		}
		clear(outbox)
	}
	n.flushing = false
	return len(senders) > 0
}

// enter takes a datagram that a host sent.
func (n *Network) enter(h *Host, p *Packet) {
	n.datagrams++
	p.ID = n.datagrams
	h.see(p, true)
	p.route.Send(p)
}

// Datagrams returns how many datagrams have entered the network.
func (n *Network) Datagrams() uint64 { return n.datagrams }

// Stop tells the observer of every packet that is still in a link.
func (n *Network) Stop() {
	for _, l := range n.links {
		l.Forward.stop()
		l.Reverse.stop()
	}
}

// Idle reports whether no link holds a packet. It looks at every link.
func (n *Network) Idle() bool {
	for _, l := range n.links {
		if l.Forward.holds() != 0 || l.Reverse.holds() != 0 {
			return false
		}
	}
	return true
}

// Held returns what the links hold. It looks at every link.
func (n *Network) Held() Count {
	var held Count
	for _, l := range n.links {
		for _, p := range []*Path{l.Forward, l.Reverse} {
			held.Packets += p.holds()
			held.Bytes += p.in.Bytes + p.duplicated.Bytes - p.out.Bytes - p.droppedN.Bytes
		}
	}
	return held
}

// Check verifies that every element of every path has conserved packets: bytes
// in + duplicated = out + dropped + held. And that it holds to Little's law: the
// number of packets that it held, over time, adds up to the times that packets
// spent in it, to the nanosecond.
func (n *Network) Check() error {
	var errs []error
	for _, l := range n.links {
		errs = append(errs, l.Forward.check(), l.Reverse.check())
	}
	return errors.Join(errs...)
}

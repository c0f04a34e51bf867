package netem

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Network is hosts and the links between them. Its methods are called on the
// goroutine that owns the clock; hosts and links are added before anything is
// sent.
type Network struct {
	driver    Driver
	seed      uint64
	observe   func(Outcome)
	hosts     []*Host
	links     []*Link
	datagrams uint64
	flushing  bool

	lookahead time.Duration // of all paths the least, or less if stale
	stale     bool

	mu      sync.Mutex
	senders []*Host // hosts whose outbox is not empty
	spare   []*Host // the senders of the last flush, for reuse
}

// NewNetwork returns an empty network. The seed is that of every link's random
// streams. Unless it is nil, observe is called for each packet on each path
// when its fate is known.
func NewNetwork(driver Driver, seed uint64, observe func(Outcome)) *Network {
	return &Network{driver: driver, seed: seed, observe: observe, lookahead: never}
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
	h := newHost(n, name, i)
	n.hosts = append(n.hosts, h)
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
	f, err := NewPath(n.driver, name+".forward", n.seed, forward, b.arrive, n.observe)
	if err != nil {
		return nil, err
	}
	r, err := NewPath(n.driver, name+".reverse", n.seed, reverse, a.arrive, n.observe)
	if err != nil {
		return nil, err
	}
	a.routes[b.addr], b.routes[a.addr] = f, r
	l := &Link{Name: name, Forward: f, Reverse: r}
	n.links = append(n.links, l)
	for _, p := range []*Path{f, r} {
		p.network = n
		n.lookaheadChanged(never, p.lookahead)
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
// anything. No datagram arrives during Flush: those that cross a link in no
// time do so in calls of [Clock.At] for this instant.
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
			n.enter(p)
		}
		clear(outbox)
	}
	n.flushing = false
	return len(senders) > 0
}

// enter takes a datagram that a host sent.
func (n *Network) enter(p *Packet) {
	n.datagrams++
	p.ID = n.datagrams
	p.route.Send(p)
}

// Lookahead returns the bound of [Clock.AtQuiet]: the least time that any link
// needs from a quiet step to the next one that cannot be put off. It changes
// when links are added, configured and first used, and is 0 while no link has
// had a quiet step.
func (n *Network) Lookahead() time.Duration {
	if n.stale {
		n.stale = false
		n.lookahead = never
		for _, l := range n.links {
			n.lookahead = min(n.lookahead, l.Forward.lookahead, l.Reverse.lookahead)
		}
	}
	if n.lookahead == never {
		return 0
	}
	return n.lookahead
}

// lookaheadChanged says that the lookahead of a path has changed.
func (n *Network) lookaheadChanged(from, to time.Duration) {
	switch {
	case to <= n.lookahead:
		n.lookahead, n.stale = to, false
	case from == n.lookahead:
		n.stale = true
	}
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

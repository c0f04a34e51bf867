package netem

import (
	"container/list"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// NATConfig configures a NAT: a network address and port translator with the
// behavior that RFC 4787 describes for UDP. The zero value is one whose mappings
// depend on no peer and last for ever, open to everybody.
type NATConfig struct {
	// Timeout is how long a mapping lasts without being renewed: it is gone when
	// the time is over. Packets from inside renew it. 0 is for ever; RFC 4787,
	// REQ-5, asks for at least 2 minutes.
	Timeout time.Duration

	// InboundRefresh lets packets from outside that the filter admits renew a
	// mapping too (RFC 4787, REQ-6).
	InboundRefresh bool

	// Mapping says whether packets from one inside address and port get another
	// mapping for each peer (RFC 4787, section 4.1; REQ-1 asks that they do not).
	Mapping NATBehavior

	// Filtering says from whom a mapping admits packets: anybody, or those
	// addresses, or addresses and ports, to which it has sent (RFC 4787, section
	// 5).
	Filtering NATBehavior

	// MaxMappings is how many mappings, and how many peers for the filter, the
	// table has room for; 0 is 64512, one for each port. A packet from inside that
	// finds no room is dropped.
	MaxMappings int
}

// NATBehavior is what of a peer a NAT tells apart (RFC 4787, sections 4.1 and
// 5).
type NATBehavior uint8

// The behaviors of a NAT.
const (
	EndpointIndependent     NATBehavior = iota // nothing
	AddressDependent                           // its address
	AddressAndPortDependent                    // its address and port
)

// of returns what the behavior tells apart of a peer.
func (b NATBehavior) of(peer netip.AddrPort) netip.AddrPort {
	switch b {
	case EndpointIndependent:
		return netip.AddrPort{}
	case AddressDependent:
		return netip.AddrPortFrom(peer.Addr(), 0)
	}
	return peer
}

const (
	firstNATPort = 1024 // RFC 4787, REQ-3
	lastNATPort  = 65535
	natPorts     = lastNATPort - firstNATPort + 1
	natAddresses = 256 // that each NAT has a share of, of which it uses 1 to 254
	maxNATs      = 1 << 14
)

// NAT is a running NAT at the outer end of a link. Packets that leave the link
// there get the NAT's public address and a port of the NAT for their source, and
// packets that enter it there must be for such a port, and get the inside address
// and port for their destination. What the NAT drops is dropped by the link, by
// the kind "nat": so a link from inside shows the inside addresses only.
//
// A mapping that the NAT makes gets the port after that of the last one, from
// 1024 on.
type NAT struct {
	clock    Clock
	config   NATConfig
	block    int   // where its public addresses begin
	inward   *Path // the way in
	rebinds  int   // of the address
	addr     netip.Addr
	lastPort uint16

	mappings map[mappingKey]*list.Element
	ports    map[uint16]*list.Element
	byAge    list.List // of *mapping, the one renewed last at the back
	peers    int       // that all mappings have

	leaving netip.AddrPort // the public source of the packet that leaves the link now
}

type mappingKey struct {
	inside netip.AddrPort
	peer   netip.AddrPort // as far as it matters
}

type mapping struct {
	key     mappingKey
	port    uint16
	renewed time.Duration
	peers   map[netip.AddrPort]bool // as far as they matter; nil if they do not
}

// AddNAT puts a NAT at the end of a link that is not the given one, the inside.
// The n-th NAT of a network has addresses of the n-th 256 of 100.64.0.0/10, which
// RFC 6598 sets apart for NATs.
func (n *Network) AddNAT(l *Link, inside Node, config NATConfig) (*NAT, error) {
	if err := n.changing(); err != nil {
		return nil, err
	}
	out := l.from(inside.base())
	switch {
	case out == nil:
		return nil, fmt.Errorf("netem: the NAT of link %s is to have %s inside, where the link does not end", l.Name, inside.Name())
	case l.nat != nil:
		return nil, fmt.Errorf("netem: link %s has a NAT already", l.Name)
	case len(n.nats) == maxNATs:
		return nil, fmt.Errorf("netem: more than %d NATs", maxNATs)
	}
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("netem: the NAT of link %s: %w", l.Name, err)
	}
	if config.MaxMappings == 0 {
		config.MaxMappings = natPorts
	}
	t := &NAT{clock: n.driver, config: config, block: len(n.nats) * natAddresses, inward: out.twin, lastPort: lastNATPort}
	t.reset()
	n.nats = append(n.nats, t)
	l.nat = t
	out.stages = append(out.stages, t.stage(out, false))
	in := out.twin
	in.stages = slices.Insert(in.stages, 0, t.stage(in, true))
	for _, p := range []*Path{out, in} {
		p.chain()
	}
	deliver := out.deliver
	out.deliver = func(p *Packet) {
		p.Source = t.leaving
		deliver(p)
	}
	return t, nil
}

func (t *NAT) stage(p *Path, inward bool) *Env {
	env := &Env{Clock: t.clock, path: p, counters: Counters{Kind: "nat"}}
	env.runner = &natStage{env, t, inward}
	return env
}

func (c *NATConfig) check() error {
	switch {
	case c.Timeout < 0:
		return errors.New("the timeout is negative")
	case c.Mapping > AddressAndPortDependent || c.Filtering > AddressAndPortDependent:
		return errors.New("an unknown behavior")
	case c.MaxMappings < 0 || c.MaxMappings > natPorts:
		return fmt.Errorf("the number of mappings is not between 0 and %d", natPorts)
	}
	return nil
}

// Addr returns the public address.
func (t *NAT) Addr() netip.Addr { return t.addr }

// RebindPorts forgets all mappings now, as a NAT does that restarts. New ones have
// other ports. Packets for the old ones are dropped.
func (t *NAT) RebindPorts() { t.reset() }

// RebindAddress is RebindPorts and a change of the public address.
func (t *NAT) RebindAddress() {
	t.rebinds++
	t.reset()
}

func (t *NAT) reset() {
	t.addr = addrIn(natBlock, t.block+1+t.rebinds%(natAddresses-2))
	t.mappings = make(map[mappingKey]*list.Element)
	t.ports = make(map[uint16]*list.Element)
	t.byAge.Init()
	t.peers = 0
}

// Mappings returns how many mappings there are.
func (t *NAT) Mappings() int {
	t.expire()
	return t.byAge.Len()
}

// Origin returns the inside address for which NATs stand at the moment with an
// address of theirs, and any other address as it is.
func (n *Network) Origin(at netip.AddrPort) netip.AddrPort {
	for _, t := range n.nats {
		if t.addr != at.Addr() {
			continue
		}
		t.expire()
		if e := t.ports[at.Port()]; e != nil {
			return n.Origin(e.Value.(*mapping).key.inside)
		}
	}
	return at
}

// expire forgets the mappings whose time is over.
func (t *NAT) expire() {
	if t.config.Timeout == 0 {
		return
	}
	for e := t.byAge.Front(); e != nil; e = t.byAge.Front() {
		m := e.Value.(*mapping)
		if t.clock.Now()-m.renewed < t.config.Timeout {
			return
		}
		t.byAge.Remove(e)
		delete(t.mappings, m.key)
		delete(t.ports, m.port)
		t.peers -= len(m.peers)
	}
}

func (t *NAT) renew(e *list.Element) {
	e.Value.(*mapping).renewed = t.clock.Now()
	t.byAge.MoveToBack(e)
}

// outbound returns the public source of a packet from inside, and false if the
// table has no room.
func (t *NAT) outbound(p *Packet) (netip.AddrPort, bool) {
	t.expire()
	key := mappingKey{p.Source, t.config.Mapping.of(p.Dest)}
	e := t.mappings[key]
	peer := t.config.Filtering.of(p.Dest)
	known := t.config.Filtering == EndpointIndependent || e != nil && e.Value.(*mapping).peers[peer]
	if !known && t.peers == t.config.MaxMappings {
		return netip.AddrPort{}, false
	}
	if e == nil {
		if t.byAge.Len() == t.config.MaxMappings {
			return netip.AddrPort{}, false
		}
		e = t.add(key)
	}
	t.renew(e)
	m := e.Value.(*mapping)
	if !known {
		m.peers[peer] = true
		t.peers++
	}
	return netip.AddrPortFrom(t.addr, m.port), true
}

// add makes a mapping. There is a free port.
func (t *NAT) add(key mappingKey) *list.Element {
	for {
		if t.lastPort++; t.lastPort < firstNATPort { // past the last one
			t.lastPort = firstNATPort
		}
		if t.ports[t.lastPort] == nil {
			break
		}
	}
	m := &mapping{key: key, port: t.lastPort}
	if t.config.Filtering != EndpointIndependent {
		m.peers = make(map[netip.AddrPort]bool)
	}
	e := t.byAge.PushBack(m)
	t.mappings[key], t.ports[m.port] = e, e
	return e
}

// inbound returns the inside destination of a packet from outside, and false if
// it is to be dropped.
func (t *NAT) inbound(p *Packet) (netip.AddrPort, bool) {
	t.expire()
	e := t.ports[p.Dest.Port()]
	if e == nil || p.Dest.Addr() != t.addr {
		return netip.AddrPort{}, false
	}
	m := e.Value.(*mapping)
	if f := t.config.Filtering; f != EndpointIndependent && !m.peers[f.of(p.Source)] {
		return netip.AddrPort{}, false
	}
	if t.config.InboundRefresh {
		t.renew(e)
	}
	return m.key.inside, true
}

// natStage is a NAT's place on a path of its link: the last on the way out, the
// first on the way in.
type natStage struct {
	env    *Env
	nat    *NAT
	inward bool
}

func (s *natStage) Receive(p *Packet) {
	if s.inward {
		inside, ok := s.nat.inbound(p)
		if !ok {
			s.env.Drop(p)
			return
		}
		p.Dest = inside
	} else {
		leaving, ok := s.nat.outbound(p)
		if !ok {
			s.env.Drop(p)
			return
		}
		s.nat.leaving = leaving
	}
	s.env.Forward(p)
}

func (s *natStage) Configure(Element) error {
	return errors.New("a running NAT keeps its configuration")
}

func (s *natStage) Held(func(*Packet)) {}

func (s *natStage) lookahead(next time.Duration) time.Duration { return next }

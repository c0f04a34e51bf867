package realtime

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// RelayConfig configures a Relay. The zero value relays on loopback.
type RelayConfig struct {
	// Timeout is how long a client that came by itself, or a source address as
	// servers see it, may be silent and unanswered before it is forgotten; 0 is
	// 2 minutes (RFC 4787, REQ-5).
	Timeout time.Duration

	// MaxClients is how many such clients there may be at once; 0 is 256. When
	// there are more, the oldest one that no server has ever answered makes room, and
	// if there is none, the new one is refused.
	MaxClients int

	// Memory is how much the network may hold before datagrams are refused, which
	// bounds queues without a limit; 0 is 256 MiB.
	Memory netem.Bytes

	// Remote admits addresses that are not of the loopback interface.
	Remote bool

	// Delivered, unless it is nil, is called with each datagram that leaves the
	// network, for a server or for a client, with the client's place among those of
	// Relay.Clients, or -1 if it is not there, on the goroutine of the loop.
	Delivered func(client int, toServer bool, size netem.Bytes)

	// Notice, unless it is nil, is called with what a person should know at once,
	// on the goroutine of the loop.
	Notice func(string)
}

// Relay joins real sockets with hosts of a network. A datagram that a client
// sends to the address of a server's listener enters the network at the
// client's host, and what of it arrives at the server's host goes to the real server. There
// each source address, as the network has made it, has a socket of its own, so
// that a NAT that rebinds gives a client a new address in the eyes of the
// server. Answers take the same way back: a relay sends to no address but
// those of its servers and of clients that have sent something.
//
// On loopback, servers see the address 127.b.c.d for a.b.c.d in the network,
// where the system has such addresses.
//
// Its methods run on the loop's goroutine.
type Relay struct {
	loop    *Loop
	network *netem.Network
	config  RelayConfig

	servers   map[netip.AddrPort]*server // by the address in the network
	clients   map[netip.AddrPort]*client // by the real address
	strangers int                        // clients that came by themselves
	flows     map[flowKey]*flow
	hosts     []*netem.Host // of clients that come by themselves
	turn      int           // of hosts
	known     []*Client
	entered   uint64
	overfull  bool          // the network holds too much
	full      bool          // that there are too many clients was said
	patience  time.Duration // see the constant
}

// NewRelay returns a relay without servers for the network that the loop is to drive.
func NewRelay(l *Loop, n *netem.Network, c RelayConfig) *Relay {
	if c.Timeout <= 0 {
		c.Timeout = 2 * time.Minute
	}
	if c.MaxClients <= 0 {
		c.MaxClients = 256
	}
	if c.Memory <= 0 {
		c.Memory = 256 * netem.MiB
	}
	if c.Notice == nil {
		c.Notice = func(string) {}
	}
	if c.Delivered == nil {
		c.Delivered = func(int, bool, netem.Bytes) {}
	}
	r := &Relay{
		loop: l, network: n, config: c, patience: patience,
		servers: make(map[netip.AddrPort]*server), clients: make(map[netip.AddrPort]*client), flows: make(map[flowKey]*flow),
	}
	l.At(0, r.tidy)
	return r
}

// TakeIn has the relay take in clients that come by themselves, each at the next
// of the hosts in turn. Without it only those are relayed that were placed.
func (r *Relay) TakeIn(hosts ...*netem.Host) { r.hosts = hosts }

// Client is a client that has sent something.
type Client struct {
	Address  netip.AddrPort   // its own
	Host     string           // where it is in the network
	Seen     []netip.AddrPort // from which servers saw it, in the order in which they did, at most 16
	Sent     netem.Count      // what entered the network
	Received netem.Count      // what came back to it
}

// client is where a client's datagrams enter the network.
type client struct {
	info     *Client
	place    int // in Relay.known, or -1
	to       *net.UDPAddr
	endpoint *netem.Endpoint
	placed   bool
	removed  bool // see Relay.Remove
	since    time.Duration
	heard    time.Duration
	answered bool
}

// server is a server in the network, and the real one.
type server struct {
	name     string
	endpoint *netem.Endpoint
	upstream netip.AddrPort
	listener *socket

	down  bool          // nothing listens there
	asked time.Duration // when something was sent that it has not answered, 0 for nothing
	quiet bool          // that was said
}

// flowKey is a source of datagrams for a server, as the network has made it.
type flowKey struct {
	server *server
	source netip.AddrPort
}

// flow is the socket that stands for one.
type flow struct {
	socket *socket
	client int // the place of the one whose it is, or -1
	heard  time.Duration
}

// refuse counts a datagram that is not relayed.
func (r *Relay) refuse(reason string) { r.loop.refused[reason]++ }

// Serve opens a listener for a server that is at a port of a host of the
// network, and in reality at upstream. It returns the listener's address.
func (r *Relay) Serve(h *netem.Host, port uint16, upstream, listen netip.AddrPort) (netip.AddrPort, error) {
	s := &server{name: h.Name(), upstream: upstream}
	if err := r.admits(upstream.Addr()); err != nil {
		return netip.AddrPort{}, fmt.Errorf("realtime: the server at %s: %w", upstream, err)
	}
	err := r.admits(listen.Addr())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("realtime: the listener at %s: %w", listen, err)
	}
	if s.endpoint, err = h.Bind(port, func(p *netem.Packet) { r.toServer(s, p) }); err != nil {
		return netip.AddrPort{}, fmt.Errorf("realtime: host %s: %w", h.Name(), err)
	}
	s.listener, err = r.loop.open(listen, netip.AddrPort{}, func(from netip.AddrPort, payload []byte, ecn netem.ECN) {
		r.fromClient(s, from, payload, ecn)
	}, func(error) {}) // a client that is gone is none of the relay's errors
	if err != nil {
		s.endpoint.Close()
		return netip.AddrPort{}, fmt.Errorf("realtime: %w", err)
	}
	r.servers[s.endpoint.Addr()] = s
	return s.listener.local, nil
}

// Withdraw gives the port of a host back at which Serve has a server. What it has sent is
// still relayed, whether it is in the network or has yet to enter.
func (r *Relay) Withdraw(h *netem.Host, port uint16) {
	if s := r.servers[netip.AddrPortFrom(h.Addr(), port)]; s != nil {
		s.endpoint.Close()
	}
}

// admits says why the relay may not use an address, or nil.
func (r *Relay) admits(a netip.Addr) error {
	switch {
	case a.IsUnspecified():
		return fmt.Errorf("expected one address, not all of the machine")
	case !a.IsLoopback() && !r.config.Remote:
		return fmt.Errorf("it is not a loopback address, and remote ones are not allowed")
	}
	return nil
}

// Place says that the client with a real address is at a host, or at its
// address on one of its links if that is not nil. It returns the client's
// address in the network. The client is not forgotten before Remove.
func (r *Relay) Place(address netip.AddrPort, h *netem.Host, l *netem.Link) (netip.AddrPort, error) {
	c, err := r.add(address, h, l)
	if err != nil {
		return netip.AddrPort{}, err
	}
	c.placed = true
	return c.endpoint.Addr(), nil
}

// Remove gives the port of a client back that was placed. What it has sent and the relay has not
// yet read is still relayed.
func (r *Relay) Remove(address netip.AddrPort) {
	if c := r.clients[address]; c != nil && !c.removed {
		c.endpoint.Close()
		c.removed, c.heard = true, r.loop.now
	}
}

// forget forgets a client.
func (r *Relay) forget(address netip.AddrPort, c *client) {
	if !c.removed { // else its port may be another's by now
		c.endpoint.Close()
	}
	delete(r.clients, address)
	if !c.placed {
		r.strangers--
	}
}

func (r *Relay) add(address netip.AddrPort, h *netem.Host, l *netem.Link) (*client, error) {
	c := &client{info: &Client{Address: address, Host: h.Name()}, to: net.UDPAddrFromAddrPort(address), since: r.loop.now}
	bind := h.Bind
	if l != nil {
		bind = func(port uint16, receive func(*netem.Packet)) (*netem.Endpoint, error) {
			return h.BindOn(l, port, receive)
		}
	}
	var err error
	if c.endpoint, err = bind(0, func(p *netem.Packet) { r.toClient(c, p) }); err != nil {
		return nil, fmt.Errorf("realtime: host %s: %w", h.Name(), err)
	}
	r.clients[address] = c
	if c.place = -1; len(r.known) < maxKnown {
		c.place = len(r.known)
		r.known = append(r.known, c.info)
	}
	return c, nil
}

// maxKnown bounds the clients of which is told what they did.
const maxKnown = 1024

// stranger takes in a client that came by itself, or returns nil.
func (r *Relay) stranger(address netip.AddrPort) *client {
	if len(r.hosts) == 0 || !r.config.Remote && !address.Addr().IsLoopback() {
		r.refuse(noReceiver)
		return nil
	}
	if r.strangers >= r.config.MaxClients && !r.makeRoom() {
		r.refuse(noRoom)
		if !r.full {
			r.full = true
			r.config.Notice(fmt.Sprintf("there are %d clients, which is the most: others are refused until one of them has been silent for %s", r.strangers, r.config.Timeout))
		}
		return nil
	}
	c, err := r.add(address, r.hosts[r.turn%len(r.hosts)], nil)
	if err != nil {
		r.refuse(noRoom)
		return nil
	}
	r.turn++
	r.strangers++
	return c
}

// makeRoom forgets the oldest client that came by itself and that no server has
// answered.
func (r *Relay) makeRoom() bool {
	var oldest *client
	for _, c := range r.clients {
		if !c.placed && !c.answered && (oldest == nil || c.since < oldest.since) {
			oldest = c
		}
	}
	if oldest == nil {
		return false
	}
	r.forget(oldest.info.Address, oldest)
	return true
}

// fromClient takes a datagram for a server from its listener.
func (r *Relay) fromClient(s *server, from netip.AddrPort, payload []byte, ecn netem.ECN) {
	c := r.clients[from]
	if c == nil {
		if c = r.stranger(from); c == nil {
			return
		}
	}
	c.heard = r.loop.now
	if r.enter(c.endpoint, s.endpoint.Addr(), payload, ecn) {
		count(&c.info.Sent, payload)
	}
}

// toServer takes a datagram that has come through the network.
func (r *Relay) toServer(s *server, p *netem.Packet) {
	key := flowKey{s, p.Source}
	f := r.flows[key]
	if f == nil {
		if f = r.open(key); f == nil {
			return
		}
	}
	f.heard = r.loop.now
	if s.asked == 0 {
		s.asked = max(1, r.loop.now)
	}
	f.socket.send(nil, p.Payload, p.ECN)
	r.config.Delivered(f.client, true, p.Size())
}

// flowsPerClient bounds the addresses of clients as servers see them: those that a NAT
// makes anew, and those of more than one server.
const flowsPerClient = 4

// open opens the socket of a flow, or returns nil.
func (r *Relay) open(key flowKey) *flow {
	if len(r.flows) >= flowsPerClient*r.config.MaxClients {
		r.forgetFlow()
	}
	s := key.server
	f := &flow{client: -1}
	receive := func(_ netip.AddrPort, payload []byte, ecn netem.ECN) {
		f.heard = r.loop.now
		s.asked = 0
		if s.down || s.quiet {
			s.down, s.quiet = false, false
			r.config.Notice(fmt.Sprintf("%s at %s answers again", s.name, s.upstream))
		}
		r.enter(s.endpoint, key.source, payload, ecn)
	}
	failed := func(err error) {
		if !s.down {
			s.down = true
			r.config.Notice(fmt.Sprintf("%s at %s does not take datagrams: %v; they are lost until it does", s.name, s.upstream, cause(err)))
		}
	}
	var err error
	if f.socket, err = r.loop.open(shadow(key.source.Addr(), s.upstream.Addr()), s.upstream, receive, failed); err != nil {
		// Other systems than Linux have no loopback address but 127.0.0.1.
		if f.socket, err = r.loop.open(netip.AddrPort{}, s.upstream, receive, failed); err != nil {
			r.refuse(unreachable)
			failed(err)
			return nil
		}
	}
	r.flows[key] = f
	origin := r.network.Origin(key.source)
	for _, c := range r.clients {
		if c.endpoint.Addr() != origin {
			continue
		}
		f.client = c.place
		if seen := &c.info.Seen; len(*seen) < 16 {
			*seen = append(*seen, f.socket.local)
		}
	}
	return f
}

// cause returns the system's own words for an error.
func cause(err error) error {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e
	}
	return err
}

// shadow returns the address from which a server on loopback sees an address of
// the network, and otherwise none.
func shadow(source, upstream netip.Addr) netip.AddrPort {
	if !upstream.Is4() || !upstream.IsLoopback() || !source.Is4() {
		return netip.AddrPort{}
	}
	b := source.As4()
	b[0] = 127
	return netip.AddrPortFrom(netip.AddrFrom4(b), 0)
}

// forgetFlow closes the flow that has been silent for longest.
func (r *Relay) forgetFlow() {
	var key flowKey
	var oldest *flow
	for k, f := range r.flows {
		if oldest == nil || f.heard < oldest.heard {
			key, oldest = k, f
		}
	}
	if oldest != nil {
		oldest.socket.close()
		delete(r.flows, key)
	}
}

// toClient takes an answer that has come through the network.
func (r *Relay) toClient(c *client, p *netem.Packet) {
	s := r.servers[p.Source]
	if s == nil {
		return // of cross traffic, which is for nobody here
	}
	c.answered, c.heard = true, r.loop.now
	count(&c.info.Received, p.Payload)
	r.config.Delivered(c.place, false, p.Size())
	s.listener.send(c.to, p.Payload, p.ECN)
}

// heldEvery is in how many datagrams it is looked once at how much the network
// holds.
const heldEvery = 16

// enter puts a datagram into the network, and reports whether it could.
func (r *Relay) enter(from *netem.Endpoint, to netip.AddrPort, payload []byte, ecn netem.ECN) bool {
	if r.entered%heldEvery == 0 {
		r.overfull = r.network.Held().Bytes > r.config.Memory
	}
	r.entered++
	if r.overfull {
		r.refuse(noMemory)
		return false
	}
	if err := from.Send(to, payload, ecn); err != nil {
		if errors.Is(err, syscall.EMSGSIZE) {
			r.refuse(tooLarge)
		} else {
			r.refuse(unreachable)
		}
		return false
	}
	return true
}

// tidyEvery is how often what was silent for long is forgotten, and patience how
// long a server may leave everything unanswered before that is said.
const (
	tidyEvery = time.Second
	patience  = 5 * time.Second
)

// tidy forgets what was silent for too long.
func (r *Relay) tidy() {
	now := r.loop.now
	for address, c := range r.clients {
		switch silent := now - c.heard; {
		case !c.placed && silent >= r.config.Timeout:
			r.forget(address, c)
			r.full = false
		case c.removed && silent >= tidyEvery:
			r.forget(address, c)
		}
	}
	for key, f := range r.flows {
		if now-f.heard >= r.config.Timeout {
			f.socket.close()
			delete(r.flows, key)
		}
	}
	for _, s := range r.servers {
		if s.asked > 0 && now-s.asked >= r.patience && !s.quiet && !s.down {
			s.quiet = true
			r.config.Notice(fmt.Sprintf("%s at %s has not answered for %s", s.name, s.upstream, r.patience))
		}
	}
	r.loop.At(now+tidyEvery, r.tidy)
}

// Clients returns the clients so far, at most 1024, in the order in which they came,
// and how many there are now.
func (r *Relay) Clients() (all []Client, now int) {
	for _, c := range r.known {
		info := *c
		info.Seen = slices.Clone(c.Seen)
		all = append(all, info)
	}
	return all, len(r.clients)
}

func count(c *netem.Count, payload []byte) {
	c.Packets++
	c.Bytes += netem.Bytes(len(payload))
}

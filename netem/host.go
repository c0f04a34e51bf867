package netem

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Host is a computer with an address, and one more on each of its links. It
// sends nothing on that is for others.
type Host struct {
	node
	index int // from 1, the order in which hosts act at one instant
	addr  netip.Addr

	arrivals    ring[*Packet] // of this instant, each with a call of receiveNext
	receiveNext func()
	taps        []func(p *Packet, at time.Duration, sent bool)

	mu         sync.Mutex
	sockets    map[netip.AddrPort]*socket
	handlers   map[netip.AddrPort]func(*Packet) // of ports without a socket
	port       uint16                           // last ephemeral port given out
	outbox     []*Packet
	spare      []*Packet // the outbox of the last flush, for reuse
	noPort     Count
	bufferFull Count
	notOurs    Count
}

func newHost(n *Network, name string, index int) *Host {
	h := &Host{
		index:    index,
		addr:     addrIn(hostBlock, index),
		sockets:  make(map[netip.AddrPort]*socket),
		handlers: make(map[netip.AddrPort]func(*Packet)),
	}
	h.node = n.newNode(name, h.arriveAt)
	h.receiveNext = func() { h.receive(h.arrivals.pop()) }
	return h
}

// Addr returns the host's address.
func (h *Host) Addr() netip.Addr { return h.addr }

// AddrOn returns the address that the host has on one of its links. Packets to
// it come by that link. The n-th link of a network has the n-th pair of addresses
// of 172.16.0.0/12, of which the first is that of the first end (RFC 3021). The
// error says that the link does not end at this host.
func (h *Host) AddrOn(l *Link) (netip.Addr, error) {
	path := l.from(&h.node)
	if path == nil {
		return netip.Addr{}, fmt.Errorf("netem: link %s does not end at host %s", l.Name, h.name)
	}
	if path == l.Forward {
		return addrIn(linkBlock, 2*l.rank), nil
	}
	return addrIn(linkBlock, 2*l.rank+1), nil
}

// owns reports whether an address is one of the host's.
func (h *Host) owns(addr netip.Addr) bool {
	goal, last := h.network.destination(addr)
	return last == nil && goal == &h.node || last != nil && last.to == &h.node && linkBlock.Contains(addr)
}

// Unread returns what arrived but no application could read: for ports on which
// no socket listens (udpNoPorts of RFC 4113), and for sockets whose receive
// buffer was full (udpInErrors).
func (h *Host) Unread() (noPort, bufferFull Count) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.noPort, h.bufferFull
}

// NotOurs returns what arrived for other addresses than the host's, which is
// discarded (ipSystemStatsInAddrErrors of RFC 4293).
func (h *Host) NotOurs() Count {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.notOurs
}

// The ephemeral ports of RFC 6335, section 6.
const firstEphemeral, lastEphemeral = 49152, 65535

// SocketOptions are the properties of a socket. The zero value has everything
// that the system allows.
type SocketOptions struct {
	NoECN bool // send and receive without the ECN field; such a socket has no GSO either
	NoGSO bool // refuse generic segmentation offload
}

// Listen opens a UDP socket on a port of the host's address, or on a free
// ephemeral port if port is 0. The error is EADDRINUSE if the port, or every
// ephemeral port, is taken. A write to an address without a way from this host
// fails with ENETUNREACH, and one above the path's MTU may with EMSGSIZE; see
// [MTU].
//
// On Linux the socket satisfies quic.OOBCapablePacketConn and has ReadBatch,
// unless the options leave ECN out.
func (h *Host) Listen(port uint16, options SocketOptions) (net.PacketConn, error) {
	return h.listen(h.addr, nil, port, options)
}

// ListenOn is Listen on the address that the host has on one of its links. What
// is sent from there leaves by that link, whatever the host's routes.
func (h *Host) ListenOn(l *Link, port uint16, options SocketOptions) (net.PacketConn, error) {
	addr, err := h.AddrOn(l)
	if err != nil {
		return nil, err
	}
	return h.listen(addr, l.from(&h.node), port, options)
}

func (h *Host) listen(addr netip.Addr, by *Path, port uint16, options SocketOptions) (net.PacketConn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, err := h.bind(addr, port)
	if err != nil {
		return nil, err
	}
	s := newSocket(h, at, by)
	h.sockets[at] = s
	return s.packetConn(options), nil
}

// bind returns the address with the port, or with a free ephemeral one for 0. The
// caller holds mu.
func (h *Host) bind(addr netip.Addr, port uint16) (netip.AddrPort, error) {
	if port == 0 {
		for range lastEphemeral - firstEphemeral + 1 {
			if h.port++; h.port < firstEphemeral {
				h.port = firstEphemeral
			}
			if at := netip.AddrPortFrom(addr, h.port); !h.bound(at) {
				return at, nil
			}
		}
	}
	at := netip.AddrPortFrom(addr, port)
	if port == 0 || h.bound(at) {
		return at, &net.OpError{Op: "listen", Net: "udp", Addr: net.UDPAddrFromAddrPort(at), Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	return at, nil
}

func (h *Host) bound(at netip.AddrPort) bool { return h.sockets[at] != nil || h.handlers[at] != nil }

// send puts one datagram, or several of segment bytes each, into the outbox.
func (h *Host) send(from *socket, dest netip.AddrPort, data []byte, segment int, ecn ECN) error {
	path, err := h.route(routeKey{dest.Addr(), from.by}, min(segment, len(data)))
	if err != nil {
		return err
	}
	h.mu.Lock()
	first := len(h.outbox) == 0
	for {
		n := min(segment, len(data))
		p := newPacket(from.addrPort, dest, data[:n], ecn)
		p.route = path
		h.outbox = append(h.outbox, p)
		data = data[n:]
		if len(data) == 0 {
			break
		}
	}
	if first {
		h.network.hasSent(h)
	}
	h.mu.Unlock()
	if first {
		h.network.driver.Sent()
	}
	return nil
}

// route returns the path for datagrams of a size.
func (h *Host) route(key routeKey, size int) (*Path, error) {
	if err := h.network.Start(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	path := h.network.cached(&h.node, key)
	h.mu.Unlock()
	if path == nil {
		return nil, syscall.ENETUNREACH
	}
	if limit := path.sendLimit.Load(); limit > 0 && int64(size) > limit {
		return nil, syscall.EMSGSIZE
	}
	return path, nil
}

// takeOutbox returns what was sent since the last call. The slice is valid
// until the call after the next.
func (h *Host) takeOutbox() []*Packet {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.outbox
	h.outbox, h.spare = h.spare[:0], out
	return out
}

// arriveAt takes a packet from a link. What arrives while the network flushes
// waits for calls of its own, so that what one packet sets off comes to rest
// before the next one arrives.
func (h *Host) arriveAt(p *Packet) {
	if h.network.flushing {
		h.arrivals.push(p)
		h.network.driver.At(h.network.driver.Now(), h.receiveNext)
		return
	}
	h.receive(p)
}

// receive hands a packet to its socket or handler.
func (h *Host) receive(p *Packet) {
	h.see(p, false)
	h.mu.Lock()
	s, handle := h.sockets[p.Dest], h.handlers[p.Dest]
	if s == nil && handle == nil {
		if h.owns(p.Dest.Addr()) {
			h.noPort.add(p)
		} else {
			h.notOurs.add(p)
		}
	}
	h.mu.Unlock()
	switch {
	case handle != nil:
		handle(p)
		p.release()
	case s == nil:
		p.release()
	case s.push(p):
		h.network.driver.Delivered()
	default:
		h.mu.Lock()
		h.bufferFull.add(p)
		h.mu.Unlock()
		p.release()
	}
}

func (h *Host) closeSocket(at netip.AddrPort) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, at)
}

package netem

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
)

// Host is a computer with one address.
type Host struct {
	name    string
	network *Network
	index   int // from 1, the order in which hosts act at one instant
	addr    netip.Addr
	routes  map[netip.Addr]*Path // fixed before anything is sent

	arrivals    ring[*Packet] // of this instant, each with a call of receiveNext
	receiveNext func()

	mu         sync.Mutex
	sockets    map[uint16]*socket
	handlers   map[uint16]func(*Packet) // of ports without a socket
	port       uint16                   // last ephemeral port given out
	outbox     []*Packet
	spare      []*Packet // the outbox of the last flush, for reuse
	noPort     Count
	bufferFull Count
}

func newHost(n *Network, name string, index int) *Host {
	h := &Host{
		name:    name,
		network: n,
		index:   index,
		addr:    netip.AddrFrom4([4]byte{10, byte(index >> 16), byte(index >> 8), byte(index)}),
		routes:  make(map[netip.Addr]*Path),
		sockets: make(map[uint16]*socket),

		handlers: make(map[uint16]func(*Packet)),
	}
	h.receiveNext = func() { h.receive(h.arrivals.pop()) }
	return h
}

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// Addr returns the host's address.
func (h *Host) Addr() netip.Addr { return h.addr }

// Unread returns what arrived but no application could read: for ports on which
// no socket listens (udpNoPorts of RFC 4113), and for sockets whose receive
// buffer was full (udpInErrors).
func (h *Host) Unread() (noPort, bufferFull Count) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.noPort, h.bufferFull
}

// The ephemeral ports of RFC 6335, section 6.
const firstEphemeral, lastEphemeral = 49152, 65535

// SocketOptions are the properties of a socket. The zero value has everything
// that the system allows.
type SocketOptions struct {
	NoECN bool // send and receive without the ECN field; such a socket has no GSO either
	NoGSO bool // refuse generic segmentation offload
}

// Listen opens a UDP socket on a port, or on a free ephemeral port if port is 0.
// The error is EADDRINUSE if the port, or every ephemeral port, is taken. A
// write to an address without a link from this host fails with ENETUNREACH, and
// one above the path's MTU may with EMSGSIZE; see [MTU].
//
// On Linux the socket satisfies quic.OOBCapablePacketConn and has ReadBatch,
// unless the options leave ECN out.
func (h *Host) Listen(port uint16, options SocketOptions) (net.PacketConn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	port, err := h.bind(port)
	if err != nil {
		return nil, err
	}
	s := newSocket(h, port)
	h.sockets[port] = s
	return s.packetConn(options), nil
}

// bind returns the port, or a free ephemeral one for 0. The caller holds mu.
func (h *Host) bind(port uint16) (uint16, error) {
	if port == 0 {
		for range lastEphemeral - firstEphemeral + 1 {
			if h.port++; h.port < firstEphemeral {
				h.port = firstEphemeral
			}
			if !h.bound(h.port) {
				return h.port, nil
			}
		}
	}
	if port == 0 || h.bound(port) {
		return 0, &net.OpError{Op: "listen", Net: "udp", Addr: h.udpAddr(port), Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	return port, nil
}

func (h *Host) bound(port uint16) bool { return h.sockets[port] != nil || h.handlers[port] != nil }

func (h *Host) udpAddr(port uint16) *net.UDPAddr {
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(h.addr, port))
}

// send puts one datagram, or several of segment bytes each, into the outbox.
func (h *Host) send(from *socket, dest netip.AddrPort, data []byte, segment int, ecn ECN) error {
	path, err := h.route(dest, min(segment, len(data)))
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

// route returns the path for datagrams of a size to dest.
func (h *Host) route(dest netip.AddrPort, size int) (*Path, error) {
	path := h.routes[dest.Addr()]
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

// arrive takes a packet from a link. What arrives while the network flushes
// waits for calls of its own, so that what one packet sets off comes to rest
// before the next one arrives.
func (h *Host) arrive(p *Packet) {
	if h.network.flushing {
		h.arrivals.push(p)
		h.network.driver.At(h.network.driver.Now(), h.receiveNext)
		return
	}
	h.receive(p)
}

// receive hands a packet to its socket or handler.
func (h *Host) receive(p *Packet) {
	h.mu.Lock()
	s, handle := h.sockets[p.Dest.Port()], h.handlers[p.Dest.Port()]
	if s == nil && handle == nil {
		h.noPort.add(p)
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

func (h *Host) closeSocket(port uint16) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, port)
}

package netem

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// Host is a computer with one address.
type Host struct {
	name    string
	network *Network
	addr    netip.Addr
	routes  map[netip.Addr]*Path // fixed before anything is sent

	mu      sync.Mutex
	sockets map[uint16]*Socket
	port    uint16 // last ephemeral port given out
	outbox  []*Packet
	spare   []*Packet // the outbox of the last flush, for reuse
	refused Count     // datagrams to ports without a socket
}

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// Addr returns the host's address.
func (h *Host) Addr() netip.Addr { return h.addr }

// Refused returns how much arrived for ports on which no socket listens.
func (h *Host) Refused() Count {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refused
}

// The ephemeral ports of RFC 6335, section 6.
const firstEphemeral, lastEphemeral = 49152, 65535

// SocketOptions are the properties of a socket. The zero value has everything
// that the system allows.
type SocketOptions struct {
	NoECN bool // send and receive without the ECN field; such a socket has no GSO either
	NoGSO bool // refuse generic segmentation offload
}

// Listen opens a socket on a port, or on a free ephemeral port if port is 0.
// On Linux the socket satisfies quic.OOBCapablePacketConn.
func (h *Host) Listen(port uint16, options SocketOptions) (net.PacketConn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if port == 0 {
		for range lastEphemeral - firstEphemeral + 1 {
			if h.port++; h.port < firstEphemeral {
				h.port = firstEphemeral
			}
			if h.sockets[h.port] == nil {
				port = h.port
				break
			}
		}
	}
	if port == 0 || h.sockets[port] != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Addr: h.udpAddr(port), Err: syscall.EADDRINUSE}
	}
	s := newSocket(h, port)
	h.sockets[port] = s
	return s.packetConn(options), nil
}

func (h *Host) udpAddr(port uint16) *net.UDPAddr {
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(h.addr, port))
}

// send puts one datagram, or several of segment bytes each, into the outbox.
func (h *Host) send(from *Socket, dest netip.AddrPort, data []byte, segment int, ecn ECN) error {
	path := h.routes[dest.Addr()]
	if path == nil {
		return syscall.ENETUNREACH
	}
	if limit := path.sendLimit.Load(); limit > 0 && int64(min(segment, len(data))) > limit {
		return syscall.EMSGSIZE
	}
	h.mu.Lock()
	for {
		n := min(segment, len(data))
		h.outbox = append(h.outbox, newPacket(from.addrPort, dest, data[:n], ecn))
		data = data[n:]
		if len(data) == 0 {
			break
		}
	}
	h.mu.Unlock()
	h.network.driver.Sent()
	return nil
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

// receive hands an arriving packet to its socket.
func (h *Host) receive(p *Packet) {
	h.mu.Lock()
	s := h.sockets[p.Dest.Port()]
	if s == nil {
		h.refused.add(p)
	}
	h.mu.Unlock()
	if s == nil {
		p.release()
		return
	}
	s.push(p)
	h.network.driver.Delivered()
}

func (h *Host) closeSocket(port uint16) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, port)
}

// String returns the host's name and address.
func (h *Host) String() string { return fmt.Sprintf("%s (%s)", h.name, h.addr) }

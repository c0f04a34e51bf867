package netem

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// socket is a host's UDP socket: a [net.PacketConn] whose methods applications
// call on their own goroutines. Reads block in one channel receive, which is
// what a simulation can see to be at rest.
type socket struct {
	host     *Host
	addr     *net.UDPAddr
	addrPort netip.AddrPort
	by       *Path // by which everything leaves; nil for the host's routes

	ready chan struct{} // holds a token when a reader should look again

	mu       sync.Mutex
	queue    ring[*Packet]
	bytes    Bytes
	closed   bool
	deadline time.Time
	timer    *time.Timer // wakes readers at the deadline

	// The last sender's address, because most sockets hear from one peer.
	lastSource netip.AddrPort
	lastAddr   *net.UDPAddr
}

// receiveBuffer is what a socket holds before it drops arrivals: the size that
// quic-go asks the system for.
const receiveBuffer = 7 << 20 * Byte

func newSocket(h *Host, at netip.AddrPort, by *Path) *socket {
	return &socket{
		host:     h,
		addr:     net.UDPAddrFromAddrPort(at),
		addrPort: at,
		by:       by,
		ready:    make(chan struct{}, 1),
	}
}

// push takes an arriving packet, and reports whether there was room for it.
func (s *socket) push(p *Packet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.bytes+p.Size() > receiveBuffer {
		return false
	}
	s.bytes += p.Size()
	s.queue.push(p)
	s.wake()
	return true
}

func (s *socket) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// pop waits for a packet. The caller releases it.
func (s *socket) pop() (*Packet, *net.UDPAddr, error) {
	for {
		p, addr, err := s.tryPop()
		if p != nil || err != nil {
			return p, addr, err
		}
		<-s.ready
	}
}

// tryPop returns nil without an error when there is nothing to read yet. It
// passes the wake-up on when another reader would find something.
func (s *socket) tryPop() (*Packet, *net.UDPAddr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		s.wake()
		return nil, nil, net.ErrClosed
	case !s.deadline.IsZero() && !time.Now().Before(s.deadline):
		s.wake()
		return nil, nil, os.ErrDeadlineExceeded
	case s.queue.len() == 0:
		return nil, nil, nil
	}
	p := s.queue.pop()
	s.bytes -= p.Size()
	if s.queue.len() > 0 {
		s.wake()
	}
	if p.Source != s.lastSource {
		s.lastSource, s.lastAddr = p.Source, net.UDPAddrFromAddrPort(p.Source)
	}
	return p, s.lastAddr, nil
}

func (s *socket) opError(op string, addr net.Addr, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: s.addr, Addr: addr, Err: err}
}

// ReadFrom implements [net.PacketConn].
func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	p, addr, err := s.pop()
	if err != nil {
		return 0, nil, s.opError("read", nil, err)
	}
	n := copy(b, p.Payload)
	p.release()
	return n, addr, nil
}

// WriteTo implements [net.PacketConn].
func (s *socket) WriteTo(b []byte, addr net.Addr) (int, error) {
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, s.opError("write", addr, syscall.EINVAL)
	}
	if err := s.send(b, udp, len(b), NotECT); err != nil {
		return 0, err
	}
	return len(b), nil
}

// maxPayload is the largest UDP payload in an IPv4 packet.
const maxPayload = 65507

// send sends b in datagrams of segment bytes, of which the last may be shorter.
func (s *socket) send(b []byte, addr *net.UDPAddr, segment int, ecn ECN) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return s.opError("write", addr, net.ErrClosed)
	}
	if len(b) > maxPayload {
		return s.opError("write", addr, os.NewSyscallError("sendmsg", syscall.EMSGSIZE))
	}
	to := addr.AddrPort()
	dest := netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	if err := s.host.send(s, dest, b, segment, ecn); err != nil {
		return s.opError("write", addr, os.NewSyscallError("sendmsg", err))
	}
	return nil
}

// Close implements [net.PacketConn]. Blocked reads return [net.ErrClosed].
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.opError("close", nil, net.ErrClosed)
	}
	s.closed = true
	for s.queue.len() > 0 {
		s.queue.pop().release()
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	s.host.closeSocket(s.addrPort)
	s.wake()
	return nil
}

// LocalAddr implements [net.PacketConn].
func (s *socket) LocalAddr() net.Addr { return s.addr }

// SetDeadline implements [net.PacketConn].
func (s *socket) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// SetWriteDeadline implements [net.PacketConn]. Writes never block.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline implements [net.PacketConn].
func (s *socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.opError("set", nil, net.ErrClosed)
	}
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	s.deadline = t
	if t.IsZero() {
		return nil
	}
	if wait := time.Until(t); wait > 0 {
		s.timer = time.AfterFunc(wait, s.wake)
	} else {
		s.wake()
	}
	return nil
}

// SetReadBuffer satisfies quic.OOBCapablePacketConn. The buffer keeps its size.
func (s *socket) SetReadBuffer(int) error { return nil }

// SetWriteBuffer satisfies quic.OOBCapablePacketConn. Writes never block.
func (s *socket) SetWriteBuffer(int) error { return nil }

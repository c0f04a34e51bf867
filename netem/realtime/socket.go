package realtime

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// arrival is a datagram that a socket has received.
type arrival struct {
	socket   *socket
	source   netip.AddrPort
	from, to int // its payload's place in Loop.data
	ecn      netem.ECN
	at       time.Duration // since the epoch: when the system received it
}

// departure is a datagram that is to be sent.
type departure struct {
	to   net.Addr // nil on a connected socket
	data []byte
	ecn  netem.ECN
	due  time.Duration // of the model
}

// socket is a real UDP socket of a loop.
type socket struct {
	loop    *Loop
	conn    *net.UDPConn
	local   netip.AddrPort
	receive func(source netip.AddrPort, payload []byte, ecn netem.ECN)
	failed  func(error) // of the network, told by ICMP or by the system

	out    []departure
	queued bool // in Loop.writing
	closed bool
	system
}

// socketBuffer is what the system is asked to hold of what the loop has not yet read,
// and of what has not left the machine.
const socketBuffer = 8 << 20

// open returns a socket that is bound to local and, if remote is valid,
// connected to that. It calls receive for each datagram, whose payload is only
// valid during the call, and failed for errors.
func (l *Loop) open(local, remote netip.AddrPort, receive func(netip.AddrPort, []byte, netem.ECN), failed func(error)) (*socket, error) {
	var conn *net.UDPConn
	var err error
	if remote.IsValid() {
		conn, err = net.DialUDP("udp", addrOrNil(local), net.UDPAddrFromAddrPort(remote))
	} else {
		conn, err = net.ListenUDP("udp", addrOrNil(local))
	}
	if err != nil {
		return nil, err
	}
	s := &socket{loop: l, conn: conn, receive: receive, failed: failed}
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s.local = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	conn.SetReadBuffer(socketBuffer)
	conn.SetWriteBuffer(socketBuffer)
	if err := l.poller.add(s); err != nil {
		conn.Close()
		return nil, fmt.Errorf("socket on %s: %w", s.local, err)
	}
	l.sockets[s] = true
	return s, nil
}

func addrOrNil(a netip.AddrPort) *net.UDPAddr {
	if !a.IsValid() {
		return nil
	}
	return net.UDPAddrFromAddrPort(a)
}

// maxOut is how many datagrams a socket holds that the system does not take yet.
const maxOut = 4096

// send has a copy of payload sent at the end of this turn.
func (s *socket) send(to net.Addr, payload []byte, ecn netem.ECN) {
	switch {
	case s.closed:
		return
	case len(s.out) >= maxOut:
		s.loop.refused[sendBufferFull]++
		return
	case !s.queued:
		s.queued = true
		s.loop.writing = append(s.loop.writing, s)
	}
	data := append(s.spare(), payload...)
	s.out = append(s.out, departure{to, data, ecn, s.loop.now})
}

// spare returns a buffer that an earlier departure has left.
func (s *socket) spare() []byte {
	if n := len(s.out); n < cap(s.out) {
		return s.out[:n+1][n].data[:0]
	}
	return nil
}

// close closes the socket, and forgets what it has not sent.
func (s *socket) close() {
	if s.closed {
		return
	}
	s.closed, s.out = true, nil
	delete(s.loop.sockets, s)
	s.loop.poller.remove(s)
	s.conn.Close()
}

// gone removes the first n departures, which have been sent or given up. Their
// buffers are used again.
func (s *socket) gone(n int) {
	rest := len(s.out) - n
	for i := range rest {
		s.out[i], s.out[i+n] = s.out[i+n], s.out[i]
	}
	s.out = s.out[:rest]
}

// The reasons for which datagrams are refused, as people read them.
const (
	notStarted        = "before the start"
	sendBufferFull    = "the system's send buffer was full"
	receiveBufferFull = "the system's receive buffer was full; on Linux net.core.rmem_max bounds it"
	tooLarge          = "above the MTU"
	unreachable       = "the other end could not be reached"
	noRoom            = "there were as many clients as may be"
	noMemory          = "the network held as much as it may"
	noReceiver        = "from an address that has no place in the network"
)

// giveUp says why the first departure cannot be sent, and reports whether it is
// given up; otherwise it is to be tried again.
func (s *socket) giveUp(err error) bool {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		// An earlier datagram's: this one has not been sent.
		s.failed(err)
		return false
	case errors.Is(err, syscall.EMSGSIZE):
		s.loop.refused[tooLarge]++
	default:
		s.loop.refused[unreachable]++
		s.failed(err)
	}
	return true
}

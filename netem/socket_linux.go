package netem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// packetConn returns the socket with the methods that the options leave it.
// quic-go uses ECN and GSO on a connection that satisfies its
// OOBCapablePacketConn and can read batches, and sets DF on any that has
// SyscallConn.
func (s *socket) packetConn(options SocketOptions) net.PacketConn {
	raw := rawConn{udp: !options.NoGSO}
	if options.NoECN {
		return plainSocket{s, raw}
	}
	return oobSocket{plainSocket{s, raw}}
}

// plainSocket has no ECN and no GSO, but a path MTU.
type plainSocket struct {
	*socket
	raw rawConn
}

// SyscallConn returns a connection on which socket options can be set.
func (s plainSocket) SyscallConn() (syscall.RawConn, error) { return s.raw, nil }

// rawConn stands for the socket where quic-go sets and reads socket options. It
// lends a real, unbound socket, on which nothing is ever sent. A TCP socket
// takes all the options that quic-go needs, but has no UDP_SEGMENT: with it,
// quic-go finds that the system has no GSO.
type rawConn struct{ udp bool }

// Control implements [syscall.RawConn].
func (c rawConn) Control(f func(fd uintptr)) error {
	open := optionSocketTCP
	if c.udp {
		open = optionSocketUDP
	}
	fd, err := open()
	if err != nil {
		return fmt.Errorf("netem: opening a socket for socket options: %w", err)
	}
	f(uintptr(fd))
	return nil
}

var errOptionsOnly = errors.New("netem: a simulated socket has options, but no file descriptor to read or write")

// Read implements [syscall.RawConn]. It always fails.
func (rawConn) Read(func(uintptr) bool) error { return errOptionsOnly }

// Write implements [syscall.RawConn]. It always fails.
func (rawConn) Write(func(uintptr) bool) error { return errOptionsOnly }

var (
	optionSocketUDP = optionSocket(unix.SOCK_DGRAM)
	optionSocketTCP = optionSocket(unix.SOCK_STREAM)
)

func optionSocket(kind int) func() (int, error) {
	return sync.OnceValues(func() (int, error) {
		return unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
	})
}

// oobSocket reads and writes ECN and GSO in control messages, like a
// net.UDPConn on Linux.
type oobSocket struct{ plainSocket }

// WriteMsgUDP sends b. The control messages in oob may hold an ECN codepoint
// (IP_TOS) and a GSO segment size (UDP_SEGMENT of udp(7)), which splits b into
// datagrams.
func (s oobSocket) WriteMsgUDP(b, oob []byte, addr *net.UDPAddr) (n, oobn int, err error) {
	segment, ecn := 0, NotECT
	for rest := oob; len(rest) > 0; {
		header, body, remainder, err := unix.ParseOneSocketControlMessage(rest)
		if err != nil {
			return 0, 0, s.opError("write", addr, err)
		}
		rest = remainder
		switch {
		case header.Level == unix.IPPROTO_IP && header.Type == unix.IP_TOS && len(body) >= 1:
			ecn = ECN(body[0] & 3)
		case header.Level == unix.IPPROTO_UDP && header.Type == unix.UDP_SEGMENT && len(body) >= 2:
			segment = int(binary.NativeEndian.Uint16(body))
		}
	}
	if segment == 0 {
		segment = len(b)
	}
	if err := s.send(b, addr, segment, ecn); err != nil {
		return 0, 0, err
	}
	return len(b), len(oob), nil
}

// ReadMsgUDP reads one datagram, with its ECN codepoint in an IP_TOS control
// message.
func (s oobSocket) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	p, addr, err := s.pop()
	if err != nil {
		return 0, 0, 0, nil, s.opError("read", nil, err)
	}
	n, oobn = copy(b, p.Payload), putTOS(oob, p.ECN)
	p.release()
	return n, oobn, 0, addr, nil
}

// ReadBatch reads one datagram into the first message: the next one arrives
// only when what the first set off has come to rest.
func (s oobSocket) ReadBatch(messages []ipv4.Message, _ int) (int, error) {
	m := &messages[0]
	n, oobn, _, addr, err := s.ReadMsgUDP(m.Buffers[0], m.OOB)
	if err != nil {
		return 0, err
	}
	m.N, m.NN, m.Addr = n, oobn, addr
	return 1, nil
}

// putTOS writes an IP_TOS control message and returns its size, 0 if it does
// not fit.
func putTOS(oob []byte, ecn ECN) int {
	size := unix.CmsgSpace(1)
	if len(oob) < size {
		return 0
	}
	clear(oob[:size])
	length := unix.CmsgLen(0) // the header, aligned
	if unix.SizeofPtr == 8 {
		binary.NativeEndian.PutUint64(oob, uint64(unix.CmsgLen(1)))
	} else {
		binary.NativeEndian.PutUint32(oob, uint32(unix.CmsgLen(1)))
	}
	binary.NativeEndian.PutUint32(oob[length-8:], unix.IPPROTO_IP)
	binary.NativeEndian.PutUint32(oob[length-4:], unix.IP_TOS)
	oob[length] = byte(ecn)
	return size
}

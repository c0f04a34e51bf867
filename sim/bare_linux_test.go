package sim_test

import (
	"encoding/binary"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// barePipe is the least that joins two quic-go endpoints in virtual time: each
// write is copied and handed to the peer's channel by a timer. It is what the
// cost of the simulator is measured against.
type barePipe struct {
	addr  *net.UDPAddr
	peer  *barePipe
	delay time.Duration
	in    chan bareDatagram

	datagrams int
}

type bareDatagram struct {
	data []byte
	ecn  byte
}

func newBarePipes(delay time.Duration) (a, b *barePipe) {
	a = &barePipe{addr: &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1}, delay: delay, in: make(chan bareDatagram, 1<<16)}
	b = &barePipe{addr: &net.UDPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 2}, delay: delay, in: make(chan bareDatagram, 1<<16)}
	a.peer, b.peer = b, a
	return a, b
}

func (p *barePipe) send(data []byte, ecn byte) {
	d := bareDatagram{append([]byte(nil), data...), ecn}
	p.datagrams++
	time.AfterFunc(p.delay, func() { p.peer.in <- d })
}

func (p *barePipe) WriteMsgUDP(b, oob []byte, _ *net.UDPAddr) (n, oobn int, err error) {
	segment, ecn := len(b), byte(0)
	for rest := oob; len(rest) > 0; {
		header, body, remainder, err := unix.ParseOneSocketControlMessage(rest)
		if err != nil {
			return 0, 0, err
		}
		rest = remainder
		if header.Level == unix.IPPROTO_UDP {
			segment = int(binary.NativeEndian.Uint16(body))
		} else {
			ecn = body[0]
		}
	}
	for rest := b; len(rest) > 0; {
		size := min(segment, len(rest))
		p.send(rest[:size], ecn)
		rest = rest[size:]
	}
	return len(b), len(oob), nil
}

func (p *barePipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.send(b, 0)
	return len(b), nil
}

func (p *barePipe) ReadBatch(ms []ipv4.Message, _ int) (int, error) {
	d := <-p.in
	if d.data == nil {
		return 0, os.ErrDeadlineExceeded
	}
	m := &ms[0]
	m.N, m.Addr, m.NN = copy(m.Buffers[0], d.data), p.peer.addr, unix.CmsgSpace(1)
	oob := m.OOB[:m.NN]
	clear(oob)
	binary.NativeEndian.PutUint64(oob, uint64(unix.CmsgLen(1)))
	binary.NativeEndian.PutUint32(oob[8:], unix.IPPROTO_IP)
	binary.NativeEndian.PutUint32(oob[12:], unix.IP_TOS)
	oob[16] = d.ecn
	return 1, nil
}

func (p *barePipe) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		p.in <- bareDatagram{}
	}
	return nil
}

func (p *barePipe) ReadFrom([]byte) (int, net.Addr, error) { panic("not used") }
func (p *barePipe) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	panic("not used")
}
func (p *barePipe) Close() error                          { return nil }
func (p *barePipe) LocalAddr() net.Addr                   { return p.addr }
func (p *barePipe) SetDeadline(t time.Time) error         { return p.SetReadDeadline(t) }
func (p *barePipe) SetWriteDeadline(time.Time) error      { return nil }
func (p *barePipe) SetReadBuffer(int) error               { return nil }
func (p *barePipe) SetWriteBuffer(int) error              { return nil }
func (p *barePipe) SyscallConn() (syscall.RawConn, error) { return bareRaw{}, nil }

type bareRaw struct{}

var bareFD = sync.OnceValue(func() int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		panic(err)
	}
	return fd
})

func (bareRaw) Control(f func(uintptr)) error  { f(uintptr(bareFD())); return nil }
func (bareRaw) Read(func(uintptr) bool) error  { panic("not used") }
func (bareRaw) Write(func(uintptr) bool) error { panic("not used") }

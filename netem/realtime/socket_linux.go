//go:build !portable

package realtime

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"github.com/wtsim/wtsim/netem"
)

// system is what a socket has of the system.
type system struct {
	fd      int
	batch   *ipv4.PacketConn // which serves IPv6 too
	v6      bool
	noECN   bool
	noGSO   bool   // the system refused it
	dropped uint32 // as the system counts
}

// setUp sets the options of a socket. What the system does not allow is noted.
func (s *socket) setUp() error {
	s.batch = ipv4.NewPacketConn(s.conn)
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return err
	}
	s.v6 = s.local.Addr().Is6()
	return raw.Control(func(fd uintptr) {
		s.fd = int(fd)
		set := func(level, option, value int, note string) bool {
			err := unix.SetsockoptInt(s.fd, level, option, value)
			if err != nil {
				s.loop.Note(fmt.Sprintf("%s: %v", note, err))
			}
			return err == nil
		}
		const ecn, df = "the ECN field is not carried", "datagrams may be fragmented"
		if s.v6 {
			s.noECN = !set(unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1, ecn)
			set(unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE, df)
		} else {
			s.noECN = !set(unix.IPPROTO_IP, unix.IP_RECVTOS, 1, ecn)
			set(unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE, df)
		}
		set(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1, "datagrams enter the network when the program reads them, not when they arrive")
		set(unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1, "datagrams that the system drops for want of a buffer are not counted")
		set(unix.IPPROTO_UDP, unix.UDP_GRO, 1, "datagrams are read one by one")
	})
}

const (
	batchSize    = 32
	maxSegments  = 64 // UDP_MAX_SEGMENTS of Linux before 6.2
	maxGSO       = 65000
	maxDatagram  = 1 << 16
	controlSpace = 128
)

// readings are what loops read to.
var readings = sync.Pool{New: func() any {
	messages := make([]ipv4.Message, batchSize)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, maxDatagram)}
		messages[i].OOB = make([]byte, controlSpace)
	}
	return &messages
}}

// maxBatches bounds what is read of a socket before others have their turn.
const maxBatches = 4

// read takes what the socket has received.
func (s *socket) read(l *Loop) {
	messages := readings.Get().(*[]ipv4.Message)
	defer readings.Put(messages)
	for range maxBatches {
		if s.closed {
			return
		}
		n, err := s.batch.ReadBatch(*messages, unix.MSG_DONTWAIT)
		now := time.Now()
		for i := range (*messages)[:max(n, 0)] {
			s.take(l, &(*messages)[i], now)
		}
		if err != nil {
			if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
				s.failed(err)
			}
			return
		}
		if n < batchSize {
			return
		}
	}
}

// take takes a message, which may be several datagrams of one size.
func (s *socket) take(l *Loop, m *ipv4.Message, now time.Time) {
	a := arrival{socket: s, at: now.Sub(l.epoch)}
	if addr, ok := m.Addr.(*net.UDPAddr); ok {
		ap := addr.AddrPort()
		a.source = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	segment := m.N
	for rest := m.OOB[:m.NN]; len(rest) > 0; {
		header, body, remainder, err := unix.ParseOneSocketControlMessage(rest)
		if err != nil {
			break
		}
		rest = remainder
		switch [2]int32{header.Level, header.Type} {
		case [2]int32{unix.IPPROTO_IP, unix.IP_TOS}, [2]int32{unix.IPPROTO_IPV6, unix.IPV6_TCLASS}:
			if len(body) > 0 { // one byte, or an int
				a.ecn = netem.ECN(lowByte(body) & 3)
			}
		case [2]int32{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS}:
			if at, ok := timestamp(body); ok {
				// A clock that was set meanwhile is no reason for times that cannot be.
				a.at -= min(max(0, now.Sub(at)), time.Second)
			}
		case [2]int32{unix.SOL_SOCKET, unix.SO_RXQ_OVFL}:
			if len(body) >= 4 {
				total := binary.NativeEndian.Uint32(body)
				l.refused[receiveBufferFull] += uint64(total - s.dropped)
				s.dropped = total
			}
		case [2]int32{unix.IPPROTO_UDP, unix.UDP_GRO}:
			if len(body) >= 2 {
				if n := int(binary.NativeEndian.Uint16(body)); n > 0 {
					segment = n
				}
			}
		}
	}
	data := m.Buffers[0][:m.N]
	for {
		n := min(segment, len(data))
		a.from = len(l.data)
		l.data = append(l.data, data[:n]...)
		a.to = len(l.data)
		l.arrivals = append(l.arrivals, a)
		data = data[n:]
		if len(data) == 0 {
			return
		}
	}
}

// lowByte returns the least significant byte of a number of 1 or 4 bytes.
func lowByte(b []byte) byte {
	if len(b) >= 4 {
		return byte(binary.NativeEndian.Uint32(b))
	}
	return b[0]
}

// timestamp reads a struct timespec of the system's clock of real time, and
// returns it without a reading of the monotonic one.
func timestamp(b []byte) (time.Time, bool) {
	switch {
	case len(b) >= 16:
		return time.Unix(int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:]))), true
	case len(b) >= 8:
		return time.Unix(int64(int32(binary.NativeEndian.Uint32(b))), int64(int32(binary.NativeEndian.Uint32(b[4:])))), true
	}
	return time.Time{}, false
}

// writing is what a loop writes from.
type writing struct {
	messages [batchSize]ipv4.Message
	counts   [batchSize]int // of departures in each
	control  [batchSize][controlSpace]byte
}

var writings = sync.Pool{New: func() any { return new(writing) }}

// write sends what the system takes.
func (s *socket) write(l *Loop) {
	w := writings.Get().(*writing)
	defer writings.Put(w)
	for len(s.out) > 0 && !s.closed {
		n, err := s.batch.WriteBatch(w.pack(s), unix.MSG_DONTWAIT)
		at := time.Since(l.epoch)
		sent := 0
		for _, count := range w.counts[:max(n, 0)] {
			sent += count
		}
		for i := range s.out[:sent] {
			l.lateness.add(l.model(at) - s.out[i].due)
		}
		s.gone(sent)
		switch {
		case err == nil || sent > 0:
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return
		case w.counts[0] > 1 && !errors.Is(err, unix.ECONNREFUSED): // not in one piece
			s.noGSO = true
		case s.giveUp(err) && len(s.out) > 0:
			s.gone(1)
		}
	}
}

// pack returns messages with the first departures of a socket: those that follow
// each other to one address and are of one size share one, of which only the last may
// be shorter (udp(7), UDP_SEGMENT).
func (w *writing) pack(s *socket) []ipv4.Message {
	messages := w.messages[:0]
	for i := 0; i < len(s.out) && len(messages) < batchSize; {
		first := &s.out[i]
		k := len(messages)
		messages = messages[:k+1]
		m := &messages[k]
		m.Addr, m.Buffers = first.to, append(m.Buffers[:0], first.data)
		size := len(first.data)
		for i++; i < len(s.out) && !s.noGSO && len(m.Buffers) < maxSegments; i++ {
			next := &s.out[i]
			previous := m.Buffers[len(m.Buffers)-1]
			if next.to != first.to || next.ecn != first.ecn || len(previous) != len(first.data) || len(next.data) > len(first.data) || len(next.data) == 0 || size+len(next.data) > maxGSO {
				break
			}
			size += len(next.data)
			m.Buffers = append(m.Buffers, next.data)
		}
		w.counts[k] = len(m.Buffers)
		control := w.control[k][:0]
		if first.ecn != netem.NotECT && !s.noECN {
			if s.v6 {
				control = appendControl(control, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 4, uint32(first.ecn))
			} else {
				control = appendControl(control, unix.IPPROTO_IP, unix.IP_TOS, 4, uint32(first.ecn))
			}
		}
		if len(m.Buffers) > 1 {
			control = appendControl(control, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2, uint32(len(first.data)))
		}
		m.OOB = control
	}
	return messages
}

// appendControl appends a control message with a number of 2 or 4 bytes.
func appendControl(b []byte, level, kind int32, size int, value uint32) []byte {
	start := len(b)
	b = b[:start+unix.CmsgSpace(size)]
	clear(b[start:])
	head := b[start:]
	length := unix.CmsgLen(0)
	if unix.SizeofPtr == 8 {
		binary.NativeEndian.PutUint64(head, uint64(unix.CmsgLen(size)))
	} else {
		binary.NativeEndian.PutUint32(head, uint32(unix.CmsgLen(size)))
	}
	binary.NativeEndian.PutUint32(head[length-8:], uint32(level))
	binary.NativeEndian.PutUint32(head[length-4:], uint32(kind))
	if size == 2 {
		binary.NativeEndian.PutUint16(head[length:], uint16(value))
	} else {
		binary.NativeEndian.PutUint32(head[length:], value)
	}
	return b
}

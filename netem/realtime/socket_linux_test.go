//go:build !portable

package realtime

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wtsim/wtsim/netem"
)

// option sets an option of a socket of IPv4, or skips the test where the system has
// none.
func option(t *testing.T, conn *net.UDPConn, level, name, value int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), level, name, value) })
	if err != nil {
		t.Skipf("the system has no such option: %v", err)
	}
}

// reflect answers each datagram with the ECN field with which it came.
func reflect(t *testing.T, at netip.Addr) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	if err != nil {
		t.Skipf("no socket on %s: %v", at, err)
	}
	if at.Is6() {
		option(t, conn, unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1)
	} else {
		option(t, conn, unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		data, oob := make([]byte, 1<<16), make([]byte, 256)
		for {
			n, oobn, _, from, err := conn.ReadMsgUDPAddrPort(data, oob)
			if err != nil {
				return
			}
			control := appendControl(make([]byte, 0, 64), unix.IPPROTO_IP, unix.IP_TOS, 4, uint32(tos(oob[:oobn])))
			if at.Is6() {
				control = appendControl(make([]byte, 0, 64), unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 4, uint32(tos(oob[:oobn])))
			}
			conn.WriteMsgUDPAddrPort(data[:n], control, from)
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// tos returns the type of service in control messages.
func tos(oob []byte) byte {
	for len(oob) > 0 {
		header, body, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return 0
		}
		if header.Level == unix.IPPROTO_IP && header.Type == unix.IP_TOS || header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_TCLASS {
			return lowByte(body)
		}
		oob = rest
	}
	return 0
}

func TestTheECNFieldIsCarried(t *testing.T) {
	for _, at := range []netip.Addr{loopback(0).Addr(), netip.IPv6Loopback()} {
		t.Run(at.String(), func(t *testing.T) {
			var entered []netem.ECN
			b := begin(t, world{observe: func(o netem.Outcome) { entered = append(entered, o.Packet.ECN) }}, reflect(t, at))
			if at.Is6() {
				if err := b.loop.Do(func() {
					var err error
					if b.listen, err = b.relay.Serve(b.server, 444, reflect(t, at), netip.AddrPortFrom(at, 0)); err != nil {
						t.Error(err)
					}
				}); err != nil || t.Failed() {
					t.Fatal(err)
				}
			}
			conn := b.dial()
			oob := make([]byte, 256)
			for _, ecn := range []netem.ECN{netem.ECT0, netem.NotECT, netem.ECT1, netem.CE} {
				if at.Is6() {
					option(t, conn, unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1)
					option(t, conn, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, int(ecn))
				} else {
					option(t, conn, unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
					option(t, conn, unix.IPPROTO_IP, unix.IP_TOS, int(ecn))
				}
				conn.Write([]byte("marked"))
				_, n, _, _, err := conn.ReadMsgUDPAddrPort(make([]byte, 100), oob)
				if err != nil || netem.ECN(tos(oob[:n])) != ecn {
					t.Errorf("%d came back as %d, error %v", ecn, tos(oob[:n]), err)
				}
				b.loop.Do(func() {
					if last := entered[len(entered)-1]; last != ecn {
						t.Errorf("%d was %d in the network", ecn, last)
					}
				})
			}
		})
	}
}

// A batch that the sender has segmented (UDP_SEGMENT), and that the relay may
// read in one piece, is so many datagrams in the network, and beyond it.
func TestABatchIsSoManyDatagrams(t *testing.T) {
	upstream, _ := echo(t, loopback(0))
	var sizes []netem.Bytes
	b := begin(t, world{observe: func(o netem.Outcome) { sizes = append(sizes, o.Packet.Size()) }}, upstream)
	conn := b.dial()
	const size, count, last = 1000, 20, 300
	data := make([]byte, size*(count-1)+last)
	for i := range data {
		data[i] = byte(i / size)
	}
	control := appendControl(make([]byte, 0, 64), unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2, size)
	if _, _, err := conn.WriteMsgUDP(data, control, nil); err != nil {
		t.Skipf("the system has no segmentation: %v", err)
	}
	for i := range count {
		b.expect(conn, data[i*size:min((i+1)*size, len(data))])
	}
	b.loop.Do(func() {
		if len(sizes) != 2*count {
			t.Errorf("%d datagrams were in the network, want %d", len(sizes), 2*count)
		}
		for _, s := range sizes {
			if s != size && s != last {
				t.Errorf("a datagram of %s was in the network", s)
			}
		}
	})
}

func TestDeparturesOfOneSizeShareAMessage(t *testing.T) {
	one, other := &net.UDPAddr{Port: 1}, &net.UDPAddr{Port: 2}
	departures := func(sizes ...int) (all []departure) {
		for _, n := range sizes {
			all = append(all, departure{to: one, data: make([]byte, n)})
		}
		return all
	}
	marked := departures(100, 100)
	marked[1].ecn = netem.CE
	elsewhere := departures(100, 100)
	elsewhere[1].to = other
	for _, c := range []struct {
		name string
		out  []departure
		no   bool
		want []int
	}{
		{"of one size", departures(100, 100, 100), false, []int{3}},
		{"the last is shorter", departures(100, 100, 50, 50), false, []int{3, 1}},
		{"one is longer", departures(50, 100), false, []int{1, 1}},
		{"an empty one", departures(100, 0, 100), false, []int{1, 1, 1}},
		{"other marks", marked, false, []int{1, 1}},
		{"elsewhere", elsewhere, false, []int{1, 1}},
		{"too many", departures(bytesOf(100, maxSegments+1)...), false, []int{maxSegments, 1}},
		{"too much", departures(bytesOf(40_000, 2)...), false, []int{1, 1}},
		{"no segmentation", departures(100, 100), true, []int{1, 1}},
	} {
		var w writing
		s := &socket{out: c.out}
		s.noGSO = c.no
		var got []int
		var data, want []byte
		for i, m := range w.pack(s) {
			got = append(got, w.counts[i])
			for _, b := range m.Buffers {
				data = append(data, b...)
			}
		}
		for _, d := range c.out {
			want = append(want, d.data...)
		}
		if !slices.Equal(got, c.want) || !bytes.Equal(data, want) {
			t.Errorf("%s: messages of %v datagrams with %d bytes, want %v with %d", c.name, got, len(data), c.want, len(want))
		}
	}
}

func TestAServerThatIsDownIsNoReasonToSendDatagramsOneByOne(t *testing.T) {
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var told []error
	s, err := l.open(netip.AddrPort{}, nobody(t), nil, func(err error) { told = append(told, err) })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time the system tells of the first
		for range 3 {
			s.send(nil, []byte("lost"), netem.NotECT)
		}
		s.write(l)
	}
	if len(told) == 0 || !errors.Is(told[0], unix.ECONNREFUSED) {
		t.Errorf("told of %v, want that nobody listens", told)
	}
	if s.noGSO || len(s.out) > 0 {
		t.Errorf("no GSO: %v, %d datagrams are left; want none", s.noGSO, len(s.out))
	}
}

func bytesOf(size, count int) (all []int) {
	for range count {
		all = append(all, size)
	}
	return all
}

func TestWhatTheSystemDropsIsCounted(t *testing.T) {
	upstream, _ := echo(t, loopback(0))
	b := begin(t, world{}, upstream)
	conn := b.dial()
	b.ask(conn, []byte("start"))
	busy, free := make(chan struct{}), make(chan struct{})
	go b.loop.Do(func() {
		close(busy)
		<-free
	})
	<-busy
	const flood = 20_000 // of 1000 bytes, more than any buffer
	for range flood {
		conn.Write(make([]byte, 1000))
	}
	close(free)
	b.await("a datagram after the flood", func() bool {
		conn.Write([]byte("after"))
		time.Sleep(time.Millisecond)
		all, _ := b.clients()
		return b.refused(receiveBufferFull) > 0 && uint64(all[0].Sent.Packets)+b.refused(receiveBufferFull) > flood
	})
}

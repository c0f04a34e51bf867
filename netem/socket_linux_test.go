package netem

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// oobConn is what quic-go looks for in a connection.
type oobConn interface {
	quic.OOBCapablePacketConn
	ReadBatch([]ipv4.Message, int) (int, error)
}

// control returns control messages for an ECN codepoint and a segment size,
// either of which is left out if negative.
func control(tos, segment int) []byte {
	var oob []byte
	add := func(level, kind int, body ...byte) {
		message := make([]byte, unix.CmsgSpace(len(body)))
		header := message[:unix.CmsgLen(0)]
		binary.NativeEndian.PutUint64(header, uint64(unix.CmsgLen(len(body))))
		binary.NativeEndian.PutUint32(header[len(header)-8:], uint32(level))
		binary.NativeEndian.PutUint32(header[len(header)-4:], uint32(kind))
		copy(message[len(header):], body)
		oob = append(oob, message...)
	}
	if segment >= 0 {
		add(unix.IPPROTO_UDP, unix.UDP_SEGMENT, binary.NativeEndian.AppendUint16(nil, uint16(segment))...)
	}
	if tos >= 0 {
		add(unix.IPPROTO_IP, unix.IP_TOS, byte(tos))
	}
	return oob
}

// readBatch reads a datagram and its ECN codepoint, -1 if it came without.
func readBatch(t *testing.T, conn net.PacketConn) (data []byte, ecn int) {
	t.Helper()
	m := []ipv4.Message{{Buffers: [][]byte{make([]byte, 1500)}, OOB: make([]byte, 128)}}
	if n, err := conn.(oobConn).ReadBatch(m, 0); n != 1 || err != nil {
		t.Fatalf("read %d datagrams, %v", n, err)
	}
	ecn = -1
	for oob := m[0].OOB[:m[0].NN]; len(oob) > 0; {
		header, body, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			t.Fatal(err)
		}
		if header.Level == unix.IPPROTO_IP && header.Type == unix.IP_TOS && len(body) == 1 {
			ecn = int(body[0])
		}
		oob = rest
	}
	if m[0].Addr.String() != "10.0.0.1:49152" {
		t.Errorf("a datagram from %s", m[0].Addr)
	}
	return m[0].Buffers[0][:m[0].N], ecn
}

func TestControlMessagesCarryECN(t *testing.T) {
	n, a, b := newPair(t)
	for _, c := range []struct{ tos, want int }{
		{0, 0}, {1, 1}, {2, 2}, {3, 3}, {-1, 0}, {0xb8 | 2, 2}, // the upper six bits are the DSCP
	} {
		oob := control(c.tos, -1)
		if got, oobn, err := a.(oobConn).WriteMsgUDP([]byte("x"), oob, udp(addrOf(2, 9))); got != 1 || oobn != len(oob) || err != nil {
			t.Fatalf("TOS %d: wrote %d and %d bytes, %v", c.tos, got, oobn, err)
		}
		n.deliver()
		if data, ecn := readBatch(t, b); string(data) != "x" || ecn != c.want {
			t.Errorf("TOS %d: read %q with ECN %d, want %d", c.tos, data, ecn, c.want)
		}
	}
}

func TestASegmentSizeSplitsAWrite(t *testing.T) {
	for _, c := range []struct {
		size, segment int
		want          []int
	}{
		{3600, 1200, []int{1200, 1200, 1200}},
		{3601, 1200, []int{1200, 1200, 1200, 1}},
		{1000, 1200, []int{1000}},
		{1000, -1, []int{1000}},
		{1000, 0, []int{1000}},
		{0, -1, []int{0}},
		{0, 1200, []int{0}},
	} {
		n, a, b := newPair(t)
		sent := make([]byte, c.size)
		for i := range sent {
			sent[i] = byte(i / 7)
		}
		if _, _, err := a.(oobConn).WriteMsgUDP(sent, control(1, c.segment), udp(addrOf(2, 9))); err != nil {
			t.Fatal(err)
		}
		n.deliver()
		var got []byte
		for i, want := range c.want {
			data, ecn := readBatch(t, b)
			if len(data) != want || ecn != 1 {
				t.Errorf("%d bytes in segments of %d: datagram %d has %d bytes and ECN %d, want %d and 1", c.size, c.segment, i, len(data), ecn, want)
			}
			got = append(got, data...)
		}
		if in, _, _ := n.links[0].Forward.Totals(); in.Packets != int64(len(c.want)) || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes in segments of %d became %v", c.size, c.segment, in)
		}
	}
}

func TestWriteMsgUDPRefuses(t *testing.T) {
	n, a, _ := newPair(t)
	n.connect("b", []Element{MTU{Size: 1228, SendError: true}}, nil)
	write := func(size, segment int, to byte) error {
		_, _, err := a.(oobConn).WriteMsgUDP(make([]byte, size), control(-1, segment), udp(addrOf(to, 9)))
		return err
	}
	if err := write(5000, 1200, 3); err != nil {
		t.Errorf("segments of the MTU: %v", err)
	}
	for name, err := range map[string]error{
		"segments above the MTU":         write(5000, 1201, 3),
		"more than UDP holds, segmented": write(maxPayload+1, 1200, 2),
	} {
		if !errors.Is(err, unix.EMSGSIZE) {
			t.Errorf("%s: %v, want EMSGSIZE", name, err)
		}
	}
	if _, _, err := a.(oobConn).WriteMsgUDP(nil, make([]byte, 20), udp(addrOf(2, 9))); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a control message without a length: %v, want EINVAL", err)
	}
}

func TestAControlMessageThatDoesNotFitIsLeftOut(t *testing.T) {
	n, a, b := newPair(t)
	n.write(a, addrOf(2, 9), 5)
	n.deliver()
	size, oobn, _, _, err := b.(oobConn).ReadMsgUDP(make([]byte, 10), make([]byte, unix.CmsgSpace(1)-1))
	if size != 5 || oobn != 0 || err != nil {
		t.Errorf("read %d and %d bytes, %v; want 5 and none", size, oobn, err)
	}
}

// bubbleClock runs a network in a synctest bubble: it acts when all else rests.
type bubbleClock struct {
	testClock
	start time.Time
	wake  chan struct{}
}

func (c *bubbleClock) AtQuiet(t time.Duration, f func()) { c.At(t, f) }

func (c *bubbleClock) Sent() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run returns when stop is closed.
func (c *bubbleClock) run(stop <-chan struct{}) {
	for {
		synctest.Wait()
		c.now = time.Since(c.start)
		c.reached = c.now
		if c.step() {
			continue
		}
		next := time.Hour
		if len(c.calls) > 0 {
			next = c.calls[0].at - c.now
		}
		timer := time.NewTimer(next)
		select {
		case <-timer.C:
		case <-c.wake:
		case <-stop:
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

func credentials(t *testing.T) (server, client *tls.Config) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"server"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"test"}},
		&tls.Config{RootCAs: roots, ServerName: "server", NextProtos: []string{"test"}}
}

// quicPacket is a datagram that a QUIC client sent.
type quicPacket struct {
	long bool // it starts with a long header: the handshake
	ecn  ECN
}

// upload sends 100 kB over a QUIC connection, and returns whether it used GSO,
// and what the client sent.
func upload(t *testing.T, options SocketOptions) (gso bool, sent []quicPacket) {
	synctest.Test(t, func(t *testing.T) {
		clock := &bubbleClock{start: time.Now(), wake: make(chan struct{}, 1)}
		n := NewNetwork(clock, 1, func(o Outcome) {
			if o.Path.Name() == "link.forward" {
				sent = append(sent, quicPacket{o.Packet.Payload[0]&0x80 != 0, o.Packet.SentECN})
			}
		})
		clock.flush = n.Flush
		path := []Element{Rate{Rate: 100 * MbitPerSecond}, Delay{time.Millisecond}}
		var transports [2]*quic.Transport
		var hosts [2]*Host
		for i, name := range []string{"client", "server"} {
			hosts[i], _ = n.AddHost(name)
			conn, err := hosts[i].Listen(443, options)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			transports[i] = &quic.Transport{Conn: conn}
			defer transports[i].Close()
		}
		if _, err := n.Connect("link", hosts[0], hosts[1], path, path); err != nil {
			t.Fatal(err)
		}
		serverTLS, clientTLS := credentials(t)
		listener, err := transports[1].Listen(serverTLS, nil)
		if err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			conn, err := transports[0].Dial(t.Context(), udp(addrOf(2, 443)), clientTLS, nil)
			if err != nil {
				t.Error(err)
				return
			}
			gso = conn.ConnectionState().GSO
			stream, err := conn.OpenUniStream()
			if err == nil {
				_, err = stream.Write(make([]byte, 100_000))
			}
			if err == nil {
				err = stream.Close()
			}
			if err != nil {
				t.Error(err)
			}
			<-conn.Context().Done()
		}()
		go func() {
			conn, err := listener.Accept(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			stream, err := conn.AcceptUniStream(context.Background())
			if err == nil {
				var n int64
				if n, err = io.Copy(io.Discard, stream); n != 100_000 {
					t.Errorf("%d bytes arrived", n)
				}
			}
			if err != nil {
				t.Error(err)
			}
			conn.CloseWithError(0, "")
		}()
		clock.run(stop)
		if err := n.Check(); err != nil {
			t.Error(err)
		}
	})
	return gso, sent
}

// quic-go validates ECN as in RFC 9000, appendix A.4: it sends ten packets with
// ECT(0) after the handshake, and, once the peer has echoed their count, all.
func TestQUICUsesWhatTheSocketOffers(t *testing.T) {
	for _, c := range []struct {
		options  SocketOptions
		gso, ecn bool
	}{
		{SocketOptions{}, true, true},
		{SocketOptions{NoGSO: true}, false, true},
		{SocketOptions{NoECN: true}, false, false},
		{SocketOptions{NoECN: true, NoGSO: true}, false, false},
	} {
		gso, sent := upload(t, c.options)
		if gso != c.gso {
			t.Errorf("%+v: GSO %v, want %v", c.options, gso, c.gso)
		}
		handshake, capable := 0, 0
		for i, p := range sent {
			switch {
			case p.long:
				handshake++
				if p.ecn != NotECT {
					t.Errorf("%+v: packet %d, of the handshake, left with ECN %d", c.options, i, p.ecn)
				}
			case p.ecn == ECT0:
				capable++
			case c.ecn && capable < 10 || p.ecn != NotECT:
				t.Errorf("%+v: packet %d left with ECN %d after %d with ECT(0)", c.options, i, p.ecn, capable)
			}
		}
		if len(sent) < 80 || handshake == 0 {
			t.Errorf("%+v: %d packets for 100 kB, %d of them of the handshake", c.options, len(sent), handshake)
		}
		if last := sent[len(sent)-1].ecn == ECT0; last != c.ecn || capable > 0 != c.ecn {
			t.Errorf("%+v: %d packets left with ECT(0), the last one included: %v; want ECN %v", c.options, capable, last, c.ecn)
		}
	}
}

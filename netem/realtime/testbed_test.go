package realtime

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wtsim/wtsim/netem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patient is longer than anything takes on a machine that is busy.
const patient = 20 * time.Second

// world configures a client and a server with a link between them.
type world struct {
	forward, reverse []netem.Element
	nat              bool // the client is behind one
	relay            RelayConfig
	observe          func(netem.Outcome)
	start            time.Time // zero: with the first datagram
}

// testbed is a world in real time.
type testbed struct {
	*testing.T
	loop   *Loop
	relay  *Relay
	nat    *netem.NAT
	server *netem.Host
	listen netip.AddrPort

	mu      sync.Mutex
	notices []string
}

func loopback(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

// begin runs a world with a server at upstream until the test ends.
func begin(t *testing.T, w world, upstream netip.AddrPort) *testbed {
	t.Helper()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	b := &testbed{T: t, loop: l}
	n := netem.NewNetwork(l, 1, w.observe)
	client, _ := n.AddHost("client")
	b.server, _ = n.AddHost("server")
	link, err := n.Connect("link", client, b.server, w.forward, w.reverse)
	if err != nil {
		t.Fatal(err)
	}
	if w.nat {
		if b.nat, err = n.AddNAT(link, client, netem.NATConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	w.relay.Notice = b.notice
	b.relay = NewRelay(l, n, w.relay)
	b.relay.TakeIn(client)
	if b.listen, err = b.relay.Serve(b.server, 443, upstream, loopback(0)); err != nil {
		t.Fatal(err)
	}
	if !w.start.IsZero() {
		l.Start(w.start)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- l.Run(n, time.Hour, func() bool { return ctx.Err() != nil }) }()
	t.Cleanup(func() {
		stop()
		l.Rouse()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := n.Check(); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("%+v, notices %q", l.Report(), b.notices)
		}
	})
	return b
}

func (b *testbed) notice(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notices = append(b.notices, text)
}

// awaitNotice waits for a notice that has a text in it.
func (b *testbed) awaitNotice(text string) {
	b.Helper()
	b.await("the notice "+text, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return slices.ContainsFunc(b.notices, func(n string) bool { return strings.Contains(n, text) })
	})
}

// await waits for a condition.
func (b *testbed) await(what string, holds func() bool) {
	b.Helper()
	for end := time.Now().Add(patient); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("%s did not come", what)
		}
	}
}

// refused returns how many datagrams were refused for a reason.
func (b *testbed) refused(reason string) (n uint64) {
	b.Helper()
	if err := b.loop.Do(func() { n = b.loop.refused[reason] }); err != nil {
		b.Fatal(err)
	}
	return n
}

func (b *testbed) clients() (all []Client, now int) {
	b.Helper()
	if err := b.loop.Do(func() { all, now = b.relay.Clients() }); err != nil {
		b.Fatal(err)
	}
	return all, now
}

// echo answers every datagram, and returns its address and a function that returns
// from where it heard, in the order in which they came up.
func echo(t *testing.T, at netip.AddrPort) (netip.AddrPort, func() []netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []netip.AddrPort
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			mu.Lock()
			if !slices.Contains(seen, from) {
				seen = append(seen, from)
			}
			mu.Unlock()
			conn.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort(), func() []netip.AddrPort {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

// nobody returns an address on which nobody listens.
func nobody(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback(0)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// dial returns a client's socket.
func (b *testbed) dial() *net.UDPConn {
	b.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(b.listen))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	conn.SetReadDeadline(time.Now().Add(patient))
	return conn
}

// ask sends a datagram and waits for the same one.
func (b *testbed) ask(conn *net.UDPConn, datagram []byte) {
	b.Helper()
	if _, err := conn.Write(datagram); err != nil {
		b.Fatal(err)
	}
	b.expect(conn, datagram)
}

func (b *testbed) expect(conn *net.UDPConn, datagram []byte) {
	b.Helper()
	got := make([]byte, 1<<16)
	n, err := conn.Read(got)
	if err != nil || !bytes.Equal(got[:n], datagram) {
		b.Fatalf("read %d bytes %.20q, %v; want %d bytes %.20q", n, got[:n], err, len(datagram), datagram)
	}
}

func delayed(d time.Duration) []netem.Element { return []netem.Element{netem.Delay{Delay: d}} }

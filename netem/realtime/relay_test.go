package realtime

import (
	"bytes"
	"context"
	"fmt"
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

func TestADatagramGoesThroughTheNetworkAndBack(t *testing.T) {
	upstream, seen := echo(t, loopback(0))
	b := begin(t, world{forward: delayed(20 * time.Millisecond), reverse: delayed(10 * time.Millisecond)}, upstream)
	conn := b.dial()
	sent := time.Now()
	b.ask(conn, []byte("hello"))
	if took := time.Since(sent); took < 30*time.Millisecond {
		t.Errorf("the answer came after %s, before the network could have delivered it", took)
	}
	clients, now := b.clients()
	if now != 1 || len(clients) != 1 {
		t.Fatalf("%d clients, now %d; want one", len(clients), now)
	}
	want := Client{
		Address: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Host: "client", Seen: seen(),
		Sent: netem.Count{Packets: 1, Bytes: 5}, Received: netem.Count{Packets: 1, Bytes: 5},
	}
	if got := clients[0]; got.Address != want.Address || got.Host != want.Host || !slices.Equal(got.Seen, want.Seen) || got.Sent != want.Sent || got.Received != want.Received {
		t.Errorf("the client is %+v, want %+v", got, want)
	}
}

func TestEachClientHasAnAddressOfItsOwn(t *testing.T) {
	upstream, seen := echo(t, loopback(0))
	b := begin(t, world{}, upstream)
	for i := range 5 {
		b.ask(b.dial(), []byte{byte(i)})
	}
	if n := len(seen()); n != 5 {
		t.Errorf("the server heard from %d addresses, want 5", n)
	}
}

func TestARebindingGivesAClientAnotherAddress(t *testing.T) {
	upstream, seen := echo(t, loopback(0))
	b := begin(t, world{nat: true}, upstream)
	conn := b.dial()
	for i, rebind := range []func(){func() {}, b.nat.RebindPorts, b.nat.RebindAddress} {
		if err := b.loop.Do(rebind); err != nil {
			t.Fatal(err)
		}
		b.ask(conn, []byte{byte(i)})
	}
	got := seen()
	if len(got) != 3 {
		t.Fatalf("the server heard from %v, want three addresses", got)
	}
	// The NAT's addresses are 100.64.0.1 and 100.64.0.2.
	if other := netip.AddrFrom4([4]byte{127, 64, 0, 2}); got[0].Addr() != got[1].Addr() || got[2].Addr() != other && got[2].Addr() != loopback(0).Addr() {
		t.Errorf("the server heard from %v", got)
	}
	if clients, _ := b.clients(); !slices.Equal(clients[0].Seen, got) {
		t.Errorf("the relay knows of %v, the server of %v", clients[0].Seen, got)
	}
}

func TestNobodyButTheServerAnswersForIt(t *testing.T) {
	upstream, seen := echo(t, loopback(0))
	b := begin(t, world{}, upstream)
	conn := b.dial()
	b.ask(conn, []byte("first"))
	stranger, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(seen()[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	stranger.Write([]byte("forged"))
	b.ask(conn, []byte("second"))
}

func TestWhenTheTableIsFullUnansweredClientsMakeRoom(t *testing.T) {
	silent, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback(0)))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	b := begin(t, world{relay: RelayConfig{MaxClients: 4}}, silent.LocalAddr().(*net.UDPAddr).AddrPort())
	for range 100 {
		b.dial().Write([]byte("flood"))
	}
	b.await("the last client", func() bool { all, _ := b.clients(); return len(all) == 100 })
	if _, now := b.clients(); now != 4 {
		t.Errorf("there are %d clients, want 4", now)
	}
	if n := b.refused(noRoom); n != 0 {
		t.Errorf("%d datagrams were refused, want none", n)
	}
}

func TestWhenTheTableIsFullAnsweredClientsStay(t *testing.T) {
	upstream, _ := echo(t, loopback(0))
	b := begin(t, world{relay: RelayConfig{MaxClients: 2}}, upstream)
	first, second := b.dial(), b.dial()
	b.ask(first, []byte("1"))
	b.ask(second, []byte("2"))
	b.dial().Write([]byte("3"))
	b.awaitNotice("there are 2 clients, which is the most")
	b.ask(first, []byte("4"))
	b.ask(second, []byte("5"))
	if n := b.refused(noRoom); n != 1 {
		t.Errorf("%d datagrams were refused, want 1", n)
	}
}

func TestASilentClientIsForgotten(t *testing.T) {
	upstream, seen := echo(t, loopback(0))
	b := begin(t, world{relay: RelayConfig{Timeout: time.Second}}, upstream)
	conn := b.dial()
	b.ask(conn, []byte("1"))
	b.await("the end of the client", func() bool { _, now := b.clients(); return now == 0 })
	b.ask(conn, []byte("2"))
	if n := len(seen()); n != 2 {
		t.Errorf("the server heard from %d addresses, want 2", n)
	}
}

func TestAServerThatIsDownIsReportedAndTriedAgain(t *testing.T) {
	upstream := nobody(t)
	b := begin(t, world{}, upstream)
	conn := b.dial()
	conn.Write([]byte("lost"))
	b.awaitNotice("does not take datagrams: connection refused")
	echo(t, upstream)
	got := make([]byte, 100)
	b.await("an answer", func() bool {
		conn.Write([]byte("again"))
		conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		n, err := conn.Read(got)
		return err == nil && string(got[:n]) == "again"
	})
	b.awaitNotice("answers again")
}

func TestAServerThatIsSilentIsReported(t *testing.T) {
	silent, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback(0)))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	b := begin(t, world{}, silent.LocalAddr().(*net.UDPAddr).AddrPort())
	b.loop.Do(func() { b.relay.patience = 10 * time.Millisecond })
	b.dial().Write([]byte("hello?"))
	b.awaitNotice("has not answered for 10ms")
}

func TestAClientThatIsGoneDisturbsNobody(t *testing.T) {
	upstream, seen := echo(t, loopback(0))
	b := begin(t, world{reverse: delayed(50 * time.Millisecond)}, upstream)
	gone, stays := b.dial(), b.dial()
	gone.Write([]byte("bye"))
	b.await("the datagram", func() bool { return len(seen()) == 1 })
	gone.Close()
	for i := range 3 {
		b.ask(stays, []byte{byte(i)})
	}
}

func TestDatagramsMayBeAsLargeAsThePath(t *testing.T) {
	upstream, _ := echo(t, loopback(0))
	b := begin(t, world{}, upstream)
	conn := b.dial()
	for _, size := range []int{0, 1, 1200, 9000, 65507} {
		b.ask(conn, bytes.Repeat([]byte{7}, size))
	}
}

func TestDatagramsThatAreTooLargeAreRefusedOrLost(t *testing.T) {
	upstream, _ := echo(t, loopback(0))
	for _, mtu := range []netem.MTU{{Size: 1228}, {Size: 1228, SendError: true}} {
		t.Run(fmt.Sprintf("error %v", mtu.SendError), func(t *testing.T) {
			b := begin(t, world{forward: []netem.Element{mtu}}, upstream)
			conn := b.dial()
			conn.Write(make([]byte, 1201))
			b.ask(conn, make([]byte, 1200))
			want := uint64(0)
			if mtu.SendError {
				want = 1
			}
			if n := b.refused(tooLarge); n != want {
				t.Errorf("%d datagrams were refused, want %d", n, want)
			}
		})
	}
}

func TestWhatTheNetworkHoldsIsBounded(t *testing.T) {
	upstream, _ := echo(t, loopback(0))
	slow := []netem.Element{netem.Rate{Rate: netem.Stopped}} // its queue has no limit
	b := begin(t, world{forward: slow, relay: RelayConfig{Memory: 100 * netem.KB}}, upstream)
	conn := b.dial()
	for range 300 {
		conn.Write(make([]byte, 1000))
		time.Sleep(10 * time.Microsecond)
	}
	b.await("a refusal", func() bool { return b.refused(noMemory) > 0 })
	var held netem.Count
	b.loop.Do(func() { held = b.relay.network.Held() })
	if most := 100*netem.KB + (heldEvery+1)*1000; held.Bytes > most {
		t.Errorf("the network holds %s, want at most %s", held.Bytes, most)
	}
}

func TestBeforeTheStartDatagramsAreRefused(t *testing.T) {
	upstream, _ := echo(t, loopback(0))
	b := begin(t, world{start: time.Now().Add(time.Hour)}, upstream)
	b.dial().Write([]byte("early"))
	b.await("a refusal", func() bool { return b.refused(notStarted) == 1 })
	if b.loop.Elapsed() >= 0 {
		t.Errorf("the clock says %s before its start", b.loop.Elapsed())
	}
}

func TestADatagramEntersWhenItArrivesAndNotWhenItIsRead(t *testing.T) {
	upstream, _ := echo(t, loopback(0))
	sent := make(chan time.Duration, 10)
	b := begin(t, world{observe: func(o netem.Outcome) { sent <- o.Packet.Sent }}, upstream)
	conn := b.dial()
	b.ask(conn, []byte("start"))
	<-sent
	<-sent
	var until time.Duration
	busy := make(chan struct{})
	go b.loop.Do(func() {
		close(busy)
		time.Sleep(100 * time.Millisecond)
		until = b.loop.Elapsed()
	})
	<-busy
	conn.Write([]byte("now"))
	written := b.loop.Elapsed()
	b.expect(conn, []byte("now"))
	entered := <-sent
	b.loop.Do(func() {}) // until is known
	switch {
	case written >= until:
		t.Skip("the machine was so busy that the datagram was sent too late")
	case b.loop.Report().Notes != nil:
		t.Skipf("the system does not tell: %q", b.loop.Report().Notes)
	case entered > written:
		t.Errorf("the datagram entered at %s, although it was sent before %s; the loop was busy until %s", entered, written, until)
	}
}

func TestAnAddressThatIsNotOnLoopbackNeedsPermission(t *testing.T) {
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := netem.NewNetwork(l, 1, nil)
	h, _ := n.AddHost("server")
	remote, any := netip.MustParseAddrPort("192.0.2.1:443"), netip.MustParseAddrPort("0.0.0.0:0")
	for _, c := range []struct {
		upstream, listen netip.AddrPort
		allowed          bool
		want             string
	}{
		{remote, loopback(0), false, "the server at 192.0.2.1:443: it is not a loopback address"},
		{loopback(9), remote, false, "the listener at 192.0.2.1:443: it is not a loopback address"},
		{loopback(9), any, true, "the listener at 0.0.0.0:0: expected one address"},
		{remote, loopback(0), true, ""},
	} {
		r := NewRelay(l, n, RelayConfig{Remote: c.allowed})
		_, err := r.Serve(h, 443, c.upstream, c.listen)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("from %s to %s, allowed %v: error %v, want %q", c.listen, c.upstream, c.allowed, err, c.want)
		}
	}
}

func TestAfterTheEndNobodyWaitsForTheLoop(t *testing.T) {
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ended := make(chan error)
	go func() { ended <- l.Run(netem.NewNetwork(l, 1, nil), time.Hour, func() bool { return true }) }()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := l.Do(func() { t.Error("the loop goes on") }); err != ErrOver {
		t.Errorf("error %v, want %v", err, ErrOver)
	}
}

package realtime

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

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

func TestALoopThatIsRousedBeforeItSleepsLooksAgain(t *testing.T) {
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	time.Sleep(awakeAfter) // so that it sleeps at once
	over := false
	ended := make(chan error)
	go func() {
		ended <- l.Run(netem.NewNetwork(l, 1, nil), time.Hour, func() bool {
			defer l.Rouse()
			defer func() { over = true }() // when Run has heard that it is not
			return over
		})
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patient):
		t.Fatal("the loop does not end")
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

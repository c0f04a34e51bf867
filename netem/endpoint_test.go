package netem

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"
)

// handle takes what arrives at a port of a host, as sizes and times.
func (n *testNet) handle(host int, port uint16) (uint16, *[]sighting) {
	n.Helper()
	var seen []sighting
	at, err := n.hosts[host].Bind(port, func(p *Packet) {
		seen = append(seen, sighting{id: p.ID, size: p.Size(), ecn: p.ECN, at: n.clock.now})
	})
	if err != nil {
		n.Fatal(err)
	}
	return at.Addr().Port(), &seen
}

func TestADatagramSentOnTheClockEntersTheNetworkAtOnce(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.clock.flush = nil
	n.connect("path", []Element{Rate{Rate: 8 * MbitPerSecond}, Delay{time.Millisecond}}, nil)
	_, seen := n.handle(1, 9)
	n.clock.At(5, func() {
		for _, size := range []int{1000, 500} {
			if err := n.hosts[0].Send(7, addrOf(2, 9), someBytes[:size], ECT1); err != nil {
				t.Error(err)
			}
		}
	})
	n.clock.runUntil(time.Second)
	const ms = time.Millisecond
	want := []sighting{{id: 1, size: 1000, ecn: ECT1, at: 2*ms + 5}, {id: 2, size: 500, ecn: ECT1, at: 2*ms + ms/2 + 5}}
	if len(*seen) != 2 || (*seen)[0] != want[0] || (*seen)[1] != want[1] {
		t.Errorf("arrived %+v, want %+v", *seen, want)
	}
	if n.clock.delivered != 0 {
		t.Error("the driver heard of a delivery, although no application can run")
	}
}

func TestWhatCrossesInNoTimeArrivesInACallOfItsOwn(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.connect("bare", nil, nil)
	_, seen := n.handle(1, 9)
	n.listen(1, 10)
	n.clock.At(5, func() {
		for _, port := range []uint16{9, 10, 10} {
			if err := n.hosts[0].Send(7, addrOf(2, port), someBytes[:100], NotECT); err != nil {
				t.Error(err)
			}
		}
		if len(*seen) != 0 {
			t.Error("a datagram arrived in the call that sent it")
		}
	})
	n.clock.runUntil(10)
	for _, s := range n.clock.broken {
		t.Error(s)
	}
	if len(*seen) != 1 || (*seen)[0].at != 5 {
		t.Errorf("arrived %+v, want one at 5", *seen)
	}
	if noPort, full := n.hosts[1].Unread(); noPort.Packets+full.Packets != 0 {
		t.Errorf("nobody read %v and %v", noPort, full)
	}
}

func TestSocketsAndHandlersShareTheirPorts(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.listen(0, 9)
	first, _ := n.handle(0, 0)
	second, _ := n.handle(0, 0)
	n.handle(0, 10)
	if first != firstEphemeral || second != firstEphemeral+1 {
		t.Errorf("ports %d and %d, want the first two ephemeral ones", first, second)
	}
	for _, port := range []uint16{9, 10, first} {
		if _, err := n.hosts[0].Bind(port, func(*Packet) {}); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("port %d: error %v, want EADDRINUSE", port, err)
		}
		if _, err := n.hosts[0].Listen(port, SocketOptions{}); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("port %d: error %v, want EADDRINUSE", port, err)
		}
	}
	if got := n.listen(0, 0).LocalAddr().String(); got != "10.0.0.1:49154" {
		t.Errorf("a socket after two handlers has %s, want 10.0.0.1:49154", got)
	}
}

func TestSendRefusesAsASocketDoes(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.connect("small", []Element{MTU{Size: 1228, SendError: true}}, nil)
	for want, to := range map[error]netip.AddrPort{syscall.ENETUNREACH: addrOf(9, 9), syscall.EMSGSIZE: addrOf(2, 9)} {
		if err := n.hosts[0].Send(7, to, someBytes[:1201], NotECT); !errors.Is(err, want) {
			t.Errorf("to %s: error %v, want %v", to, err, want)
		}
	}
	if err := n.hosts[0].Send(7, addrOf(2, 9), someBytes[:1200], NotECT); err != nil {
		t.Error(err)
	}
	if n.Datagrams() != 1 {
		t.Errorf("%d datagrams entered the network, want 1", n.Datagrams())
	}
}

func TestAnEndpointOnALinkSendsByIt(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.clock.flush = nil
	n.connect("slow", []Element{Delay{time.Second}}, nil)
	fast, err := n.Connect("fast", n.hosts[0], n.hosts[1], []Element{Delay{time.Millisecond}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var seen []netip.AddrPort
	at := func(*Packet) {}
	to, err := n.hosts[1].BindOn(fast, 0, func(p *Packet) { seen = append(seen, p.Source); at(p) })
	if err != nil {
		t.Fatal(err)
	}
	from, err := n.hosts[0].BindOn(fast, 0, func(p *Packet) { seen = append(seen, p.Source) })
	if err != nil {
		t.Fatal(err)
	}
	at = func(p *Packet) {
		if err := to.Send(p.Source, p.Payload, p.ECN); err != nil {
			t.Error(err)
		}
	}
	n.clock.At(0, func() {
		if err := from.Send(to.Addr(), someBytes[:10], NotECT); err != nil {
			t.Error(err)
		}
	})
	n.clock.runUntil(2 * time.Millisecond)
	if want := []netip.AddrPort{from.Addr(), to.Addr()}; !slices.Equal(seen, want) {
		t.Errorf("the ends saw %v, want %v", seen, want)
	}
}

func TestAClosedEndpointGivesItsPortBack(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.connect("bare", nil, nil)
	e, err := n.hosts[1].Bind(9, func(*Packet) { t.Error("a closed endpoint received") })
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	n.clock.At(0, func() {
		if err := n.hosts[0].Send(7, addrOf(2, 9), someBytes[:10], NotECT); err != nil {
			t.Error(err)
		}
	})
	n.clock.runUntil(1)
	if noPort, _ := n.hosts[1].Unread(); noPort.Packets != 1 {
		t.Errorf("%v arrived for ports on which nobody listens, want 1", noPort)
	}
	n.listen(1, 9)
}

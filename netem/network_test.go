package netem

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// testNet is a network on a clock of its own. Its hosts are numbered from 0.
type testNet struct {
	testing.TB
	*Network
	clock *testClock
	seen  map[string][]sighting // by path
	order []string              // path and packet, in the order of the outcomes
}

func newTestNet(tb testing.TB, seed uint64, clock *testClock) *testNet {
	if clock == nil {
		clock = &testClock{}
	}
	n := &testNet{TB: tb, clock: clock, seen: make(map[string][]sighting)}
	n.Network = NewNetwork(clock, seed, func(o Outcome) {
		p, name := o.Packet, o.Path.Name()
		n.seen[name] = append(n.seen[name], sighting{p.ID, p.Size(), p.ECN, p.Sent, o.At, p.QueueDelay, o.Fate, o.Reason})
		n.order = append(n.order, fmt.Sprintf("%s %d %d %d", name, p.ID, o.Fate, o.At))
	})
	clock.flush = n.Flush
	n.host()
	return n
}

func (n *testNet) host() *Host {
	n.Helper()
	h, err := n.AddHost(fmt.Sprintf("host%d", len(n.hosts)))
	if err != nil {
		n.Fatal(err)
	}
	return h
}

// connect joins the first host with a new one.
func (n *testNet) connect(name string, forward, reverse []Element) *Link {
	n.Helper()
	l, err := n.Connect(name, n.hosts[0], n.host(), forward, reverse)
	if err != nil {
		n.Fatal(err)
	}
	return l
}

func (n *testNet) listen(host int, port uint16) net.PacketConn {
	n.Helper()
	conn, err := n.hosts[host].Listen(port, SocketOptions{})
	if err != nil {
		n.Fatal(err)
	}
	return conn
}

func (n *testNet) write(conn net.PacketConn, to netip.AddrPort, size int) {
	n.Helper()
	if _, err := conn.WriteTo(someBytes[:size], udp(to)); err != nil {
		n.Fatal(err)
	}
}

func udp(a netip.AddrPort) *net.UDPAddr { return net.UDPAddrFromAddrPort(a) }

func TestHostsHaveConsecutiveAddresses(t *testing.T) {
	n := newTestNet(t, 1, nil)
	for range 300 {
		n.host()
	}
	for i, want := range map[int]string{0: "10.0.0.1", 1: "10.0.0.2", 254: "10.0.0.255", 255: "10.0.1.0", 299: "10.0.1.44"} {
		if h := n.hosts[i]; h.Addr().String() != want || h.Name() != fmt.Sprintf("host%d", i) {
			t.Errorf("host %d is %s at %s, want %s", i, h.Name(), h.Addr(), want)
		}
	}
}

func TestConnectRefuses(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.connect("first", nil, nil)
	a, c := n.hosts[0], n.host()
	for want, connect := range map[string]func() (*Link, error){
		"netem: there is a link first already":                                 func() (*Link, error) { return n.Connect("first", a, c, nil, nil) },
		"netem: link x joins host0 with itself":                                func() (*Link, error) { return n.Connect("x", a, a, nil, nil) },
		"netem: path x.reverse: delay: the delay is not between 0 and 24h0m0s": func() (*Link, error) { return n.Connect("x", a, c, nil, []Element{Delay{-1}}) },
		"netem: path x.forward: loss: the probability is not between 0 and 1":  func() (*Link, error) { return n.Connect("x", a, c, []Element{Bernoulli{P: 2}}, nil) },
	} {
		if _, err := connect(); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestFlushGoesHostByHostInTheOrderOfSending(t *testing.T) {
	n := newTestNet(t, 1, nil)
	hub := addrOf(1, 9)
	for i := range 4 {
		n.connect(fmt.Sprint(i+1), nil, []Element{Delay{time.Millisecond}})
	}
	var conns []net.PacketConn
	for i := range 4 {
		conns = append(conns, n.listen(i+1, 0))
	}
	for round := range 2 { // the order holds when lists are used again
		for i, c := range []int{2, 0, 3, 2, 1, 0} {
			n.write(conns[c], hub, i)
		}
		clear(n.seen)
		n.clock.runUntil(time.Duration(round+1) * time.Second)
		got := make(map[uint64]string) // host and size
		for i := range 4 {
			for _, s := range n.seen[fmt.Sprintf("%d.reverse", i+1)] {
				got[s.id] = fmt.Sprintf("%d:%d", i+1, s.size)
			}
		}
		for i, want := range []string{"1:1", "1:5", "2:4", "3:0", "3:3", "4:2"} {
			if id := uint64(6*round + i + 1); got[id] != want {
				t.Errorf("round %d: datagram %d is %q, want %q (host:size)", round, id, got[id], want)
			}
		}
	}
	if got := n.Datagrams(); got != 12 {
		t.Errorf("%d datagrams entered the network, want 12", got)
	}
	if n.Flush() {
		t.Error("there was something left to flush")
	}
}

func TestDatagramsArriveOneAStep(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.connect("bare", nil, nil)
	link := n.connect("limited", []Element{Rate{Rate: MbitPerSecond}}, nil)
	n.connect("trace", []Element{Trace{Opportunities: []time.Duration{5, 5}, Period: 5}}, nil)
	sender := n.listen(0, 0)
	for i := range 3 {
		n.listen(i+1, 9)
	}
	for range 5 {
		for host := range byte(3) {
			n.write(sender, addrOf(2+host, 9), 100)
		}
	}
	n.clock.At(time.Microsecond, func() {
		if err := link.Forward.Configure(Rate{}); err != nil {
			t.Error(err)
		}
	})
	n.clock.runUntil(time.Second)
	for _, s := range n.clock.broken {
		t.Error(s)
	}
	for name, at := range map[string]time.Duration{"bare": 0, "limited": time.Microsecond, "trace": 5} {
		seen := n.seen[name+".forward"]
		if len(seen) != 5 || seen[4].at != at {
			t.Errorf("%s: outcomes %+v, want 5 at %s", name, seen, at)
		}
	}
}

// Those steps count that a packet has led to.
func TestLookaheadIsTheLeastTimeFromAStepThatCanWaitToOneThatCannot(t *testing.T) {
	const ms = time.Millisecond
	fast, off := Rate{Rate: MbitPerSecond}, Rate{}
	for _, c := range []struct {
		name  string
		paths [][]Element
		want  time.Duration
	}{
		{"no link", nil, 0},
		{"no queue", [][]Element{{Delay{ms}}}, 0},
		{"no delay", [][]Element{{fast}}, 0},
		{"a path without delay has no quiet steps", [][]Element{{fast}, {fast, Delay{ms}}}, ms},
		{"one queue", [][]Element{{MTU{}, fast, Bernoulli{}, Delay{5 * ms}}}, 5 * ms},
		{"the least of two", [][]Element{{fast, Delay{5 * ms}}, {fast, Delay{3 * ms}}, {Delay{ms}}}, 3 * ms},
		{"a delay before a queue", [][]Element{{Delay{ms}, fast, Delay{5 * ms}}}, 5 * ms},
		{"a delay behind another", [][]Element{{fast, Delay{2 * ms}, Delay{ms}}}, ms},
		{"a queue between delays", [][]Element{{fast, Delay{ms}, fast, Delay{5 * ms}}}, 5 * ms},
		{"two queues", [][]Element{{fast, fast, Delay{5 * ms}}}, 5 * ms},
		{"a queue that is unlimited", [][]Element{{off, Delay{ms}}, {fast, Delay{5 * ms}}}, 5 * ms},
		{"an element that does not say", [][]Element{{fast, marker{}, Delay{ms}}}, 0},
		{"the same before the queue", [][]Element{{marker{}, fast, Delay{ms}}}, ms},
	} {
		n := newTestNet(t, 1, nil)
		for i, path := range c.paths {
			link := n.connect(fmt.Sprint(i), path, nil)
			link.Forward.Send(newPacket(addrOf(1, 1), addrOf(2, 2), nil, ECT0))
		}
		n.clock.runUntil(time.Second)
		if got := n.Lookahead(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestLookaheadFollowsChanges(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := newTestNet(t, 1, nil)
		delays := rapid.Custom(func(r *rapid.T) Delay { return Delay{time.Duration(rapid.IntRange(0, 5).Draw(r, "delay"))} })
		rates := rapid.Custom(func(r *rapid.T) Rate { return Rate{Rate: BitRate(rapid.IntRange(0, 1).Draw(r, "rate"))} })
		draw := func() []Element { return []Element{rates.Draw(r, "rate"), delays.Draw(r, "delay")} }
		for i := range rapid.IntRange(1, 4).Draw(r, "links") {
			n.connect(fmt.Sprint(i), draw(), draw())
		}
		for range 20 {
			path := n.links[rapid.IntRange(0, len(n.links)-1).Draw(r, "link")].Forward
			path.Send(newPacket(addrOf(1, 1), addrOf(2, 2), nil, NotECT))
			if err := path.Configure(draw()[rapid.IntRange(0, 1).Draw(r, "element")]); err != nil {
				r.Fatal(err)
			}
			want := never
			for _, l := range n.links {
				want = min(want, l.Forward.lookahead, l.Reverse.lookahead)
			}
			if want == never {
				want = 0
			}
			if rapid.Bool().Draw(r, "look") && n.Lookahead() != want {
				r.Fatalf("lookahead %d, want %d", n.Lookahead(), want)
			}
		}
	})
}

// history is everything that an observer and the hosts see of a network.
func history(t *rapid.T, tb testing.TB, lazy bool, paths [][]Element, sends, changes []action) []string {
	clock := &testClock{}
	n := newTestNet(tb, 7, clock)
	if lazy {
		clock.lookahead = n.Lookahead
	}
	for i, elements := range paths {
		n.connect(fmt.Sprint(i), elements, nil)
		n.listen(i+1, 9)
	}
	conn := n.listen(0, 0)
	end := time.Duration(0)
	for _, a := range sends {
		end = max(end, a.at)
		clock.At(a.at, func() { n.write(conn, addrOf(byte(a.path+2), 9), a.size) })
	}
	for _, a := range changes {
		clock.At(a.at, func() {
			if err := n.links[a.path].Forward.Configure(a.element); err != nil {
				t.Fatal(err)
			}
		})
	}
	clock.runUntil(end + 100) // some packets are still in transit
	n.Stop()
	if err := n.Check(); err != nil {
		t.Fatal(err)
	}
	if len(clock.broken) > 0 {
		t.Fatal(clock.broken)
	}
	return n.order
}

// sameHistory returns the history of a network, which is the same for a clock that
// puts quiet calls off and for one that does not.
func sameHistory(r *rapid.T, tb testing.TB, paths [][]Element, sends, changes []action) []string {
	eager, lazy := history(r, tb, false, paths, sends, changes), history(r, tb, true, paths, sends, changes)
	if !slices.Equal(eager, lazy) {
		r.Fatalf("eager\n%s\nlazy\n%s", strings.Join(eager, "\n"), strings.Join(lazy, "\n"))
	}
	return eager
}

type action struct {
	at      time.Duration
	path    int
	size    int
	element Element
}

// drawActions draws actions on two paths, with elements unless element is nil.
func drawActions(r *rapid.T, what string, least, most int, element func() Element) []action {
	actions := make([]action, rapid.IntRange(least, most).Draw(r, what))
	for i := range actions {
		actions[i] = action{
			at:   time.Duration(rapid.IntRange(0, 200).Draw(r, "at")),
			path: rapid.IntRange(0, 1).Draw(r, "path"),
			size: rapid.IntRange(0, 200).Draw(r, "size"),
		}
		if element != nil {
			actions[i].element = element()
		}
	}
	return actions
}

// A clock that puts quiet calls off and one that does not give the same
// outcomes at the same times, whatever the chains and however they change.
func TestALazyClockSeesTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		paths := rapid.SliceOfN(rapid.SliceOfN(rapid.OneOf(elements, elements, disorder), 0, 5), 1, 3).Draw(r, "paths")
		draw := func(element bool) action {
			a := action{
				at:   time.Duration(rapid.IntRange(0, 200).Draw(r, "at")),
				path: rapid.IntRange(0, len(paths)-1).Draw(r, "path"),
				size: rapid.IntRange(0, 200).Draw(r, "size"),
			}
			if chain := paths[a.path]; element && len(chain) > 0 {
				a.element = aChange(r, chain)
			}
			return a
		}
		var sends, changes []action
		for range rapid.IntRange(1, 60).Draw(r, "sends") {
			sends = append(sends, draw(false))
		}
		for range rapid.IntRange(0, 8).Draw(r, "changes") {
			if a := draw(true); a.element != nil {
				changes = append(changes, a)
			}
		}
		seen := sameHistory(r, t, paths, sends, changes)
		duplicates := slices.ContainsFunc(slices.Concat(paths...), func(e Element) bool { return e.Kind() == "duplicate" || e.Kind() == "netem" })
		if len(seen) < len(sends) || len(seen) > len(sends) && !duplicates {
			r.Fatalf("%d packets had %d fates", len(sends), len(seen))
		}
	})
}

func TestIdleUntilAPacketEntersAndAfterItLeft(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.connect("a", []Element{Delay{10}}, nil)
	conn := n.listen(0, 0)
	if !n.Idle() {
		t.Error("an empty network is not idle")
	}
	n.write(conn, addrOf(2, 9), 1)
	n.clock.runUntil(9)
	if n.Idle() {
		t.Error("a network with a packet in flight is idle")
	}
	n.clock.runUntil(10)
	if !n.Idle() {
		t.Error("a network is not idle after its packet left")
	}
}

func TestWhatNoApplicationCanReadIsCounted(t *testing.T) {
	n := newTestNet(t, 1, nil)
	n.connect("a", nil, nil)
	conn := n.listen(0, 0)
	n.listen(1, 9)
	n.write(conn, addrOf(2, 8), 7)
	const size = 1 << 16 * 3 / 4
	for range receiveBuffer/size + 3 {
		n.write(conn, addrOf(2, 9), size)
	}
	n.clock.runUntil(1)
	noPort, bufferFull := n.hosts[1].Unread()
	if want := (Count{1, 7}); noPort != want {
		t.Errorf("for ports without a socket: %v, want %v", noPort, want)
	}
	if want := (Count{3, 3 * size}); bufferFull != want {
		t.Errorf("for a full buffer: %v, want %v", bufferFull, want)
	}
}

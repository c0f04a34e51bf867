package netem

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func (n *testNet) router() *Router {
	n.Helper()
	r, err := n.AddRouter(fmt.Sprintf("router%d", len(n.routers)))
	if err != nil {
		n.Fatal(err)
	}
	return r
}

// join connects two nodes by the same elements both ways.
func (n *testNet) join(name string, a, b Node, elements ...Element) *Link {
	n.Helper()
	l, err := n.Connect(name, a, b, elements, elements)
	if err != nil {
		n.Fatal(err)
	}
	return l
}

// open opens a socket on port 9 of a host.
func (n *testNet) open(h *Host) net.PacketConn {
	n.Helper()
	conn, err := h.Listen(9, SocketOptions{})
	if err != nil {
		n.Fatal(err)
	}
	return conn
}

func portOf(h *Host) netip.AddrPort { return netip.AddrPortFrom(h.Addr(), 9) }

// sendAt sends a datagram of 1000 bytes at a time.
func (n *testNet) sendAt(t time.Duration, from net.PacketConn, to netip.AddrPort) {
	n.clock.At(t, func() { n.write(from, to, 1000) })
}

// finish runs until nothing is left to do, and checks conservation.
func (n *testNet) finish() {
	n.Helper()
	n.clock.runUntil(n.clock.now + time.Hour)
	if !n.Idle() {
		n.Error("packets are still on their way after an hour")
	}
	if err := n.Check(); err != nil {
		n.Error(err)
	}
	for _, s := range n.clock.broken {
		n.Error(s)
	}
}

// left returns when packets left a path, by ID.
func (n *testNet) left(path string) map[uint64]time.Duration {
	times := make(map[uint64]time.Duration)
	for _, s := range n.seen[path] {
		if s.fate == Delivered {
			times[s.id] = s.at
		}
	}
	return times
}

// through returns when packets leave a link of an element Rate and a Delay into
// which they come at the given times, in order.
func through(arrivals []time.Duration, transmission, delay time.Duration) []time.Duration {
	var free time.Duration
	var left []time.Duration
	for _, t := range arrivals {
		free = max(free, t) + transmission
		left = append(left, free+delay)
	}
	return left
}

const (
	fast = 8 * MbitPerSecond // 1000 bytes a millisecond
	slow = MbitPerSecond     // 1000 bytes in 8 ms
)

// dumbbell is two hosts on the left and two on the right of a bottleneck.
func dumbbell(tb testing.TB, accessDelays [2]time.Duration) (n *testNet, left, right [2]*Host) {
	n = newTestNet(tb, 1, nil)
	l, r := n.router(), n.router()
	left = [2]*Host{n.hosts[0], n.host()}
	right = [2]*Host{n.host(), n.host()}
	n.join("bottleneck", l, r, Rate{Rate: slow}, Delay{5 * ms})
	for i := range left {
		n.join(fmt.Sprintf("left%d", i), left[i], l, Rate{Rate: fast}, Delay{accessDelays[i]})
		n.join(fmt.Sprintf("right%d", i), r, right[i], Rate{Rate: fast}, Delay{2 * ms})
	}
	return n, left, right
}

func TestAPacketKeepsItsIDAndHasAFateOnEachLink(t *testing.T) {
	n, left, right := dumbbell(t, [2]time.Duration{ms, ms})
	n.open(right[0])
	conn := n.open(left[0])
	n.sendAt(3*ms, conn, portOf(right[0]))
	n.finish()
	const size = 1000
	for path, want := range map[string]sighting{
		"left0.forward":      {id: 1, size: size, sent: 3 * ms, at: 5 * ms},
		"bottleneck.forward": {id: 1, size: size, sent: 5 * ms, at: 18 * ms},
		"right0.forward":     {id: 1, size: size, sent: 18 * ms, at: 21 * ms},
	} {
		if got := n.seen[path]; !slices.Equal(got, []sighting{want}) {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
	if len(n.order) != 3 || n.Datagrams() != 1 {
		t.Errorf("%d datagrams had the fates %q, want one on three links", n.Datagrams(), n.order)
	}
}

func TestFlowsOfDifferentRoundTripTimesShareABottleneck(t *testing.T) {
	delays := [2]time.Duration{ms, 10*ms + 500*time.Microsecond}
	n, left, right := dumbbell(t, delays)
	type packet struct {
		id      uint64
		arrives time.Duration // at the bottleneck
	}
	var packets []packet
	// Each host offers 80 % of the bottleneck.
	for i := range left {
		n.open(right[i])
		conn := n.open(left[i])
		for k := range time.Duration(20) {
			n.sendAt(k*10*ms, conn, portOf(right[i]))
		}
	}
	for k := range time.Duration(20) { // the hosts' datagrams of one instant enter in their order
		for i := range left {
			packets = append(packets, packet{uint64(len(packets) + 1), k*10*ms + ms + delays[i]})
		}
	}
	n.finish()
	slices.SortStableFunc(packets, func(a, b packet) int { return int(a.arrives - b.arrives) })
	var arrivals []time.Duration
	for _, p := range packets {
		arrivals = append(arrivals, p.arrives)
	}
	bottleneck := n.left("bottleneck.forward")
	for i, want := range through(arrivals, 8*ms, 5*ms) {
		id := packets[i].id
		if bottleneck[id] != want {
			t.Errorf("datagram %d left the bottleneck at %s, want %s", id, bottleneck[id], want)
		}
		last := fmt.Sprintf("right%d.forward", (id-1)%2)
		if got := n.left(last)[id]; got != want+3*ms {
			t.Errorf("datagram %d arrived at %s, want %s", id, got, want+3*ms)
		}
	}
}

// A flow crosses three links in a row, each of which it shares with one that
// crosses only this link.
func TestAParkingLotQueuesAtEachHop(t *testing.T) {
	n := newTestNet(t, 1, nil)
	chain := []*Router{n.router(), n.router(), n.router(), n.router()}
	for i := range 3 {
		n.join(fmt.Sprintf("hop%d", i), chain[i], chain[i+1], Rate{Rate: slow}, Delay{ms})
	}
	long := [2]*Host{n.hosts[0], n.host()}
	n.join("in", long[0], chain[0])
	n.join("out", chain[3], long[1])
	n.open(long[1])
	conn := n.open(long[0])
	at := []time.Duration{ms, ms, ms}
	for _, t := range at {
		n.sendAt(t, conn, portOf(long[1]))
	}
	// The cross traffic of a hop comes a millisecond before the long flow.
	for i := range 3 {
		from, to := n.host(), n.host()
		n.join(fmt.Sprintf("in%d", i), from, chain[i])
		n.join(fmt.Sprintf("out%d", i), chain[i+1], to)
		n.open(to)
		cross := at[0] - ms
		n.sendAt(cross, n.open(from), portOf(to))
		at = through(append([]time.Duration{cross}, at...), 8*ms, ms)[1:]
	}
	n.finish()
	var got []time.Duration
	for _, s := range n.seen["out.forward"] {
		got = append(got, s.at)
	}
	if !slices.Equal(got, at) {
		t.Errorf("the long flow arrived at %s, want %s", got, at)
	}
}

func TestAStarJoinsEveryHostWithEveryOther(t *testing.T) {
	n := newTestNet(t, 1, nil)
	hub := n.router()
	for i := range 5 {
		h := n.hosts[0]
		if i > 0 {
			h = n.host()
		}
		n.join(fmt.Sprintf("spoke%d", i), h, hub, Delay{time.Duration(i+1) * ms})
	}
	conns := make([]net.PacketConn, 5)
	for i, h := range n.hosts {
		conns[i] = n.open(h)
	}
	id := uint64(0)
	want := make(map[uint64]time.Duration)
	for i := range n.hosts {
		for j, h := range n.hosts {
			if i != j {
				n.sendAt(0, conns[i], portOf(h))
				id++
				want[id] = time.Duration(i+1+j+1) * ms
			}
		}
	}
	n.finish()
	for i := range n.hosts {
		for id, at := range n.left(fmt.Sprintf("spoke%d.reverse", i)) {
			if at != want[id] {
				t.Errorf("datagram %d arrived at %s, want %s", id, at, want[id])
			}
			delete(want, id)
		}
	}
	if len(want) > 0 {
		t.Errorf("datagrams did not arrive: %v", want)
	}
}

// Links that take no time lead through routers to hosts one packet a step.
func TestDatagramsArriveOneAStepBehindRouters(t *testing.T) {
	n := newTestNet(t, 1, nil)
	a, b := n.router(), n.router()
	n.join("in", n.hosts[0], a)
	n.join("between", a, b, Duplicate{P: 1})
	to := n.host()
	n.join("out", b, to)
	receiver, conn := n.open(to), n.open(n.hosts[0])
	for range 5 {
		n.sendAt(ms, conn, portOf(to))
	}
	n.finish()
	if got := n.seen["out.forward"]; len(got) != 10 || got[9].at != ms {
		t.Errorf("outcomes %+v, want 10 at %s", got, ms)
	}
	for range 10 {
		if size, _, err := receiver.ReadFrom(make([]byte, 2000)); size != 1000 || err != nil {
			t.Fatalf("read %d bytes, error %v", size, err)
		}
	}
}

func TestWhatIsForNobodyHereIsCounted(t *testing.T) {
	n := newTestNet(t, 1, nil)
	r, h := n.router(), n.host()
	toRouter, toHost := n.join("a", n.hosts[0], r), n.join("b", n.hosts[0], h)
	toRouter.Forward.Send(newPacket(portOf(h), addrOf(77, 9), someBytes[:100], NotECT))
	toHost.Forward.Send(newPacket(portOf(h), addrOf(77, 9), someBytes[:200], NotECT))
	toHost.Forward.Send(newPacket(portOf(h), portOf(h), someBytes[:300], NotECT))
	if got := r.NoRoute(); got != (Count{1, 100}) {
		t.Errorf("the router counts %v without a route, want one packet of 100 bytes", got)
	}
	if got := h.NotOurs(); got != (Count{1, 200}) {
		t.Errorf("the host counts %v for others, want one packet of 200 bytes", got)
	}
	if got, _ := h.Unread(); got != (Count{1, 300}) {
		t.Errorf("the host counts %v for ports without a socket, want one packet of 300 bytes", got)
	}
}

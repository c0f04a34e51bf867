package netem

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// traffic is what hosts send over a random topology, and what changes meanwhile.
type traffic struct {
	sends   []sending
	changes []change
}

type sending struct {
	at       time.Duration
	from, to int
	size     int
}

type change struct {
	at      time.Duration
	link    int
	element Element
}

// lifeOf is what is seen of each datagram: a line for each fate, in order.
type lifeOf struct {
	lines    []string
	fates    map[uint64][]Fate
	arrived  int64 // at hosts
	dropped  int64
	transit  int64
	disorder []string
}

// observe notes a fate. Packets of one flow must leave a path in their order, and
// all of them in the order in which they entered.
func (l *lifeOf) observe() func(Outcome) {
	type flow struct{ path, source, dest string }
	last := make(map[flow]uint64)
	entered := make(map[*Path]time.Duration)
	return func(o Outcome) {
		p := o.Packet
		l.lines = append(l.lines, fmt.Sprint(o.Path.Name(), p.ID, p.Source, p.Dest, p.ECN, p.Sent, o.At, p.QueueDelay, o.Fate, o.Reason))
		l.fates[p.ID] = append(l.fates[p.ID], o.Fate)
		switch o.Fate {
		case Dropped:
			l.dropped++
		case InTransit:
			l.transit++
		case Delivered:
			if o.Path.to.router == 0 {
				l.arrived++
			}
			f := flow{o.Path.Name(), p.Source.String(), p.Dest.String()}
			if p.ID <= last[f] || p.Sent < entered[o.Path] {
				l.disorder = append(l.disorder, l.lines[len(l.lines)-1])
			}
			last[f], entered[o.Path] = p.ID, p.Sent
		}
	}
}

// live runs traffic over a topology.
func live(r *rapid.T, tb testing.TB, lazy bool, build func(*testNet), t traffic) *lifeOf {
	clock := &testClock{}
	n := newTestNet(tb, 7, clock)
	l := &lifeOf{fates: make(map[uint64][]Fate)}
	n.observe = l.observe()
	build(n)
	if lazy {
		clock.lookahead = n.Lookahead
	}
	var conns []net.PacketConn
	for _, h := range n.hosts {
		conns = append(conns, n.open(h))
	}
	end := time.Duration(0)
	for _, s := range t.sends {
		end = max(end, s.at)
		to := portOf(n.hosts[s.to%len(n.hosts)])
		clock.At(s.at, func() { conns[s.from%len(conns)].WriteTo(someBytes[:s.size], udp(to)) }) // there may be no way
	}
	for _, c := range t.changes {
		clock.At(c.at, func() { n.links[c.link%len(n.links)].Forward.Configure(c.element) }) // there may be no such element
	}
	clock.runUntil(end + 100) // some packets are still in transit
	n.Stop()
	if err := n.Check(); err != nil {
		r.Fatal(err)
	}
	if len(clock.broken) > 0 {
		r.Fatal(clock.broken)
	}
	if len(l.fates) != int(n.Datagrams()) {
		r.Fatalf("%d datagrams, of which %d had a fate", n.Datagrams(), len(l.fates))
	}
	return l
}

// drawTopology draws a topology once, to be built again and again. If it is far,
// each path to a host ends with a delay.
func drawTopology(r *rapid.T, kinds *rapid.Generator[Element], far bool) func(*testNet) {
	hosts := rapid.IntRange(2, 4).Draw(r, "hosts")
	nodes := hosts + rapid.IntRange(1, 3).Draw(r, "routers")
	type link struct {
		a, b             int
		forward, reverse []Element
		nat              *NATConfig
	}
	var links []link
	for i := range nodes - 1 + rapid.IntRange(0, 3).Draw(r, "more links") {
		l := link{a: i, b: hosts + rapid.IntRange(0, nodes-hosts-1).Draw(r, "router")} // each node, then any
		if i >= hosts {
			l.a = rapid.IntRange(0, nodes-1).Draw(r, "a")
		}
		if l.a == l.b {
			l.b = 0
		}
		l.forward = rapid.SliceOfN(kinds, 0, 3).Draw(r, "forward")
		l.reverse = rapid.SliceOfN(kinds, 0, 3).Draw(r, "reverse")
		if far {
			if l.a < hosts {
				l.reverse = append(l.reverse, Delay{time.Duration(rapid.IntRange(5, 50).Draw(r, "delay"))})
			}
			if l.b < hosts {
				l.forward = append(l.forward, Delay{time.Duration(rapid.IntRange(5, 50).Draw(r, "delay"))})
			}
		}
		if rapid.IntRange(0, 4).Draw(r, "nat") == 0 {
			l.nat = &NATConfig{Timeout: time.Duration(rapid.IntRange(0, 50).Draw(r, "timeout")), MaxMappings: 3}
		}
		links = append(links, l)
	}
	return func(n *testNet) {
		for range hosts - 1 {
			n.host()
		}
		for range nodes - hosts {
			n.router()
		}
		at := func(i int) Node {
			if i < hosts {
				return n.hosts[i]
			}
			return n.routers[i-hosts]
		}
		for i, l := range links {
			built, err := n.Connect(fmt.Sprint(i), at(l.a), at(l.b), l.forward, l.reverse)
			if err == nil && l.nat != nil {
				_, err = n.AddNAT(built, at(l.a), *l.nat)
			}
			if err != nil {
				r.Fatal(err)
			}
		}
	}
}

func drawTraffic(r *rapid.T, kinds *rapid.Generator[Element]) traffic {
	at := rapid.IntRange(0, 200)
	return traffic{
		rapid.SliceOfN(rapid.Custom(func(r *rapid.T) sending {
			return sending{time.Duration(at.Draw(r, "at")), rapid.IntRange(0, 3).Draw(r, "from"), rapid.IntRange(0, 3).Draw(r, "to"), rapid.IntRange(0, 200).Draw(r, "size")}
		}), 1, 60).Draw(r, "sends"),
		rapid.SliceOfN(rapid.Custom(func(r *rapid.T) change {
			return change{time.Duration(at.Draw(r, "at")), rapid.IntRange(0, 8).Draw(r, "link"), kinds.Draw(r, "element")}
		}), 0, 8).Draw(r, "changes"),
	}
}

func TestAnyTopologyConservesPacketsAndKeepsTheirOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := live(r, t, false, drawTopology(r, elements, false), drawTraffic(r, elements))
		if len(l.disorder) > 0 {
			r.Fatalf("out of order:\n%s\nof\n%s", strings.Join(l.disorder, "\n"), strings.Join(l.lines, "\n"))
		}
		for id, fates := range l.fates {
			if i := slices.IndexFunc(fates, func(f Fate) bool { return f != Delivered }); i >= 0 && i < len(fates)-1 {
				r.Fatalf("datagram %d has the fates %d after it was gone", id, fates)
			}
		}
		if ends := l.arrived + l.dropped + l.transit; ends != int64(len(l.fates)) {
			r.Fatalf("%d datagrams have %d ends", len(l.fates), ends)
		}
	})
}

// A clock that puts quiet calls off and one that does not give the same outcomes
// at the same times, whatever the topology.
func TestALazyClockSeesTheSameOfAnyTopology(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		kinds, far := rapid.OneOf(elements, elements, disorder), rapid.Bool().Draw(r, "far")
		if far { // and what leaves no lookahead is rare
			kinds = rapid.Custom(func(r *rapid.T) Element {
				return another(r, rapid.SampledFrom([]Element{Rate{}, Rate{}, Delay{}, MTU{}}).Draw(r, "kind"))
			})
		}
		build, traffic := drawTopology(r, kinds, far), drawTraffic(r, kinds)
		eager, lazy := live(r, t, false, build, traffic), live(r, t, true, build, traffic)
		if !slices.Equal(eager.lines, lazy.lines) {
			r.Fatalf("eager\n%s\nlazy\n%s", strings.Join(eager.lines, "\n"), strings.Join(lazy.lines, "\n"))
		}
	})
}

func TestLookaheadGoesOnBeyondRouters(t *testing.T) {
	fast := Rate{Rate: MbitPerSecond}
	type link struct {
		a, b             int // 0 and 1 are hosts, 2, 3 and 4 routers
		forward, reverse []Element
	}
	for _, c := range []struct {
		name  string
		links []link
		want  time.Duration
	}{
		{"a delay before the router", []link{{0, 2, []Element{fast, Delay{ms}}, nil}, {2, 1, nil, nil}}, ms},
		{"a host behind the router", []link{{0, 2, []Element{fast}, nil}, {2, 1, nil, nil}}, 0},
		{"delays on all ways on", []link{
			{0, 2, []Element{fast}, []Element{Delay{9 * ms}}}, {2, 1, []Element{Delay{5 * ms}}, nil}, {2, 1, []Element{Delay{4 * ms}}, nil},
		}, 4 * ms},
		{"a way back without a delay", []link{{0, 2, []Element{fast}, nil}, {2, 1, []Element{Delay{5 * ms}}, nil}}, 0},
		{"two routers", []link{
			{0, 2, []Element{fast}, []Element{Delay{9 * ms}}}, {2, 3, []Element{fast}, []Element{Delay{8 * ms}}}, {3, 1, []Element{Delay{5 * ms}}, nil},
		}, 5 * ms},
		{"a circle of routers", []link{
			{0, 2, []Element{fast}, []Element{Delay{9 * ms}}}, {2, 3, nil, nil}, {3, 4, nil, nil}, {4, 2, []Element{fast}, nil}, {3, 1, []Element{Delay{6 * ms}}, nil},
		}, 6 * ms},
		{"no way to a host", []link{{2, 3, []Element{fast}, nil}}, distant},
	} {
		n := newTestNet(t, 1, nil)
		nodes := []Node{n.hosts[0], n.host(), n.router(), n.router(), n.router()}
		for i, l := range c.links {
			if _, err := n.Connect(fmt.Sprint(i), nodes[l.a], nodes[l.b], l.forward, l.reverse); err != nil {
				t.Fatal(err)
			}
			n.Lookahead() // what is worked out in between must not last
		}
		for _, l := range n.links {
			for _, p := range []*Path{l.Forward, l.Reverse} {
				p.Send(newPacket(addrOf(1, 1), addrOf(2, 2), nil, NotECT))
			}
		}
		n.clock.runUntil(time.Second)
		if got := n.Lookahead(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestLookaheadBeyondRoutersFollowsChanges(t *testing.T) {
	n := newTestNet(t, 1, nil)
	r := n.router()
	n.join("in", n.hosts[0], r, Rate{Rate: MbitPerSecond}, Delay{0})
	out := n.join("out", r, n.host(), Delay{5 * ms})
	if err := n.links[0].Reverse.Configure(Delay{9 * ms}); err != nil {
		t.Fatal(err)
	}
	n.Lookahead()
	n.links[0].Forward.Send(newPacket(addrOf(1, 1), addrOf(2, 2), nil, NotECT))
	for _, d := range []time.Duration{5 * ms, 3 * ms, 7 * ms, 0, ms} {
		if err := out.Forward.Configure(Delay{d}); err != nil {
			t.Fatal(err)
		}
		if got := n.Lookahead(); got != d {
			t.Errorf("lookahead %s, want %s", got, d)
		}
	}
}

// A delay on the way to a router ends in a quiet step: only that before a host
// needs a call that cannot be put off.
func TestAPacketPassesRoutersQuietly(t *testing.T) {
	clock := &testClock{}
	n := newTestNet(t, 1, clock)
	clock.lookahead = n.Lookahead
	first, second, h := n.router(), n.router(), n.host()
	n.join("in", n.hosts[0], first, Rate{Rate: fast}, Delay{10 * ms})
	middle := n.join("middle", first, second, Rate{Rate: fast}, Delay{7 * ms})
	out := n.join("out", second, h, Rate{Rate: fast}, Delay{9 * ms})
	n.open(h)
	n.Lookahead()
	n.write(n.open(n.hosts[0]), portOf(h), 1000)
	n.clock.step()
	if got, want := n.Lookahead(), 20*ms; got != want { // to the router and back
		t.Errorf("lookahead %s, want %s", got, want)
	}
	const atSecond = 11*ms + 8*ms
	n.clock.runUntil(atSecond)
	if len(clock.calls) > 0 {
		t.Errorf("a call at %s cannot be put off", clock.calls[0].at)
	}
	for _, c := range []struct {
		link        *Link
		delay, want time.Duration
	}{{middle, ms, 9 * ms}, {out, 2 * ms, 2 * ms}, {out, 0, 0}, {out, 30 * ms, 10 * ms}} {
		if err := c.link.Forward.Configure(Delay{c.delay}); err != nil {
			t.Fatal(err)
		}
		if got := n.Lookahead(); got != c.want {
			t.Errorf("lookahead %s after a change to %s, want %s", got, c.delay, c.want)
		}
	}
	n.finish()
	if got, want := n.left("out.forward")[1], atSecond+ms+30*ms; got != want {
		t.Errorf("the packet arrived at %s, want %s", got, want)
	}
}

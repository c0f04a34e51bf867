package netem

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// way sends a datagram and returns the paths that it takes.
func (n *testNet) way(from net.PacketConn, to netip.AddrPort) string {
	n.Helper()
	n.order = nil
	n.write(from, to, 10)
	n.clock.runUntil(n.clock.now + time.Second)
	var paths []string
	for _, o := range n.order {
		path, _, _ := strings.Cut(o, " ")
		paths = append(paths, path)
	}
	return strings.Join(paths, " ")
}

func TestTheFirstOfTheShortestWaysIsTaken(t *testing.T) {
	n := newTestNet(t, 1, nil)
	a, b := n.hosts[0], n.host()
	r, s, u := n.router(), n.router(), n.router()
	n.join("long1", a, r)
	n.join("long2", r, s)
	n.join("long3", s, b)
	n.join("short1", a, u)
	n.join("short2", u, b)
	n.join("second1", a, u)
	n.join("second2", u, b)
	from, to := n.open(a), n.open(b)
	if got, want := n.way(from, portOf(b)), "short1.forward short2.forward"; got != want {
		t.Errorf("the way there is %s, want %s", got, want)
	}
	if got, want := n.way(to, portOf(a)), "short2.reverse short1.reverse"; got != want {
		t.Errorf("the way back is %s, want %s", got, want)
	}
}

func TestOfSeveralLinksBetweenTwoHostsTheFirstIsTaken(t *testing.T) {
	n := newTestNet(t, 1, nil)
	a, b := n.hosts[0], n.host()
	n.join("one", a, b)
	n.join("two", b, a)
	from, to := n.open(a), n.open(b)
	if there, back := n.way(from, portOf(b)), n.way(to, portOf(a)); there != "one.forward" || back != "one.reverse" {
		t.Errorf("the ways are %s and %s, want those of link one", there, back)
	}
}

func TestARouteThatIsSetIsTaken(t *testing.T) {
	n := newTestNet(t, 1, nil)
	a, b := n.hosts[0], n.host()
	r, s := n.router(), n.router()
	n.join("direct", a, b)
	in := n.join("in", a, r)
	n.join("near", r, b)
	detour := n.join("detour", r, s)
	n.join("far", s, b)
	for at, by := range map[Node]*Link{a: in, r: detour} {
		if err := n.Route(at, b.Addr(), by); err != nil {
			t.Fatal(err)
		}
	}
	from, to := n.open(a), n.open(b)
	if got, want := n.way(from, portOf(b)), "in.forward detour.forward far.forward"; got != want {
		t.Errorf("the way there is %s, want %s", got, want)
	}
	if got, want := n.way(to, portOf(a)), "direct.reverse"; got != want {
		t.Errorf("the way back is %s, want %s", got, want)
	}
}

// routesOf is a network of two hosts, two routers and links between all of them
// but the hosts.
func routesOf(t *testing.T) (n *testNet, nodes map[string]Node, links map[string]*Link) {
	n = newTestNet(t, 1, nil)
	nodes = map[string]Node{"a": n.hosts[0], "b": n.host(), "r": n.router(), "s": n.router(), "c": n.host()}
	links = make(map[string]*Link)
	for _, ends := range []string{"ar", "rs", "sb", "rc", "cs"} {
		links[ends] = n.join(ends, nodes[ends[:1]], nodes[ends[1:]])
	}
	return n, nodes, links
}

func TestRouteRefuses(t *testing.T) {
	for want, route := range map[string]struct{ at, to, by string }{
		"netem: the route of host0 to 10.0.0.2 goes by link rs, which does not end there": {"a", "10.0.0.2", "rs"},
		"netem: the route of router0 to 10.0.0.4: no host has this address":               {"r", "10.0.0.4", "rs"},
		"netem: the route of router0 to 10.0.0.0: no host has this address":               {"r", "10.0.0.0", "rs"},
		"netem: the route of router0 to 192.0.2.1: no host has this address":              {"r", "192.0.2.1", "rs"},
		"netem: the route of router0 to ::1: no host has this address":                    {"r", "::1", "rs"},
		"netem: the route of router0 to 172.16.0.1: no host has this address":             {"r", "172.16.0.1", "rs"}, // a router's end
		"netem: the route of router0 to 172.16.0.10: no host has this address":            {"r", "172.16.0.10", "rs"},
		"netem: the route of router0 to 100.64.0.1: no host has this address":             {"r", "100.64.0.1", "rs"},
		"netem: router1 has a route to 10.0.0.2 already":                                  {"s", "10.0.0.2", "sb"},
		"netem: the network has started; its hosts, links and routes are fixed":           {"started", "", ""},
	} {
		n, nodes, links := routesOf(t)
		var err error
		switch route.at {
		case "started":
			if err := n.Start(); err != nil {
				t.Fatal(err)
			}
			err = n.Route(nodes["a"], addrOf(2, 0).Addr(), links["ar"])
		default:
			if err := n.Route(nodes["s"], addrOf(2, 0).Addr(), links["sb"]); err != nil {
				t.Fatal(err)
			}
			err = n.Route(nodes[route.at], netip.MustParseAddr(route.to), links[route.by])
		}
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestNothingCanBeAddedOnceTheNetworkHasStarted(t *testing.T) {
	n, nodes, links := routesOf(t)
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	_, host := n.AddHost("x")
	_, router := n.AddRouter("x")
	_, link := n.Connect("x", nodes["a"], nodes["b"], nil, nil)
	_, nat := n.AddNAT(links["ar"], nodes["a"], NATConfig{})
	for _, err := range []error{host, router, link, nat} {
		if !errors.Is(err, errStarted) {
			t.Errorf("error %v, want %v", err, errStarted)
		}
	}
}

func TestStartRefusesRoutesThatDoNotArrive(t *testing.T) {
	type route struct{ at, to, by string }
	for want, routes := range map[string][]route{
		"netem: the route of router0 to 10.0.0.1 goes in a circle": {{"r", "10.0.0.1", "rs"}},
		"netem: the route of router1 to 10.0.0.2 goes in a circle\n" +
			"netem: the route of router0 to 10.0.0.2 goes in a circle": {{"s", "10.0.0.2", "rs"}, {"r", "10.0.0.2", "rs"}},
		"netem: the route of router0 to 10.0.0.2 ends at host host2, which sends nothing on": {{"r", "10.0.0.2", "rc"}},
		"": {{"r", "10.0.0.3", "rs"}, {"a", "10.0.0.3", "ar"}, {"s", "172.16.0.7", "rs"}},
	} {
		n, nodes, links := routesOf(t)
		for _, r := range routes {
			if err := n.Route(nodes[r.at], netip.MustParseAddr(r.to), links[r.by]); err != nil {
				t.Fatal(err)
			}
		}
		err := n.Start()
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		// Whoever sends without having started the network gets the error too.
		if _, sent := n.open(n.hosts[0]).WriteTo(nil, udp(addrOf(2, 9))); want != "" && !errors.Is(sent, err) || want == "" && sent != nil {
			t.Errorf("error of a write: %v, want %v", sent, err)
		}
	}
}

func TestARouteThatNoWayLeadsOnFromIsRefused(t *testing.T) {
	n := newTestNet(t, 1, nil)
	island, h := n.router(), n.host()
	out := n.join("out", n.hosts[0], island)
	if err := n.Route(n.hosts[0], h.Addr(), out); err != nil {
		t.Fatal(err)
	}
	const want = "netem: the route of host0 to 10.0.0.2 ends at router0, which has none"
	if err := n.Start(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestHostsSendNothingOn(t *testing.T) {
	n := newTestNet(t, 1, nil)
	a, b, c := n.hosts[0], n.host(), n.host()
	l := n.join("ab", a, b)
	n.join("bc", b, c)
	elsewhere, err := b.AddrOn(n.links[1])
	if err != nil {
		t.Fatal(err)
	}
	bound, err := a.ListenOn(l, 0, SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, conn := range []net.PacketConn{n.open(a), bound} {
		for _, to := range []netip.AddrPort{portOf(a), portOf(c), netip.AddrPortFrom(elsewhere, 9), addrOf(9, 9), netip.MustParseAddrPort("[::1]:9")} {
			if _, err := conn.WriteTo(nil, udp(to)); !errors.Is(err, syscall.ENETUNREACH) {
				t.Errorf("from %s to %s: error %v, want ENETUNREACH", conn.LocalAddr(), to, err)
			}
		}
	}
}

func TestAHostHasAnAddressOnEachLink(t *testing.T) {
	n := newTestNet(t, 1, nil)
	a, b, r := n.hosts[0], n.host(), n.router()
	for i, ends := range [][2]Node{{a, r}, {b, r}, {r, a}, {a, b}} {
		n.join(fmt.Sprint(i), ends[0], ends[1])
	}
	for _, c := range []struct {
		host *Host
		link int
		want string
	}{{a, 0, "172.16.0.0"}, {b, 1, "172.16.0.2"}, {a, 2, "172.16.0.5"}, {a, 3, "172.16.0.6"}, {b, 3, "172.16.0.7"}} {
		addr, err := c.host.AddrOn(n.links[c.link])
		if err != nil || addr.String() != c.want {
			t.Errorf("%s on link %d: %s, error %v; want %s", c.host.Name(), c.link, addr, err, c.want)
		}
	}
	const want = "netem: link 1 does not end at host host0"
	if _, err := a.AddrOn(n.links[1]); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := a.ListenOn(n.links[1], 1, SocketOptions{}); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestASocketOnALinkSendsAndReceivesByIt(t *testing.T) {
	n := newTestNet(t, 1, nil)
	client, server := n.hosts[0], n.host()
	r, core := n.router(), n.router()
	wifi := n.join("wifi", client, r)
	cell := n.join("cell", client, core)
	n.join("trunk", r, core)
	n.join("site", r, server)
	atServer := n.open(server)
	for _, c := range []struct {
		link        *Link
		there, back string
	}{
		{wifi, "wifi.forward site.forward", "site.reverse wifi.reverse"},
		{cell, "cell.forward trunk.reverse site.forward", "site.reverse trunk.forward cell.reverse"},
	} {
		conn, err := client.ListenOn(c.link, 9, SocketOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if there := n.way(conn, portOf(server)); there != c.there {
			t.Errorf("%s: the way there is %s, want %s", c.link.Name, there, c.there)
		}
		_, source, err := atServer.ReadFrom(nil)
		if err != nil || source.String() != conn.LocalAddr().String() {
			t.Fatalf("%s: a datagram from %s, error %v; want it from %s", c.link.Name, source, err, conn.LocalAddr())
		}
		if back := n.way(atServer, source.(*net.UDPAddr).AddrPort()); back != c.back {
			t.Errorf("%s: the way back is %s, want %s", c.link.Name, back, c.back)
		}
		if _, from, err := conn.ReadFrom(nil); err != nil || from.String() != portOf(server).String() {
			t.Errorf("%s: an answer from %s, error %v", c.link.Name, from, err)
		}
	}
}

func TestTheAddressesOfAHostHavePortsOfTheirOwn(t *testing.T) {
	n := newTestNet(t, 1, nil)
	l := n.join("l", n.hosts[0], n.host())
	n.open(n.hosts[0])
	for i, want := range []error{nil, syscall.EADDRINUSE} {
		if _, err := n.hosts[0].ListenOn(l, 9, SocketOptions{}); !errors.Is(err, want) {
			t.Errorf("socket %d: error %v, want %v", i, err, want)
		}
	}
}

func TestTwoHostsUseSeveralLinksAtOnce(t *testing.T) {
	n := newTestNet(t, 1, nil)
	a, b := n.hosts[0], n.host()
	n.join("one", a, b)
	two := n.join("two", a, b)
	conn, err := a.ListenOn(two, 9, SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	atB := n.open(b)
	if got := n.way(conn, portOf(b)); got != "two.forward" {
		t.Errorf("the way there is %s, want two.forward", got)
	}
	if got := n.way(atB, conn.LocalAddr().(*net.UDPAddr).AddrPort()); got != "two.reverse" {
		t.Errorf("the way back is %s, want two.reverse", got)
	}
}

// aTopology draws routers, hosts and links between them, at least one a host.
func aTopology(r *rapid.T, n *testNet, elements func() []Element) {
	nodes := []Node{n.hosts[0]}
	for range rapid.IntRange(1, 3).Draw(r, "hosts") {
		nodes = append(nodes, n.host())
	}
	for range rapid.IntRange(0, 4).Draw(r, "routers") {
		nodes = append(nodes, n.router())
	}
	for i := range rapid.IntRange(1, 8).Draw(r, "links") {
		a := rapid.IntRange(0, len(nodes)-1).Draw(r, "a")
		b := (a + rapid.IntRange(1, len(nodes)-1).Draw(r, "b")) % len(nodes)
		if _, err := n.Connect(fmt.Sprint(i), nodes[a], nodes[b], elements(), elements()); err != nil {
			r.Fatal(err)
		}
	}
}

// Every way has as few links as the least of all ways through routers.
func TestEveryWayIsAShortestOne(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := newTestNet(t, 1, nil)
		aTopology(r, n, func() []Element { return nil })
		const far = 1000
		nodes := len(n.hosts) + len(n.routers)
		at := func(x *node) int {
			if x.router > 0 {
				return len(n.hosts) + x.router - 1
			}
			return slices.IndexFunc(n.hosts, func(h *Host) bool { return &h.node == x })
		}
		hops := make([][]int, nodes) // Floyd and Warshall
		for i := range hops {
			hops[i] = slices.Repeat([]int{far}, nodes)
			hops[i][i] = 0
		}
		for _, l := range n.links {
			for _, p := range []*Path{l.Forward, l.Reverse} {
				hops[at(p.from)][at(p.to)] = 1
			}
		}
		for k := len(n.hosts); k < nodes; k++ {
			for i := range nodes {
				for j := range nodes {
					hops[i][j] = min(hops[i][j], hops[i][k]+hops[k][j])
				}
			}
		}
		for i, a := range n.hosts {
			conn := n.open(a)
			for j, b := range n.hosts {
				_, err := conn.WriteTo(nil, udp(portOf(b)))
				if reachable := hops[i][j] < far && i != j; reachable != (err == nil) {
					r.Fatalf("from %d to %d: %d hops, error %v", i, j, hops[i][j], err)
				} else if !reachable {
					continue
				}
				if way := strings.Fields(n.way(conn, portOf(b))); len(way) != 2*hops[i][j] { // two datagrams
					r.Fatalf("from %d to %d: two datagrams took %d links, want %d", i, j, len(way), 2*hops[i][j])
				}
			}
		}
	})
}

func TestARouteToANATHoldsForAllOfItsAddresses(t *testing.T) {
	n := newTestNet(t, 1, nil)
	a, b := n.hosts[0], n.host()
	home, far, detour := n.router(), n.router(), n.router()
	access := n.join("access", a, home)
	n.join("short", far, home)
	long := n.join("long1", far, detour)
	n.join("long2", detour, home)
	n.join("server", b, far)
	nat, err := n.AddNAT(access, a, NATConfig{})
	if err == nil {
		err = n.Route(far, nat.Addr(), long)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Route(far, nat.Addr().Next(), long); err == nil {
		t.Error("the NAT has two routes from one router")
	}
	from := n.open(b)
	for range 3 {
		if got, want := n.way(from, netip.AddrPortFrom(nat.Addr(), 1024)), "server.forward long1.forward long2.forward access.reverse"; got != want {
			t.Errorf("the way to %s is %s, want %s", nat.Addr(), got, want)
		}
		nat.RebindAddress()
	}
}

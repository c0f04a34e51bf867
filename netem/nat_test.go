package netem

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// natBench is two clients behind a router with a NAT, and two servers outside,
// each with two sockets, by links that take no time.
//
//	client ─┐                        ┌─ server
//	        inside ── link (NAT) ── outside
//	second ─┘                        └─ other
type natBench struct {
	*testNet
	link  *Link
	nat   *NAT
	conns map[string]net.PacketConn // by host; those with a 2 have another port
	last  natOutcome
}

// natOutcome is the last thing that was seen of a datagram.
type natOutcome struct {
	path         string
	source, dest netip.AddrPort
	fate         Fate
	reason       string
}

func newNATBench(tb testing.TB, config NATConfig) *natBench {
	b := &natBench{testNet: newTestNet(tb, 1, nil), conns: make(map[string]net.PacketConn)}
	b.observe = func(o Outcome) {
		b.last = natOutcome{o.Path.Name(), o.Packet.Source, o.Packet.Dest, o.Fate, o.Reason}
	}
	inside, outside := b.router(), b.router()
	b.link = b.join("link", inside, outside)
	for i, name := range []string{"client", "second", "server", "other"} {
		h := b.hosts[0]
		if i > 0 {
			h = b.host()
		}
		b.join(name, h, []Node{inside, outside}[i/2])
		b.conns[name] = b.open(h)
		b.conns[name+"2"] = b.listen(i, 10)
	}
	nat, err := b.AddNAT(b.link, inside, config)
	if err != nil {
		tb.Fatal(err)
	}
	b.nat = nat
	return b
}

func addrPortOf(conn net.PacketConn) netip.AddrPort {
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// send sends a datagram now, and returns the last thing that was seen of it.
func (b *natBench) send(from string, to netip.AddrPort) natOutcome {
	b.Helper()
	b.write(b.conns[from], to, 1)
	for b.clock.step() {
	}
	return b.last
}

// goes sends a datagram from inside to a server, and returns the source that it
// has there, or "dropped" if the NAT drops it.
func (b *natBench) goes(from, to string) string {
	b.Helper()
	source, dest := addrPortOf(b.conns[from]), addrPortOf(b.conns[to])
	got := b.send(from, dest)
	switch got {
	case natOutcome{host(to) + ".reverse", got.source, dest, Delivered, ""}:
		return got.source.String()
	case natOutcome{"link.forward", source, dest, Dropped, "nat"}:
		return "dropped"
	}
	return fmt.Sprint(got)
}

// comes sends a datagram from a server to an address of the NAT, and returns who
// inside has it, or "dropped" if the NAT drops it.
func (b *natBench) comes(from, to string) string {
	b.Helper()
	source, dest := addrPortOf(b.conns[from]), netip.MustParseAddrPort(to)
	got := b.send(from, dest)
	if got == (natOutcome{"link.reverse", source, dest, Dropped, "nat"}) {
		return "dropped"
	}
	for _, name := range []string{"client", "client2", "second", "second2"} {
		if got == (natOutcome{host(name) + ".reverse", source, addrPortOf(b.conns[name]), Delivered, ""}) {
			return name
		}
	}
	return fmt.Sprint(got)
}

func host(name string) string { return strings.TrimSuffix(name, "2") }

// natStep is something that happens at a time: a datagram from inside to a server,
// which has a source there, one from a server to an address, which somebody inside
// gets, or a rebinding.
type natStep struct {
	at       time.Duration
	from, to string
	want     string
}

const (
	firstPublic  = "100.64.0.1:1024"
	secondPublic = "100.64.0.1:1025"
	thirdPublic  = "100.64.0.1:1026"
)

func TestNAT(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		config NATConfig
		steps  []natStep
	}{
		"a mapping depends on the inside address and port only": {NATConfig{}, []natStep{
			{0, "client", "server", firstPublic},
			{0, "client", "other", firstPublic},
			{0, "client2", "server", secondPublic},
			{0, "second", "server", thirdPublic},
			{s, "client", "server2", firstPublic},
			{s, "server", firstPublic, "client"},
			{s, "server", secondPublic, "client2"},
			{s, "other", thirdPublic, "second"},
		}},
		"mappings that depend on the address": {NATConfig{Mapping: AddressDependent}, []natStep{
			{0, "client", "server", firstPublic},
			{0, "client", "server2", firstPublic},
			{0, "client", "other", secondPublic},
			{0, "server", secondPublic, "client"},
		}},
		"mappings that depend on the address and port": {NATConfig{Mapping: AddressAndPortDependent}, []natStep{
			{0, "client", "server", firstPublic},
			{0, "client", "server2", secondPublic},
			{0, "client", "other", thirdPublic},
			{0, "client", "server", firstPublic},
		}},
		"filtering that depends on nothing": {NATConfig{}, []natStep{
			{0, "client", "server", firstPublic},
			{0, "other", firstPublic, "client"},
		}},
		"filtering that depends on the address": {NATConfig{Filtering: AddressDependent}, []natStep{
			{0, "client", "server", firstPublic},
			{0, "second", "other", secondPublic},
			{0, "server", firstPublic, "client"},
			{0, "server2", firstPublic, "client"},
			{0, "other", firstPublic, "dropped"},
			{0, "client", "other2", firstPublic},
			{0, "other", firstPublic, "client"},
		}},
		"filtering that depends on the address and port": {NATConfig{Filtering: AddressAndPortDependent}, []natStep{
			{0, "client", "server", firstPublic},
			{0, "server", firstPublic, "client"},
			{0, "server2", firstPublic, "dropped"},
			{0, "client", "server2", firstPublic},
			{0, "server2", firstPublic, "client"},
		}},
		"what is not mapped is dropped": {NATConfig{}, []natStep{
			{0, "server", firstPublic, "dropped"},
			{0, "client", "server", firstPublic},
			{0, "server", secondPublic, "dropped"},
			{0, "server", "100.64.0.2:1024", "dropped"},
			{0, "server", "10.0.0.1:9", "dropped"}, // the client's own address
			{0, "server", "172.16.0.2:9", "dropped"},
		}},
		"other ports": {NATConfig{}, []natStep{
			{0, "client", "server", firstPublic},
			{s, "", "ports", ""},
			{s, "server", firstPublic, "dropped"},
			{s, "client", "server", secondPublic},
			{s, "server", firstPublic, "dropped"},
			{s, "server", secondPublic, "client"},
		}},
		"another address": {NATConfig{}, []natStep{
			{0, "client", "server", firstPublic},
			{s, "", "address", ""},
			{s, "server", firstPublic, "dropped"},
			{s, "server", "100.64.0.2:1024", "dropped"},
			{s, "client", "server", "100.64.0.2:1025"},
			{s, "server", "100.64.0.1:1025", "dropped"},
			{s, "server", "100.64.0.2:1025", "client"},
		}},
		"an idle mapping is gone when its time is over": {NATConfig{Timeout: s}, []natStep{
			{0, "client", "server", firstPublic},
			{s - 1, "server", firstPublic, "client"}, // which does not renew it
			{s, "server", firstPublic, "dropped"},
			{s, "client", "server", secondPublic},
		}},
		"a packet from inside renews a mapping": {NATConfig{Timeout: s}, []natStep{
			{0, "client", "server", firstPublic},
			{1, "second", "server", secondPublic},
			{s - 1, "client", "other", firstPublic},
			{s + 1, "server", secondPublic, "dropped"},
			{2*s - 2, "server", firstPublic, "client"},
			{2*s - 1, "server", firstPublic, "dropped"},
		}},
		"one from outside may": {NATConfig{Timeout: s, InboundRefresh: true, Filtering: AddressDependent}, []natStep{
			{0, "client", "server", firstPublic},
			{s - 2, "server", firstPublic, "client"},
			{s - 1, "other", firstPublic, "dropped"}, // which does not
			{2*s - 3, "client", "server", firstPublic},
			{3*s - 4, "server", firstPublic, "client"},
			{4*s - 4, "server", firstPublic, "dropped"},
		}},
		"a mapping that is made anew knows no peers": {NATConfig{Timeout: s, Filtering: AddressDependent}, []natStep{
			{0, "client", "server", firstPublic},
			{s, "client", "other", secondPublic},
			{s, "server", secondPublic, "dropped"},
			{s, "other", secondPublic, "client"},
		}},
		"a full table": {NATConfig{MaxMappings: 2, Timeout: s}, []natStep{
			{0, "client", "server", firstPublic},
			{1, "client2", "server", secondPublic},
			{2, "second", "server", "dropped"},
			{3, "client", "other", firstPublic},
			{s, "second", "server", "dropped"},
			{s + 1, "second", "server", thirdPublic},
		}},
		"a full table of peers": {NATConfig{MaxMappings: 2, Timeout: s, Filtering: AddressAndPortDependent}, []natStep{
			{0, "client", "server", firstPublic},
			{0, "client", "server2", firstPublic},
			{1, "client", "other", "dropped"},
			{2, "second", "server", "dropped"},
			{3, "client", "server", firstPublic},
			{s + 3, "second", "server", secondPublic},
			{s + 4, "second", "other", secondPublic},
			{s + 5, "", "ports", ""},
			{s + 5, "second", "other", thirdPublic},
		}},
		"a packet to a public address comes back in": {NATConfig{}, []natStep{
			{0, "client", "server", firstPublic},
			{0, "second", "hairpin " + firstPublic, "client"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newNATBench(t, c.config)
			for i, step := range c.steps {
				b.clock.runUntil(step.at)
				got := ""
				hairpin, turns := strings.CutPrefix(step.to, "hairpin ")
				switch {
				case step.to == "ports":
					b.nat.RebindPorts()
				case step.to == "address":
					b.nat.RebindAddress()
				case turns:
					out := b.send(step.from, netip.MustParseAddrPort(hairpin))
					want := natOutcome{"client.reverse", netip.MustParseAddrPort(secondPublic), addrPortOf(b.conns["client"]), Delivered, ""}
					if out == want {
						got = "client"
					}
				case strings.HasPrefix(step.from, "client"), strings.HasPrefix(step.from, "second"):
					got = b.goes(step.from, step.to)
				default:
					got = b.comes(step.from, step.to)
				}
				if got != step.want {
					t.Errorf("step %d, from %s to %s at %s: %s, want %s", i, step.from, step.to, step.at, got, step.want)
				}
			}
			b.finish()
		})
	}
}

func TestWhatANATDropsIsCounted(t *testing.T) {
	b := newNATBench(t, NATConfig{MaxMappings: 1})
	b.goes("client", "server")
	b.goes("second", "server")
	b.comes("server", firstPublic)
	b.comes("server", secondPublic)
	b.comes("server", secondPublic)
	for i, want := range []Counters{
		{Kind: "nat", In: Count{2, 2}, Out: Count{1, 1}, Dropped: Count{1, 1}},
		{Kind: "nat", In: Count{3, 3}, Out: Count{1, 1}, Dropped: Count{2, 2}},
	} {
		path := []*Path{b.link.Forward, b.link.Reverse}[i]
		if got := path.Counters(); len(got) != 1 || got[0] != want {
			t.Errorf("path %s counts %+v, want %+v", path.Name(), got, want)
		}
	}
}

// The packet crosses the link before it comes to the NAT, and enters it after.
func TestANATIsAtTheOuterEndOfItsLink(t *testing.T) {
	n := newTestNet(t, 1, nil)
	a, b := n.hosts[0], n.host()
	l := n.join("link", b, a, Delay{10}) // a is inside, at the second end
	nat, err := n.AddNAT(l, a, NATConfig{Timeout: 30})
	if err != nil {
		t.Fatal(err)
	}
	conn, server := n.open(a), n.open(b)
	n.write(conn, portOf(b), 1)
	n.clock.runUntil(9)
	if nat.Mappings() != 0 {
		t.Error("there is a mapping before the packet comes to the NAT")
	}
	n.clock.runUntil(39)
	if nat.Mappings() != 1 || nat.Addr().String() != "100.64.0.1" {
		t.Errorf("%d mappings at %s, want one at 100.64.0.1", nat.Mappings(), nat.Addr())
	}
	n.write(server, netip.MustParseAddrPort(firstPublic), 1)
	for n.clock.step() {
	}
	n.clock.runUntil(40)
	if nat.Mappings() != 0 {
		t.Error("there is a mapping when its time is over")
	}
	n.write(server, netip.MustParseAddrPort(firstPublic), 1)
	n.finish()
	const want = "[link.reverse 1 0 10 link.forward 3 1 40 link.forward 2 0 49]" // path, packet, fate, time
	if got := fmt.Sprint(n.order); got != want {
		t.Errorf("outcomes %s, want %s", got, want)
	}
}

func TestANATBehindANAT(t *testing.T) {
	n := newTestNet(t, 1, nil)
	home, carrier := n.router(), n.router()
	server := n.host()
	n.join("lan", n.hosts[0], home)
	access := n.join("access", home, carrier)
	uplink := n.join("uplink", carrier, server)
	for _, c := range []struct {
		link   *Link
		inside Node
	}{{access, home}, {uplink, carrier}} {
		if _, err := n.AddNAT(c.link, c.inside, NATConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	conn, atServer := n.open(n.hosts[0]), n.open(server)
	n.write(conn, portOf(server), 1)
	for n.clock.step() {
	}
	_, source, err := atServer.ReadFrom(nil)
	if err != nil || source.String() != "100.64.1.1:1024" {
		t.Fatalf("the source is %s, error %v; want that of the second NAT", source, err)
	}
	if got, want := n.way(atServer, source.(*net.UDPAddr).AddrPort()), "uplink.reverse access.reverse lan.reverse"; got != want {
		t.Errorf("the way back is %s, want %s", got, want)
	}
	if _, from, err := conn.ReadFrom(nil); err != nil || from.String() != portOf(server).String() {
		t.Errorf("an answer from %s, error %v", from, err)
	}
}

// Whatever happens, the table agrees with itself and stays within its bounds, and
// what a server answers to a source that it has just seen gets there.
func TestTheTableOfANATStaysBounded(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		behaviors := rapid.SampledFrom([]NATBehavior{EndpointIndependent, AddressDependent, AddressAndPortDependent})
		config := NATConfig{
			Timeout:        time.Duration(rapid.IntRange(0, 20).Draw(r, "timeout")),
			InboundRefresh: rapid.Bool().Draw(r, "refresh"),
			Mapping:        behaviors.Draw(r, "mapping"),
			Filtering:      behaviors.Draw(r, "filtering"),
			MaxMappings:    rapid.IntRange(0, 5).Draw(r, "most"),
		}
		b := newNATBench(t, config)
		most := config.MaxMappings
		if most == 0 {
			most = natPorts
		}
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			b.clock.runUntil(b.clock.now + time.Duration(rapid.IntRange(0, 8).Draw(r, "wait")))
			from := rapid.SampledFrom([]string{"client", "client2", "second", "second2"}).Draw(r, "from")
			to := rapid.SampledFrom([]string{"server", "server2", "other", "other2"}).Draw(r, "to")
			switch rapid.IntRange(0, 9).Draw(r, "what") {
			case 0:
				b.nat.RebindPorts()
			case 1:
				b.nat.RebindAddress()
			case 2:
				b.comes(to, netip.AddrPortFrom(b.nat.Addr(), uint16(rapid.IntRange(1024, 1034).Draw(r, "port"))).String())
			default:
				if source := b.goes(from, to); source != "dropped" {
					if got := b.comes(to, source); got != from {
						r.Fatalf("%s sent to %s from %s, and the answer came to %s", from, to, source, got)
					}
				} else if b.nat.Mappings() < most && b.nat.peers < most {
					r.Fatalf("dropped with %d mappings and %d peers of %d", b.nat.Mappings(), b.nat.peers, most)
				}
			}
			n, peers := b.nat.Mappings(), 0
			for e := b.nat.byAge.Front(); e != nil; e = e.Next() {
				peers += len(e.Value.(*mapping).peers)
			}
			if n > most || n != len(b.nat.mappings) || n != len(b.nat.ports) || peers != b.nat.peers || peers > most {
				r.Fatalf("%d mappings by age, %d by source, %d by port; %d peers, counted as %d; at most %d", n, len(b.nat.mappings), len(b.nat.ports), peers, b.nat.peers, most)
			}
		}
		if err := b.Check(); err != nil {
			r.Fatal(err)
		}
	})
}

func TestPublicAddressesAndPortsComeAroundAgain(t *testing.T) {
	b := newNATBench(t, NATConfig{})
	for range natAddresses - 3 {
		b.nat.RebindAddress()
	}
	if got := b.nat.Addr().String(); got != "100.64.0.254" {
		t.Errorf("the last address is %s, want 100.64.0.254", got)
	}
	b.nat.RebindAddress()
	b.goes("client2", "server") // has the first port
	b.nat.lastPort = lastNATPort - 1
	if got, want := b.goes("client", "server"), "100.64.0.1:65535"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := b.goes("second", "server"); got != secondPublic { // the first port is taken
		t.Errorf("%s, want %s", got, secondPublic)
	}
}

func TestAddNATRefuses(t *testing.T) {
	b := newTestNet(t, 1, nil)
	r := b.router()
	l, done := b.join("l", b.hosts[0], r), b.join("done", b.hosts[0], r)
	if _, err := b.AddNAT(done, r, NATConfig{}); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		link   *Link
		inside Node
		config NATConfig
	}{
		"netem: the NAT of link l is to have router1 inside, where the link does not end": {l, b.router(), NATConfig{}},
		"netem: link done has a NAT already":                                              {done, b.hosts[0], NATConfig{}},
		"netem: the NAT of link l: the timeout is negative":                               {l, r, NATConfig{Timeout: -1}},
		"netem: the NAT of link l: an unknown behavior":                                   {l, r, NATConfig{Filtering: 3}},
		"netem: the NAT of link l: the number of mappings is not between 0 and 64512":     {l, r, NATConfig{MaxMappings: 64513}},
	} {
		if _, err := b.AddNAT(c.link, c.inside, c.config); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestARunningNATIsNotConfiguredAsAnElement(t *testing.T) {
	b := newNATBench(t, NATConfig{})
	if err := b.link.Forward.Configure(natImpostor{}); err == nil || err.Error() != "netem: path link.forward: nat: a running NAT keeps its configuration" {
		t.Errorf("error %v", err)
	}
}

type natImpostor struct{ marker }

func (natImpostor) Kind() string { return "nat" }

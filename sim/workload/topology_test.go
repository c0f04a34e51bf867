package workload_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
)

// bell is a dumbbell with two clients, of which the second has its server
// farther away.
const bell = `
time_limit = "60s"
[quic]
key_exchange = "x25519"
path_mtu_discovery = false
[hosts.near]
[hosts.far]
[hosts.server]
count = 2
[routers.left]
[routers.right]
[links.near]
between = ["near", "left"]
delay = "1ms"
[links.far]
between = ["far", "left"]
delay = "11ms"
[links.middle]
between = ["left", "right"]
rate = "20Mbit/s"
delay = "5ms"
queue = "100packets"
[links.core]
between = ["right", "server"]
delay = "4ms"
[sessions.near]
client = "near"
server = "server-1"
[sessions.far]
client = "far"
server = "server-2"
`

func TestDatagramsCrossADumbbellLinkByLink(t *testing.T) {
	r := complete(t, bell)
	// A datagram is on three links, at the times at which it left the one before.
	hops := make(map[uint64][]packet)
	for _, p := range r.packets {
		hops[p.id] = append(hops[p.id], p)
	}
	delays := map[string]time.Duration{"near": time.Millisecond, "far": 11 * time.Millisecond, "core-1": 4 * time.Millisecond, "core-2": 4 * time.Millisecond}
	for id, way := range hops {
		if len(way) != 3 {
			t.Fatalf("seed %d: datagram %d has %d hops: %+v", r.seed, id, len(way), way)
		}
		for i, p := range way {
			delay, known := delays[p.link]
			if !known { // the queue of the middle is empty but for what came at once
				delay = 5*time.Millisecond + transmission(p.size)
			}
			if got := p.done - p.sent; got < delay || known && got > delay {
				t.Errorf("seed %d: datagram %d took %s on %s, want %s", r.seed, id, got, p.link, delay)
			}
			if i > 0 && p.sent != way[i-1].done {
				t.Errorf("seed %d: datagram %d left %s at %s and entered %s at %s", r.seed, id, way[i-1].link, way[i-1].done, p.link, p.sent)
			}
		}
	}
	r.accounted()
}

func TestEachFlowHasItsOwnRoundTrip(t *testing.T) {
	r := complete(t, bell+`
flows.far = { kind = "echo", transport = "datagram", count = 5 }
[sessions.near.flows.near]
kind = "echo"
transport = "datagram"
count = 5`)
	for flow, least := range map[string]float64{"flows.near": 0.020, "flows.far": 0.040} {
		values := r.values(record.SeriesMessageRTT, flow)
		if len(values) != 5 {
			t.Errorf("seed %d: %s has %d echoes, want 5", r.seed, flow, len(values))
		}
		for _, s := range values {
			if s.Value < least || s.Value > least+0.001 {
				t.Errorf("seed %d: an echo of %s took %v s, want %v and less than a millisecond", r.seed, flow, s.Value, least)
			}
		}
	}
}

func TestAConnectionOutlivesTheRebindingsOfItsNAT(t *testing.T) {
	for _, what := range []string{"port", "address"} {
		for _, filtering := range []string{"endpoint-independent", "address-and-port-dependent"} {
			r := complete(t, pair+`
flows.up = { kind = "upload", size = "5MB" }
flows.down = { kind = "download", size = "5MB" }`,
				`links.path.nat={ inside = "client", filtering = "`+filtering+`" }`, `links.path.rebinds=[{ at = "1s", every = "500ms", what = "`+what+`" }]`)
			r.delivers("flows.up", 5_000_000)
			r.delivers("flows.down", 5_000_000)
			r.accounted()
			for _, s := range slices.Concat(r.values(record.SeriesSmoothedRTT, "connections.main.server"), r.values(record.SeriesMinRTT, "connections.main.server")) {
				if s.Value <= 0 {
					t.Errorf("seed %d: %s, %s: %s is %v at %v", r.seed, what, filtering, s.Name, s.Value, s.Time)
				}
			}
			late := 0
			for _, p := range r.packets {
				if p.fate == netem.Dropped && p.reason == "nat" {
					late++
				}
			}
			if rebound := len(r.all(record.EventLinkChanged, "links.path")); rebound == 0 || late == 0 {
				t.Errorf("seed %d: %s, %s: %d rebindings, %d packets for a mapping that was gone", r.seed, what, filtering, rebound, late)
			}
		}
	}
}

func TestAnswersToAHostBehindANATTakeTheRouteToTheHost(t *testing.T) {
	r := complete(t, `
time_limit = "10s"
[hosts.client]
[hosts.server]
routes = { client = "long" }
[routers.home]
[routers.far]
[links.dsl]
between = ["client", "home"]
delay = "1ms"
nat = "client"
[links.short]
between = ["home", "server"]
delay = "1ms"
[links.long]
between = ["server", "far"]
delay = "1ms"
[links.back]
between = ["far", "home"]
delay = "1ms"
[sessions.main]
client = "client"
server = "server"
flows.ping = { kind = "echo", count = 3 }`)
	if n := len(r.all(record.EventFlowFinished, "flows.ping")); n != 1 {
		t.Fatalf("seed %d: the echo finished %d times", r.seed, n)
	}
	for _, p := range r.packets {
		if p.link == "short" && p.direction == record.Reverse {
			t.Fatalf("seed %d: an answer took the short way at %s", r.seed, p.sent)
		}
	}
}

// phone has a client with two links to its server.
const phone = `
time_limit = "60s"
[quic]
key_exchange = "x25519"
[hosts.client]
[hosts.server]
[links.wifi]
between = ["client", "server"]
rate = "20Mbit/s"
delay = "5ms"
[links.lte]
between = ["client", "server"]
rate = "10Mbit/s"
delay = "30ms"
[sessions.main]
client = "client"
server = "server"
`

func TestAClientMovesToItsOtherLinkAndBack(t *testing.T) {
	r := complete(t, phone+`
migrations = [{ at = "1s", link = "lte" }, { at = "3s", link = "wifi" }]
flows.down = { kind = "download", duration = "4s" }`)
	r.accounted()
	moves := r.all(record.EventMigrated, "connections.main")
	if len(moves) != 2 || moves[0].Text != "lte" || moves[1].Text != "wifi" {
		t.Fatalf("seed %d: the moves are %+v", r.seed, moves)
	}
	client, server := r.run.Connections[0], r.run.Connections[1]
	if got := fmt.Sprint(client.Host, client.Addresses); got != "client[10.0.0.1:49152 172.16.0.2:49153 172.16.0.0:49154]" {
		t.Errorf("seed %d: the client's end is %s", r.seed, got)
	}
	if got := fmt.Sprint(server.Host, server.Addresses); got != "server[10.0.0.2:443]" {
		t.Errorf("seed %d: the server's end is %s", r.seed, got)
	}
	// A path is known to work after a round trip on it.
	for i, least := range []time.Duration{time.Second + 60*time.Millisecond, 3*time.Second + 10*time.Millisecond} {
		if at := moves[i].Time; at < least || at > least+20*time.Millisecond {
			t.Errorf("seed %d: the client moves to %s at %s, want %s and little more", r.seed, moves[i].Text, at, least)
		}
	}
	// What is sent long after a move is on the new link alone.
	for _, p := range r.packets {
		want := "wifi"
		if p.sent > moves[0].Time+200*time.Millisecond && p.sent < 3*time.Second {
			want = "lte"
		} else if p.sent >= time.Second && p.sent < moves[1].Time+200*time.Millisecond {
			continue
		}
		if p.link != want {
			t.Errorf("seed %d: a packet is sent on %s at %s, want %s", r.seed, p.link, p.sent, want)
			break
		}
	}
}

func TestSessionsOfAGroupThatShareAConnectionMoveItOnce(t *testing.T) {
	r := complete(t, phone+`
connection = "shared"
count = 3
migrations = [{ at = "1s", link = "lte" }]
flows.ping = { kind = "echo", duration = "2s" }`)
	if moves := r.all(record.EventMigrated, "connections.shared"); len(moves) != 1 {
		t.Errorf("seed %d: the moves are %+v, want one", r.seed, moves)
	}
}

func TestAMoveToALinkThatIsDownFails(t *testing.T) {
	r := complete(t, phone+`
migrations = [{ at = "1s", link = "lte" }]
flows.down = { kind = "download", duration = "4s" }`,
		`links.lte.outages=[{ at = "0s", for = "1h" }]`)
	if n := len(r.all(record.EventMigrated, "connections.main")); n != 0 {
		t.Errorf("seed %d: the client moved %d times", r.seed, n)
	}
	if n := len(r.all(record.EventFlowFinished, "flows.down")); n != 1 {
		t.Errorf("seed %d: the download finished %d times", r.seed, n)
	}
}

func TestTheDescriptionOfAFlowHasItsWayAndItsRoundTrip(t *testing.T) {
	r := complete(t, bell+`
[sessions.near.flows.down]
kind = "download"
size = "10KB"
[sessions.far.flows.up]
kind = "upload"
size = "10KB"
`)
	want := map[string]struct {
		way []string
		rtt time.Duration
	}{
		"flows.down": {[]string{"links.core-1.reverse", "links.middle.reverse", "links.near.reverse"}, 20 * time.Millisecond},
		"flows.up":   {[]string{"links.far.forward", "links.middle.forward", "links.core-2.forward"}, 40 * time.Millisecond},
	}
	for _, f := range r.run.Flows {
		if w, known := want[f.Entity]; !known || !slices.Equal(f.Way, w.way) || f.RTT != w.rtt {
			t.Errorf("seed %d: %s takes %q and %s there and back, want %q and %s", r.seed, f.Entity, f.Way, f.RTT, w.way, w.rtt)
		}
	}
	if len(r.run.Flows) != len(want) {
		t.Errorf("seed %d: %d flows, want %d", r.seed, len(r.run.Flows), len(want))
	}
}

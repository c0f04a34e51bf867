package workload_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
)

func TestASessionIsSetUpInTwoRoundTrips(t *testing.T) {
	r := complete(t, pair+`close = { at = "1s" }`)
	handshake := r.only(record.EventHandshakeComplete, "connections.main", "client")
	// The first flights are of two full packets, and the ServerHello of the first
	// is out of the way when the second has arrived.
	r.at(handshake, 2*oneWay+2*transmission(1280), 5*time.Microsecond)
	r.at(r.only(record.EventSettings, "sessions.main", "client"), handshake.Time, time.Millisecond)
	r.at(r.only(record.EventConnectReceived, "sessions.main", "server"), handshake.Time+oneWay, time.Millisecond)
	r.at(r.only(record.EventEstablished, "sessions.main", "client"), 4*oneWay, 3*time.Millisecond)
}

func TestEitherEndCloses(t *testing.T) {
	for _, by := range []string{"client", "server"} {
		t.Run(by, func(t *testing.T) {
			r := complete(t, pair+fmt.Sprintf(`close = { at = "1s", by = %q, code = 42, reason = "enough" }`, by))
			peer := map[string]string{"client": "server", "server": "client"}[by]
			r.at(r.only(record.EventCloseCalled, "sessions.main", by), time.Second, 0)
			r.at(r.only(record.EventCloseSent, "sessions.main", by), time.Second, 0)
			r.closedWith(r.only(record.EventCloseCalled, "sessions.main", by), 42, "enough")
			// The capsule is in one small packet.
			notified := r.only(record.EventCloseNotified, "sessions.main", peer)
			r.at(notified, time.Second+oneWay, 200*time.Microsecond)
			r.closedWith(notified, 42, "enough")
			r.closedWith(r.only(record.EventCloseNotified, "sessions.main", by), 42, "enough")
			for _, side := range []string{"client", "server"} {
				r.only(record.EventLastStreamEnded, "sessions.main", side)
				r.only(record.EventConnectStreamDone, "sessions.main", side)
				r.at(r.only(record.EventSessionGone, "sessions.main", side), time.Second+2*oneWay, 2*oneWay)
				r.closedWith(r.only(record.EventConnectionClosed, "connections.main", side), 0x100, "") // H3_NO_ERROR
			}
			r.accounted()
		})
	}
}

func TestEitherEndDrainsASessionThatGoesOn(t *testing.T) {
	for _, by := range []string{"client", "server"} {
		t.Run(by, func(t *testing.T) {
			r := complete(t, pair+`
drain = { at = "500ms", by = "`+by+`" }
close = { at = "1s" }
flows.voice = { kind = "media", rate = "50Hz", count = 30 }`)
			asked := r.only(record.EventDrainSent, "sessions.main", by)
			r.at(asked, 500*time.Millisecond, 0)
			r.at(r.only(record.EventDrainNotified, "sessions.main", by), 500*time.Millisecond, 0)
			peer, direction := "server", record.Forward
			if by == "server" {
				peer, direction = "client", record.Reverse
			}
			r.at(r.only(record.EventDrainNotified, "sessions.main", peer), asked.Time+r.crossing(direction, asked.Time), 0)
			r.at(r.only(record.EventCloseCalled, "sessions.main", "client"), time.Second, 0)
			if got := r.all(record.EventMessageGot, "flows.voice"); len(got) != 30 {
				t.Errorf("seed %d: %d frames arrived, want 30", r.seed, len(got))
			}
			r.accounted()
		})
	}
}

func TestEitherEndClosesTheConnection(t *testing.T) {
	for _, by := range []string{"client", "server"} {
		t.Run(by, func(t *testing.T) {
			r := complete(t, pair+fmt.Sprintf(`
close = { at = "1s", by = %q, code = 7, reason = "gone", how = "connection" }
[sessions.main.flows.bulk]
kind = "download"
size = "100MB"
streams = 4
[sessions.main.flows.voice]
kind = "media"`, by))
			peer := map[string]string{"client": "server", "server": "client"}[by]
			r.closedWith(r.only(record.EventCloseCalled, "sessions.main", by), 7, "gone")
			for _, side := range []string{by, peer} {
				r.closedWith(r.only(record.EventCloseNotified, "sessions.main", side), 7, "gone")
				r.closedWith(r.only(record.EventConnectionClosed, "connections.main", side), 7, "gone")
			}
			r.at(r.only(record.EventConnectionClosed, "connections.main", by), time.Second, 0)
			if e := r.only(record.EventConnectionClosed, "connections.main", peer); e.Time < time.Second+oneWay {
				t.Errorf("seed %d: the %s knew at %s", r.seed, peer, e.Time)
			}
			r.failed("flows.bulk", "gone")
			r.finished("flows.voice")
			r.accounted()
		})
	}
}

func TestASessionWithoutACloseEndsWithItsFlows(t *testing.T) {
	r := complete(t, pair+`
[sessions.main.flows.short]
kind = "download"
size = "10KB"
[sessions.main.flows.long]
kind = "download"
start = "2s"
size = "10KB"`)
	r.at(r.only(record.EventCloseCalled, "sessions.main", "client"), r.finished("flows.long").Time, 0)
	if first := r.finished("flows.short"); first.Time > time.Second {
		t.Errorf("seed %d: the first flow ended at %s", r.seed, first.Time)
	}
}

func TestASessionWithoutFlowsAndCloseEndsAtOnce(t *testing.T) {
	r := complete(t, pair)
	r.at(r.only(record.EventCloseCalled, "sessions.main", "client"), r.only(record.EventEstablished, "sessions.main", "client").Time, 0)
}

func TestASessionLeftOpenStaysOpen(t *testing.T) {
	r := complete(t, pair+`
close = { how = "none" }
quic = { keep_alive = "1s", idle_timeout = "3s" }
[sessions.main.flows.bulk]
kind = "download"
size = "10KB"
[sessions.main.flows.voice]
kind = "media"
[sessions.other]
client = "client"
server = "server"
close = { at = "20s" }`)
	for _, kind := range []string{record.EventCloseCalled, record.EventCloseNotified} {
		if got := r.all(kind, "sessions.main"); len(got) > 0 {
			t.Errorf("seed %d: %v", r.seed, got)
		}
	}
	if got := r.all(record.EventConnectionClosed, "connections.main"); len(got) > 0 {
		t.Errorf("seed %d: the connection was closed: %v", r.seed, got)
	}
	r.finished("flows.bulk")
	if got := len(r.all(record.EventMessageGot, "flows.voice")); got < 990 {
		t.Errorf("seed %d: %d frames of 20 s arrived at 50 Hz", r.seed, got)
	}
}

func TestSessionsShareAConnection(t *testing.T) {
	r := complete(t, pair+`
connection = "shared"
close = { at = "2s", code = 1 }
[sessions.main.flows.a]
kind = "download"
size = "100KB"
[sessions.late]
client = "client"
server = "server"
connection = "shared"
path = "/late?q=1"
start = "1s"
close = { at = "3s", by = "server", code = 2, reason = "late" }
[sessions.late.flows.b]
kind = "upload"
size = "100KB"
[sessions.group]
client = "client"
server = "server"
connection = "shared"
start = "1500ms"
count = 3
stagger = "100ms"
[sessions.group.flows.c]
kind = "echo"
transport = "datagram"
count = 5`)
	r.only(record.EventDialStarted, "connections.shared", "client")
	r.only(record.EventConnectionClosed, "connections.shared", "server")
	r.at(r.only(record.EventConnectSent, "sessions.late", "client"), time.Second, 0)
	r.at(r.only(record.EventEstablished, "sessions.late", "client"), time.Second+2*oneWay, time.Millisecond)
	r.closedWith(r.only(record.EventCloseNotified, "sessions.main", "server"), 1, "")
	r.closedWith(r.only(record.EventCloseNotified, "sessions.late", "client"), 2, "late")
	r.delivers("flows.a", 100_000)
	r.delivers("flows.b", 100_000)
	for n := range 3 {
		name := fmt.Sprintf("sessions.group-%d", n+1)
		r.at(r.only(record.EventConnectSent, name, "client"), 1500*time.Millisecond+time.Duration(n)*100*time.Millisecond, 0)
		r.delivers(name+".flows.c", 500)
	}
	if got := r.run.Sessions[2]; got != (record.Session{Entity: "sessions.group-1", Connection: "connections.shared", Group: "sessions.group"}) {
		t.Errorf("the group's first session is described as %+v", got)
	}
	r.accounted()
}

func TestAGroupHasAConnectionForEachSession(t *testing.T) {
	r := complete(t, pair+`
count = 20
stagger = "10ms"
[sessions.main.flows.bulk]
kind = "download"
size = "10KB"`)
	for n := range 20 {
		r.at(r.only(record.EventDialStarted, fmt.Sprintf("connections.main-%d", n+1), "client"), time.Duration(n)*10*time.Millisecond, 0)
		r.delivers(fmt.Sprintf("sessions.main-%d.flows.bulk", n+1), 10_000)
	}
}

func TestAHandshakeThatFailsIsAResult(t *testing.T) {
	r := complete(t, pair+`
close = { at = "30s" }
quic = { handshake_timeout = "2s" }
[sessions.main.flows.bulk]
kind = "download"
size = "10KB"
[sessions.main.flows.voice]
kind = "media"`, "links.path.loss=1.0")
	failed := r.only(record.EventSessionFailed, "sessions.main", "client")
	if !strings.Contains(failed.Text, "dialling: ") || !strings.Contains(failed.Text, "timeout") {
		t.Errorf("the session failed because of %q", failed.Text)
	}
	r.failed("flows.bulk", "timeout")
	r.failed("flows.voice", "timeout")
	for _, p := range r.packets {
		if p.reason != "loss" {
			t.Errorf("a packet had the fate %v", p)
		}
	}
	r.accounted()
}

// A server that gives up on a handshake sooner than its client sees a new
// connection with each retransmission.
func TestAServerMaySeeSeveralConnectionsOfAClient(t *testing.T) {
	r := complete(t, pair+`
[hosts.server.quic]
handshake_timeout = "200ms"
[hosts.client.quic]
handshake_timeout = "10s"`, "links.path.reverse.loss=1.0")
	if closed := r.all(record.EventConnectionClosed, "connections.main"); len(closed) < 2 {
		t.Errorf("seed %d: the server saw %d connections", r.seed, len(closed))
	}
	r.only(record.EventSessionFailed, "sessions.main", "client")
}

func TestAnAnswerThatIsLostFailsTheSession(t *testing.T) {
	r := complete(t, pair+`
quic = { idle_timeout = "2s" }
close = { at = "30s" }
[sessions.main.flows.bulk]
kind = "download"
size = "10KB"
[[links.path.changes]]
at = "60ms" # CONNECT is on its way
loss = 1.0`)
	r.only(record.EventEstablished, "sessions.main", "server")
	r.only(record.EventSessionFailed, "sessions.main", "client")
	r.failed("flows.bulk", "")
}

func TestABlackHoleEndsTheConnectionByItsIdleTimeout(t *testing.T) {
	r := complete(t, pair+`
close = { at = "50s" }
quic = { idle_timeout = "4s" }
[sessions.main.flows.bulk]
kind = "download"
size = "100MB"
[sessions.main.flows.ping]
kind = "echo"
transport = "datagram"
rate = "1000Hz"
[[links.path.changes]]
at = "2s"
loss = 1.0`)
	for _, side := range []string{"client", "server"} {
		e := r.only(record.EventConnectionClosed, "connections.main", side)
		if !strings.Contains(e.Text, "timeout") || e.Time < 5*time.Second || e.Time > 8*time.Second {
			t.Errorf("seed %d: the %s lost the connection at %s: %s", r.seed, side, e.Time, e.Text)
		}
	}
	r.failed("flows.bulk", "timeout")
	r.finished("flows.ping")
}

func TestASessionIsNotClosedBecauseTheOtherEndLostIt(t *testing.T) {
	r := complete(t, pair+`
quic = { idle_timeout = "4s" }
[sessions.main.flows.bulk]
kind = "download"
size = "100MB"
[[links.path.changes]]
at = "2s"
loss = 1.0`)
	r.failed("flows.bulk", "timeout")
	// One end times out first. The other one cannot know that the download, which
	// was to end the session, is over.
	if closes := r.all(record.EventCloseCalled, "sessions.main"); len(closes) > 0 {
		t.Errorf("seed %d: close was called: %+v", r.seed, closes)
	}
}

// max_streams = 1 is used up by the CONNECT stream.
func TestAStuckRunSaysWhichFlowsItWaitsFor(t *testing.T) {
	const stuck = pair + `
[quic]
max_streams = 1
[sessions.main.flows.ask]
kind = "download"
direction = "bidi"
size = "10KB"`
	text := strings.Replace(stuck, "[quic]\nkey_exchange = \"x25519\"\npath_mtu_discovery = false\n", "", 1)
	t.Run("stalled", func(t *testing.T) {
		r := simulate(t, parse(t, text, "quic.idle_timeout=10h"))
		var stalled *sim.StalledError
		if !errors.As(r.err, &stalled) {
			t.Fatalf("error: %v", r.err)
		}
		for _, want := range []string{"client/flows.ask waits in", "server/flows.ask waits in", "client/connections.main waits in"} {
			if !strings.Contains(r.err.Error(), want) {
				t.Errorf("%v\nwant %q", r.err, want)
			}
		}
	})
	t.Run("at its time limit", func(t *testing.T) {
		r := simulate(t, parse(t, text, "quic.idle_timeout=10h", "quic.keep_alive=1s", "time_limit=3s"))
		var limit *sim.TimeLimitError
		if !errors.As(r.err, &limit) || r.result.Elapsed != 3*time.Second {
			t.Fatalf("error: %v after %s", r.err, r.result.Elapsed)
		}
		if !strings.Contains(r.err.Error(), "client/flows.ask waits in") {
			t.Error(r.err)
		}
	})
}

func TestSessionsTakeTurnsWhereStreamsAreFew(t *testing.T) {
	r := complete(t, pair+`
quic = { max_streams = 1 }
connection = "shared"
count = 3
[sessions.main.flows.bulk]
kind = "download"
size = "10KB"`)
	last := time.Duration(0)
	for n := range 3 {
		established := r.only(record.EventEstablished, fmt.Sprintf("sessions.main-%d", n+1), "client")
		if established.Time <= last {
			t.Errorf("seed %d: session %d was established at %s, while the one before was open", r.seed, n+1, established.Time)
		}
		last = r.only(record.EventConnectStreamDone, fmt.Sprintf("sessions.main-%d", n+1), "server").Time
		r.delivers(fmt.Sprintf("sessions.main-%d.flows.bulk", n+1), 10_000)
	}
}

func TestASessionThatClosesResetsTheStreamsThatItStillHas(t *testing.T) {
	r := complete(t, pair+`
close = { at = "1s", by = "client" }
[sessions.main.flows.bulk]
kind = "download"
size = "100MB"
streams = 4`)
	streams := map[int64]bool{}
	for _, e := range r.all(record.EventStreamReset, "connections.main") {
		if streams[e.Value] || e.Side != "server" || e.Text != "0x170d7b68" { // WT_SESSION_GONE
			t.Errorf("seed %d: %+v, want each stream to be reset once, by the server, as its session is gone", r.seed, e)
		}
		streams[e.Value] = true
	}
	opened := r.all(record.EventStreamOpened, "flows.bulk")
	if len(opened) != 4 {
		t.Errorf("seed %d: %d streams were opened, want 4", r.seed, len(opened))
	}
	for _, e := range opened {
		if !streams[e.Value] {
			t.Errorf("seed %d: stream %d is not reset", r.seed, e.Value)
		}
		delete(streams, e.Value)
	}
	if len(streams) > 0 {
		t.Errorf("seed %d: other streams are reset: %v", r.seed, streams)
	}
}

func TestTheSeriesOfWhatAnEndSentEndWithAllPacketsAndTheirBytes(t *testing.T) {
	r := complete(t, pair+`
[sessions.main.flows.bulk]
kind = "download"
size = "1MB"`)
	var payload [2]int64
	for _, p := range r.packets {
		payload[p.direction] += int64(p.size)
	}
	for i, end := range r.run.Connections { // the client is the first host of the link
		bytes, packets := r.values(record.SeriesSentBytes, end.Entity), r.values(record.SeriesSentPackets, end.Entity)
		if got := bytes[len(bytes)-1].Value; got != float64(payload[i]) {
			t.Errorf("seed %d: %s sent %v bytes in packets and %d in datagrams", r.seed, end.Entity, got, payload[i])
		}
		if got := packets[len(packets)-1].Value; got != float64(end.Sent) {
			t.Errorf("seed %d: %s sent %v packets, and %d as described", r.seed, end.Entity, got, end.Sent)
		}
	}
}

func TestTheDescriptionHasThePacketsThatEachEndOfAConnectionSent(t *testing.T) {
	r := complete(t, pair+`
[sessions.main.flows.bulk]
kind = "download"
size = "1MB"`)
	ends := r.run.Connections
	if len(ends) != 2 || ends[0].Entity != "connections.main.client" || ends[1].Entity != "connections.main.server" {
		t.Fatalf("seed %d: ends %+v, want the client and the server", r.seed, ends)
	}
	// A megabyte needs more than 600 packets; what the client sends is mostly
	// acknowledgments, which elicit none.
	var datagrams uint64
	for _, p := range r.packets {
		if p.direction == record.Reverse {
			datagrams++
		}
	}
	if server := ends[1].Sent; server < 600 || server > datagrams+5 { // of the handshake there are several packets in one
		t.Errorf("seed %d: the server sent %d ack-eliciting packets in %d datagrams", r.seed, server, datagrams)
	}
	if client := ends[0].Sent; client == 0 || client > 100 {
		t.Errorf("seed %d: the client sent %d ack-eliciting packets", r.seed, client)
	}
}

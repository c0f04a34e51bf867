package workload_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/sim/workload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reporter is what *testing.T and *rapid.T have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// recording keeps what a run records in memory.
type recording struct {
	t        reporter
	seed     uint64
	scenario *scenario.Scenario
	run      record.Run
	result   sim.Result
	err      error

	events      []record.Event
	samples     []record.Sample
	packets     []packet
	fingerprint record.Fingerprint
}

// packet is what became of a datagram.
type packet struct {
	id        uint64
	link      string
	direction record.Direction
	sent      time.Duration
	done      time.Duration
	size      netem.Bytes
	ecn       netem.ECN
	fate      netem.Fate
	reason    string
}

func (r *recording) Event(e record.Event)   { r.events = append(r.events, e) }
func (r *recording) Sample(s record.Sample) { r.samples = append(r.samples, s) }

// parse reads a scenario.
func parse(t testing.TB, text string, overrides ...string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("test.toml", []byte(text), overrides...)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return s
}

// simulate runs a scenario.
func simulate(t reporter, s *scenario.Scenario) *recording {
	t.Helper()
	r := &recording{t: t, seed: s.Seed, scenario: s}
	var work *workload.Workload
	names := make(map[*netem.Path]packet)
	config := sim.Config{Seed: s.Seed, TimeLimit: s.TimeLimit, Observe: func(o netem.Outcome) {
		p := names[o.Path]
		p.id, p.size, p.ecn, p.fate, p.reason = o.Packet.ID, o.Packet.Size(), o.Packet.ECN, o.Fate, o.Reason
		p.sent, p.done = o.Packet.Sent, o.At
		r.packets = append(r.packets, p)
		r.fingerprint.Packet(&record.Packet{
			Sent: o.Packet.Sent, Done: o.At, Link: p.link, Direction: p.direction, Source: o.Packet.Source, Dest: o.Packet.Dest,
			Size: o.Packet.Size(), ECN: uint8(o.Packet.ECN), SentECN: uint8(o.Packet.SentECN), Fate: record.Fate(o.Fate), Reason: o.Reason,
		})
	}}
	r.result, r.err = sim.Run(config, func(w *sim.World) (err error) {
		if work, err = workload.Build(w, s, r, workload.Options{}); err != nil {
			return err
		}
		for name, paths := range work.Paths() {
			for i, p := range paths {
				names[p] = packet{link: name, direction: record.Direction(i)}
			}
		}
		return nil
	})
	work.Describe(&r.run)
	return r
}

// complete is simulate for a scenario that is to end by itself.
func complete(t testing.TB, text string, overrides ...string) *recording {
	t.Helper()
	r := simulate(t, parse(t, text, overrides...))
	if r.err != nil {
		t.Fatalf("seed %d: %v", r.seed, r.err)
	}
	return r
}

// all returns the events of a kind and entity, at either side.
func (r *recording) all(kind, entity string) []record.Event {
	return slices.DeleteFunc(slices.Clone(r.events), func(e record.Event) bool { return e.Kind != kind || e.Entity != entity })
}

// only returns the one event of a kind, entity and side.
func (r *recording) only(kind, entity, side string) record.Event {
	r.t.Helper()
	found := slices.DeleteFunc(r.all(kind, entity), func(e record.Event) bool { return e.Side != side })
	if len(found) != 1 {
		r.t.Fatalf("seed %d: %d events %s of %s at %q, want 1:\n%s", r.seed, len(found), kind, entity, side, r.story())
	}
	return found[0]
}

// values returns the samples of a series of an entity.
func (r *recording) values(name, entity string) []record.Sample {
	return slices.DeleteFunc(slices.Clone(r.samples), func(s record.Sample) bool { return s.Name != name || s.Entity != entity })
}

// story tells the events of a run, but not the messages.
func (r *recording) story() string {
	var b strings.Builder
	for _, e := range r.events {
		if e.Kind != record.EventMessageGot && e.Kind != record.EventMessageSent {
			fmt.Fprintf(&b, "%12s %-26s %s %s %d %s\n", e.Time, e.Kind, e.Entity, e.Side, e.Value, e.Text)
		}
	}
	return b.String()
}

// finished checks that a flow ended well, and returns how.
func (r *recording) finished(entity string) record.Event {
	r.t.Helper()
	return r.only(record.EventFlowFinished, entity, "")
}

// failed checks that a flow ended for the given reason.
func (r *recording) failed(entity, reason string) record.Event {
	r.t.Helper()
	e := r.only(record.EventFlowFailed, entity, "")
	if !strings.Contains(e.Text, reason) {
		r.t.Errorf("seed %d: %s failed because of %q, want %q", r.seed, entity, e.Text, reason)
	}
	return e
}

// delivers checks that a flow delivered a number of bytes.
func (r *recording) delivers(entity string, want netem.Bytes) {
	r.t.Helper()
	if e := r.finished(entity); e.Value != int64(want) {
		r.t.Errorf("seed %d: %s delivered %d bytes, want %d", r.seed, entity, e.Value, int64(want))
	}
	if v := r.values(record.SeriesDelivered, entity); len(v) == 0 || v[len(v)-1].Value != float64(want) {
		r.t.Errorf("seed %d: the samples of %s end with %v, want %d", r.seed, entity, v, int64(want))
	}
}

// crossing is how long it takes the last of the packets that enter a direction
// of the empty link of pair at a time to leave it.
func (r *recording) crossing(d record.Direction, at time.Duration) time.Duration {
	took := oneWay
	for _, p := range r.packets {
		if p.direction == d && p.sent == at {
			took += transmission(p.size)
		}
	}
	return took
}

// roundTrip is how long what the client sends at a time, and what the server
// answers at once, take on an empty link.
func (r *recording) roundTrip(at time.Duration) time.Duration {
	there := r.crossing(record.Forward, at)
	return there + r.crossing(record.Reverse, at+there)
}

// at checks when something happened.
func (r *recording) at(e record.Event, want, tolerance time.Duration) {
	r.t.Helper()
	if diff := e.Time - want; diff < -tolerance || diff > tolerance {
		r.t.Errorf("seed %d: %s of %s at %s, want %s ± %s", r.seed, e.Kind, e.Entity, e.Time, want, tolerance)
	}
}

// closedWith checks the code and reason with which an end learned of the close.
func (r *recording) closedWith(e record.Event, code int64, reason string) {
	r.t.Helper()
	if e.Value != code || e.Text != reason {
		r.t.Errorf("seed %d: %s of %s at the %s has code %d and reason %q, want %d and %q",
			r.seed, e.Kind, e.Entity, e.Side, e.Value, e.Text, code, reason)
	}
}

// accounted checks that every datagram has one fate on each path that it takes,
// and one more there for each copy, and that the counters of the links agree.
func (r *recording) accounted() {
	r.t.Helper()
	type path struct {
		link      string
		direction record.Direction
	}
	fates, known := make(map[path]map[uint64]uint64), make(map[uint64]bool)
	for _, p := range r.packets {
		on := path{p.link, p.direction}
		if fates[on] == nil {
			fates[on] = make(map[uint64]uint64)
		}
		fates[on][p.id]++
		known[p.id] = true
	}
	for id := uint64(1); id <= r.result.Datagrams; id++ {
		if !known[id] {
			r.t.Errorf("seed %d: datagram %d of %d has no fate", r.seed, id, r.result.Datagrams)
		}
	}
	var copies uint64
	for _, l := range r.run.Links {
		for direction, c := range []record.Counters{l.Forward, l.Reverse} {
			copies += c.Duplicated.Packets
			out := c.Out.Packets + c.Queued.Packets
			for _, d := range c.Dropped {
				out += d.Packets
			}
			var told uint64
			for _, n := range fates[path{l.Name, record.Direction(direction)}] {
				told += n
			}
			if in := c.In.Packets + c.Duplicated.Packets; in != out || in != told {
				r.t.Errorf("seed %d: link %s took in and duplicated %d packets, accounts for %d and told of %d", r.seed, l.Name, in, out, told)
			}
		}
	}
	for on, ids := range fates {
		for id, n := range ids {
			if n > 1 && copies == 0 {
				r.t.Errorf("seed %d: datagram %d has %d fates on link %s, %s", r.seed, id, n, on.link, on.direction)
			}
		}
	}
}

// A link of 20 Mbit/s and 50 ms, a small ClientHello and packets of one size.
const pair = `
time_limit = "60s"
[quic]
key_exchange = "x25519"
path_mtu_discovery = false
[hosts.client]
[hosts.server]
[links.path]
between = ["client", "server"]
rate = "20Mbit/s"
delay = "25ms"
queue = "10MB"
[sessions.main]
client = "client"
server = "server"
`

const oneWay = 25 * time.Millisecond

// transmission is how long the link of pair takes to transmit UDP payload.
func transmission(payload netem.Bytes) time.Duration {
	return (20 * netem.MbitPerSecond).TransmissionTime(payload + netem.HeaderIPv4)
}

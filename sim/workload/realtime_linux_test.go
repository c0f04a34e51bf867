package workload_test

import (
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/workload"
)

// busy has every kind of flow and what else records, on a link that adds nothing to
// how long the system takes: what follows on the wire comes as soon as it can.
const busy = `
time_limit = "60s"
[quic]
resumption = "tickets"
[hosts.client]
[hosts.server]
[links.path]
between = ["client", "server"]
changes = [{ at = "50ms", delay = "1us" }]
[traffic.noise]
from = "client"
to = "server"
kind = "cbr"
rate = "1Mbit/s"
size = "200B"
stop = "200ms"
[sessions.main]
count = 4
client = "client"
server = "server"
flows.down = { kind = "download", size = "200KB", streams = 5 }
flows.up = { kind = "upload", size = "200KB", streams = 5, direction = "bidi" }
flows.get = { kind = "request", size = "10KB", count = 5 }
flows.ping = { kind = "echo", transport = "datagram", rate = "500Hz", size = "100B", count = 100 }
flows.line = { kind = "echo", transport = "stream", rate = "500Hz", size = "100B", count = 100 }
flows.voice = { kind = "media", from = "client", transport = "datagram", rate = "500Hz", size = "100B", count = 100 }
flows.video = { kind = "media", from = "server", transport = "stream", rate = "200Hz", size = "2KB", count = 40 }
flows.track = { kind = "media", from = "server", transport = "one-stream", rate = "200Hz", size = "2KB", count = 40 }
[sessions.batons]
path = "/batons"
client = "client"
server = "server"
flows.baton = { kind = "baton", count = 3, baton = 200 }
`

// closing counts the files that are open.
type closing struct{ open *int }

func (closing) Write(b []byte) (int, error) { return len(b), nil }
func (c closing) Close() error              { *c.open--; return nil }

func TestInRealTimeWhatIsRecordedIsWholeAndInOrder(t *testing.T) {
	s := parse(t, busy)
	r := &recording{t: t, seed: s.Seed, scenario: s}
	files := 0
	options := workload.Options{KeyLog: io.Discard, QLog: func(string) io.WriteCloser { files++; return closing{&files} }}
	config := sim.Config{Seed: s.Seed, TimeLimit: s.TimeLimit, RealTime: &sim.RealTime{}, Observe: func(netem.Outcome) {}}
	var work *workload.Workload
	_, err := sim.Run(config, func(w *sim.World) (err error) {
		work, err = workload.Build(w, s, r, options)
		return err
	})
	if err != nil {
		t.Fatalf("seed %d: %v", s.Seed, err)
	}
	work.Describe(&r.run)
	if files != 0 {
		t.Errorf("seed %d: %d qlog files were not closed", s.Seed, files)
	}
	if lost := work.Unrecorded(); lost != 0 {
		t.Errorf("seed %d: %d events and samples were not recorded", s.Seed, lost)
	}
	if !slices.IsSortedFunc(r.events, func(a, b record.Event) int { return int(a.Time - b.Time) }) {
		t.Errorf("seed %d: the events are not in the order of their times", s.Seed)
	}
	causes := map[string]string{
		record.EventMessageGot:      record.EventMessageSent,
		record.EventFirstByte:       record.EventStreamOpened,
		record.EventConnectReceived: record.EventConnectSent,
	}
	happened := make(map[string]int)
	name := func(kind string, e record.Event) string {
		if kind == record.EventConnectSent {
			return kind + " of " + e.Entity
		}
		return fmt.Sprintf("%s %d of %s", kind, e.Value, e.Entity)
	}
	for _, e := range r.events {
		happened[name(e.Kind, e)]++
		if cause := causes[e.Kind]; cause != "" && happened[name(cause, e)] != 1 {
			t.Errorf("seed %d: %s at %s comes after %d times %s", s.Seed, name(e.Kind, e), e.Time, happened[name(cause, e)], cause)
		}
	}
	last := make(map[string]record.Sample)
	for _, v := range r.samples {
		if v.Name != record.SeriesDelivered {
			continue
		}
		if was := last[v.Entity]; v.Value <= was.Value || v.Time < was.Time {
			t.Errorf("seed %d: %s delivered %v until %s and then %v until %s", s.Seed, v.Entity, was.Value, was.Time, v.Value, v.Time)
		}
		last[v.Entity] = v
	}
	for _, f := range r.run.Flows {
		ended := r.all(record.EventFlowFinished, f.Entity)
		if len(ended) != 1 || ended[0].Value <= 0 {
			t.Errorf("seed %d: the ends of %s are %v:\n%v", s.Seed, f.Entity, ended, r.all(record.EventFlowFailed, f.Entity))
		}
	}
	if len(r.run.Flows) != 4*8+1 || len(r.all(record.EventSessionGone, "sessions.main-1")) != 2 {
		t.Errorf("seed %d: the run was %d flows, and\n%s", s.Seed, len(r.run.Flows), r.story())
	}
}

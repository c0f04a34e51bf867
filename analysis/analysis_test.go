package analysis_test

import (
	"encoding/json"
	"math"
	"net/netip"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
)

const ms = time.Millisecond

var (
	client = netip.MustParseAddrPort("10.0.0.1:1000")
	server = netip.MustParseAddrPort("10.0.0.2:443")
)

// made is a recording made by hand.
type made struct {
	run     record.Run
	packets []record.Packet
	samples []record.Sample
	events  []record.Event
}

func (m made) recording(t testing.TB) *record.Recording {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.packets {
		w.Packet(&m.packets[i])
	}
	for _, s := range m.samples {
		w.Sample(s)
	}
	for _, e := range m.events {
		w.Event(e)
	}
	if err := w.Close(m.run); err != nil {
		t.Fatal(err)
	}
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func (m made) metrics(t testing.TB) analysis.Metrics {
	t.Helper()
	metrics, err := analysis.Compute(m.recording(t))
	if err != nil {
		t.Fatal(err)
	}
	return metrics
}

// want checks metrics against values that were computed by hand; NaN means
// that the metric must be left out.
func want(t *testing.T, got analysis.Metrics, values map[string]float64) {
	t.Helper()
	for name, value := range values {
		m, ok := got.Get(name)
		switch {
		case math.IsNaN(value) && ok:
			t.Errorf("%s is %v, and should be left out", name, m.Value)
		case math.IsNaN(value):
		case !ok:
			t.Errorf("%s is missing", name)
		case math.Abs(m.Value-value) > 1e-9*math.Max(1, math.Abs(value)):
			t.Errorf("%s = %v %s, want %v", name, m.Value, m.Unit, value)
		}
	}
}

var none = math.NaN()

func packet(sent, wait, done time.Duration, size int64) record.Packet {
	return record.Packet{Link: "access", Source: client, Dest: server, Size: netem.Bytes(size), Sent: sent, QueueDelay: wait, Done: done}
}

func TestAGroupHasTheStatisticsOfItsMembers(t *testing.T) {
	m := made{run: record.Run{Virtual: 10 * time.Second}}
	for i, name := range []string{"crowd-1", "crowd-2", "crowd-3", "crowd-10"} {
		flow := "sessions." + name + ".flows.bulk"
		m.run.Sessions = append(m.run.Sessions, record.Session{Entity: "sessions." + name, Connection: "connections." + name, Group: "sessions.crowd"})
		m.run.Flows = append(m.run.Flows, record.Flow{Entity: flow, Kind: "download", Session: "sessions." + name, Group: "sessions.crowd.flows.bulk"})
		m.events = append(m.events,
			record.Event{Kind: record.EventFlowStarted, Entity: flow},
			record.Event{Time: time.Second, Kind: record.EventFlowFinished, Entity: flow, Value: int64(i+1) * 1000},
			record.Event{Kind: record.EventPTO, Entity: "connections." + name, Side: "client"})
		if i < 3 {
			m.events = append(m.events, life(name, 0, time.Duration(i+1)*time.Second)...)
		}
	}
	got := m.metrics(t)
	want(t, got, map[string]float64{
		"sessions.crowd.flows.bulk.goodput.mean":    20_000,
		"sessions.crowd.flows.bulk.goodput.p50":     16_000,
		"sessions.crowd.flows.bulk.goodput.p95":     32_000,
		"sessions.crowd.flows.bulk.goodput.p99":     32_000,
		"sessions.crowd.flows.bulk.goodput.max":     32_000,
		"sessions.crowd-10.flows.bulk.goodput":      32_000,
		"sessions.crowd.teardown.duration.mean":     0.044, // of three: the fourth did not close
		"sessions.crowd.teardown.duration.max":      0.044,
		"connections.crowd.client.ptos.mean":        1,
		"connections.crowd-2.client.ptos":           1,
		"connections.crowd.server.packets_lost.max": 0,
		"fairness.jain": 100.0 / (4 * 30),
	})
	member, _ := got.Get("sessions.crowd-10.flows.bulk.goodput")
	group, _ := got.Get("sessions.crowd.flows.bulk.goodput.mean")
	if !member.Member || group.Member || group.Unit != "bit/s" {
		t.Errorf("member %+v, group %+v", member, group)
	}
	var order []string
	for _, x := range got {
		if strings.HasSuffix(x.Name, "flows.bulk.goodput") {
			order = append(order, x.Entity)
		}
	}
	if got := strings.Join(order, " "); got != "sessions.crowd-1.flows.bulk sessions.crowd-2.flows.bulk sessions.crowd-3.flows.bulk sessions.crowd-10.flows.bulk" {
		t.Errorf("order: %s", got)
	}
}

func TestAConnectionThatAGroupSharesBelongsToNoGroup(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}, events: life("shared", 0, 500*ms)}
	for _, name := range []string{"sessions.crowd-1", "sessions.crowd-2"} {
		m.run.Sessions = append(m.run.Sessions, record.Session{Entity: name, Connection: "connections.shared", Group: "sessions.crowd"})
		m.events = append(m.events, session(name, "client", record.EventConnectSent, 50*ms), session(name, "client", record.EventEstablished, 90*ms))
	}
	want(t, m.metrics(t), map[string]float64{
		"sessions.crowd.setup.connect.mean":         0.040,
		"connections.shared.client.packets_lost":    0,
		"connections.crowd.client.packets_lost.max": none,
	})
}

func TestAnEmptyRecordingHasNoMetricsButItsOwn(t *testing.T) {
	got := made{run: record.Run{Virtual: time.Second}}.metrics(t)
	if len(got) != 8 {
		t.Errorf("metrics of an empty run: %v", got)
	}
	want(t, got, map[string]float64{"run.duration": 1, "run.datagrams": 0, "run.failures.sessions": 0, "run.failures.flows": 0})
	want(t, made{}.metrics(t), map[string]float64{"run.duration": 0})
}

// everything returns a recording that every metric can be computed from.
func everything() made {
	m := made{
		run: record.Run{Virtual: 4 * time.Second, Links: access(28), Flows: []record.Flow{
			{Entity: "flows.bulk", Kind: "download", Session: "sessions.main", From: "left", Size: 1, Way: []string{"links.access.forward"}, RTT: ms}, {Entity: "flows.other", Kind: "download"},
		}},
		packets: []record.Packet{packet(0, 0, ms, 100), packet(ms, ms, 3*ms, 100)},
		samples: []record.Sample{rate(0, 1e6)},
		events:  life("main", 0, 500*ms),
	}
	m.run.Flows[1].Interval, m.run.Flows[1].Deadline = ms, ms // as if it were media
	for _, name := range []string{record.SeriesStreamReceived, record.SeriesStreamWait} {
		m.samples = append(m.samples, flowSample(0, name, 1), record.Sample{Name: name, Entity: "connections.main.client", Value: 1})
	}
	m.samples = append(m.samples, record.Sample{Name: record.SeriesStreamSent, Entity: "connections.main.client", Value: 1})
	m.run.Traffic = []record.Traffic{cross("x", 10, 9), {Entity: "traffic.y", Missing: 2, Bursts: 1}}
	m.samples = append(m.samples, record.Sample{Name: record.SeriesTrafficDelay, Entity: "traffic.x", Value: 1})
	m.events = append(m.events, trafficEvent(0, record.EventTrafficStarted, "x"))
	m.packets[1].Fate, m.packets[1].Reason = record.Dropped, "queue"
	for _, name := range []string{record.SeriesCwnd, record.SeriesBytesInFlight, record.SeriesSmoothedRTT, record.SeriesLatestRTT, record.SeriesMinRTT, record.SeriesSentBytes} {
		m.samples = append(m.samples, record.Sample{Name: name, Entity: "connections.main.client", Value: 1})
	}
	for _, name := range []string{record.SeriesMessageRTT, record.SeriesOneWayDelay} {
		m.samples = append(m.samples, flowSample(0, name, 1))
	}
	for _, kind := range []string{record.EventFlowStarted, record.EventStreamOpened, record.EventFirstByte, record.EventMessageSent, record.EventMessageGot} {
		m.events = append(m.events, flowEvent(0, kind, 0))
	}
	m.run.Connections = []record.Connection{{Entity: "connections.main.client", Host: "left", Sent: 10}}
	m.events = append(m.events, record.Event{Kind: record.EventPacketLost, Entity: "connections.main", Side: "client"},
		record.Event{Kind: record.EventDialStarted, Entity: "connections.main", Side: "client"},
		record.Event{Kind: record.EventDrainSent, Entity: "sessions.main", Side: "server"}, record.Event{Kind: record.EventDrainNotified, Entity: "sessions.main", Side: "client"},
		record.Event{Time: ms, Kind: record.EventSessionFailed, Entity: "sessions.main", Side: "client"},
		record.Event{Kind: record.EventPTO, Entity: "connections.main", Side: "client", Value: 1},
		record.Event{Time: ms, Kind: record.EventPTO, Entity: "connections.main", Side: "client", Value: 2},
		record.Event{Time: ms, Kind: record.EventConnectionClosed, Entity: "connections.main", Side: "client"})
	m.run.Sessions = []record.Session{{Entity: "sessions.main", Connection: "connections.main"}}
	m.samples = append(m.samples, record.Sample{Name: record.SeriesLatestRTT, Entity: "connections.main.server", Value: 1})
	for i := range 3 { // of which each is fair
		at := time.Duration(i) * time.Second
		m.samples = append(m.samples, flowSample(at, record.SeriesDelivered, float64(i+1)))
		m.samples = append(m.samples, record.Sample{Time: at, Name: record.SeriesDelivered, Entity: "flows.other", Value: float64(i + 1)})
	}
	m.samples = append(m.samples, flowSample(3*time.Second, record.SeriesDelivered, 1.5e9))
	return made{m.run, m.packets, m.samples, append(m.events,
		flowEvent(3900*ms, record.EventFlowFinished, 1),
		record.Event{Kind: record.EventFlowStarted, Entity: "flows.other"},
	)}
}

func TestEveryDefinitionCanBeComputedAndMatchesItsMetrics(t *testing.T) {
	missing := map[string]analysis.Definition{}
	for _, d := range analysis.Definitions() {
		if d.Pattern == "" || d.Unit == "" || d.Meaning == "" {
			t.Errorf("incomplete definition %+v", d)
		}
		if _, twice := missing[d.Pattern]; twice {
			t.Errorf("%s is defined twice", d.Pattern)
		}
		missing[d.Pattern] = d
	}
	names := strings.NewReplacer("FLOW", "*", "SESSION", "*", "CONNECTION", "*", "SIDE", "*", "TRAFFIC", "*", "LINK", "*", "DIRECTION", "*", "REASON", "*")
	for _, x := range everything().metrics(t) {
		d := x.Definition()
		if ok, err := path.Match(names.Replace(d.Pattern), x.Name); !ok || err != nil {
			t.Errorf("%s does not match %s (%v)", x.Name, d.Pattern, err)
		}
		if x.Unit != d.Unit {
			t.Errorf("%s is in %s, defined in %s", x.Name, x.Unit, d.Unit)
		}
		delete(missing, d.Pattern)
	}
	for pattern := range missing {
		t.Errorf("%s is never computed", pattern)
	}
}

func TestMetricsAreWrittenAsOneObjectInOrder(t *testing.T) {
	m := made{run: record.Run{Virtual: 1500 * ms, Datagrams: 3}}.metrics(t)
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	const expected = `{"run.duration":{"value":1.5,"unit":"s"},"run.datagrams":{"value":3,"unit":"packets"},` +
		`"run.failures.sessions":{"value":0,"unit":"1"},"run.failures.flows":{"value":0,"unit":"1"},` +
		`"run.discarded.buffer_full":{"value":0,"unit":"packets"},"run.discarded.no_port":{"value":0,"unit":"packets"},` +
		`"run.discarded.no_route":{"value":0,"unit":"packets"},"run.discarded.wrong_address":{"value":0,"unit":"packets"}}`
	if string(text) != expected {
		t.Errorf("got  %s\nwant %s", text, expected)
	}
}

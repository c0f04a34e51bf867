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

func access(forwardOverhead int64) []record.Link {
	return []record.Link{{Name: "access", Forward: record.Counters{Overhead: forwardOverhead}, Reverse: record.Counters{Overhead: 28}}}
}

func rate(at time.Duration, bits float64) record.Sample {
	return record.Sample{Time: at, Name: record.SeriesLinkRate, Entity: "links.access.forward", Value: bits}
}

func TestLinkMetricsCountDatagramsAndBytesOnTheWire(t *testing.T) {
	lost := packet(30*ms, 0, 30*ms, 972)
	lost.Fate, lost.Reason = record.Dropped, "loss"
	full := packet(31*ms, 0, 31*ms, 972)
	full.Fate, full.Reason = record.Dropped, "queue"
	marked := packet(40*ms, 10*ms, 60*ms, 472)
	marked.SentECN, marked.ECN = 2, 3
	already := packet(50*ms, 20*ms, 90*ms, 472)
	already.SentECN, already.ECN = 3, 3
	inside := packet(95*ms, 0, 100*ms, 72)
	inside.Fate = record.InTransit
	m := made{
		run: record.Run{Virtual: 100 * ms, Datagrams: 6, Links: access(28)},
		packets: []record.Packet{
			packet(0, 0, 20*ms, 972), // 1000 B on the wire
			lost, full, marked, already, inside,
		},
		samples: []record.Sample{rate(0, 1e6)},
	}
	want(t, m.metrics(t), map[string]float64{
		"run.duration":                          0.1,
		"run.datagrams":                         6,
		"links.access.forward.datagrams":        6,
		"links.access.forward.delivered":        3,
		"links.access.forward.dropped":          2,
		"links.access.forward.dropped.loss":     1,
		"links.access.forward.dropped.queue":    1,
		"links.access.forward.in_transit":       1,
		"links.access.forward.loss_ratio":       2.0 / 6,
		"links.access.forward.ce_marks":         1,
		"links.access.forward.bytes":            2000,                      // 1000 + 500 + 500
		"links.access.forward.throughput":       160_000,                   // 16000 bit in 0.1 s
		"links.access.forward.utilisation":      0.16,                      // of 1 Mbit/s
		"links.access.forward.queue_delay.mean": 0.010,                     // (0 + 10 + 20) / 3 ms
		"links.access.forward.queue_delay.p50":  0.010,                     // second of three
		"links.access.forward.queue_delay.p95":  0.020,                     // third of three
		"links.access.forward.queue_delay.p99":  0.020,                     //
		"links.access.forward.queue_delay.max":  0.020,                     //
		"links.access.forward.queue.mean":       (500*10 + 500*20) / 100.0, // B·ms / ms
		"links.access.forward.queue.max":        500,                       // the first left as the second came
		"links.access.reverse.datagrams":        0,
		"links.access.reverse.throughput":       0,
		"links.access.reverse.loss_ratio":       none,
		"links.access.reverse.queue_delay.mean": none,
		"links.access.reverse.queue.max":        none,
		"links.access.reverse.utilisation":      none, // its rate is unknown
	})
}

func TestQueueOccupancyIsTheMostThatWaitsAtOnce(t *testing.T) {
	m := made{
		run: record.Run{Virtual: 100 * ms, Links: access(0)},
		packets: []record.Packet{
			packet(0, 0, 10*ms, 100),        // sent at once
			packet(1*ms, 9*ms, 20*ms, 200),  // waits until 10
			packet(2*ms, 18*ms, 30*ms, 300), // waits until 20
			packet(10*ms, 20*ms, 40*ms, 50), // 200 B have just left: 350 B
		},
	}
	want(t, m.metrics(t), map[string]float64{
		"links.access.forward.queue.max":  500,
		"links.access.forward.queue.mean": (200*9 + 300*18 + 50*20) / 100.0,
	})
}

func TestUtilisationIntegratesAChangingRate(t *testing.T) {
	delivered := []record.Packet{packet(0, 0, 10*ms, 1000)} // 8000 bit
	for _, c := range []struct {
		name    string
		samples []record.Sample
		want    float64
	}{
		{"constant", []record.Sample{rate(0, 1e6)}, 8000 / 1e5},
		{"halved at a quarter", []record.Sample{rate(0, 1e6), rate(25*ms, 5e5)}, 8000 / (25_000 + 37_500.0)},
		{"known from the middle on", []record.Sample{rate(50*ms, 1e6)}, 8000 / 50_000.0},
		{"changed at the end", []record.Sample{rate(0, 1e6), rate(100*ms, 1)}, 8000 / 1e5},
		{"unlimited for a while", []record.Sample{rate(0, 1e6), rate(10*ms, 0), rate(20*ms, 1e6)}, none},
		{"unlimited", []record.Sample{rate(0, 0)}, none},
		{"unknown", nil, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := made{run: record.Run{Virtual: 100 * ms, Links: access(0)}, packets: delivered, samples: c.samples}
			want(t, m.metrics(t), map[string]float64{"links.access.forward.utilisation": c.want})
		})
	}
}

func TestALinkThatRunJSONDoesNotDescribeHasTheOverheadOfIPv4AndUDP(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}, packets: []record.Packet{packet(0, 0, ms, 100)}}
	want(t, m.metrics(t), map[string]float64{"links.access.forward.bytes": 128})
}

func flowSample(at time.Duration, name string, v float64) record.Sample {
	return record.Sample{Time: at, Name: name, Entity: "flows.bulk", Value: v}
}

func flowEvent(at time.Duration, kind string, v int64) record.Event {
	return record.Event{Time: at, Kind: kind, Entity: "flows.bulk", Value: v}
}

func TestBulkFlowMetrics(t *testing.T) {
	m := made{
		run: record.Run{Virtual: 200 * ms, Flows: []record.Flow{{Entity: "flows.bulk", Kind: "download"}}},
		samples: []record.Sample{
			flowSample(20*ms, record.SeriesDelivered, 1000),
			flowSample(20*ms+500*time.Microsecond, record.SeriesDelivered, 4000), // the same bin of 1 ms
			flowSample(110*ms, record.SeriesDelivered, 5000),
		},
		events: []record.Event{
			flowEvent(10*ms, record.EventFlowStarted, 0),
			flowEvent(10*ms, record.EventStreamOpened, 3),
			flowEvent(11*ms, record.EventStreamOpened, 7),
			flowEvent(20*ms, record.EventFirstByte, 3),
			flowEvent(31*ms, record.EventFirstByte, 7),
			flowEvent(110*ms, record.EventFlowFinished, 5000),
		},
	}
	want(t, m.metrics(t), map[string]float64{
		"flows.bulk.goodput":         400_000, // 40000 bit in 100 ms
		"flows.bulk.completion_time": 0.1,
		"flows.bulk.bytes":           5000,
		"flows.bulk.throughput.max":  32e6, // 4000 B in 1 ms
		"flows.bulk.streams":         2,
		"flows.bulk.first_byte.mean": 0.015,
		"flows.bulk.first_byte.p50":  0.010,
		"flows.bulk.first_byte.p95":  0.020,
		"flows.bulk.first_byte.p99":  0.020,
		"flows.bulk.first_byte.max":  0.020,
		"flows.bulk.messages.sent":   none,
		"fairness.jain":              none, // one flow
	})
}

func TestAFlowThatNeverEndedIsMeasuredUntilTheEndOfTheRun(t *testing.T) {
	m := made{
		run:     record.Run{Virtual: 210 * ms},
		samples: []record.Sample{flowSample(20*ms, record.SeriesDelivered, 1000)},
		events:  []record.Event{flowEvent(10*ms, record.EventFlowStarted, 0), flowEvent(15*ms, record.EventStreamOpened, 3)},
	}
	want(t, m.metrics(t), map[string]float64{
		"flows.bulk.goodput":         40_000,
		"flows.bulk.bytes":           1000,
		"flows.bulk.completion_time": none,
		"flows.bulk.first_byte.mean": none,
	})
	m.events = append(m.events, flowEvent(110*ms, record.EventFlowFailed, 0))
	want(t, m.metrics(t), map[string]float64{
		"flows.bulk.goodput":         80_000,
		"flows.bulk.completion_time": none,
	})
}

func TestAFlowThatNeverStartedHasDeliveredNothing(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second, Flows: []record.Flow{{Entity: "flows.bulk", Kind: "upload"}}}}
	want(t, m.metrics(t), map[string]float64{"flows.bulk.bytes": 0, "flows.bulk.goodput": none})
}

func TestMediaMetrics(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}}
	for i, delay := range []time.Duration{20 * ms, 36 * ms, 20 * ms} {
		at := time.Duration(i)*20*ms + delay
		m.samples = append(m.samples, flowSample(at, record.SeriesOneWayDelay, delay.Seconds()))
		m.events = append(m.events, flowEvent(at, record.EventMessageGot, int64(i)))
	}
	for i := range 4 {
		m.events = append(m.events, flowEvent(time.Duration(i)*20*ms, record.EventMessageSent, int64(i)))
	}
	m.events = append(m.events, flowEvent(80*ms, record.EventMessageFailed, 4))
	want(t, m.metrics(t), map[string]float64{
		"flows.bulk.messages.sent":       4,
		"flows.bulk.messages.received":   3,
		"flows.bulk.messages.failed":     1,
		"flows.bulk.messages.loss_ratio": 0.25,
		"flows.bulk.messages.delay.mean": 0.076 / 3,
		"flows.bulk.messages.delay.p50":  0.020,
		"flows.bulk.messages.delay.p95":  0.036,
		"flows.bulk.messages.delay.p99":  0.036,
		"flows.bulk.messages.delay.max":  0.036,
		// |D| is 16 ms twice: J = 1 ms, then 1 + (16 − 1)/16 ms.
		"flows.bulk.messages.jitter":   0.0019375,
		"flows.bulk.messages.rtt.mean": none,
	})
}

func TestJitterOfASingleFrameIsZero(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}, samples: []record.Sample{flowSample(20*ms, record.SeriesOneWayDelay, 0.02)}}
	want(t, m.metrics(t), map[string]float64{"flows.bulk.messages.jitter": 0, "flows.bulk.messages.delay.max": 0.02})
}

func TestEchoMetrics(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}}
	for i := 1; i <= 100; i++ { // round trips of 1 to 100 ms
		m.samples = append(m.samples, flowSample(time.Duration(i)*ms, record.SeriesMessageRTT, float64(i)/1000))
		m.events = append(m.events, flowEvent(0, record.EventMessageSent, int64(i)), flowEvent(ms, record.EventMessageGot, int64(i)))
	}
	want(t, m.metrics(t), map[string]float64{
		"flows.bulk.messages.rtt.mean":   0.0505,
		"flows.bulk.messages.rtt.p50":    0.050,
		"flows.bulk.messages.rtt.p95":    0.095,
		"flows.bulk.messages.rtt.p99":    0.099,
		"flows.bulk.messages.rtt.max":    0.100,
		"flows.bulk.messages.loss_ratio": 0,
		"flows.bulk.messages.jitter":     none,
	})
}

func TestFairnessComparesTheGoodputOfBulkFlows(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second, Flows: []record.Flow{
		{Entity: "flows.a", Kind: "download"}, {Entity: "flows.b", Kind: "upload"}, {Entity: "flows.voice", Kind: "media"},
	}}}
	for entity, bytes := range map[string]int64{"flows.a": 3000, "flows.b": 1000, "flows.voice": 7} {
		m.events = append(m.events,
			record.Event{Kind: record.EventFlowStarted, Entity: entity},
			record.Event{Time: 100 * ms, Kind: record.EventFlowFinished, Entity: entity, Value: bytes})
	}
	want(t, m.metrics(t), map[string]float64{"fairness.jain": 16.0 / (2 * 10)}) // (3+1)² / (2·(9+1))
}

func TestConnectionMetrics(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}}
	sample := func(at time.Duration, name string, v float64) {
		m.samples = append(m.samples, record.Sample{Time: at, Name: name, Entity: "connections.main.server", Value: v})
	}
	sample(0, record.SeriesCwnd, 10_000)
	sample(10*ms, record.SeriesCwnd, 40_000)
	sample(40*ms, record.SeriesCwnd, 20_000)
	sample(5*ms, record.SeriesBytesInFlight, 1200)
	for i, rtt := range []float64{0.040, 0.050, 0.045} {
		sample(time.Duration(i)*ms, record.SeriesLatestRTT, rtt)
	}
	sample(0, record.SeriesSmoothedRTT, 0.040)
	sample(3*ms, record.SeriesSmoothedRTT, 0.042)
	sample(0, record.SeriesMinRTT, 0.040)
	for _, kind := range []string{record.EventPacketLost, record.EventPacketLost, record.EventSpuriousLoss, record.EventPTO, record.EventPTO, record.EventPTO} {
		m.events = append(m.events, record.Event{Kind: kind, Entity: "connections.main", Side: "server"})
	}
	m.events = append(m.events, record.Event{Kind: record.EventHandshakeComplete, Entity: "connections.main", Side: "client"})
	want(t, m.metrics(t), map[string]float64{
		"connections.main.server.cwnd.end":        20_000,
		"connections.main.server.cwnd.mean":       (10_000*10 + 40_000*30) / 40.0,
		"connections.main.server.cwnd.max":        40_000,
		"connections.main.server.in_flight.mean":  1200, // one sample
		"connections.main.server.in_flight.max":   1200,
		"connections.main.server.rtt.mean":        0.045,
		"connections.main.server.rtt.p50":         0.045,
		"connections.main.server.rtt.p95":         0.050,
		"connections.main.server.rtt.p99":         0.050,
		"connections.main.server.rtt.max":         0.050,
		"connections.main.server.rtt.min":         0.040,
		"connections.main.server.rtt.smoothed":    0.042,
		"connections.main.server.packets_lost":    2,
		"connections.main.server.spurious_losses": 1,
		"connections.main.server.ptos":            3,
		"connections.main.client.packets_lost":    0,
		"connections.main.client.cwnd.end":        none,
		"connections.main.client.rtt.min":         none,
	})
}

func session(entity, side, kind string, at time.Duration) record.Event {
	return record.Event{Time: at, Kind: kind, Entity: entity, Side: side}
}

// life returns the events of a session that begins and closes at the given
// times: the numbers that the tests below expect are differences of these.
func life(name string, begin, close time.Duration) []record.Event {
	c, s := "connections."+name, "sessions."+name
	return []record.Event{
		session(c, "client", record.EventDialStarted, begin),
		session(c, "client", record.EventHandshakeComplete, begin+42*ms),
		session(c, "server", record.EventHandshakeComplete, begin+62*ms),
		session(s, "client", record.EventSettings, begin+45*ms),
		session(s, "client", record.EventConnectSent, begin+46*ms),
		session(s, "server", record.EventConnectReceived, begin+66*ms),
		session(s, "server", record.EventEstablished, begin+67*ms),
		session(s, "client", record.EventEstablished, begin+87*ms),
		session(s, "server", record.EventLastStreamEnded, close-30*ms), // an early stream
		session(s, "client", record.EventLastStreamEnded, close-10*ms),
		session(s, "client", record.EventCloseCalled, close),
		session(s, "client", record.EventCloseSent, close+ms),
		session(s, "server", record.EventCloseNotified, close+21*ms),
		session(s, "server", record.EventLastStreamEnded, close+22*ms),
		session(s, "server", record.EventConnectStreamDone, close+23*ms),
		session(s, "server", record.EventSessionGone, close+24*ms),
		session(s, "client", record.EventConnectStreamDone, close+43*ms),
		session(s, "client", record.EventSessionGone, close+44*ms),
	}
}

func TestSessionMetrics(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}, events: life("main", 10*ms, 500*ms)}
	want(t, m.metrics(t), map[string]float64{
		"sessions.main.setup.duration":               0.087,
		"sessions.main.setup.handshake":              0.042,
		"sessions.main.setup.settings":               0.003,
		"sessions.main.setup.connect":                0.041,
		"sessions.main.teardown.close_sent":          0.001,
		"sessions.main.teardown.notified":            0.021,
		"sessions.main.teardown.last_stream.client":  0, // before the close
		"sessions.main.teardown.last_stream.server":  0.022,
		"sessions.main.teardown.connect_done.client": 0.043,
		"sessions.main.teardown.connect_done.server": 0.023,
		"sessions.main.teardown.gone.client":         0.044,
		"sessions.main.teardown.gone.server":         0.024,
		"sessions.main.teardown.duration":            0.044,
	})
}

func TestTheServerMayClose(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}, events: []record.Event{
		session("sessions.main", "server", record.EventCloseCalled, 100*ms),
		session("sessions.main", "server", record.EventCloseSent, 101*ms),
		session("sessions.main", "client", record.EventCloseNotified, 121*ms),
		session("sessions.main", "client", record.EventSessionGone, 122*ms),
	}}
	want(t, m.metrics(t), map[string]float64{
		"sessions.main.teardown.close_sent": 0.001,
		"sessions.main.teardown.notified":   0.021,
		"sessions.main.teardown.duration":   none, // the server still holds it
		"sessions.main.setup.duration":      none,
	})
}

func TestASecondSessionOnAConnectionIsSetUpWithoutAHandshake(t *testing.T) {
	m := made{
		run: record.Run{Virtual: time.Second, Sessions: []record.Session{
			{Entity: "sessions.late", Connection: "connections.main"},
			{Entity: "sessions.main", Connection: "connections.main"},
		}},
		events: append(life("main", 0, 500*ms),
			session("sessions.late", "client", record.EventConnectSent, 200*ms),
			session("sessions.late", "client", record.EventEstablished, 240*ms)),
	}
	want(t, m.metrics(t), map[string]float64{
		"sessions.main.setup.duration":  0.087,
		"sessions.main.setup.handshake": 0.042,
		"sessions.late.setup.duration":  0.040,
		"sessions.late.setup.connect":   0.040,
		"sessions.late.setup.handshake": none,
		"sessions.late.setup.settings":  none,
	})
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
	if len(got) != 2 {
		t.Errorf("metrics of an empty run: %v", got)
	}
	want(t, got, map[string]float64{"run.duration": 1, "run.datagrams": 0})
	want(t, made{}.metrics(t), map[string]float64{"run.duration": 0})
}

// everything returns a recording that every metric can be computed from.
func everything() made {
	m := made{
		run: record.Run{Virtual: time.Second, Links: access(28), Flows: []record.Flow{
			{Entity: "flows.bulk", Kind: "download"}, {Entity: "flows.other", Kind: "upload"},
		}},
		packets: []record.Packet{packet(0, 0, ms, 100), packet(ms, ms, 3*ms, 100)},
		samples: []record.Sample{rate(0, 1e6)},
		events:  life("main", 0, 500*ms),
	}
	m.packets[1].Fate, m.packets[1].Reason = record.Dropped, "queue"
	for _, name := range []string{record.SeriesCwnd, record.SeriesBytesInFlight, record.SeriesSmoothedRTT, record.SeriesLatestRTT, record.SeriesMinRTT} {
		m.samples = append(m.samples, record.Sample{Name: name, Entity: "connections.main.client", Value: 1})
	}
	for _, name := range []string{record.SeriesDelivered, record.SeriesMessageRTT, record.SeriesOneWayDelay} {
		m.samples = append(m.samples, flowSample(0, name, 1))
	}
	for _, kind := range []string{record.EventFlowStarted, record.EventStreamOpened, record.EventFirstByte, record.EventMessageSent, record.EventMessageGot} {
		m.events = append(m.events, flowEvent(0, kind, 0))
	}
	return made{m.run, m.packets, m.samples, append(m.events,
		flowEvent(100*ms, record.EventFlowFinished, 1),
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
	names := strings.NewReplacer("FLOW", "*", "SESSION", "*", "CONNECTION", "*", "SIDE", "*", "LINK", "*", "DIRECTION", "*", "REASON", "*")
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
	const expected = `{"run.duration":{"value":1.5,"unit":"s"},"run.datagrams":{"value":3,"unit":"packets"}}`
	if string(text) != expected {
		t.Errorf("got  %s\nwant %s", text, expected)
	}
}

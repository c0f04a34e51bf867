package analysis_test

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// in returns the metrics of a window.
func (m made) in(t testing.TB, from, to time.Duration) analysis.Metrics {
	t.Helper()
	all, err := analysis.ComputeWindows(m.recording(t), analysis.Window{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

func TestAWindowThatIsEmptyOrOutsideTheRunIsRefused(t *testing.T) {
	rec := made{run: record.Run{Virtual: 5 * time.Second}}.recording(t)
	for message, w := range map[string]analysis.Window{
		"the window from -1s to 2s begins or ends before the run":                  {From: -time.Second, To: 2 * time.Second},
		"the window from 0s to -2s begins or ends before the run":                  {To: -2 * time.Second},
		"the window from 3s to 2s is empty: it has to begin before it ends":        {From: 3 * time.Second, To: 2 * time.Second},
		"the window from 2s to 2s is empty: it has to begin before it ends":        {From: 2 * time.Second, To: 2 * time.Second},
		"the window from 5s to the end begins after the run, which ended at 5s":    {From: 5 * time.Second},
		"the window from 1s to 5.000000001s ends after the run, which ended at 5s": {From: time.Second, To: 5*time.Second + 1},
		"the window from 6s to 7s begins after the run, which ended at 5s":         {From: 6 * time.Second, To: 7 * time.Second},
	} {
		if _, err := analysis.ComputeWindows(rec, analysis.Window{}, w); err == nil || err.Error() != message {
			t.Errorf("%s: %v", message, err)
		}
	}
}

func TestAFlowInAWindow(t *testing.T) {
	// 1000 B every 100 ms from 100 ms to 1 s, and the rest at the end.
	m := made{run: record.Run{Virtual: 2 * time.Second, Flows: []record.Flow{{Entity: "flows.bulk", Kind: "download", Session: "sessions.main"}},
		Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}}}}
	for i := range 10 {
		m.samples = append(m.samples, flowSample(time.Duration(i+1)*100*ms, record.SeriesDelivered, float64(1000*(i+1))))
	}
	for i, rtt := range []float64{0.040, 0.060, 0.080} {
		m.samples = append(m.samples, record.Sample{Time: time.Duration(i) * 500 * ms, Name: record.SeriesLatestRTT, Entity: "connections.main.server", Value: rtt})
	}
	m.events = []record.Event{
		flowEvent(50*ms, record.EventFlowStarted, 0),
		flowEvent(50*ms, record.EventStreamOpened, 4),
		flowEvent(100*ms, record.EventFirstByte, 4),
		flowEvent(1050*ms, record.EventFlowFinished, 10_500),
	}
	for _, c := range []struct {
		from, to time.Duration
		want     map[string]float64
	}{
		{0, 0, map[string]float64{"flows.bulk.bytes": 10_500, "flows.bulk.goodput": 84_000, "flows.bulk.completion_time": 1,
			"flows.bulk.delivery_area": (1000*(950+850+750+650+550+450+350+250+150+50) + 0) / 10_500e3}},
		// 300 ms and 400 ms, but not 500 ms.
		{300 * ms, 500 * ms, map[string]float64{"flows.bulk.bytes": 2000, "flows.bulk.goodput": 80_000, "flows.bulk.completion_time": none,
			"flows.bulk.delivery_area": (1000*200 + 1000*100) / 2000.0 / 200, "flows.bulk.throughput.max": 800_000, // 1000 B in 10 ms
			"flows.bulk.streams": none, "flows.bulk.first_byte.max": none, "flows.bulk.time_to.1500": none, "flows.bulk.power": none}},
		// Before it started it had no rate.
		{0, 150 * ms, map[string]float64{"flows.bulk.bytes": 1000, "flows.bulk.goodput": 80_000, "flows.bulk.streams": 1,
			"flows.bulk.first_byte.max": 0.050, "flows.bulk.delivery_area": 0.5, "flows.bulk.power": 2e6}},
		{0, 50 * ms, map[string]float64{"flows.bulk.bytes": 0, "flows.bulk.goodput": none, "flows.bulk.delivery_area": none}},
		// It begins while no byte comes, and what the last event tells of counts when it comes.
		{1010 * ms, 0, map[string]float64{"flows.bulk.bytes": 500, "flows.bulk.goodput": 100_000, "flows.bulk.completion_time": 1,
			"flows.bulk.delivery_area": 0, "flows.bulk.power": none}},
		{200 * ms, 250 * ms, map[string]float64{"flows.bulk.time_to.1500": 0.150, "flows.bulk.time_to.15000": none}},
		{1010 * ms, 1040 * ms, map[string]float64{"flows.bulk.goodput": 0, "flows.bulk.delivery_area": none}},
		{1200 * ms, 2 * time.Second, map[string]float64{"flows.bulk.goodput": none, "flows.bulk.bytes": 0, "flows.bulk.completion_time": none}},
	} {
		t.Log(c.from, c.to)
		want(t, m.in(t, c.from, c.to), c.want)
	}
}

func TestAMessageIsLostInTheWindowInWhichItWasSent(t *testing.T) {
	m := made{run: record.Run{Virtual: 100 * ms}}
	// Of 0 to 3, sent every 10 ms, 1 is lost.
	m.events = []record.Event{
		flowEvent(0, record.EventMessageSent, 0), flowEvent(10*ms, record.EventMessageSent, 1),
		flowEvent(20*ms, record.EventMessageSent, 2), flowEvent(25*ms, record.EventMessageGot, 0), flowEvent(30*ms, record.EventMessageSent, 3),
		flowEvent(55*ms, record.EventMessageGot, 2), flowEvent(65*ms, record.EventMessageGot, 3),
	}
	for i, delay := range []float64{0.020, 0.026, 0.014} {
		m.samples = append(m.samples, flowSample(time.Duration(i+1)*20*ms, record.SeriesOneWayDelay, delay))
	}
	want(t, m.in(t, 0, 20*ms), map[string]float64{
		"flows.bulk.messages.sent": 2, "flows.bulk.messages.received": 0, "flows.bulk.messages.loss_ratio": 0.5,
		"flows.bulk.messages.delay.mean": none, "flows.bulk.messages.jitter": none,
	})
	want(t, m.in(t, 20*ms, 50*ms), map[string]float64{
		"flows.bulk.messages.sent": 2, "flows.bulk.messages.received": 1, "flows.bulk.messages.loss_ratio": 0,
		"flows.bulk.messages.delay.mean": 0.023, "flows.bulk.messages.jitter": 0.006,
	})
	want(t, m.in(t, 50*ms, 100*ms), map[string]float64{
		"flows.bulk.messages.sent": 0, "flows.bulk.messages.received": 2, "flows.bulk.messages.loss_ratio": none,
		"flows.bulk.messages.delay.mean": 0.014, "flows.bulk.messages.jitter": 0.012, // since the one before the window
	})
}

func TestALinkInAWindow(t *testing.T) {
	// Each is 1000 B on the wire. The first three wait 0, 10 and 20 ms and take 15 ms more.
	dropped := packet(20*ms, 0, 20*ms, 972)
	dropped.Fate, dropped.Reason, dropped.ID = record.Dropped, "queue", 3
	marked := packet(12*ms, 20*ms, 47*ms, 972)
	marked.SentECN, marked.ECN, marked.ID = 1, 3, 2
	first, second, last := packet(10*ms, 0, 25*ms, 972), packet(11*ms, 10*ms, 36*ms, 972), packet(90*ms, 5*ms, 100*ms, 972)
	first.ID, second.ID, last.ID = 1, 1, 4 // a copy
	last.Fate = record.InTransit
	m := made{
		run:     record.Run{Virtual: 100 * ms, Datagrams: 4, Links: access(28)},
		packets: []record.Packet{dropped, first, second, marked, last},
		samples: []record.Sample{rate(0, 1e6), rate(30*ms, 2e6)},
	}
	const link = "links.access.forward."
	want(t, m.in(t, 20*ms, 40*ms), map[string]float64{
		"run.duration":           0.020,
		"run.datagrams":          1, // the third
		link + "datagrams":       1,
		link + "dropped":         1,
		link + "dropped.queue":   1,
		link + "loss_ratio":      1,
		link + "delivered":       2,
		link + "in_transit":      1, // the marked one
		link + "bytes":           2000,
		link + "throughput":      800_000,
		link + "utilisation":     16_000 / (10e3 + 20e3),
		link + "ce_marks":        0,
		link + "queue_delay.max": 0.020, // that of the marked one, and of the second
		link + "queue_delay.p50": 0.010,
		link + "queue.mean":      (1000*1 + 1000*12) / 20.0,
		link + "queue.max":       2000,
	})
	want(t, m.in(t, 40*ms, 0), map[string]float64{
		"run.datagrams":           1,
		link + "datagrams":        1,
		link + "delivered":        1,
		link + "ce_ratio":         1,
		link + "in_transit":       1,
		link + "dropped.queue":    none,
		link + "loss_ratio":       0,
		link + "queue_delay.mean": none, // delivered ones only
		link + "queue.mean":       1000 * 5 / 60.0,
		link + "utilisation":      8000 / 120e3,
	})
	want(t, m.in(t, 0, 5*ms), map[string]float64{
		"run.datagrams": 0, link + "datagrams": 0, link + "loss_ratio": none, link + "queue.max": none, link + "utilisation": 0,
	})
}

func TestADroppedDatagramDoesNotEmptyTheQueue(t *testing.T) {
	// The table has it before those that were in the queue when it came.
	dropped := packet(15*ms, 0, 15*ms, 972)
	dropped.Fate, dropped.Reason = record.Dropped, "queue"
	m := made{
		run:     record.Run{Virtual: 100 * ms, Links: access(28)},
		packets: []record.Packet{packet(0, 10*ms, 14*ms, 972), dropped, packet(1*ms, 20*ms, 25*ms, 972), packet(2*ms, 30*ms, 35*ms, 972)},
	}
	want(t, m.metrics(t), map[string]float64{"links.access.forward.queue.max": 3000})
}

func TestDatagramsThatOvertakeOthersDoNotEmptyTheQueue(t *testing.T) {
	// Three wait at 2 ms, and then leave one by one.
	slow := func(propagation time.Duration) [3]record.Packet {
		return [3]record.Packet{packet(0, 10*ms, 10*ms+propagation, 972), packet(1*ms, 20*ms, 20*ms+propagation, 972), packet(2*ms, 30*ms, 30*ms+propagation, 972)}
	}
	dropped := packet(25*ms, 10*ms, 35*ms, 972)
	dropped.Fate, dropped.Reason = record.Dropped, "queue"
	near, far := slow(5*ms), slow(50*ms)
	for what, packets := range map[string][]record.Packet{
		"from another queue of the same link":     {near[0], near[1], packet(25*ms, ms, 31*ms, 972), near[2]},
		"dropped at the head while others travel": {dropped, far[0], far[1], far[2]},
	} {
		m := made{run: record.Run{Virtual: 100 * ms, Links: access(28)}, packets: packets}
		t.Run(what, func(t *testing.T) {
			want(t, m.metrics(t), map[string]float64{"links.access.forward.queue.max": 3000})
		})
	}
}

func TestAConnectionInAWindow(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second, Connections: []record.Connection{{Entity: "connections.main.server", Sent: 100}}}}
	sample := func(at time.Duration, name string, v float64) {
		m.samples = append(m.samples, record.Sample{Time: at, Name: name, Entity: "connections.main.server", Value: v})
	}
	event := func(at time.Duration, kind string, value int64) {
		m.events = append(m.events, record.Event{Time: at, Kind: kind, Entity: "connections.main", Side: "server", Value: value})
	}
	sample(0, record.SeriesCwnd, 90_000)
	sample(100*ms, record.SeriesCwnd, 10_000)
	sample(300*ms, record.SeriesCwnd, 40_000)
	sample(400*ms, record.SeriesCwnd, 20_000)
	sample(300*ms, record.SeriesMinRTT, 0.050)
	sample(700*ms, record.SeriesMinRTT, 0.020)
	sample(300*ms, record.SeriesLatestRTT, 0.050)
	for i, at := range []time.Duration{100 * ms, 200 * ms, 390 * ms, 400 * ms} {
		sample(at, record.SeriesSentPackets, float64(25*(i+1)))
		sample(at, record.SeriesSentBytes, float64(30_000*(i+1)))
	}
	event(150*ms, record.EventPacketLost, 7)
	event(250*ms, record.EventPacketLost, 8)
	event(260*ms, record.EventPacketLost, 9)
	event(350*ms, record.EventSpuriousLoss, 7)
	event(360*ms, record.EventSpuriousLoss, 9)
	event(500*ms, record.EventConnectionClosed, 0)
	const end = "connections.main.server."
	want(t, m.in(t, 200*ms, 400*ms), map[string]float64{
		end + "cwnd.mean":         25_000, // 10 kB held when it began
		end + "cwnd.max":          40_000,
		end + "cwnd.end":          40_000,
		end + "in_flight.mean":    none,
		end + "rtt.min":           0.050,
		end + "rtt.inflation.max": 2.5, // over the smallest of the whole run
		end + "packets_lost":      2,
		end + "spurious_losses":   2,
		end + "spurious_ratio":    0.5, // 9 of 8 and 9
		end + "packets_sent":      50,
		end + "loss_ratio":        0.04,
		end + "bytes_sent":        60_000,
	})
	want(t, m.in(t, 300*ms, 0), map[string]float64{
		end + "cwnd.mean":      30_000, // it closed at 500 ms
		end + "cwnd.max":       40_000,
		end + "spurious_ratio": none,
	})
	want(t, m.in(t, 500*ms, time.Second), map[string]float64{
		end + "cwnd.mean": none, end + "cwnd.end": none, end + "rtt.min": none, end + "packets_lost": 0,
	})
	want(t, m.in(t, 0, time.Second), map[string]float64{end + "packets_sent": 100, end + "loss_ratio": 0.03, end + "bytes_sent": 120_000, end + "spurious_ratio": 2.0 / 3})
}

func TestTheStepsOfASessionCountWhereTheyEnd(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}, events: life("main", 10*ms, 500*ms)}
	want(t, m.in(t, 0, 60*ms), map[string]float64{
		"sessions.main.setup.handshake": 0.042, "sessions.main.setup.duration": none, "sessions.main.teardown.duration": none,
	})
	want(t, m.in(t, 90*ms, 510*ms), map[string]float64{
		"sessions.main.setup.handshake": none, "sessions.main.setup.duration": 0.087, "sessions.main.teardown.close_sent": 0.001,
		"sessions.main.teardown.last_stream.client": 0, "sessions.main.teardown.duration": none,
	})
	want(t, m.in(t, 510*ms, 0), map[string]float64{
		"sessions.main.teardown.last_stream.client": none, "sessions.main.teardown.duration": 0.044,
	})
}

func TestTrafficInAWindowIsWhatArrivedInIt(t *testing.T) {
	m := made{
		run:    record.Run{Virtual: 10 * time.Second, Traffic: []record.Traffic{cross("x", 9, 4)}},
		events: []record.Event{trafficEvent(time.Second, record.EventTrafficStarted, "x"), trafficEvent(4*time.Second, record.EventTrafficStopped, "x")},
	}
	for i := range 4 {
		at := time.Second + time.Duration(i)*time.Second
		m.samples = append(m.samples,
			record.Sample{Time: at, Name: record.SeriesTrafficDelay, Entity: "traffic.x", Value: 0.010 * float64(i+1)},
			record.Sample{Time: at, Name: record.SeriesTrafficDelivered, Entity: "traffic.x", Value: 1000 * float64(i+1)})
	}
	want(t, m.in(t, 2*time.Second, 9*time.Second), map[string]float64{
		"traffic.x.delivered": 3, "traffic.x.throughput": 12_000, // 3000 B in the 2 s until it stopped
		"traffic.x.delay.max": 0.040, "traffic.x.sent": none, "traffic.x.rate": none, "traffic.x.loss_ratio": none,
	})
	want(t, m.in(t, 6*time.Second, 0), map[string]float64{"traffic.x.delivered": 0, "traffic.x.throughput": none, "traffic.x.delay.max": none})
}

func TestFairnessInAWindowIsOfItsSeconds(t *testing.T) {
	m := rivals(8*time.Second, [2]time.Duration{}, [2][]float64{
		{9000, 3000, 2000, 2000, 2000, 2000, 2000, 9000},
		{0, 1000, 2000, 2000, 2000, 2000, 2000, 0},
	})
	want(t, m.in(t, 1500*ms, 7500*ms), map[string]float64{ // the seconds 2 to 6
		"fairness.seconds.min": 1, "fairness.convergence_time": 0.5,
		"fairness.jain": 24.0 * 24 / (2 * (13*13 + 11*11)), // the samples from 1.5 s to 6.5 s
	})
	want(t, m.in(t, 2500*ms, 3500*ms), map[string]float64{"fairness.seconds.mean": none, "fairness.convergence_time": none, "fairness.jain": 1})
}

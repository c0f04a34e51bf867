package analysis_test

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

func TestAConnectionWithoutLossesHasItsHeadlines(t *testing.T) {
	nothing := made{run: record.Run{Virtual: time.Second, Connections: []record.Connection{{Entity: "connections.main.server"}}}}
	m, _ := nothing.metrics(t).Get("connections.main.server.spurious_losses")
	if _, ok := m.Headline(); !ok {
		t.Error("spurious losses are no headline, or there are none without losses")
	}
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
	m.events = append(m.events, session("connections.main", "client", record.EventDialStarted, 20*ms))
	m.events = append(m.events, session("connections.main", "server", record.EventConnectionClosed, 60*ms))
	m.events = append(m.events, record.Event{Kind: record.EventHandshakeComplete, Entity: "connections.main", Side: "client"})
	want(t, m.metrics(t), map[string]float64{
		"connections.main.server.rtt.inflation.mean": 1.125, // 45 ms of 40 ms
		"connections.main.server.rtt.inflation.p50":  1.125,
		"connections.main.server.rtt.inflation.p95":  1.25,
		"connections.main.server.rtt.inflation.p99":  1.25,
		"connections.main.server.rtt.inflation.max":  1.25,
		"connections.main.client.rtt.inflation.max":  none,
		"connections.main.server.lifetime":           0.040,
		"connections.main.client.lifetime":           none, // not over when the run was
		"connections.main.server.cwnd.end":           20_000,
		"connections.main.server.cwnd.mean":          (10_000*10 + 40_000*30 + 20_000*20) / 60.0,
		"connections.main.server.cwnd.max":           40_000,
		"connections.main.server.in_flight.mean":     1200, // one sample
		"connections.main.server.in_flight.max":      1200,
		"connections.main.server.rtt.mean":           0.045,
		"connections.main.server.rtt.p50":            0.045,
		"connections.main.server.rtt.p95":            0.050,
		"connections.main.server.rtt.p99":            0.050,
		"connections.main.server.rtt.max":            0.050,
		"connections.main.server.rtt.min":            0.040,
		"connections.main.server.rtt.smoothed":       0.042,
		"connections.main.server.packets_lost":       2,
		"connections.main.server.spurious_losses":    1,
		"connections.main.server.ptos":               3,
		"connections.main.client.packets_lost":       0,
		"connections.main.client.cwnd.end":           none,
		"connections.main.client.rtt.min":            none,
	})
}

func TestTheMeanOfAConnectionThatStaysOpenLastsUntilTheEndOfTheRun(t *testing.T) {
	m := made{run: record.Run{Virtual: 100 * ms}, samples: []record.Sample{
		{Time: 20 * ms, Name: record.SeriesCwnd, Entity: "connections.main.client", Value: 10_000},
		{Time: 40 * ms, Name: record.SeriesCwnd, Entity: "connections.main.client", Value: 50_000},
	}}
	want(t, m.metrics(t), map[string]float64{"connections.main.client.cwnd.mean": (10_000*20 + 50_000*60) / 80.0})
}

func TestRTTInflationIsOverTheSmallestRTTOfAllPaths(t *testing.T) {
	const end = "connections.main.client"
	m := made{run: record.Run{Virtual: time.Second}, samples: []record.Sample{
		{Name: record.SeriesLatestRTT, Entity: end, Value: 0.060},
	}}
	want(t, m.metrics(t), map[string]float64{end + ".rtt.inflation.mean": none}) // no smallest RTT
	m.samples = append(m.samples,
		record.Sample{Name: record.SeriesMinRTT, Entity: end, Value: 0.020},
		record.Sample{Time: 100 * ms, Name: record.SeriesMinRTT, Entity: end, Value: 0.060}, // after a migration
	)
	want(t, m.metrics(t), map[string]float64{
		end + ".rtt.inflation.mean": 3, // one sample
		end + ".rtt.inflation.p50":  3,
		end + ".rtt.inflation.max":  3,
		end + ".rtt.min":            0.060,
	})
}

func TestStreamsThatAreResetAreCountedByEndAndThoseOfATeardownByThemselves(t *testing.T) {
	reset := func(side, code string, stream int64) record.Event {
		return record.Event{Kind: record.EventStreamReset, Entity: "connections.main", Side: side, Value: stream, Text: code}
	}
	m := made{run: record.Run{Virtual: time.Second}, events: []record.Event{
		reset("server", "0x170d7b68", 3), reset("server", "0x170d7b68", 7), reset("server", "0x10c", 0),
		{Kind: record.EventPTO, Entity: "connections.main", Side: "client"},
	}}
	want(t, m.metrics(t), map[string]float64{
		"connections.main.server.streams_reset":          3,
		"connections.main.server.teardown.streams_reset": 2,
		"connections.main.client.streams_reset":          0,
		"connections.main.client.teardown.streams_reset": 0,
	})
	m.events = m.events[:1] // one stream, and nothing of the client
	want(t, m.metrics(t), map[string]float64{
		"connections.main.server.teardown.streams_reset": 1,
		"connections.main.client.streams_reset":          none,
	})
}

func TestTheLossRatioOfAConnectionIsOfThePacketsThatAnEndSent(t *testing.T) {
	event := func(kind string) record.Event {
		return record.Event{Kind: kind, Entity: "connections.main", Side: "server"}
	}
	m := made{
		run: record.Run{Virtual: time.Second, Connections: []record.Connection{
			{Entity: "connections.main.client", Sent: 1}, {Entity: "connections.main.server", Sent: 200},
		}},
		events: []record.Event{event(record.EventPacketLost), event(record.EventPacketLost), event(record.EventSpuriousLoss)},
	}
	want(t, m.metrics(t), map[string]float64{
		"connections.main.server.packets_sent":   200,
		"connections.main.server.loss_ratio":     0.01,
		"connections.main.server.spurious_ratio": 0.5,
		"connections.main.client.packets_sent":   1,
		"connections.main.client.loss_ratio":     0,
		"connections.main.client.spurious_ratio": none, // of none lost
	})
	m.run.Connections = nil
	want(t, m.metrics(t), map[string]float64{
		"connections.main.server.packets_sent": none,
		"connections.main.server.loss_ratio":   none,
		"connections.main.server.packets_lost": 2,
	})
}

func TestTheGoodputRatioOfAnEndIsWhatItsFlowsDeliveredOfTheBytesThatItSent(t *testing.T) {
	flow := func(name, kind, from string) record.Flow {
		return record.Flow{Entity: "flows." + name, Kind: kind, Session: "sessions.main", From: from}
	}
	run := record.Run{
		Virtual:  time.Second,
		Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}},
		Connections: []record.Connection{
			{Entity: "connections.main.client", Host: "left", Sent: 9}, {Entity: "connections.main.server", Host: "right", Sent: 9},
		},
		Flows: []record.Flow{flow("a", "download", "right"), flow("b", "media", "right"), flow("c", "upload", "left")},
	}
	var samples []record.Sample
	for entity, bytes := range map[string]float64{"flows.a": 6000, "flows.b": 3000, "flows.c": 1000} {
		samples = append(samples, record.Sample{Time: 200 * ms, Name: record.SeriesDelivered, Entity: entity, Value: bytes})
	}
	for end, bytes := range map[string]float64{"client": 4000, "server": 10_000} {
		samples = append(samples, record.Sample{Time: 100 * ms, Name: record.SeriesSentBytes, Entity: "connections.main." + end, Value: bytes})
	}
	const client, server = "connections.main.client.goodput_ratio", "connections.main.server.goodput_ratio"
	m := made{run: run, samples: samples}
	want(t, m.metrics(t), map[string]float64{server: 0.9, client: 0.25})
	want(t, m.in(t, 200*ms, 300*ms), map[string]float64{server: none, client: none}) // nothing was sent

	m.run.Flows = run.Flows[:2] // none from the client
	want(t, m.metrics(t), map[string]float64{server: 0.9, client: none})
	m.run.Flows = append(run.Flows[:2:2], flow("c", "baton", "right")) // both ways
	want(t, m.metrics(t), map[string]float64{server: none, client: none})
	m.run.Flows, m.samples = run.Flows, nil
	want(t, m.metrics(t), map[string]float64{server: none, client: none, "connections.main.server.bytes_sent": none})
}

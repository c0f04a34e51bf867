package analysis_test

import (
	"strings"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

func sessionsByHand() []handMade {
	reset := func(at time.Duration, code string) record.Event {
		return record.Event{Time: at, Kind: record.EventStreamReset, Entity: "connections.main", Side: "server", Text: code}
	}
	// The life of a session closes at 500 ms, which the server learns at 521 ms.
	events := life("main", 10*ms, 500*ms)
	closed := made{
		run: record.Run{Virtual: time.Second, Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}}},
		events: join(events[:14], []record.Event{
			reset(521*ms, "0x170d7b68"), reset(521*ms, "0x170d7b68"), reset(521*ms, "0x10c"),
		}, events[14:]),
	}
	dialled := made{run: closed.run, events: []record.Event{session("connections.main", "client", record.EventDialStarted, 10*ms)}}
	const main = "sessions.main."
	left := map[string]float64{}
	values := map[string]float64{
		main + "setup.duration":               0.087,
		main + "setup.handshake":              0.042,
		main + "setup.settings":               0.003,
		main + "setup.connect":                0.041,
		main + "setup.server.handshake":       0.062,
		main + "setup.server.settings":        0.002,
		main + "setup.server.request":         0.020,
		main + "setup.server.answer":          0.001,
		main + "setup.server.response":        0.020,
		main + "teardown.duration":            0.044,
		main + "teardown.close_sent":          0.001,
		main + "teardown.notified":            0.021,
		main + "teardown.last_stream.client":  0, // before the close
		main + "teardown.last_stream.server":  0.022,
		main + "teardown.connect_done.client": 0.043,
		main + "teardown.connect_done.server": 0.023,
		main + "teardown.gone.client":         0.044,
		main + "teardown.gone.server":         0.024,
		main + "teardown.streams_reset":       2,
		main + "teardown.told":                1,
		main + "drain.notified":               none,
		main + "setup.failed":                 none,
		"run.failures.sessions":               0,
		"run.failures.flows":                  0,
	}
	for name := range values {
		if strings.HasPrefix(name, main) {
			left[name] = none
		}
	}
	refused := made{run: closed.run, events: join(dialled.events, []record.Event{
		session("sessions.main", "client", record.EventSessionFailed, 5010*ms), session("flows.x", "client", record.EventFlowFailed, 5010*ms), session("flows.y", "client", record.EventFlowFailed, 5010*ms),
	})}
	other := made{run: closed.run, events: []record.Event{
		session("sessions.main", "server", record.EventCloseCalled, 100*ms),
		{Time: 120 * ms, Kind: record.EventCloseNotified, Entity: "sessions.main", Side: "client", Text: "lost"},
	}}
	drained := made{run: closed.run, events: []record.Event{
		session("sessions.main", "server", record.EventDrainSent, 100*ms), session("sessions.main", "server", record.EventDrainNotified, 100*ms),
		session("sessions.main", "client", record.EventDrainNotified, 125*ms),
	}}
	both := made{run: closed.run, events: []record.Event{
		session("sessions.main", "server", record.EventCloseCalled, 100*ms), session("sessions.main", "client", record.EventCloseCalled, 110*ms),
		session("sessions.main", "client", record.EventCloseNotified, 110*ms),
	}}
	return []handMade{
		{"the life of a session", false, closed, values},
		{"a session that drains", false, drained, map[string]float64{main + "drain.notified": 0.025}},
		{"a session that both ends closed", true, both, map[string]float64{main + "teardown.notified": 0.010, main + "teardown.told": none}},
		{"a session that was only dialled", true, dialled, left},
		{"a session that was refused", false, refused, map[string]float64{
			main + "setup.failed": 5, main + "teardown.told": none, "run.failures.sessions": 1, "run.failures.flows": 2,
		}},
		{"a session whose close was told wrong", true, other, map[string]float64{
			main + "teardown.told": 0, main + "setup.failed": none, "run.failures.sessions": 0, "run.failures.flows": 0,
		}},
	}
}

func connectionsByHand() []handMade {
	const server, silent = "connections.main.server", "connections.silent.client"
	event := func(at time.Duration, kind string, n int64, text string) record.Event {
		return record.Event{Time: at, Kind: kind, Entity: "connections.main", Side: "server", Value: n, Text: text}
	}
	busy := made{
		run: record.Run{
			Virtual: 10 * time.Second, Connections: []record.Connection{{Entity: server, Host: "east", Sent: 100}},
			Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}},
			Flows:    []record.Flow{{Entity: "flows.bulk", Kind: "echo", Session: "sessions.main", From: "east"}},
		},
		samples: join(
			samplesOf(server, record.SeriesCwnd, at(0, 4000), 10_000, 20_000),
			samplesOf(server, record.SeriesBytesInFlight, at(0, 2000), 0, 8000),
			samplesOf(server, record.SeriesLatestRTT, at(0, 1000, 2000), 0.2, 0.6, 0.1),
			samplesOf(server, record.SeriesMinRTT, at(0, 2000), 0.2, 0.1),
			samplesOf(server, record.SeriesSmoothedRTT, at(0, 2000), 0.2, 0.25),
			samplesOf(server, record.SeriesSentBytes, at(0, 1000), 50_000, 125_000),
			samplesOf("flows.bulk", record.SeriesDelivered, at(1000), 40_000),
			samplesOf(server, record.SeriesStreamSent, at(0, 1000), 40_000, 100_000),
			samplesOf(server, record.SeriesStreamResent, at(0, 1000), 1000, 5000),
			samplesOf(server, record.SeriesStreamReceived, at(0), 200),
			samplesOf(server, record.SeriesStreamWait, at(0, 1000, 2000), 0.001, 0.003, 0.002),
			samplesOf(server, record.SeriesStreamWaited, at(0), 20),
		),
		events: []record.Event{
			{Time: 500 * ms, Kind: record.EventDialStarted, Entity: "connections.main", Side: "client"},
			event(time.Second, record.EventPacketLost, 5, ""),
			event(time.Second, record.EventPacketLost, 7, ""),
			event(2*time.Second, record.EventSpuriousLoss, 5, ""),
			event(2*time.Second, record.EventPTO, 1, ""),
			event(2500*ms, record.EventPTO, 2, ""),
			event(3*time.Second, record.EventPTO, 1, ""), // after an acknowledgement
			event(3400*ms, record.EventPTO, 2, ""),
			event(4*time.Second, record.EventStreamReset, 0, "0x10c"),
			event(5*time.Second, record.EventStreamReset, 4, "0x170d7b68"),
			event(5*time.Second, record.EventStreamReset, 8, "0x170d7b68"),
			event(8*time.Second, record.EventConnectionClosed, 0, ""),
		},
	}
	nothing := made{run: record.Run{Virtual: 10 * time.Second, Connections: []record.Connection{{Entity: silent}}}}
	return []handMade{
		{"a connection that closed at 8 s", false, busy, values(map[string]float64{
			server + ".lifetime":                   7.5,
			server + ".cwnd.end":                   20_000,
			server + ".cwnd.mean":                  15_000, // half of the 8 s each
			server + ".cwnd.max":                   20_000,
			server + ".in_flight.mean":             6000, // 8000 bytes in 6 s of 8 s
			server + ".in_flight.max":              8000,
			server + ".rtt.min":                    0.1,
			server + ".rtt.smoothed":               0.25,
			server + ".packets_lost":               2,
			server + ".bytes_sent":                 125_000,
			server + ".goodput_ratio":              0.32, // 40 of 125 kB
			server + ".packets_sent":               100,
			server + ".loss_ratio":                 0.02,
			server + ".spurious_ratio":             0.5,
			server + ".spurious_losses":            1,
			server + ".streams_reset":              3,
			server + ".teardown.streams_reset":     2,
			server + ".ptos":                       4,
			server + ".pto_backoff.max":            0.5,
			server + ".stream_bytes.sent":          100_000,
			server + ".stream_bytes.retransmitted": 5000,
			server + ".retransmission_ratio":       0.05,
			server + ".hol_blocking.ratio":         0.1,
		}, ofThree(server+".rtt", 0.1, 0.2, 0.6), ofThree(server+".rtt.inflation", 1, 2, 6), ofThree(server+".hol_blocking", 0.001, 0.002, 0.003))},
		{"an end of a connection that did nothing", true, nothing, values(map[string]float64{
			silent + ".lifetime":                   none,
			silent + ".cwnd.end":                   none,
			silent + ".cwnd.mean":                  none,
			silent + ".cwnd.max":                   none,
			silent + ".in_flight.mean":             none,
			silent + ".in_flight.max":              none,
			silent + ".rtt.min":                    none,
			silent + ".rtt.smoothed":               none,
			silent + ".packets_lost":               0,
			silent + ".bytes_sent":                 none,
			silent + ".goodput_ratio":              none,
			silent + ".packets_sent":               none,
			silent + ".loss_ratio":                 none,
			silent + ".spurious_ratio":             none,
			silent + ".spurious_losses":            0,
			silent + ".streams_reset":              0,
			silent + ".teardown.streams_reset":     0,
			silent + ".ptos":                       0,
			silent + ".pto_backoff.max":            none,
			silent + ".stream_bytes.sent":          none,
			silent + ".stream_bytes.retransmitted": none,
			silent + ".retransmission_ratio":       none,
			silent + ".hol_blocking.ratio":         none,
		}, ofOne(silent+".rtt", none), ofOne(silent+".rtt.inflation", none), ofOne(silent+".hol_blocking", none))},
	}
}

func trafficByHand() []handMade {
	m := made{
		run:     record.Run{Virtual: 10 * time.Second, Traffic: []record.Traffic{cross("on", 90, 80)}},
		samples: samplesOf("traffic.on", record.SeriesTrafficDelay, at(2000, 3000, 4000), 0.01, 0.06, 0.02),
		events:  []record.Event{trafficEvent(time.Second, record.EventTrafficStarted, "on")},
	}
	bursts := made{run: record.Run{Virtual: 10 * time.Second, Traffic: []record.Traffic{{
		Entity: "traffic.bursts", Sent: record.Count{Packets: 100}, Delivered: record.Count{Packets: 88}, Missing: 10, Bursts: 4, // 2 at the end
	}}}}
	never := made{run: record.Run{Virtual: 10 * time.Second, Traffic: []record.Traffic{{Entity: "traffic.never"}}}}
	return []handMade{
		{"cross traffic from 1 s to the end", false, m, values(map[string]float64{
			"traffic.on.rate":            8 * 90_000.0 / 9,
			"traffic.on.throughput":      8 * 80_000.0 / 9,
			"traffic.on.sent":            90,
			"traffic.on.delivered":       80,
			"traffic.on.loss_ratio":      10.0 / 90,
			"traffic.on.reordered_ratio": 1.0 / 80,
			"traffic.on.loss_burst.mean": none, // of what is reordered
		}, ofThree("traffic.on.delay", 0.01, 0.02, 0.06))},
		{"cross traffic with bursts of loss", false, bursts, map[string]float64{
			"traffic.bursts.loss_ratio":      0.12,
			"traffic.bursts.loss_burst.mean": 2.5,
		}},
		{"cross traffic that never started", true, never, values(map[string]float64{
			"traffic.never.rate":            none,
			"traffic.never.throughput":      none,
			"traffic.never.sent":            0,
			"traffic.never.delivered":       0,
			"traffic.never.loss_ratio":      none,
			"traffic.never.reordered_ratio": none,
			"traffic.never.loss_burst.mean": none,
		}, ofOne("traffic.never.delay", none))},
	}
}

func linksByHand() []handMade {
	const forward = "links.access.forward."
	marked := packet(0, ms, 21*ms, 972)
	marked.ECN = 3
	dropped := packet(2*ms, 0, 2*ms, 972)
	dropped.Fate, dropped.Reason = record.Dropped, "queue"
	inside := packet(990*ms, 0, 0, 972)
	inside.Fate = record.InTransit
	m := made{
		run: record.Run{
			Virtual: time.Second, Datagrams: 5, Links: access(28),
			Discarded: []record.Discard{{At: "client", Reason: record.DiscardNoPort, Count: record.Count{Packets: 2, Bytes: 100}}},
			Flows:     []record.Flow{{Entity: "flows.bulk", Kind: "echo", Way: []string{"links.access.forward"}}},
		},
		packets: []record.Packet{packet(0, 0, 20*ms, 972), marked, packet(ms, 4*ms, 30*ms, 472), dropped, inside},
		samples: []record.Sample{rate(0, 8e6), flowSample(30*ms, record.SeriesDelivered, 1000)},
	}
	idle := made{run: record.Run{Virtual: time.Second, Links: access(28)}}
	return []handMade{
		{"a link with five datagrams", false, m, values(map[string]float64{
			"run.duration":            1,
			"run.datagrams":           5,
			"run.discarded.no_port":   2,
			forward + "utilisation":   20_000.0 / 8e6,
			forward + "throughput":    20_000,
			forward + "goodput_ratio": 1000.0 / 2500,
			forward + "bytes":         2500,
			forward + "datagrams":     5,
			forward + "delivered":     3,
			forward + "in_transit":    1,
			forward + "dropped":       1,
			forward + "dropped.queue": 1,
			forward + "loss_ratio":    0.2,
			forward + "ce_marks":      1,
			forward + "ce_ratio":      1.0 / 3,
			forward + "queue.mean":    1000*0.001 + 500*0.004, // in 1 s
			forward + "queue.max":     1000,                   // the one leaves as the other comes
		}, ofThree(forward+"queue_delay", 0, 0.001, 0.004))},
		{"a link without datagrams and rate", true, idle, values(map[string]float64{
			"run.duration":            1,
			"run.datagrams":           0,
			"run.discarded.no_port":   0,
			forward + "utilisation":   none,
			forward + "throughput":    0,
			forward + "goodput_ratio": none,
			forward + "bytes":         0,
			forward + "datagrams":     0,
			forward + "delivered":     0,
			forward + "in_transit":    0,
			forward + "dropped":       0,
			forward + "dropped.queue": none,
			forward + "loss_ratio":    none,
			forward + "ce_marks":      0,
			forward + "ce_ratio":      none,
			forward + "queue.mean":    none,
			forward + "queue.max":     none,
		}, ofOne(forward+"queue_delay", none))},
	}
}

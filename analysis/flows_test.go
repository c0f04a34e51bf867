package analysis_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

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

func TestTheDeliveryAreaIsTheMeanShareOfTheBytesThatHaveCome(t *testing.T) {
	started, finished := flowEvent(100*ms, record.EventFlowStarted, 0), flowEvent(300*ms, record.EventFlowFinished, 1000)
	at := func(at time.Duration, bytes float64) record.Sample {
		return flowSample(at, record.SeriesDelivered, bytes)
	}
	for what, c := range map[string]struct {
		samples []record.Sample
		events  []record.Event
		want    float64
	}{
		"all at once at the start":  {[]record.Sample{at(100*ms, 1000)}, []record.Event{started, finished}, 1},
		"one sample, half way":      {[]record.Sample{at(200*ms, 1000)}, []record.Event{started, finished}, 0.5},
		"all at the end":            {nil, []record.Event{started, finished}, 0},
		"in steps":                  {[]record.Sample{at(150*ms, 400), at(250*ms, 900)}, []record.Event{started, finished}, (400*0.75 + 500*0.25) / 1000},
		"a flow that never ended":   {[]record.Sample{at(200*ms, 1000)}, []record.Event{started}, 0.8 / 0.9}, // the run lasts 1 s
		"a flow that failed":        {[]record.Sample{at(250*ms, 1000)}, []record.Event{started, flowEvent(300*ms, record.EventFlowFailed, 0)}, 0.25},
		"nothing came":              {nil, []record.Event{started}, none},
		"a flow that never started": {[]record.Sample{at(200*ms, 1000)}, nil, none},
		"a flow that took no time":  {nil, []record.Event{started, flowEvent(100*ms, record.EventFlowFinished, 10)}, none},
	} {
		m := made{run: record.Run{Virtual: time.Second}, samples: c.samples, events: c.events}
		t.Log(what)
		want(t, m.metrics(t), map[string]float64{"flows.bulk.delivery_area": c.want})
	}
}

func TestAFlowThatNeverStartedHasDeliveredNothing(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second, Flows: []record.Flow{{Entity: "flows.bulk", Kind: "upload"}}}}
	want(t, m.metrics(t), map[string]float64{"flows.bulk.bytes": 0, "flows.bulk.goodput": none})
}

func TestMediaMetrics(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}}
	for i := range 4 {
		m.events = append(m.events, flowEvent(time.Duration(i)*20*ms, record.EventMessageSent, int64(i)))
	}
	for i, delay := range []time.Duration{20 * ms, 36 * ms, 20 * ms} {
		at := time.Duration(i)*20*ms + delay
		m.samples = append(m.samples, flowSample(at, record.SeriesOneWayDelay, delay.Seconds()))
		m.events = append(m.events, flowEvent(at, record.EventMessageGot, int64(i)))
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
		"flows.bulk.messages.jitter":     0.016, // |D| is 16 ms twice
		"flows.bulk.messages.rtt.mean":   none,
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

func TestFairnessComparesTheGoodputOfBulkFlowsOfOneDirection(t *testing.T) {
	for kind, index := range map[string]float64{
		"download": 16.0 / (2 * 10), // (3+1)² / (2·(9+1))
		"upload":   none,            // they do not compete
	} {
		m := made{run: record.Run{Virtual: time.Second, Flows: []record.Flow{
			{Entity: "flows.a", Kind: "download"}, {Entity: "flows.b", Kind: kind}, {Entity: "flows.voice", Kind: "media"},
		}}}
		for entity, bytes := range map[string]int64{"flows.a": 3000, "flows.b": 1000, "flows.voice": 7} {
			m.events = append(m.events,
				record.Event{Kind: record.EventFlowStarted, Entity: entity},
				record.Event{Time: 100 * ms, Kind: record.EventFlowFinished, Entity: entity, Value: bytes})
		}
		want(t, m.metrics(t), map[string]float64{"fairness.jain": index})
	}
}

// A hundred flows that take 10 ms, 20 ms, …, and one that does not end.
func TestTheCompletionTimesOfAGroupAreThoseOfItsFlowsThatWereComplete(t *testing.T) {
	m := made{run: record.Run{Virtual: 2 * time.Second}}
	for i := range 101 {
		flow := fmt.Sprintf("sessions.page-%d.flows.page", i+1)
		m.run.Flows = append(m.run.Flows, record.Flow{Entity: flow, Kind: "download", Size: 1000, Group: "sessions.page.flows.page"})
		start := time.Duration(i) * ms
		m.events = append(m.events, record.Event{Time: start, Kind: record.EventFlowStarted, Entity: flow})
		if i < 100 {
			m.events = append(m.events, record.Event{Time: start + time.Duration(i+1)*10*ms, Kind: record.EventFlowFinished, Entity: flow, Value: 1000})
		}
	}
	want(t, m.metrics(t), map[string]float64{
		"sessions.page.flows.page.completion_time.mean": 0.505,
		"sessions.page.flows.page.completion_time.p50":  0.5,
		"sessions.page.flows.page.completion_time.p95":  0.95,
		"sessions.page.flows.page.completion_time.p99":  0.99,
		"sessions.page.flows.page.completion_time.max":  1,
		"sessions.page-101.flows.page.completion_time":  none,
	})
}

func TestSlowdownIsOverTheLeastTimeThatTheSlowestLinkAndARoundTripAllow(t *testing.T) {
	// 100 kB are 100 ms at 8 Mbit/s, and 40 ms are the round trip.
	flow := record.Flow{Entity: "flows.bulk", Kind: "download", Size: 100_000, RTT: 40 * ms,
		Way: []string{"links.lan.forward", "links.access.forward", "links.core.reverse"}}
	linkRate := func(at time.Duration, entity string, bits float64) record.Sample {
		return record.Sample{Time: at, Name: record.SeriesLinkRate, Entity: entity, Value: bits}
	}
	lan, core := linkRate(0, "links.lan.forward", 0), linkRate(0, "links.core.reverse", 100e6)
	started, finished := flowEvent(10*ms, record.EventFlowStarted, 0), flowEvent(290*ms, record.EventFlowFinished, 100_000)
	unsized := flow
	unsized.Size = 0
	for what, c := range map[string]struct {
		flow    record.Flow
		samples []record.Sample
		events  []record.Event
		want    float64
	}{
		"280 ms instead of 140 ms": {flow, []record.Sample{lan, core, rate(0, 8e6)}, []record.Event{started, finished}, 2},
		"a change after it":        {flow, []record.Sample{lan, core, rate(0, 8e6), rate(500*ms, 1e6)}, []record.Event{started, finished}, 2},
		// 80 kbit in 10 ms, and the other 720 kbit at 4 Mbit/s in 180 ms.
		"a change while it lasts":   {flow, []record.Sample{lan, core, rate(0, 8e6), rate(20*ms, 4e6)}, []record.Event{started, finished}, 280.0 / (10 + 180 + 40)},
		"unlimited links":           {flow, []record.Sample{lan, rate(0, 0), linkRate(0, "links.core.reverse", 0)}, []record.Event{started, finished}, 7},
		"a link of an unknown rate": {flow, []record.Sample{lan, core}, []record.Event{started, finished}, none},
		"no size":                   {unsized, []record.Sample{lan, core, rate(0, 8e6)}, []record.Event{started, finished}, none},
		"a flow that never ended":   {flow, []record.Sample{lan, core, rate(0, 8e6)}, []record.Event{started}, none},
		"a flow that failed":        {flow, []record.Sample{lan, core, rate(0, 8e6)}, []record.Event{started, {Time: 290 * ms, Kind: record.EventFlowFailed, Entity: "flows.bulk"}}, none},
		"no way":                    {record.Flow{Entity: "flows.bulk", Size: 1000}, nil, []record.Event{started, finished}, none},
	} {
		t.Run(what, func(t *testing.T) {
			m := made{run: record.Run{Virtual: time.Second, Flows: []record.Flow{c.flow}}, samples: c.samples, events: c.events}
			want(t, m.metrics(t), map[string]float64{"flows.bulk.slowdown": c.want})
		})
	}
}

func TestPowerIsGoodputOverTheDelayOfWhatTheFlowSends(t *testing.T) {
	rtt := func(side string, ms float64) record.Sample {
		return record.Sample{Name: record.SeriesLatestRTT, Entity: "connections.main." + side, Value: ms / 1000}
	}
	samples := []record.Sample{
		rtt("server", 40), rtt("server", 60), rtt("client", 100),
		flowSample(20*ms, record.SeriesOneWayDelay, 0.025),
	}
	for _, c := range []struct {
		kind    string
		samples []record.Sample
		ends    bool
		want    float64
	}{
		{"download", samples, true, 20e6}, // 10 kB in 80 ms, 50 ms
		{"upload", samples, true, 10e6},   // 100 ms, one sample
		{"media", samples, true, 40e6},    // 25 ms
		{"echo", samples, true, none},
		{"download", samples, false, 2e6}, // in 800 ms
		{"download", nil, true, none},
		{"media", nil, true, none},
	} {
		m := made{
			run: record.Run{Virtual: 810 * ms,
				Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}},
				Flows:    []record.Flow{{Entity: "flows.bulk", Kind: c.kind, Session: "sessions.main"}}},
			samples: append(c.samples[:len(c.samples):len(c.samples)], flowSample(90*ms, record.SeriesDelivered, 10_000)),
			events:  []record.Event{flowEvent(10*ms, record.EventFlowStarted, 0)},
		}
		if c.ends {
			m.events = append(m.events, flowEvent(90*ms, record.EventFlowFinished, 10_000))
		}
		t.Logf("%s, %d samples, ends: %t", c.kind, len(c.samples), c.ends)
		want(t, m.metrics(t), map[string]float64{"flows.bulk.power": c.want})
	}
}

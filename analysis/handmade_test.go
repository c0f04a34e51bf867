package analysis_test

import (
	"math"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// handMade is a recording made by hand with what its metrics are, by hand.
type handMade struct {
	name    string
	edge    bool // that something is missing: no data, one sample, a flow that never ended
	made    made
	metrics map[string]float64 // none is for a metric that must be left out
}

// handMades are the recordings that check every metric. A new metric needs a
// value in one of them, and a value or none in one with an edge.
func handMades() []handMade {
	var all []handMade
	for _, part := range [][]handMade{flowsByHand(), messagesByHand(), fairnessByHand(), sessionsByHand(), connectionsByHand(), trafficByHand(), linksByHand()} {
		all = append(all, part...)
	}
	return all
}

func TestMetricsAreThoseComputedByHand(t *testing.T) {
	for _, h := range handMades() {
		t.Run(h.name, func(t *testing.T) { want(t, h.made.metrics(t), h.metrics) })
	}
}

func TestEveryMetricIsComputedByHandWithAnEdge(t *testing.T) {
	valued, edges := map[string]bool{}, map[string]bool{}
	for _, h := range handMades() {
		for name, value := range h.metrics {
			pattern := patternOf(name)
			switch {
			case pattern == "":
				t.Errorf("%s: %s is no metric", h.name, name)
			case h.edge:
				edges[pattern] = true
			case !math.IsNaN(value):
				valued[pattern] = true
			}
		}
	}
	for _, d := range analysis.Definitions() {
		if !valued[d.Pattern] {
			t.Errorf("%s has no value that was computed by hand", d.Pattern)
		}
		if !edges[d.Pattern] {
			t.Errorf("%s has no edge case", d.Pattern)
		}
	}
}

// patternOf returns the pattern that a metric's name is of: of several, such as
// that of a metric whose name ends as another's, the longest.
func patternOf(name string) string {
	stars := strings.NewReplacer("FLOW", "*", "SESSION", "*", "CONNECTION", "*", "SIDE", "*", "TRAFFIC", "*", "LINK", "*", "DIRECTION", "*", "REASON", "*")
	longest := ""
	for _, d := range analysis.Definitions() {
		if ok, err := path.Match(stars.Replace(d.Pattern), name); ok && err == nil && len(d.Pattern) > len(longest) {
			longest = d.Pattern
		}
	}
	return longest
}

// values puts maps together.
func values(parts ...map[string]float64) map[string]float64 {
	all := map[string]float64{}
	for _, part := range parts {
		for name, value := range part {
			all[name] = value
		}
	}
	return all
}

// ofThree are the metrics of a distribution of three values in order: the
// nearest ranks of 50, 95 and 99 % of three are the second and the third.
func ofThree(name string, least, middle, most float64) map[string]float64 {
	return map[string]float64{
		name + ".mean": (least + middle + most) / 3, name + ".p50": middle,
		name + ".p95": most, name + ".p99": most, name + ".max": most,
	}
}

// ofOne are the metrics of a distribution of one value; none for no value.
func ofOne(name string, value float64) map[string]float64 { return ofThree(name, value, value, value) }

func samplesOf(entity, name string, times []time.Duration, values ...float64) []record.Sample {
	var samples []record.Sample
	for i, v := range values {
		samples = append(samples, record.Sample{Time: times[i], Name: name, Entity: entity, Value: v})
	}
	return samples
}

// join puts slices together.
func join[T any](parts ...[]T) []T {
	var all []T
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// at are times in milliseconds.
func at(milliseconds ...time.Duration) []time.Duration {
	for i := range milliseconds {
		milliseconds[i] *= ms
	}
	return milliseconds
}

func flowsByHand() []handMade {
	const second = time.Second
	bulk := record.Flow{
		Entity: "flows.bulk", Kind: "download", Session: "sessions.main",
		Size: 1.5e9, Way: []string{"links.access.forward"}, RTT: 100 * ms,
	}
	main := []record.Session{{Entity: "sessions.main", Connection: "connections.main"}}
	complete := made{
		run: record.Run{Virtual: 100 * second, Links: access(0), Sessions: main, Flows: []record.Flow{bulk}},
		samples: join(
			[]record.Sample{rate(0, 1e9)},
			samplesOf("connections.main.server", record.SeriesLatestRTT, at(10_000, 10_100), 0.1, 0.3),
			samplesOf("flows.bulk", record.SeriesDelivered, at(10_500, 11_000, 12_000, 13_000, 14_000, 20_000, 30_000),
				1500, 15_000, 150_000, 1.5e6, 15e6, 150e6, 1.5e9),
			samplesOf("flows.bulk", record.SeriesStreamReceived, at(11_000, 12_000), 1000, 10_000),
			samplesOf("flows.bulk", record.SeriesStreamWait, at(11_000, 12_000, 13_000), 0.01, 0.02, 0.06),
			samplesOf("flows.bulk", record.SeriesStreamWaited, at(11_000, 12_000), 1000, 2500),
		),
		events: []record.Event{
			flowEvent(10*second, record.EventFlowStarted, 0),
			flowEvent(10*second, record.EventStreamOpened, 0),
			flowEvent(10*second, record.EventStreamOpened, 4),
			flowEvent(10*second+100*ms, record.EventFirstByte, 0),
			flowEvent(10*second+300*ms, record.EventFirstByte, 4),
			flowEvent(11*second, record.EventStreamOpened, 8),
			flowEvent(11*second+200*ms, record.EventFirstByte, 8),
			flowEvent(30*second, record.EventFlowFinished, 1.5e9),
		},
	}
	// The bytes of each sample times how long before the end they came.
	const area = 1500*19.5 + 13_500*19 + 135_000*18 + 1.35e6*17 + 13.5e6*16 + 135e6*10
	unending := made{
		run:     record.Run{Virtual: 10 * second, Links: access(0), Sessions: main, Flows: []record.Flow{bulk}},
		samples: []record.Sample{rate(0, 1e9), flowSample(4*second, record.SeriesDelivered, 1000)},
		events:  []record.Event{flowEvent(2*second, record.EventFlowStarted, 0), flowEvent(2*second, record.EventStreamOpened, 0)},
	}
	silent := made{run: record.Run{Virtual: 10 * second, Sessions: main, Flows: []record.Flow{bulk}}}
	return []handMade{
		{"a download of 1.5 GB", false, complete, values(map[string]float64{
			"flows.bulk.goodput":               8 * 1.5e9 / 20,
			"flows.bulk.throughput.max":        8 * 1.35e9 / 0.5, // of 100 s, bins are 0.5 s
			"flows.bulk.completion_time":       20,
			"flows.bulk.delivery_area":         area / (1.5e9 * 20),
			"flows.bulk.power":                 6e8 / 0.2,
			"flows.bulk.slowdown":              20 / (12 + 0.1), // 12 Gbit at 1 Gbit/s
			"flows.bulk.bytes":                 1.5e9,
			"flows.bulk.streams":               3,
			"flows.bulk.stream_bytes.received": 10_000,
			"flows.bulk.hol_blocking.ratio":    0.25,
			"flows.bulk.time_to.1500":          0.5,
			"flows.bulk.time_to.15000":         1,
			"flows.bulk.time_to.150000":        2,
			"flows.bulk.time_to.1500000":       3,
			"flows.bulk.time_to.15000000":      4,
			"flows.bulk.time_to.150000000":     10,
			"flows.bulk.time_to.1500000000":    20,
		}, ofThree("flows.bulk.first_byte", 0.1, 0.2, 0.3), ofThree("flows.bulk.hol_blocking", 0.01, 0.02, 0.06))},
		{"a flow that never ended", true, unending, values(map[string]float64{
			"flows.bulk.goodput":            8 * 1000.0 / 8, // from 2 s to the end of the run
			"flows.bulk.throughput.max":     8 * 1000 / 0.05,
			"flows.bulk.completion_time":    none,
			"flows.bulk.delivery_area":      0.75, // 6 s of 8 s
			"flows.bulk.power":              none, // without an RTT
			"flows.bulk.slowdown":           none,
			"flows.bulk.bytes":              1000,
			"flows.bulk.streams":            1,
			"flows.bulk.time_to.1500":       none,
			"flows.bulk.time_to.15000":      none,
			"flows.bulk.time_to.150000":     none,
			"flows.bulk.time_to.1500000":    none,
			"flows.bulk.time_to.15000000":   none,
			"flows.bulk.time_to.150000000":  none,
			"flows.bulk.time_to.1500000000": none,
		}, ofOne("flows.bulk.first_byte", none))},
		{"a flow of which nothing is known", true, silent, values(map[string]float64{
			"flows.bulk.goodput":               none,
			"flows.bulk.throughput.max":        none,
			"flows.bulk.delivery_area":         none,
			"flows.bulk.bytes":                 0,
			"flows.bulk.streams":               none,
			"flows.bulk.stream_bytes.received": none,
			"flows.bulk.hol_blocking.ratio":    none,
			"flows.bulk.messages.sent":         none,
		}, ofOne("flows.bulk.hol_blocking", none))},
	}
}

func messagesByHand() []handMade {
	event := func(flow string, at time.Duration, kind string, n int64) record.Event {
		return record.Event{Time: at, Kind: kind, Entity: flow, Value: n}
	}
	media := func(entity string) record.Flow {
		return record.Flow{Entity: entity, Kind: "media", Interval: 20 * ms, Deadline: 50 * ms}
	}
	const voice, one = "flows.voice", "flows.one"
	several := made{
		run: record.Run{Virtual: time.Second, Flows: []record.Flow{media(voice), {Entity: "flows.ping", Kind: "echo"}}},
		samples: join(
			samplesOf(voice, record.SeriesOneWayDelay, at(30, 80, 100), 0.03, 0.04, 0.08),
			samplesOf("flows.ping", record.SeriesMessageRTT, at(100, 200, 300), 0.1, 0.4, 0.2),
		),
		events: []record.Event{
			event(voice, 0, record.EventFlowStarted, 0),
			event(voice, 0, record.EventMessageSent, 0),
			event(voice, 20*ms, record.EventMessageSent, 1),
			event(voice, 30*ms, record.EventMessageGot, 0),
			event(voice, 40*ms, record.EventMessageSent, 2),
			event(voice, 60*ms, record.EventMessageFailed, 3),
			event(voice, 80*ms, record.EventMessageSent, 4),
			event(voice, 80*ms, record.EventMessageGot, 2),
			event(voice, 100*ms, record.EventMessageGot, 1), // due at 20 ms, so 30 ms too late
			event(voice, 200*ms, record.EventFlowFinished, 0),
		},
	}
	single := made{
		run:     record.Run{Virtual: time.Second, Flows: []record.Flow{media(one)}},
		samples: samplesOf(one, record.SeriesOneWayDelay, at(30), 0.03),
		events: []record.Event{
			event(one, 0, record.EventFlowStarted, 0),
			event(one, 0, record.EventMessageSent, 0),
			event(one, 30*ms, record.EventMessageGot, 0),
		},
	}
	return []handMade{
		{"frames and echoes", false, several, values(map[string]float64{
			voice + ".messages.sent":       4,
			voice + ".messages.received":   3,
			voice + ".messages.failed":     1,
			voice + ".messages.loss_ratio": 0.25,
			voice + ".messages.jitter":     (0.01 + 0.04) / 2,
			// Frame n has until 20·n + 50 ms; those of 0 to 7 are over at 200 ms, and
			// only 0 and 2 were in time.
			voice + ".deadline.missed":     6,
			voice + ".deadline.miss_ratio": 0.75,
		}, ofThree(voice+".messages.delay", 0.03, 0.04, 0.08), ofThree("flows.ping.messages.rtt", 0.1, 0.2, 0.4))},
		{"one frame of a flow that never ended", true, single, values(map[string]float64{
			one + ".messages.sent":       1,
			one + ".messages.received":   1,
			one + ".messages.failed":     0,
			one + ".messages.loss_ratio": 0,
			one + ".messages.jitter":     0,
			one + ".deadline.missed":     47, // of the frames 0 to 47: 20·47 + 50 ms is before the end at 1 s
			one + ".deadline.miss_ratio": 47.0 / 48,
		}, ofOne(one+".messages.delay", 0.03), ofOne(one+".messages.rtt", none))},
	}
}

func fairnessByHand() []handMade {
	flows := []record.Flow{{Entity: "flows.a", Kind: "download"}, {Entity: "flows.b", Kind: "download"}}
	m := made{run: record.Run{Virtual: 10 * time.Second, Flows: flows}}
	for i := range 10 { // a delivers 3000 bytes in the first second, otherwise both deliver 1000
		t := time.Duration(i)*time.Second + 500*ms
		m.samples = append(m.samples,
			record.Sample{Time: t, Name: record.SeriesDelivered, Entity: "flows.a", Value: float64(3000 + 1000*i)},
			record.Sample{Time: t, Name: record.SeriesDelivered, Entity: "flows.b", Value: float64(1000 + 1000*i)})
	}
	for _, f := range flows {
		m.events = append(m.events, record.Event{Kind: record.EventFlowStarted, Entity: f.Entity})
	}
	alone := made{m.run, nil, m.samples, m.events}
	alone.run.Flows = flows[:1]
	return []handMade{
		{"two downloads", false, m, map[string]float64{
			"fairness.jain":             22.0 * 22 / (2 * (12*12 + 10*10)),
			"fairness.seconds.mean":     (0.8 + 9) / 10, // 4²/(2·(3² + 1²)) and nine of 1
			"fairness.seconds.min":      0.8,
			"fairness.convergence_time": 1,
			"fairness.converged":        1,
		}},
		{"a download alone", true, alone, map[string]float64{
			"fairness.jain": none, "fairness.seconds.mean": none, "fairness.seconds.min": none,
			"fairness.convergence_time": none, "fairness.converged": none,
		}},
	}
}

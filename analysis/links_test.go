package analysis_test

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

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
		"links.access.forward.ce_ratio":         1.0 / 3,
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
		"links.access.reverse.ce_ratio":         none,
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

func TestTheGoodputRatioOfALinkIsOfTheFlowsWhoseWayLeadsOverIt(t *testing.T) {
	m := made{
		run: record.Run{Virtual: time.Second, Links: access(28), Flows: []record.Flow{
			{Entity: "flows.bulk", Way: []string{"links.access.forward"}}, // it does not end
			{Entity: "flows.get", Way: []string{"links.access.forward", "links.elsewhere.forward"}},
			{Entity: "flows.up", Way: []string{"links.core.forward"}},
		}},
		packets: []record.Packet{packet(0, 0, 20*ms, 972), packet(0, 0, 30*ms, 972)},
		samples: []record.Sample{
			flowSample(20*ms, record.SeriesDelivered, 900),
			{Name: record.SeriesDelivered, Entity: "flows.get", Value: 600},
		},
	}
	m.run.Links = append(m.run.Links, record.Link{Name: "core"})
	want(t, m.metrics(t), map[string]float64{
		"links.access.forward.goodput_ratio": 0.75, // 1500 B of 2000 B
		"links.access.reverse.goodput_ratio": none, // no flow
		"links.core.forward.goodput_ratio":   none, // no packet
	})
	m.samples = nil
	want(t, m.metrics(t), map[string]float64{"links.access.forward.goodput_ratio": 0})
}

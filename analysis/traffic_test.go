package analysis_test

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// cross is what run.json holds of traffic that was sent from 1 s on.
func cross(name string, sent, delivered uint64) record.Traffic {
	return record.Traffic{
		Entity: "traffic." + name, Kind: "poisson", Reordered: 1,
		Sent: record.Count{Packets: sent, Bytes: 1000 * sent}, Delivered: record.Count{Packets: delivered, Bytes: 1000 * delivered},
	}
}

func trafficEvent(at time.Duration, kind, name string) record.Event {
	return record.Event{Time: at, Kind: kind, Entity: "traffic." + name}
}

func TestTrafficMetrics(t *testing.T) {
	m := made{run: record.Run{Virtual: 10 * time.Second, Traffic: []record.Traffic{cross("on", 90, 80), cross("stopped", 90, 90), cross("silent", 0, 0), cross("never", 0, 0)}}}
	for _, name := range []string{"on", "stopped", "silent"} {
		m.events = append(m.events, trafficEvent(time.Second, record.EventTrafficStarted, name))
	}
	m.events = append(m.events, trafficEvent(4*time.Second, record.EventTrafficStopped, "stopped"))
	for i := range 4 {
		m.samples = append(m.samples, record.Sample{Name: record.SeriesTrafficDelay, Entity: "traffic.on", Value: 0.010 * float64(i+1)})
	}
	want(t, m.metrics(t), map[string]float64{
		"traffic.on.rate":               80_000, // 720 kbit in 9 s
		"traffic.on.throughput":         640_000.0 / 9,
		"traffic.on.sent":               90,
		"traffic.on.delivered":          80,
		"traffic.on.loss_ratio":         10.0 / 90,
		"traffic.on.reordered_ratio":    1.0 / 80,
		"traffic.on.delay.mean":         0.025,
		"traffic.on.delay.p50":          0.020,
		"traffic.on.delay.p95":          0.040,
		"traffic.on.delay.max":          0.040,
		"traffic.stopped.rate":          240_000, // 720 kbit in 3 s
		"traffic.stopped.loss_ratio":    0,
		"traffic.stopped.delay.mean":    none,
		"traffic.silent.rate":           0,
		"traffic.silent.sent":           0,
		"traffic.silent.loss_ratio":     none,
		"traffic.never.rate":            none,
		"traffic.never.sent":            0,
		"traffic.never.throughput":      none,
		"traffic.never.delivered":       0,
		"traffic.never.delay.max":       none,
		"traffic.silent.delay.mean":     none,
		"traffic.silent.throughput":     0,
		"traffic.stopped.throughput":    240_000,
		"traffic.stopped.delivered":     90,
		"traffic.silent.delivered":      0,
		"traffic.never.loss_ratio":      none,
		"traffic.never.reordered_ratio": none,
	})
}

func TestTrafficOfAGroupHasTheStatisticsOfItsMembers(t *testing.T) {
	m := made{run: record.Run{Virtual: 2 * time.Second}}
	for i, name := range []string{"web-1", "web-2", "web-3"} {
		x := cross(name, 10*uint64(i+1), 10)
		x.Group = "traffic.web"
		m.run.Traffic = append(m.run.Traffic, x)
		m.events = append(m.events, trafficEvent(time.Second, record.EventTrafficStarted, name))
	}
	want(t, m.metrics(t), map[string]float64{
		"traffic.web.rate.mean":      160_000,
		"traffic.web.rate.max":       240_000,
		"traffic.web.loss_ratio.p50": 0.5,
		"traffic.web-2.rate":         160_000,
		"traffic.web.delivered.mean": 10,
	})
}

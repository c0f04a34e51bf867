package analysis

import (
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// Bytes on the link are the UDP payload and the traffic's overhead.
var (
	trafficRate       = define(ofTraffic, "rate", "bit/s", "bytes on the link that the source sent, per second from its start to its stop, or to the end of the run for one that did not stop", "run.json; events traffic.started, traffic.stopped")
	trafficThroughput = define(ofTraffic, "throughput", "bit/s", "bytes on the link of the packets that arrived, per second of the same time", "run.json; events traffic.started, traffic.stopped")
	trafficSent       = define(ofTraffic, "sent", "packets", "packets that the source sent", "run.json")
	trafficDelivered  = define(ofTraffic, "delivered", "packets", "packets that arrived intact, each counted once", "run.json")
	trafficLoss       = define(ofTraffic, "loss_ratio", "1", "share of the sent packets that had not arrived intact at the end of the run", "RFC 7680 section 2; run.json")
	trafficReordered  = define(ofTraffic, "reordered_ratio", "1", "share of the packets that arrived which did so after one that was sent later", "RFC 4737 section 4.1; run.json")
	trafficBurst      = define(ofTraffic, "loss_burst.mean", "packets", "packets lost in a row, mean over the gaps before the last packet that arrived; of traffic that was not reordered", "RFC 3357 section 4.4, loss periods; run.json")
	trafficDelay      = defineSummary(ofTraffic, "delay", "s", "the one-way delay of the packets that arrived", "RFC 7679; samples traffic.delay")
)

// trafficTotals is what is known of cross traffic, and what is added up for it in
// each window.
type trafficTotals struct {
	started, stopped time.Duration // stopped is 0 for traffic that did not stop
	hasStarted       bool
	delivered        float64 // bytes until now
	counts           record.Traffic
	in               []trafficWindow
}

// trafficWindow is what is added up for cross traffic in a window.
type trafficWindow struct {
	delay distribution
	bytes float64 // delivered
}

func (t *trafficTotals) sample(windows []span, s record.Sample) {
	switch s.Name {
	case record.SeriesTrafficDelay:
		for i := range t.in {
			if windows[i].has(s.Time) {
				t.in[i].delay.addSeconds(s.Value)
			}
		}
	case record.SeriesTrafficDelivered:
		for i := range t.in {
			if windows[i].has(s.Time) {
				t.in[i].bytes += s.Value - t.delivered
			}
		}
		t.delivered = s.Value
	}
}

func (t *trafficTotals) event(e record.Event) {
	switch e.Kind {
	case record.EventTrafficStarted:
		t.started, t.hasStarted = e.Time, true
	case record.EventTrafficStopped:
		t.stopped = e.Time
	}
}

func (t *trafficTotals) metrics(m *Metrics, entity string, i int, w *span) {
	in := &t.in[i]
	end := w.end
	if t.stopped > 0 {
		end = min(end, t.stopped)
	}
	from, to, lasts := w.overlap(t.started, end)
	lasts = lasts && t.hasStarted
	seconds := (to - from).Seconds()
	if w.whole {
		sent, delivered := float64(t.counts.Sent.Packets), float64(t.counts.Delivered.Packets)
		if lasts {
			m.put(trafficRate, entity, 8*float64(t.counts.Sent.Bytes)/seconds)
			m.put(trafficThroughput, entity, 8*float64(t.counts.Delivered.Bytes)/seconds)
		}
		m.put(trafficSent, entity, sent)
		m.put(trafficDelivered, entity, delivered)
		m.put(trafficLoss, entity, 1-delivered/sent)
		m.put(trafficReordered, entity, float64(t.counts.Reordered)/delivered)
		if t.counts.Reordered == 0 {
			m.put(trafficBurst, entity, float64(t.counts.Missing)/float64(t.counts.Bursts))
		}
	} else {
		if lasts {
			m.put(trafficThroughput, entity, 8*in.bytes/seconds)
		}
		m.put(trafficDelivered, entity, float64(in.delay.count))
	}
	m.putSummary(trafficDelay, entity, &in.delay)
}

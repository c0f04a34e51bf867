package analysis

import (
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// Bytes on the wire are the UDP payload and the link's overhead, as configured
// at the start of the run.
var (
	linkUtilisation = define(ofLink, "utilisation", "1", "delivered bytes on the wire, divided by what the configured rate could have sent in the same time, its changes included", "samples link.rate, their integral; packets or run.json")
	linkThroughput  = define(ofLink, "throughput", "bit/s", "delivered bytes on the wire, per second of the run", "packets or run.json")
	linkGoodput     = define(ofLink, "goodput_ratio", "1", "bytes that flows whose way leads over the link handed to the receiving applications, divided by delivered bytes on the wire: 1 less the share of headers, control data, what was sent again and cross traffic; for links with such flows", "RFC 5166 section 2.1; samples flow.delivered; packets or run.json")
	linkBytes       = define(ofLink, "bytes", "B", "bytes on the wire of delivered datagrams", "packets or run.json")
	linkDatagrams   = define(ofLink, "datagrams", "packets", "datagrams that entered the link, and copies that it made", "packets or run.json")
	linkDelivered   = define(ofLink, "delivered", "packets", "datagrams that left the link at its far end", "packets or run.json")
	linkInTransit   = define(ofLink, "in_transit", "packets", "datagrams that the link still held at the end of the run", "packets or run.json")
	linkDropped     = define(ofLink, "dropped", "packets", "datagrams that the link dropped", "packets or run.json")
	linkDroppedBy   = define(ofLink, "dropped.REASON", "packets", "datagrams that the link dropped for a reason, such as queue or loss", "packets or run.json")
	linkLossRatio   = define(ofLink, "loss_ratio", "1", "share of the datagrams that entered the link, and of the copies that it made, that the link dropped", "packets or run.json")
	linkCEMarks     = define(ofLink, "ce_marks", "packets", "delivered datagrams that the link marked CE", "RFC 3168 section 5; packets")
	linkCERatio     = define(ofLink, "ce_ratio", "1", "delivered datagrams that the link marked CE, divided by delivered datagrams", "RFC 3168 section 5; packets")
	linkQueueDelay  = defineSummary(ofLink, "queue_delay", "s", "the time that delivered datagrams waited for their transmission to begin: their sojourn time in the queue", "RFC 8289 section 2; packets")
	linkQueueMean   = define(ofLink, "queue.mean", "B", "bytes on the wire that waited in the queue, mean over the time of the run", "Little's law: sum of bytes times waiting time; packets")
	linkQueueMax    = define(ofLink, "queue.max", "B", "most bytes on the wire that waited in the queue at once; too small where one waited while more than 2048 others passed it", "packets")
)

// linkTotals is what is known of one direction of a link, and what is added up
// for it in each window.
type linkTotals struct {
	overhead int64
	capacity capacity
	in       []linkWindow
}

// linkWindow is what is added up for one direction of a link in a window.
type linkWindow struct {
	rate                   rateIntegral
	entered, lost          int64 // lost: of those that entered
	delivered, ce, dropped int64
	inside                 int64
	reasons                table[int64]
	bytes                  int64
	queueDelay             distribution
	byteSeconds            float64 // waiting time of each datagram times its bytes
	queue                  occupancy
	used                   bool // a datagram entered it before the window was over
}

func (l *linkWindow) packet(w *span, p *record.Packet, bytes int64) {
	if p.Sent >= w.to {
		return
	}
	l.used = true
	if p.Fate == record.InTransit || p.Done >= w.to {
		l.inside++
	}
	served := p.Sent + p.QueueDelay
	if from, to := max(p.Sent, w.from), min(served, w.to); from < to {
		l.byteSeconds += float64(bytes) * (to - from).Seconds()
		l.queue.add(stay{from, to, bytes})
	}
	if w.has(p.Sent) {
		l.entered++
		if p.Fate == record.Dropped {
			l.lost++
		}
	}
	if p.Fate == record.Delivered && w.has(served) {
		l.queueDelay.addDuration(p.QueueDelay)
	}
	if !w.has(p.Done) {
		return
	}
	switch p.Fate {
	case record.Delivered:
		l.delivered++
		l.bytes += bytes
		if p.ECN == ecnCE && p.SentECN != ecnCE {
			l.ce++
		}
	case record.Dropped:
		l.dropped++
		*l.reasons.get(p.Reason)++
	}
}

// ecnCE is the codepoint "congestion experienced" (RFC 3168 section 5).
const ecnCE = 3

func (l *linkWindow) metrics(m *Metrics, entity string, w *span) {
	if bits, ok := l.rate.until(w.end); ok {
		m.put(linkUtilisation, entity, 8*float64(l.bytes)/bits)
	}
	m.put(linkThroughput, entity, 8*float64(l.bytes)/w.length().Seconds())
	m.put(linkBytes, entity, float64(l.bytes))
	m.put(linkDatagrams, entity, float64(l.entered))
	m.put(linkDelivered, entity, float64(l.delivered))
	m.put(linkInTransit, entity, float64(l.inside))
	m.put(linkDropped, entity, float64(l.dropped))
	for _, reason := range l.reasons.names {
		m.putNamed(linkDroppedBy, entity, reason, float64(*l.reasons.get(reason)))
	}
	m.put(linkLossRatio, entity, float64(l.lost)/float64(l.entered))
	m.put(linkCEMarks, entity, float64(l.ce))
	m.put(linkCERatio, entity, float64(l.ce)/float64(l.delivered))
	m.putSummary(linkQueueDelay, entity, &l.queueDelay)
	if l.used {
		m.put(linkQueueMean, entity, l.byteSeconds/w.length().Seconds())
		m.put(linkQueueMax, entity, float64(l.queue.most()))
	}
}

// rateIntegral integrates a rate that changes in steps. A rate of 0 is
// unlimited, and so has no integral.
type rateIntegral struct {
	known     bool
	unlimited bool
	last      time.Duration
	rate      float64 // bit/s
	bits      float64
}

func (r *rateIntegral) add(w *span, at time.Duration, rate float64) {
	if at >= w.to {
		return
	}
	at = max(at, w.from)
	if r.known {
		r.advance(at)
	}
	r.known, r.last, r.rate = true, at, rate
}

func (r *rateIntegral) advance(at time.Duration) {
	if at > r.last {
		r.bits += r.rate * (at - r.last).Seconds()
		r.unlimited = r.unlimited || r.rate == 0
		r.last = at
	}
}

// until returns the bits that could be sent until the end of the run, and
// whether that is a number.
func (r *rateIntegral) until(end time.Duration) (float64, bool) {
	if !r.known {
		return 0, false
	}
	whole := *r
	whole.advance(end)
	return whole.bits, !whole.unlimited && whole.bits > 0
}

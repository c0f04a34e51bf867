package analysis

import (
	"math"
	"strings"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

var (
	connectionLifetime     = define(ofConnection, "lifetime", "s", "time from the client's dial until this end knew that the connection was over", "RFC 9000 section 10; events connection.dial, connection.closed")
	connectionCwndEnd      = define(ofConnection, "cwnd.end", "B", "last congestion window", "samples conn.cwnd")
	connectionCwndMean     = define(ofConnection, "cwnd.mean", "B", "congestion window, mean over the time from its first sample until the connection closed or the run ended", "samples conn.cwnd; events connection.closed")
	connectionCwndMax      = define(ofConnection, "cwnd.max", "B", "largest congestion window", "samples conn.cwnd")
	connectionInFlightMean = define(ofConnection, "in_flight.mean", "B", "bytes in flight, mean over the time from its first sample until the connection closed or the run ended", "RFC 9002 appendix B.2; samples conn.in_flight; events connection.closed")
	connectionInFlightMax  = define(ofConnection, "in_flight.max", "B", "most bytes in flight", "RFC 9002 appendix B.2; samples conn.in_flight")
	connectionRTT          = defineSummary(ofConnection, "rtt", "s", "the samples of the latest RTT", "RFC 9002 section 5.1; samples conn.rtt.latest")
	connectionRTTMin       = define(ofConnection, "rtt.min", "s", "smallest RTT of the network path that was used last", "RFC 9002 section 5.2; samples conn.rtt.min")
	connectionRTTInflation = defineSummary(ofConnection, "rtt.inflation", "1", "the samples of the latest RTT, each divided by the smallest RTT of the whole connection", "RFC 9002 sections 5.1 and 5.2; samples conn.rtt.latest, conn.rtt.min")
	connectionRTTEnd       = define(ofConnection, "rtt.smoothed", "s", "last smoothed RTT", "RFC 9002 section 5.3; samples conn.rtt.smoothed")
	connectionLost         = define(ofConnection, "packets_lost", "packets", "QUIC packets that this end declared lost", "RFC 9002 section 6.1; events connection.packet_lost")
	connectionBytes        = define(ofConnection, "bytes_sent", "B", "bytes of the QUIC packets that this end sent: the payload of its UDP datagrams", "RFC 9000 section 12; samples conn.sent.bytes")
	connectionGoodput      = define(ofConnection, "goodput_ratio", "1", "bytes of flows from this end that were handed to the receiving applications, divided by the bytes of the QUIC packets that it sent: 1 less the share of QUIC's and HTTP's own headers, acknowledgements, other control data and what was sent again; for ends with such flows, but not batons, which go both ways", "RFC 5166 section 2.1; run.json; samples flow.delivered, conn.sent.bytes")
	connectionSent         = define(ofConnection, "packets_sent", "packets", "ack-eliciting QUIC packets that this end sent, without probes of the MTU", "RFC 9002 section 2; samples conn.sent.packets or run.json")
	connectionLossRatio    = define(ofConnection, "loss_ratio", "1", "QUIC packets that this end declared lost, divided by the ack-eliciting ones that it sent", "RFC 9002 section 6.1; samples conn.sent.packets or run.json; events connection.packet_lost")
	connectionSpuriousPart = define(ofConnection, "spurious_ratio", "1", "share of the packets declared lost that were acknowledged later", "events connection.packet_lost, connection.spurious")
	connectionSpurious     = define(ofConnection, "spurious_losses", "packets", "QUIC packets declared lost and acknowledged later", "events connection.spurious")
	connectionResets       = define(ofConnection, "streams_reset", "1", "streams that this end reset", "RFC 9000 section 19.4; events connection.stream_reset")
	connectionResetsGone   = define(ofConnection, "teardown.streams_reset", "1", "streams that this end reset with WT_SESSION_GONE because their session ended", "draft-ietf-webtrans-http3, session termination; events connection.stream_reset")
	connectionBackoff      = define(ofConnection, "pto_backoff.max", "s", "longest time from one probe timeout to the next, of two between which nothing was acknowledged", "RFC 9002 section 6.2.1; events connection.pto")
	connectionPTOs         = define(ofConnection, "ptos", "1", "probe timeouts that expired", "RFC 9002 section 6.2; events connection.pto")
)

// connectionTotals is what is known of one end of a connection, and what is
// added up for it in each window.
type connectionTotals struct {
	leastRTT       float64       // smallest RTT of all paths in seconds; 0 before the first sample
	bytes, packets float64       // sent until now
	sent           uint64        // packets of the whole run
	probed         time.Duration // when the last probe timeout expired
	closed         time.Duration // when this end knew that it was over; 0 if it never did
	in             []connectionWindow
}

// connectionWindow is what is added up for one end of a connection in a window.
type connectionWindow struct {
	cwnd, inFlight      average
	rtt                 distribution
	minRTT, smoothedRTT float64 // the last ones; 0 before the first sample
	losses              cohort
	spurious, pto       int64
	backoff             time.Duration // the longest; 0 for none
	spuriousOfLost      int64
	bytes, packets      float64 // sent
	resets, resetsGone  int64
}

// sessionGone is the error code WT_SESSION_GONE, as events have it.
const sessionGone = "0x170d7b68"

func (c *connectionTotals) sample(windows []span, s record.Sample) {
	if s.Name == record.SeriesMinRTT && (c.leastRTT == 0 || s.Value < c.leastRTT) {
		c.leastRTT = s.Value
	}
	more := 0.0
	switch s.Name {
	case record.SeriesSentBytes:
		more, c.bytes = s.Value-c.bytes, s.Value
	case record.SeriesSentPackets:
		more, c.packets = s.Value-c.packets, s.Value
	}
	for i := range c.in {
		if w := &windows[i]; s.Time < w.to {
			c.in[i].sample(w, s, more)
		}
	}
}

// sample adds a value that came up in the window or before it, and how much a
// cumulative one grew.
func (c *connectionWindow) sample(w *span, s record.Sample, more float64) {
	switch s.Name {
	case record.SeriesSentBytes:
		if w.has(s.Time) {
			c.bytes += more
		}
	case record.SeriesSentPackets:
		if w.has(s.Time) {
			c.packets += more
		}
	case record.SeriesCwnd:
		c.cwnd.from(w, s.Time, s.Value)
	case record.SeriesBytesInFlight:
		c.inFlight.from(w, s.Time, s.Value)
	case record.SeriesLatestRTT:
		if w.has(s.Time) {
			c.rtt.addSeconds(s.Value)
		}
	case record.SeriesSmoothedRTT:
		c.smoothedRTT = s.Value
	case record.SeriesMinRTT:
		c.minRTT = s.Value
	}
}

func (c *connectionTotals) event(windows []span, e record.Event) {
	if e.Kind == record.EventConnectionClosed {
		c.closed = e.Time
	}
	backoff := time.Duration(0)
	if e.Kind == record.EventPTO {
		if e.Value > 1 { // the one before it was the last but this
			backoff = e.Time - c.probed
		}
		c.probed = e.Time
	}
	for i := range c.in {
		in := &c.in[i]
		if windows[i].has(e.Time) {
			in.event(e)
			in.backoff = max(in.backoff, backoff)
		}
		if e.Kind == record.EventSpuriousLoss && in.losses.has(e.Value) {
			in.spuriousOfLost++
		}
	}
}

func (c *connectionWindow) event(e record.Event) {
	switch e.Kind {
	case record.EventPacketLost:
		c.losses.begin(e.Value)
	case record.EventSpuriousLoss:
		c.spurious++
	case record.EventStreamReset:
		c.resets++
		if e.Text == sessionGone {
			c.resetsGone++
		}
	case record.EventPTO:
		c.pto++
	}
}

func (c *connectionTotals) metrics(m *Metrics, entity string, i int, w *span) {
	in := &c.in[i]
	end := w.end
	if c.closed > 0 {
		end = min(end, c.closed)
	}
	alive := c.closed == 0 || c.closed > w.from
	if alive && in.cwnd.samples > 0 {
		m.put(connectionCwndEnd, entity, in.cwnd.value)
		m.put(connectionCwndMean, entity, in.cwnd.mean(end))
		m.put(connectionCwndMax, entity, in.cwnd.max)
	}
	if alive && in.inFlight.samples > 0 {
		m.put(connectionInFlightMean, entity, in.inFlight.mean(end))
		m.put(connectionInFlightMax, entity, in.inFlight.max)
	}
	m.putSummary(connectionRTT, entity, &in.rtt)
	m.putSummaryOver(connectionRTTInflation, entity, &in.rtt, c.leastRTT)
	if alive {
		m.put(connectionRTTMin, entity, orNone(in.minRTT))
		m.put(connectionRTTEnd, entity, orNone(in.smoothedRTT))
	}
	m.put(connectionLost, entity, float64(in.losses.count))
	if c.bytes > 0 {
		m.put(connectionBytes, entity, in.bytes)
	}
	packets := in.packets
	if w.whole {
		packets = float64(c.sent)
	}
	if max(c.packets, float64(c.sent)) > 0 {
		m.put(connectionSent, entity, packets)
		m.put(connectionLossRatio, entity, float64(in.losses.count)/packets)
	}
	m.put(connectionSpuriousPart, entity, float64(in.spuriousOfLost)/float64(in.losses.count))
	m.put(connectionSpurious, entity, float64(in.spurious))
	m.put(connectionResets, entity, float64(in.resets))
	m.put(connectionResetsGone, entity, float64(in.resetsGone))
	m.put(connectionPTOs, entity, float64(in.pto))
	if in.backoff > 0 {
		m.put(connectionBackoff, entity, in.backoff.Seconds())
	}
}

// lifetimeMetrics adds how long connections lasted that were over in a window.
func (t *totals) lifetimeMetrics(m *Metrics, w *span) {
	for _, entity := range t.connections.names {
		dialed, known := t.dialed[strings.TrimSuffix(strings.TrimSuffix(entity, ".client"), ".server")]
		if closed := t.connections.get(entity).closed; known && closed > dialed && w.has(closed) {
			m.put(connectionLifetime, entity, (closed - dialed).Seconds())
		}
	}
}

// goodputMetrics adds the goodput ratios of the ends of connections that send
// flows, in window i.
func (t *totals) goodputMetrics(m *Metrics, i int) {
	hosts := map[string]string{}
	for _, c := range t.run.Connections {
		hosts[c.Entity] = c.Host
	}
	connections := connectionsOf(t.run.Sessions)
	delivered := map[string]float64{} // by end
	for _, f := range t.run.Flows {
		for _, side := range []string{".client", ".server"} {
			end := connections[f.Session] + side
			switch {
			case f.Kind == "baton":
				delivered[end] = math.NaN()
			case hosts[end] == f.From:
				delivered[end] += t.flows.get(f.Entity).in[i].bytes
			}
		}
	}
	for _, entity := range t.connections.names {
		if bytes, ok := delivered[entity]; ok {
			m.put(connectionGoodput, entity, bytes/t.connections.get(entity).in[i].bytes)
		}
	}
}

// orNone returns v, or no number for 0.
func orNone(v float64) float64 {
	if v == 0 {
		return math.NaN()
	}
	return v
}

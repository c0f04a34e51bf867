package analysis

import (
	"math"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

var (
	connectionCwndEnd      = define(ofConnection, "cwnd.end", "B", "last congestion window", "samples conn.cwnd")
	connectionCwndMean     = define(ofConnection, "cwnd.mean", "B", "congestion window, mean over the time from its first sample until the connection closed or the run ended", "samples conn.cwnd; events connection.closed")
	connectionCwndMax      = define(ofConnection, "cwnd.max", "B", "largest congestion window", "samples conn.cwnd")
	connectionInFlightMean = define(ofConnection, "in_flight.mean", "B", "bytes in flight, mean over the time from its first sample until the connection closed or the run ended", "RFC 9002 appendix B.2; samples conn.in_flight; events connection.closed")
	connectionInFlightMax  = define(ofConnection, "in_flight.max", "B", "most bytes in flight", "RFC 9002 appendix B.2; samples conn.in_flight")
	connectionRTT          = defineSummary(ofConnection, "rtt", "s", "the samples of the latest RTT", "RFC 9002 section 5.1; samples conn.rtt.latest")
	connectionRTTMin       = define(ofConnection, "rtt.min", "s", "smallest RTT", "RFC 9002 section 5.2; samples conn.rtt.min")
	connectionRTTInflation = defineSummary(ofConnection, "rtt.inflation", "1", "the samples of the latest RTT, each divided by the smallest RTT of the whole connection", "RFC 9002 sections 5.1 and 5.2; samples conn.rtt.latest, conn.rtt.min")
	connectionRTTEnd       = define(ofConnection, "rtt.smoothed", "s", "last smoothed RTT", "RFC 9002 section 5.3; samples conn.rtt.smoothed")
	connectionLost         = define(ofConnection, "packets_lost", "packets", "QUIC packets that this end declared lost", "RFC 9002 section 6.1; events connection.packet_lost")
	connectionSent         = define(ofConnection, "packets_sent", "packets", "ack-eliciting QUIC packets that this end sent, without probes of the MTU", "RFC 9002 section 2; run.json")
	connectionLossRatio    = define(ofConnection, "loss_ratio", "1", "QUIC packets that this end declared lost, divided by the ack-eliciting ones that it sent", "RFC 9002 section 6.1; run.json; events connection.packet_lost")
	connectionSpuriousPart = define(ofConnection, "spurious_ratio", "1", "share of the packets declared lost that were acknowledged later", "events connection.packet_lost, connection.spurious")
	connectionSpurious     = define(ofConnection, "spurious_losses", "packets", "QUIC packets declared lost and acknowledged later", "events connection.spurious")
	connectionResets       = define(ofConnection, "streams_reset", "1", "streams that this end reset", "RFC 9000 section 19.4; events connection.stream_reset")
	connectionResetsGone   = define(ofConnection, "teardown.streams_reset", "1", "streams that this end reset with WT_SESSION_GONE because their session ended", "draft-ietf-webtrans-http3, session termination; events connection.stream_reset")
	connectionPTOs         = define(ofConnection, "ptos", "1", "probe timeouts that expired", "RFC 9002 section 6.2; events connection.pto")
)

// connectionTotals is what is added up for one end of a connection.
type connectionTotals struct {
	cwnd, inFlight      average
	rtt                 distribution
	minRTT, smoothedRTT float64 // 0 before the first sample
	leastRTT            float64 // the smallest of minRTT, which begins anew on another path
	sent                uint64
	lost, spurious, pto int64
	resets, resetsGone  int64
	closed              time.Duration // when this end knew that it was over; 0 if it never did
}

// sessionGone is the error code WT_SESSION_GONE, as events have it.
const sessionGone = "0x170d7b68"

func (c *connectionTotals) sample(s record.Sample) {
	switch s.Name {
	case record.SeriesCwnd:
		c.cwnd.add(s.Time, s.Value)
	case record.SeriesBytesInFlight:
		c.inFlight.add(s.Time, s.Value)
	case record.SeriesLatestRTT:
		c.rtt.addSeconds(s.Value)
	case record.SeriesSmoothedRTT:
		c.smoothedRTT = s.Value
	case record.SeriesMinRTT:
		c.minRTT = s.Value
		if c.leastRTT == 0 || s.Value < c.leastRTT {
			c.leastRTT = s.Value
		}
	}
}

func (c *connectionTotals) event(e record.Event) {
	switch e.Kind {
	case record.EventPacketLost:
		c.lost++
	case record.EventSpuriousLoss:
		c.spurious++
	case record.EventStreamReset:
		c.resets++
		if e.Text == sessionGone {
			c.resetsGone++
		}
	case record.EventPTO:
		c.pto++
	case record.EventConnectionClosed:
		c.closed = e.Time
	}
}

func (c *connectionTotals) metrics(m *Metrics, entity string, run time.Duration) {
	end := run
	if c.closed > 0 {
		end = c.closed
	}
	if c.cwnd.samples > 0 {
		m.put(connectionCwndEnd, entity, c.cwnd.value)
		m.put(connectionCwndMean, entity, c.cwnd.mean(end))
		m.put(connectionCwndMax, entity, c.cwnd.max)
	}
	if c.inFlight.samples > 0 {
		m.put(connectionInFlightMean, entity, c.inFlight.mean(end))
		m.put(connectionInFlightMax, entity, c.inFlight.max)
	}
	m.putSummary(connectionRTT, entity, &c.rtt)
	m.putSummaryOver(connectionRTTInflation, entity, &c.rtt, c.leastRTT)
	m.put(connectionRTTMin, entity, orNone(c.minRTT))
	m.put(connectionRTTEnd, entity, orNone(c.smoothedRTT))
	m.put(connectionLost, entity, float64(c.lost))
	if c.sent > 0 {
		m.put(connectionSent, entity, float64(c.sent))
		m.put(connectionLossRatio, entity, float64(c.lost)/float64(c.sent))
	}
	m.put(connectionSpuriousPart, entity, float64(c.spurious)/float64(c.lost))
	m.put(connectionSpurious, entity, float64(c.spurious))
	m.put(connectionResets, entity, float64(c.resets))
	m.put(connectionResetsGone, entity, float64(c.resetsGone))
	m.put(connectionPTOs, entity, float64(c.pto))
}

// orNone returns v, or no number for 0.
func orNone(v float64) float64 {
	if v == 0 {
		return math.NaN()
	}
	return v
}

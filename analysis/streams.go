package analysis

import (
	"github.com/wtsim/wtsim/sim/record"
)

var (
	flowStreamBytes = define(ofFlow, "stream_bytes.received", "B", "bytes in STREAM frames of the flow's streams that arrived at either end, each counted once", "RFC 9000 section 19.8; samples stream.received")
	flowBlocking    = defineBlocking(ofFlow, "of the flow's streams, at either end")
	flowBlocked     = defineBlocked(ofFlow, "of the flow's streams, at either end; 0 of a flow of datagrams, which wait for no others")

	connectionBlocking      = defineBlocking(ofConnection, "of this end's streams that belong to no flow: HTTP/3's own, those of CONNECT, and plain requests")
	connectionBlocked       = defineBlocked(ofConnection, "of this end's streams that belong to no flow")
	connectionStreamSent    = define(ofConnection, "stream_bytes.sent", "B", "bytes in STREAM frames that this end sent", "RFC 9000 section 19.8; samples stream.sent")
	connectionStreamResent  = define(ofConnection, "stream_bytes.retransmitted", "B", "bytes in STREAM frames that this end sent and had sent before, because their packet was declared lost or as a probe", "RFC 9000 section 13.3; samples stream.resent")
	connectionRetransmitted = define(ofConnection, "retransmission_ratio", "1", "share of the bytes in STREAM frames that this end sent which it had sent before", "RFC 9000 section 13.3; samples stream.sent, stream.resent")
)

// Head-of-line blocking is that of streams: RFC 9000, section 2.2, has the bytes
// of a stream delivered in order.
const blockingSource = "RFC 9000 section 2.2"

func defineBlocking(entity, of string) summaryDefinition {
	return defineSummary(entity, "hol_blocking", "s", "the time that STREAM frames which arrived before bytes ahead of them waited for these, "+of, blockingSource+"; samples stream.wait")
}

func defineBlocked(entity, of string) *Definition {
	return define(entity, "hol_blocking.ratio", "1", "share of the bytes in STREAM frames that arrived which had to wait for bytes ahead of them, "+of, blockingSource+"; samples stream.received, stream.waited")
}

// streamTotals is what has been sent and has arrived until now on the streams of
// a flow or of one end of a connection, and what is added up for them in each
// window.
type streamTotals struct {
	sent, resent, received, waited float64
	in                             []streamWindow
}

// streamWindow is what is added up for streams in a window, in bytes.
type streamWindow struct {
	sent, resent, received, waited float64
	wait                           distribution
}

func (s *streamTotals) sample(windows []span, x record.Sample) {
	last := x.Value
	switch x.Name {
	case record.SeriesStreamSent:
		last, s.sent = s.sent, x.Value
	case record.SeriesStreamResent:
		last, s.resent = s.resent, x.Value
	case record.SeriesStreamReceived:
		last, s.received = s.received, x.Value
	case record.SeriesStreamWaited:
		last, s.waited = s.waited, x.Value
	}
	for i := range s.in {
		if windows[i].has(x.Time) {
			s.in[i].add(x.Name, x.Value, x.Value-last)
		}
	}
}

// add adds a sample and how much larger it is than the one before.
func (s *streamWindow) add(series string, value, more float64) {
	switch series {
	case record.SeriesStreamSent:
		s.sent += more
	case record.SeriesStreamResent:
		s.resent += more
	case record.SeriesStreamReceived:
		s.received += more
	case record.SeriesStreamWaited:
		s.waited += more
	case record.SeriesStreamWait:
		s.wait.addSeconds(value)
	}
}

// streamMetrics adds the metrics of streams in window i.
func (t *totals) streamMetrics(m *Metrics, i int) {
	for _, entity := range t.streams.names {
		in := &t.streams.get(entity).in[i]
		switch section(entity) {
		case flowSection:
			m.put(flowStreamBytes, entity, in.received)
			m.putSummary(flowBlocking, entity, &in.wait)
			m.put(flowBlocked, entity, in.waited/in.received)
		case connectionSection:
			m.putSummary(connectionBlocking, entity, &in.wait)
			m.put(connectionBlocked, entity, in.waited/in.received)
			if t.streams.get(entity).sent > 0 {
				m.put(connectionStreamSent, entity, in.sent)
				m.put(connectionStreamResent, entity, in.resent)
				m.put(connectionRetransmitted, entity, in.resent/in.sent)
			}
		}
	}
	for _, f := range t.run.Flows {
		if f.Transport == "datagram" && t.streams.byName[f.Entity] == nil {
			m.put(flowBlocked, f.Entity, 0)
		}
	}
}

package wt

import (
	"sync/atomic"

	"github.com/quic-go/quic-go"
)

// counters counts what a session does.
type counters struct {
	bytesSent, bytesReceived         atomic.Uint64
	streamsOpened, streamsReceived   atomic.Uint64
	datagramsSent                    atomic.Uint64 // without those of the queue
	datagramsReceived                atomic.Uint64
	droppedIncoming, expiredIncoming atomic.Uint64
}

// Stats is what a session did, and how its connection does. It has what W3C
// WebTransport's getStats asks for as far as QUIC tells: not which datagrams were lost,
// nor how many bytes were acknowledged.
type Stats struct {
	// BytesSent and BytesReceived count the data on streams that QUIC took from
	// the application and the application from QUIC, without the streams' headers.
	BytesSent, BytesReceived uint64
	// StreamsOpened counts the streams that this end opened, StreamsReceived those that
	// the peer opened, accepted by the application or not. StreamsOpen is how
	// many of both are not finished at this end.
	StreamsOpened, StreamsReceived, StreamsOpen uint64
	// DatagramsSent counts the datagrams handed to QUIC, DatagramsReceived those that arrived.
	DatagramsSent, DatagramsReceived uint64
	// DatagramsDroppedIncoming counts the received datagrams that were dropped
	// because too many waited for the application, DatagramsExpiredIncoming
	// those that waited for longer than [DatagramOptions.IncomingMaxAge].
	DatagramsDroppedIncoming, DatagramsExpiredIncoming uint64
	// DatagramsDroppedOutgoing counts the datagrams that were dropped because
	// too many waited for QUIC, the session ended or the path's MTU shrank;
	// DatagramsExpiredOutgoing those that waited for longer than [DatagramOptions.OutgoingMaxAge].
	DatagramsDroppedOutgoing, DatagramsExpiredOutgoing uint64

	// EstimatedSendRate is the rate, in bits per second, that congestion control
	// allows the connection: a congestion window every smoothed round trip. It
	// is zero before a round trip was measured.
	EstimatedSendRate uint64
	// Connection counts the packets and bytes of the connection, and has its
	// round-trip times and their variation. All sessions of the connection share them.
	Connection quic.ConnectionStats
}

// Stats returns the session's statistics. It may be called often, and after the session's end.
func (s *Session) Stats() Stats {
	s.expireIncoming()
	s.conn.datagrams.dropExpired(&s.outgoing)
	s.mu.Lock()
	open := s.numStreams
	s.mu.Unlock()
	connection := s.conn.quic.ConnectionStats()
	return Stats{
		BytesSent:                s.counters.bytesSent.Load(),
		BytesReceived:            s.counters.bytesReceived.Load(),
		StreamsOpened:            s.counters.streamsOpened.Load(),
		StreamsReceived:          s.counters.streamsReceived.Load(),
		StreamsOpen:              uint64(open),
		DatagramsSent:            s.counters.datagramsSent.Load() + s.outgoing.sent.Load(),
		DatagramsReceived:        s.counters.datagramsReceived.Load(),
		DatagramsDroppedIncoming: s.counters.droppedIncoming.Load(),
		DatagramsExpiredIncoming: s.counters.expiredIncoming.Load(),
		DatagramsDroppedOutgoing: s.outgoing.dropped.Load(),
		DatagramsExpiredOutgoing: s.outgoing.expired.Load(),
		EstimatedSendRate:        estimatedSendRate(connection),
		Connection:               connection,
	}
}

func estimatedSendRate(c quic.ConnectionStats) uint64 {
	if c.SmoothedRTT == 0 {
		return 0
	}
	return c.CongestionWindow * 8 * 1e6 / uint64(max(1, c.SmoothedRTT.Microseconds()))
}

// Package record is the recording of a run: what a simulation writes and how
// it is read back. It is the only thing that the analysis knows of a run.
//
// A recording is a folder (see [Create]) with run.json and those of the tables
// packets, series and events that were recorded. All times are virtual, counted from the start of the
// run.
package record

import (
	"net/netip"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Direction tells the two directions of a link apart.
type Direction uint8

// The directions of a link: Forward goes from the first host named in the
// link's "between" to the second, Reverse the other way.
const (
	Forward Direction = iota
	Reverse
)

// Fate is what became of a datagram on a link.
type Fate uint8

// The fates of a datagram.
const (
	Delivered Fate = iota // it left the link at its far end
	Dropped               // an element dropped it; Packet.Reason names the element
	InTransit             // the run ended while the link still held it
)

// Packet is one datagram on one link: a row of the table "packets". Rows are
// in order of Done, the moment its fate was known.
type Packet struct {
	ID         uint64         // counts the datagrams of a run from 1, in order of entry into the network
	Sent       time.Duration  // when it entered the link
	Done       time.Duration  // when it left the link or was dropped
	Link       string         // the link's name in the scenario
	Direction  Direction      // which way it went
	Source     netip.AddrPort // the sender's address
	Dest       netip.AddrPort // the receiver's address
	Size       netem.Bytes    // UDP payload, without IP and UDP headers
	ECN        uint8          // the ECN codepoint as it left the link: 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE
	SentECN    uint8          // the ECN codepoint as it entered the link
	Fate       Fate           // what became of it
	Reason     string         // for Dropped: the kind of the element that dropped it, such as "queue" or "loss"
	QueueDelay time.Duration  // how long it waited in the link's queue before its transmission began
}

// Sample is one value of a time series: a row of the table "series".
type Sample struct {
	Time   time.Duration // when the value was taken
	Name   string        // which quantity: one of the Series constants
	Entity string        // whose value it is, such as "flows.bulk"; see the package's entity names
	Value  float64       // in the unit that the constant's comment gives
}

// Event is something that happened at one instant: a row of the table
// "events".
type Event struct {
	Time   time.Duration // when it happened
	Kind   string        // what happened: one of the Event constants
	Entity string        // to whom, such as "sessions.main"
	Side   string        // the end that it happened at: "client", "server", or "" where there is only one
	Value  int64         // a number that the kind's comment explains
	Text   string        // words that the kind's comment explains
}

// Entities are named as in the scenario:
//
//	links.NAME.forward, links.NAME.reverse   one direction of a link
//	connections.NAME.client, ….server        one end of a QUIC connection
//	sessions.NAME                            a WebTransport session
//	flows.NAME                               a flow, where its name is unique in the scenario
//	sessions.SESSION.flows.NAME              a flow otherwise
//	traffic.NAME                             cross traffic, a source and a sink
//
// A session, a connection or the traffic of a group (count > 1) is NAME-1,
// NAME-2, ….

// The names of time series.
const (
	SeriesLinkRate      = "link.rate"          // configured rate of a link direction in bit/s, at the start and at each change; 0 is unlimited
	SeriesLinkDelay     = "link.delay"         // configured propagation delay of a link direction in seconds, at the start and at each change
	SeriesCwnd          = "conn.cwnd"          // congestion window of a connection end in bytes
	SeriesBytesInFlight = "conn.in_flight"     // bytes in flight of a connection end in bytes
	SeriesSmoothedRTT   = "conn.rtt.smoothed"  // smoothed RTT of a connection end in seconds
	SeriesLatestRTT     = "conn.rtt.latest"    // latest RTT sample of a connection end in seconds
	SeriesMinRTT        = "conn.rtt.min"       // smallest RTT of a connection end in seconds
	SeriesSentBytes     = "conn.sent.bytes"    // bytes of the QUIC packets that a connection end sent, cumulative
	SeriesSentPackets   = "conn.sent.packets"  // ack-eliciting QUIC packets (RFC 9002 section 2) that a connection end sent, without probes of the MTU, cumulative
	SeriesDelivered     = "flow.delivered"     // bytes of a flow handed to the receiving application, cumulative
	SeriesMessageRTT    = "flow.message.rtt"   // round trip of one echo message in seconds, at its return
	SeriesOneWayDelay   = "flow.message.delay" // one-way delay of one media frame or one pass of a baton in seconds, at its arrival

	SeriesStreamSent   = "stream.sent"   // bytes in the STREAM frames that a connection end sent, cumulative
	SeriesStreamResent = "stream.resent" // those of them that it had sent before, cumulative

	// Streams of a flow, at either end, or those of a connection end that belong
	// to no flow: HTTP/3's own, those of CONNECT, and plain requests.
	SeriesStreamReceived = "stream.received" // bytes in STREAM frames that arrived, each counted once, cumulative
	SeriesStreamWaited   = "stream.waited"   // those of them that waited for bytes before them, cumulative; they count when these have arrived
	SeriesStreamWait     = "stream.wait"     // how long a STREAM frame, or what was new of it, waited for bytes before it in seconds, at their arrival

	SeriesTrafficRate      = "traffic.rate"      // configured rate of cross traffic while it is on in bit/s, at its start and at each change
	SeriesTrafficDelivered = "traffic.delivered" // bytes on the link of the packets of cross traffic that arrived, cumulative
	SeriesTrafficDelay     = "traffic.delay"     // one-way delay of a packet of cross traffic in seconds, at its arrival
)

// The kinds of events.
const (
	// Connections. Entity is connections.NAME, Side tells the end.
	EventDialStarted       = "connection.dial"             // the client begins to dial
	EventHandshakeComplete = "connection.handshake"        // this end's QUIC handshake is complete; text: resumed, resumed with early data, or empty
	EventConnectionClosed  = "connection.closed"           // this end knows that the connection is over; Value: error code, Text: reason
	EventPacketLost        = "connection.packet_lost"      // quic-go declared a packet lost; Value: packet number, Text: trigger
	EventSpuriousLoss      = "connection.spurious"         // a packet declared lost was acknowledged; Value: packet number
	EventStreamReset       = "connection.stream_reset"     // this end sent the first RESET_STREAM of a stream; Value: stream ID, Text: error code, as 0x170d7b68
	EventPTO               = "connection.pto"              // a probe timeout expired; Value: PTO count
	EventCongestionState   = "connection.congestion"       // the congestion controller changed state; Text: the state
	EventECNState          = "connection.ecn"              // ECN validation changed state; Text: the state
	EventPathProbed        = "connection.path_probe"       // the client probes another path; Text: its link
	EventMigrated          = "connection.migrated"         // the client sends on the path that it probed; Text: its link
	EventMigrationFailed   = "connection.migration_failed" // the client stays on its path; Text: the link and why
	EventMTU               = "connection.mtu"              // path MTU discovery changed the MTU; Value: bytes

	// Sessions. Entity is sessions.NAME, Side tells the end.
	EventSettings          = "session.settings"         // the peer's SETTINGS arrived
	EventConnectSent       = "session.connect_sent"     // the client sent the extended CONNECT
	EventConnectReceived   = "session.connect_received" // the server has the extended CONNECT
	EventEstablished       = "session.established"      // client: the 2xx arrived; server: the 2xx was sent
	EventSessionFailed     = "session.failed"           // the session was not established; Text: why
	EventDrainSent         = "session.drain_sent"       // the application asked for the session to be wound down
	EventDrainNotified     = "session.drain_notified"   // this end's application learned that the session is to be wound down, by itself or by its peer
	EventCloseCalled       = "session.close_called"     // the application called close; Value: code, Text: reason
	EventCloseSent         = "session.close_sent"       // the CLOSE capsule and FIN were handed to the CONNECT stream
	EventCloseNotified     = "session.close_notified"   // this end's application learned that the session ended; Value: code, Text: reason
	EventLastStreamEnded   = "session.last_stream"      // the last data stream of the session ended at this end
	EventConnectStreamDone = "session.connect_done"     // both directions of the CONNECT stream are finished at this end
	EventSessionGone       = "session.gone"             // this end holds no more state for the session

	// Flows. Entity is the flow.
	EventFlowStarted   = "flow.started"       // the flow began
	EventFlowFinished  = "flow.finished"      // the flow completed; Value: bytes delivered
	EventFlowFailed    = "flow.failed"        // the flow ended before it was complete; Text: why
	EventStreamOpened  = "flow.stream_opened" // a stream of the flow was opened; Value: stream ID
	EventFirstByte     = "flow.first_byte"    // the first byte of a stream reached the application; Value: stream ID
	EventMessageSent   = "flow.message_sent"  // a message, frame or baton was sent; Value: sequence number
	EventMessageGot    = "flow.message_got"   // a message, frame or baton arrived (echo: came back); Value: sequence number
	EventMessageFailed = "flow.message_lost"  // a message could not be sent; Value: sequence number, Text: why

	// Cross traffic. Entity is traffic.NAME.
	EventTrafficStarted = "traffic.started" // the source begins
	EventTrafficChanged = "traffic.changed" // the source has another rate from now on; Value: bit/s
	EventTrafficStopped = "traffic.stopped" // the source sends nothing from now on

	// Links. Entity is links.NAME.DIRECTION.
	EventLinkChanged = "link.changed" // a parameter of the link changed; Text: what, as in the scenario
)

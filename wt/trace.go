package wt

import "github.com/quic-go/quic-go"

// EventType says what an [Event] reports.
type EventType int

// The events of a connection and of its sessions, in the order in which a session
// usually passes through them. Every event of a session's set-up and end happens at
// most once for it. A request that a server refuses has ConnectReceived alone, unless
// its application was asked (Application.Connecting): then, and always at the client, a
// session that was refused ends too, without CloseCalled and ConnectFinished.
const (
	// SettingsReceived: the peer's SETTINGS arrived. It has no session.
	SettingsReceived EventType = iota
	// ConnectSent: the client sent the CONNECT request.
	ConnectSent
	// ConnectReceived: the server received the CONNECT request, and has not examined it yet.
	ConnectReceived
	// Established: the client received the 2xx response, or the server sent it.
	Established
	// StreamOpened: a data stream was opened, or the header of the peer's was received.
	StreamOpened
	// StreamEnded: both directions of a data stream are finished at this end.
	StreamEnded
	// CloseCalled: the application closed the session.
	CloseCalled
	// CloseSent: CLOSE_SESSION and FIN were handed to the CONNECT stream.
	CloseSent
	// Ended: this end learned that the session is over, as Event.End says.
	Ended
	// LastStreamEnded: the session has ended, and so has its last data stream at this end.
	LastStreamEnded
	// ConnectFinished: both directions of the CONNECT stream are finished at this end.
	ConnectFinished
	// Gone: no state of the session is left in the connection.
	Gone
)

func (t EventType) String() string {
	names := [...]string{
		"settings received", "connect sent", "connect received", "established",
		"stream opened", "stream ended", "close called", "close sent", "ended",
		"last stream ended", "connect finished", "gone",
	}
	if t < 0 || int(t) >= len(names) {
		return "unknown"
	}
	return names[t]
}

// Event is something that happened to a connection or session. Events carry
// no time: the receiver takes it.
type Event struct {
	Type EventType
	// Conn is the QUIC connection.
	Conn *quic.Conn
	// Session is the session, nil for SettingsReceived. It must only be
	// identified, not used, before it is established.
	Session *Session
	// StreamID is the data stream of StreamOpened and StreamEnded.
	StreamID quic.StreamID
	// End is how the session ended; it is set for Ended.
	End *SessionError
}

func (c *conn) emit(e Event) {
	if c.trace != nil {
		e.Conn = c.quic
		c.trace(e)
	}
}

func (s *Session) emit(t EventType) { s.conn.emit(Event{Type: t, Session: s}) }

package wt

// Callbacks is an application that reacts to the events of a session, instead
// of calling functions that wait. Events are delivered one at a time for a
// session, in order, on goroutines of the stack; those of different sessions
// at the same time.
//
// A callback may call all methods of sessions and streams, also Close. What
// such a call causes is delivered when the callback has returned. A callback
// must not wait for other events of its session, for [Session.Done], or for the connection to
// be closed: while it runs, none of the session's events are delivered, and
// what the peer sends is held back by flow control, or dropped if it is a datagram.
//
// The first event of a session is Accepted, Refused or Closed, apart from those of
// streams that this end opened before the answer of the server. The last is Freed. Between
// Closed or Refused and Freed there are only StreamEnded events.
//
// Embed [NoCallbacks] to implement some of the methods only.
type Callbacks interface {
	// Accepted: the session is established. The server has sent its 2xx
	// response, the client received it.
	Accepted(*Session)
	// Refused: the client's session will not be. The error has the status and
	// the header of the response, or wraps the requirement that was not met.
	Refused(*Session, *RefusedError)
	// StreamOpened: the peer opened a stream.
	StreamOpened(*EventStream)
	// Data: bytes of a stream arrived. They are valid during the call. The
	// peer gets credit for them now, and no more until the call returns.
	Data(*EventStream, []byte)
	// StreamFinished: the peer has finished its direction of the stream; all data has been delivered.
	StreamFinished(*EventStream)
	// StreamReset: the peer reset its direction of the stream.
	StreamReset(*EventStream, *StreamError)
	// StopSending: the peer does not want any more data of the stream. The
	// sending direction has been reset with the peer's code.
	StopSending(*EventStream, *StreamError)
	// Writable: QUIC can send data of the stream now. The application puts at most
	// len(p) bytes into p and returns how many, and when to ask again. Writable is called for a
	// stream that this end opened, and after [EventStream.WantWrite]. p is valid during the call.
	Writable(st *EventStream, p []byte) (n int, next Next)
	// StreamEnded: both directions of the stream are over. It is the last event
	// of a stream, and comes exactly once, for every stream: release its Value.
	StreamEnded(*EventStream)
	// Datagram: a datagram arrived. It belongs to the application.
	Datagram(*Session, []byte)
	// Draining: one of the ends wants the session to be wound down, as
	// [Session.Draining] says. The session may be used further.
	Draining(*Session)
	// Closed: the session has ended, as the error says, which this end may
	// have done itself. Its streams are being reset.
	Closed(*Session, *SessionError)
	// Freed: no state of the session is left. It comes exactly once, as the last event.
	Freed(*Session)
}

// Next tells the stack, after [Callbacks.Writable], when to ask for more.
type Next int

const (
	// Wait: after the next [EventStream.WantWrite].
	Wait Next = iota
	// More: as soon as QUIC can send more. Without any data now it means Wait.
	More
	// End: never. The stream is finished with the data returned.
	End
)

// NoCallbacks does nothing at all events, and writes nothing. Embed it in types that
// implement some of [Callbacks].
type NoCallbacks struct{}

var _ Callbacks = NoCallbacks{}

func (NoCallbacks) Accepted(*Session)                         {}
func (NoCallbacks) Refused(*Session, *RefusedError)           {}
func (NoCallbacks) StreamOpened(*EventStream)                 {}
func (NoCallbacks) Data(*EventStream, []byte)                 {}
func (NoCallbacks) StreamFinished(*EventStream)               {}
func (NoCallbacks) StreamReset(*EventStream, *StreamError)    {}
func (NoCallbacks) StopSending(*EventStream, *StreamError)    {}
func (NoCallbacks) Writable(*EventStream, []byte) (int, Next) { return 0, Wait }
func (NoCallbacks) StreamEnded(*EventStream)                  {}
func (NoCallbacks) Datagram(*Session, []byte)                 {}
func (NoCallbacks) Draining(*Session)                         {}
func (NoCallbacks) Closed(*Session, *SessionError)            {}
func (NoCallbacks) Freed(*Session)                            {}

package wt

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
)

// connectStream is the CONNECT stream: *http3.Stream at the server,
// *http3.RequestStream at the client. What is read and written are capsules.
type connectStream interface {
	io.ReadWriter
	TryWriteAll([]byte) error
	Close() error
	CancelRead(quic.StreamErrorCode)
	CancelWrite(quic.StreamErrorCode)
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	Context() context.Context
}

// Session is one WebTransport session. All methods are safe for concurrent use.
type Session struct {
	conn    *conn
	id      quic.StreamID
	request *http.Request
	draft   Draft
	connect connectStream // nil at the server until the session is established
	out     capsuleWriter // writes to it

	in      *incomingFlow // nil if flow control is not in force
	outFlow *outgoingFlow // likewise

	reliableResets bool // RESET_STREAM_AT is in force

	ctx    context.Context // cancelled, with a *SessionError, when the session ends
	cancel context.CancelCauseFunc

	events     *dispatcher // nil unless the session has Callbacks
	streams    *queue[*Stream]
	uniStreams *queue[*ReceiveStream]
	counters   counters

	datagrams       *queue[datagram] // received
	outgoing        outgoingDatagrams
	datagramOptions atomic.Pointer[DatagramOptions] // nil: the defaults

	mu           sync.Mutex
	established  bool
	priority     priority
	accepted     bool          // the peer may know that the session is accepted
	early        int           // the peer's streams that came before
	sendGroup    SendGroup     // of the streams that are in no other one
	end          *SessionError // how the session ended
	first, last  *streamState  // the open streams, oldest first
	numStreams   int           // how many they are
	streamsReset bool          // no stream joins the list any more
	lastReported bool          // LastStreamEnded was reported
	withheld     bool          // flow control held the CLOSE_SESSION capsule back
	resetTimer   *time.Timer
	drainSent    bool // DRAIN_SESSION was handed to out

	drainOnce sync.Once
	draining  chan struct{} // closed when the session is to be wound down

	ready    chan struct{} // closed when the session is established or has failed; these are set then (a server's protocol before):
	response *http.Response
	protocol string
	header   http.Header // of the response (server)
	openErr  error

	owesAnswer bool // the peer ended the session and waits for our FIN; belongs to run

	resetOnce sync.Once
	sendDone  chan struct{} // closed when the sending direction of the CONNECT stream is finished
	gone      chan struct{} // closed when no state is left
}

func newSession(ctx context.Context, c *conn, id quic.StreamID, r *http.Request) *Session {
	s := &Session{
		conn: c, id: id, request: r,
		streams:    newQueue[*Stream](),
		uniStreams: newQueue[*ReceiveStream](),
		datagrams:  newQueue[datagram](),
		draining:   make(chan struct{}),
		ready:      make(chan struct{}),
		sendDone:   make(chan struct{}),
		gone:       make(chan struct{}),
	}
	s.out.conn = c
	s.outgoing.session = id
	s.sendGroup.session = s
	s.priority = defaultPriority
	if r != nil { // there is none of a session that cannot be asked for
		s.priority = requestPriority(r.Header)
	}
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return s
}

// ID returns the session ID, the stream ID of the CONNECT stream.
func (s *Session) ID() quic.StreamID { return s.id }

// Conn returns the QUIC connection, for its addresses, state and statistics.
func (s *Session) Conn() *quic.Conn { return s.conn.quic }

// Request returns the CONNECT request. It must not be modified.
func (s *Session) Request() *http.Request { return s.request }

// Draft returns the draft that the session was established with. It is 0 at a server
// if the client's settings name no draft before 15 and its request is one of those.
func (s *Session) Draft() Draft { return s.draft }

// Context returns a context that is cancelled when the session ends, with a
// *[SessionError] as its cause. It carries the values of the context that was
// given to [ClientConn.OpenSession], at the server those of the request.
func (s *Session) Context() context.Context { return s.ctx }

// Done returns a channel that is closed when no state of the session is left:
// it has ended, its streams have ended, and both directions of the CONNECT
// stream are finished. After Close this is when the close code has reached the peer,
// or the attempt was given up.
func (s *Session) Done() <-chan struct{} { return s.gone }

// OpenStream opens a bidirectional stream. It waits until the peer allows one
// more. The peer learns of the stream with the first Write, Read or Close.
func (s *Session) OpenStream(ctx context.Context) (*Stream, error) {
	return s.openStream(ctx, true, nil)
}

// openStream opens a stream, for es if that is not nil. If it may not wait it
// fails with errNoCredit.
func (s *Session) openStream(ctx context.Context, mayWait bool, es *EventStream) (*Stream, error) {
	qs, err := open(ctx, s, bidirectional, mayWait, s.conn.quic.OpenStream, s.conn.quic.OpenStreamSync)
	if err != nil {
		return nil, err
	}
	st := s.newStream(qs)
	st.state.events = es
	st.streamType = frameWebTransport
	s.watch(&st.state, 0)
	if !s.link(&st.state) {
		st.state.reset(codeSessionGone)
		return nil, ended(s.ctx)
	}
	return st, nil
}

// OpenUniStream opens a unidirectional stream. It waits until the peer allows
// one more. The peer learns of the stream with the first Write or Close.
func (s *Session) OpenUniStream(ctx context.Context) (*SendStream, error) {
	return s.openUniStream(ctx, true, nil)
}

// openUniStream is to OpenUniStream what openStream is to OpenStream.
func (s *Session) openUniStream(ctx context.Context, mayWait bool, es *EventStream) (*SendStream, error) {
	qs, err := open(ctx, s, unidirectional, mayWait, s.conn.quic.OpenUniStream, s.conn.quic.OpenUniStreamSync)
	if err != nil {
		return nil, err
	}
	state := &streamState{session: s, id: qs.StreamID(), open: sendHalf, send: qs, events: es}
	if !s.link(state) {
		state.reset(codeSessionGone)
		return nil, ended(s.ctx)
	}
	return &SendStream{state: state, stream: qs, streamType: streamTypeWebTransport}, nil
}

// errNoCredit is the error of opening a stream without waiting for credit.
var errNoCredit = errors.New("no credit for a stream")

// open opens a QUIC stream: at once if there is credit, else it waits, if it
// may, for credit, ctx or the end of the session.
func open[T any](ctx context.Context, s *Session, d direction, mayWait bool, try func() (T, error), wait func(context.Context) (T, error)) (T, error) {
	var none T
	if s.ctx.Err() != nil {
		return none, ended(s.ctx)
	}
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	if err := s.reserveStream(ctx, d, mayWait); err != nil {
		return none, err
	}
	str, err := try()
	if _, blocked := errors.AsType[*quic.StreamLimitReachedError](err); blocked {
		if !mayWait {
			s.returnStream(d)
			return none, errNoCredit
		}
		waitCtx, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(s.ctx, cancel)
		str, err = wait(waitCtx)
		stop()
		cancel()
	}
	if err == nil {
		return str, nil
	}
	s.returnStream(d)
	switch {
	case s.ctx.Err() != nil:
		return none, ended(s.ctx)
	case ctx.Err() != nil:
		return none, context.Cause(ctx)
	}
	s.connectionLost(err)
	return none, ended(s.ctx)
}

// AcceptStream returns the next bidirectional stream opened by the peer.
func (s *Session) AcceptStream(ctx context.Context) (*Stream, error) {
	return accept(ctx, s, s.streams)
}

// AcceptUniStream returns the next unidirectional stream opened by the peer.
func (s *Session) AcceptUniStream(ctx context.Context) (*ReceiveStream, error) {
	return accept(ctx, s, s.uniStreams)
}

func accept[T any](ctx context.Context, s *Session, q *queue[T]) (T, error) {
	if s.events != nil {
		var none T
		return none, errCallbacks
	}
	str, err := q.pop(ctx, s.ctx)
	if s.ctx.Err() != nil {
		var none T
		return none, ended(s.ctx) // a stream still in the queue is being reset
	}
	return str, err
}

func (s *Session) newStream(qs *quic.Stream) *Stream {
	st := &Stream{state: streamState{session: s, id: qs.StreamID(), open: sendHalf | receiveHalf, send: qs, receive: qs}}
	st.SendStream.state, st.SendStream.stream = &st.state, qs
	st.ReceiveStream.state, st.ReceiveStream.stream = &st.state, qs
	return st
}

// deliverStream and deliverUniStream take a stream of the peer whose header,
// of the given length, was read. A stream that comes late is reset with the others of the session.
func (s *Session) deliverStream(qs *quic.Stream, header int) {
	st := s.newStream(qs)
	st.state.incoming = true
	st.headerSent.Store(true)
	st.state.events = s.newArrival(true)
	switch {
	case !s.deliver(&st.state, header):
		st.state.events.dismiss()
	case st.state.events != nil:
		st.state.events.arrived(&st.SendStream, &st.ReceiveStream)
	default:
		s.streams.push(st, 0)
	}
}

func (s *Session) deliverUniStream(qs *quic.ReceiveStream, header int) {
	state := &streamState{session: s, id: qs.StreamID(), open: receiveHalf, receive: qs, incoming: true, events: s.newArrival(false)}
	r := &ReceiveStream{state: state, stream: qs}
	switch {
	case !s.deliver(state, header):
		state.events.dismiss()
	case state.events != nil:
		state.events.arrived(nil, r)
	default:
		s.uniStreams.push(r, 0)
	}
}

// newArrival makes an EventStream for a stream of the peer, nil if the session
// has no Callbacks, or is gone.
func (s *Session) newArrival(bidirectional bool) *EventStream {
	if s.events == nil || !s.events.retain() {
		return nil
	}
	es := newEventStream(s.events, false, bidirectional)
	es.users.Store(2) // the stream and the reader
	return es
}

// deliver counts a stream of the peer, and reports whether the session takes it.
func (s *Session) deliver(st *streamState, header int) bool {
	s.in.opened(st.direction())
	s.watch(st, header)
	if s.tooEarly() {
		st.reset(codeBufferedStreamRejected)
		s.conn.offend(tooEarly)
		s.in.abandon(&st.received)
		s.in.ended(st.direction())
		return false
	}
	if !s.link(st) {
		st.reset(codeSessionGone)
		return false
	}
	return true
}

// watch makes the final size of the stream's receiving direction known to flow
// control. The header, of the given length, does not count.
func (s *Session) watch(st *streamState, header int) {
	if s.in == nil && st.events == nil {
		return
	}
	st.receive.SetReceiveFinalSizeCallback(func(size int64) {
		if s.in != nil {
			s.in.finish(&st.received, size-int64(header))
		}
		if st.events != nil {
			st.events.sizeKnown()
		}
	})
}

// tooEarly reports whether the streams held for a session that this end has not
// accepted have reached their limit. Later QUIC's stream credit is the limit, as
// it is at the client, which asked for the session.
func (s *Session) tooEarly() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accepted || !s.conn.server {
		return false
	}
	s.early++
	return s.early > s.conn.limits.EarlyStreams
}

// link adds a stream to the session's list, and reports false if it is too late.
func (s *Session) link(st *streamState) bool {
	s.mu.Lock()
	if s.streamsReset {
		s.mu.Unlock()
		return false
	}
	if st.prev = s.last; st.prev != nil {
		st.prev.next = st
	} else {
		s.first = st
	}
	s.last = st
	s.numStreams++
	if s.priority.urgency != defaultUrgency {
		st.inherit()
	}
	late := s.end != nil
	s.mu.Unlock()
	if !st.incoming {
		s.counters.streamsOpened.Add(1)
	} else {
		s.counters.streamsReceived.Add(1)
	}
	s.conn.emit(Event{Type: StreamOpened, Session: s, StreamID: st.id})
	if late {
		st.interrupt()
	}
	return true
}

// unlink removes a stream from the list. The caller holds s.mu.
func (s *Session) unlink(st *streamState) {
	if st.prev != nil {
		st.prev.next = st.next
	} else {
		s.first = st.next
	}
	if st.next != nil {
		st.next.prev = st.prev
	} else {
		s.last = st.prev
	}
	st.prev, st.next = nil, nil
	s.numStreams--
}

package wt

import (
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// table is the sessions of a connection, by the stream ID of their CONNECT
// streams, which is also what the prefixes of their streams and datagrams
// carry. At the server it holds, within bounds, the streams and datagrams
// that arrive ahead of the CONNECT request they belong to.
//
// At the server an ID that is not in the table may still become a session as
// long as its stream has not been accepted, or is a request that is being
// examined. Otherwise it was a session that has ended, or never one. A client
// knows its sessions before the server does, so that nothing is early there.
type table struct {
	limits Limits
	server bool
	offend func(what string) // counts what the peer should not do often

	mu       sync.Mutex
	sessions map[quic.StreamID]*Session
	// requests holds the request streams that are being handled; examined
	// says that they are not, or no longer, candidates for a session.
	requests map[quic.StreamID]*request
	next     quic.StreamID // the lowest bidirectional stream not yet accepted (server)

	early          []earlyItem // in order of arrival
	earlyStreams   int
	earlyDatagrams int
	timer          *time.Timer // runs while there are early items
	rejected       []*rejectedStream
	closed         bool

	earlyPriorities []earlyPriority // in order of arrival
	prioritised     bool            // the client sends priorities

	idleSince   time.Time     // when the last request ended, zero before
	whenIdle    chan struct{} // closed when none is left; nil if nobody waits
	idleTimer   *time.Timer   // nil if idle connections stay
	idleTimeout time.Duration
}

type request struct {
	stream   *quic.Stream
	examined bool
	served   bool      // http3 has passed the request on
	update   *priority // of the last PRIORITY_UPDATE
}

// earlyItem is a stream or a datagram whose session is not yet known.
type earlyItem struct {
	session  quic.StreamID
	expires  time.Time
	stream   *quic.Stream        // bidirectional
	uni      *quic.ReceiveStream // unidirectional
	header   int                 // the length of the stream's header, in bytes
	datagram []byte              // neither
	rejected *rejectedStream     // what is remembered of a stream that is being rejected
}

func (it earlyItem) isStream() bool { return it.stream != nil || it.uni != nil }

func (it earlyItem) deliver(s *Session) {
	switch {
	case it.stream != nil:
		s.deliverStream(it.stream, it.header)
	case it.uni != nil:
		s.deliverUniStream(it.uni, it.header)
	default:
		s.deliverDatagram(it.datagram)
	}
}

func (t *table) reject(it earlyItem, code quic.StreamErrorCode) {
	var send quicSendStream
	var receive quicReceiveStream = it.uni
	if it.stream != nil {
		send, receive = it.stream, it.stream
	} else if it.uni == nil {
		return
	}
	if r := it.rejected; r != nil {
		receive.SetReceiveFinalSizeCallback(func(size int64) { t.finished(r, size) })
	}
	rejectStream(send, receive, code)
}

// rejectStream ends a stream that no session takes. send is nil for a unidirectional one.
func rejectStream(send quicSendStream, receive quicReceiveStream, code quic.StreamErrorCode) {
	if send != nil {
		send.CancelWrite(code)
	}
	receive.CancelRead(code)
}

func newTable(limits Limits, server bool) *table {
	return &table{
		limits: limits, server: server,
		sessions: make(map[quic.StreamID]*Session),
		requests: make(map[quic.StreamID]*request),
	}
}

// route delivers a stream or datagram, holds it, or rejects it.
func (t *table) route(it earlyItem) {
	t.mu.Lock()
	s := t.sessions[it.session]
	var code quic.StreamErrorCode
	if s == nil {
		code = t.hold(&it)
	}
	t.mu.Unlock()
	switch {
	case s != nil:
		it.deliver(s)
	case code != 0:
		t.reject(it, code)
		if code == codeBufferedStreamRejected {
			t.offend(tooEarly)
		}
	}
}

// hold keeps an item whose session may still come. Otherwise it returns the
// code to reject it with. The caller holds t.mu.
func (t *table) hold(it *earlyItem) quic.StreamErrorCode {
	if !t.mayCome(it.session) {
		return codeSessionGone
	}
	n, limit := &t.earlyDatagrams, t.limits.EarlyDatagrams
	if it.isStream() {
		n, limit = &t.earlyStreams, t.limits.EarlyStreams
	}
	if *n >= limit || t.closed {
		t.remember(it)
		return codeBufferedStreamRejected
	}
	*n++
	it.expires = time.Now().Add(t.limits.EarlyTimeout)
	t.early = append(t.early, *it)
	if len(t.early) == 1 {
		t.timer = time.AfterFunc(t.limits.EarlyTimeout, t.expire)
	}
	return 0
}

func (t *table) mayCome(id quic.StreamID) bool {
	if !t.server {
		return false
	}
	if r, ok := t.requests[id]; ok {
		return !r.examined
	}
	return id >= t.next
}

// take removes and returns the early items that match, in order of arrival.
// The caller holds t.mu.
func (t *table) take(match func(earlyItem) bool) []earlyItem {
	var taken []earlyItem
	t.early = slices.DeleteFunc(t.early, func(it earlyItem) bool {
		if !match(it) {
			return false
		}
		taken = append(taken, it)
		if it.isStream() {
			t.earlyStreams--
		} else {
			t.earlyDatagrams--
		}
		return true
	})
	if len(t.early) == 0 && t.timer != nil {
		t.timer.Stop()
	}
	return taken
}

// expire rejects what has been held for too long.
func (t *table) expire() {
	t.mu.Lock()
	now := time.Now()
	taken := t.take(func(it earlyItem) bool { return !now.Before(it.expires) })
	for i := range taken {
		t.remember(&taken[i])
	}
	if len(t.early) > 0 {
		t.timer = time.AfterFunc(t.early[0].expires.Sub(now), t.expire)
	}
	t.mu.Unlock()
	for _, it := range taken {
		t.reject(it, codeBufferedStreamRejected)
		t.offend(tooEarly)
	}
}

// tooEarly is the offence of what has to be rejected because its session is not there.
const tooEarly = "streams and datagrams ahead of their sessions"

// accepted notes a bidirectional stream of the client that was accepted, and
// whose header is about to be read.
func (t *table) accepted(str *quic.Stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = max(t.next, str.StreamID()+4)
	t.requests[str.StreamID()] = &request{stream: str, update: t.takeEarlyPriority(str.StreamID())}
	if t.idleTimer != nil {
		t.idleTimer.Stop()
	}
}

// examined notes that a bidirectional stream of the client is no session.
func (t *table) examined(id quic.StreamID) {
	t.mu.Lock()
	if r := t.requests[id]; r != nil {
		r.examined = true
	}
	taken := t.take(func(it earlyItem) bool { return it.session == id })
	t.takeRejected(id)
	t.mu.Unlock()
	for _, it := range taken {
		t.reject(it, codeSessionGone)
	}
}

// served reports whether a bidirectional stream of the client was a request
// that http3 did not reject.
func (t *table) served(id quic.StreamID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.requests[id].served
}

// handled notes that a bidirectional stream of the client is no longer a
// request that is being handled.
func (t *table) handled(id quic.StreamID) {
	t.examined(id)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.requests, id)
	if len(t.requests) == 0 {
		t.becameIdle()
	}
}

// full reports whether no session can be added to a connection that may have limit of them.
func (t *table) full(limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.isFull(limit)
}

// isFull is full for a caller that holds t.mu. A server does not count
// sessions that have ended: the client, which opens the next one, may have
// seen the end of those. A client counts them until the server has.
func (t *table) isFull(limit int) bool {
	open := 0
	for _, s := range t.sessions { // the order does not matter
		if !t.server || s.ctx.Err() == nil {
			open++
		}
	}
	return open >= limit || t.closed
}

// add makes a session known, unless there are limit sessions already, and
// delivers what arrived ahead of it.
func (t *table) add(s *Session, limit int) bool {
	t.mu.Lock()
	if t.isFull(limit) {
		t.mu.Unlock()
		return false
	}
	t.sessions[s.id] = s
	if r := t.requests[s.id]; r != nil {
		r.examined = true
		if r.update != nil {
			s.setPriority(*r.update)
		}
	}
	taken := t.take(func(it earlyItem) bool { return it.session == s.id })
	rejected := t.takeRejected(s.id)
	t.mu.Unlock()
	t.countRejected(s, rejected)
	for _, it := range taken {
		it.deliver(s)
	}
	return true
}

func (t *table) remove(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sessions, s.id)
}

// len returns the number of sessions.
func (t *table) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.sessions)
}

// all returns the sessions in the order of their IDs.
func (t *table) all() []*Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	sessions := make([]*Session, 0, len(t.sessions))
	for _, s := range t.sessions {
		sessions = append(sessions, s)
	}
	slices.SortFunc(sessions, func(a, b *Session) int { return int(a.id - b.id) })
	return sessions
}

// close forgets what is held, when the connection is closed.
func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.idleTimer != nil {
		t.idleTimer.Stop()
	}
	t.take(func(earlyItem) bool { return true })
	t.rejected = nil
}

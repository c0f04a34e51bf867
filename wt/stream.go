package wt

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// firstWrite is how many bytes of a stream, header included, are handed to
// QUIC at once, so that the header never travels alone. It fits into the
// smallest packet of QUIC, and QUIC always buffers that much without blocking.
const firstWrite = 1150

// quicSendStream is the sending half of *quic.Stream, or a *quic.SendStream.
type quicSendStream interface {
	io.Writer
	WriteWithLimit([]byte, func(int) int) (int, error)
	TryWriteAll([]byte) error
	Close() error
	CancelWrite(quic.StreamErrorCode)
	SetWriteDeadline(time.Time) error
	SetPriority(urgency int8, incremental bool)
	SetReliableBoundary()
	Context() context.Context
}

// quicReceiveStream is the receiving half of *quic.Stream, or a *quic.ReceiveStream.
type quicReceiveStream interface {
	io.Reader
	Peek([]byte) (int, error)
	CancelRead(quic.StreamErrorCode)
	SetReadDeadline(time.Time) error
	SetReceiveFinalSizeCallback(func(int64))
}

// half is a set of directions of a stream.
type half uint8

const (
	sendHalf half = 1 << iota
	receiveHalf
)

// streamState is what both directions of a stream share.
type streamState struct {
	session *Session
	id      quic.StreamID
	value   atomic.Pointer[any]

	// Guarded by session.mu: the directions that are open, and the neighbours
	// in the session's list of streams, which is in the order of opening.
	open        half
	prev, next  *streamState
	order       *sendOrder // nil if it has none
	ownPriority bool       // SetPriority was called

	incoming   bool        // opened by the peer
	received   received    // for flow control
	uncredited atomic.Bool // QUIC had no credit for the header when it was written

	send    quicSendStream    // nil if there is no such direction
	receive quicReceiveStream // nil if there is no such direction
	events  *EventStream      // nil if the application calls the stream's methods
}

func (st *streamState) direction() direction {
	if st.send != nil && st.receive != nil {
		return bidirectional
	}
	return unidirectional
}

func (st *streamState) setValue(v any) { st.value.Store(&v) }

func (st *streamState) getValue() any {
	if p := st.value.Load(); p != nil {
		return *p
	}
	return nil
}

// fail translates an error of QUIC on the given direction, and notes the end
// of the direction. If the peer did away with the stream because the session
// has ended, it waits for the end of the session.
func (st *streamState) fail(err error, h half) error {
	if sessionGone(err) {
		st.session.awaitEnd()
	}
	return st.failNow(err, h)
}

// sessionGone reports whether err says that the peer did away with the stream as one of a session that has ended.
func sessionGone(err error) bool {
	e, ok := errors.AsType[*quic.StreamError](err)
	return ok && e.Remote && e.ErrorCode == codeSessionGone
}

// failNow is fail for a caller that must not wait.
func (st *streamState) failNow(err error, h half) error {
	s := st.session
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// Deadlines also interrupt the calls that wait when the session ends.
		if s.ctx.Err() != nil {
			return ended(s.ctx)
		}
		return err
	}
	if streamErr, ok := errors.AsType[*quic.StreamError](err); ok {
		if s.ctx.Err() != nil {
			return ended(s.ctx)
		}
		st.finished(h)
		return newStreamError(streamErr)
	}
	if cause := s.conn.lostBy(err); cause != nil {
		s.connectionLost(cause)
		return ended(s.ctx)
	}
	return err
}

// finished notes that directions of the stream are over at this end.
func (st *streamState) finished(h half) {
	s := st.session
	s.mu.Lock()
	if st.open&h == 0 {
		s.mu.Unlock()
		return
	}
	st.open &^= h
	if h&sendHalf != 0 {
		st.leaveOrder()
	}
	over := st.open == 0
	last := false
	if over {
		s.unlink(st)
		last = s.reportLast()
	}
	s.mu.Unlock()
	if h&receiveHalf != 0 {
		s.in.abandon(&st.received)
	}
	if over {
		if st.incoming {
			s.in.ended(st.direction())
		}
		st.ended()
	}
	if last {
		s.emit(LastStreamEnded)
	}
}

// ended reports that the stream has left the session's list.
func (st *streamState) ended() {
	st.session.conn.emit(Event{Type: StreamEnded, Session: st.session, StreamID: st.id})
	if st.events != nil {
		st.events.finish()
	}
}

// SendStream is the sending direction of a stream. Write, Close and
// CancelWrite follow the rules of [quic.SendStream]: Close must not be called
// concurrently with Write.
type SendStream struct {
	state  *streamState
	stream quicSendStream

	headerMu   sync.Mutex  // serialises the calls that find the header missing
	headerSent atomic.Bool // set from the start on streams opened by the peer
	streamType uint64

	ctxOnce  sync.Once
	ctx      context.Context // made by Context
	deadline writeDeadline   // as QUIC's, for a session under flow control
	buffered atomic.Int64    // bytes counted as sent that QUIC may still hold
}

// StreamID returns the QUIC stream ID.
func (s *SendStream) StreamID() quic.StreamID { return s.state.id }

// Session returns the session the stream belongs to.
func (s *SendStream) Session() *Session { return s.state.session }

// SetValue attaches an application's value to the stream. It is safe for concurrent use.
func (s *SendStream) SetValue(v any) { s.state.setValue(v) }

// Value returns the value attached with SetValue, nil if there is none.
func (s *SendStream) Value() any { return s.state.getValue() }

// Write sends p. It blocks for flow and congestion control. The error is a
// *[StreamError] if the peer asked to stop, a *[SessionError] if the session
// ended, and matches [os.ErrDeadlineExceeded] past the write deadline.
func (s *SendStream) Write(p []byte) (int, error) {
	if s.state.session.ctx.Err() != nil {
		return 0, ended(s.state.session.ctx) // QUIC takes small writes past the deadline that interrupts others
	}
	var first int
	if !s.headerSent.Load() {
		n, err := s.sendHeader(p)
		if err != nil || n == len(p) {
			s.state.session.counters.bytesSent.Add(uint64(n))
			return n, err
		}
		first, p = n, p[n:]
	}
	var n int
	var err error
	if f := s.state.session.outFlow; f != nil {
		n, err = s.writeWithCredit(f, p)
	} else {
		n, err = s.stream.Write(p)
	}
	s.state.session.counters.bytesSent.Add(uint64(first + n))
	if err != nil {
		err = s.state.fail(err, sendHalf)
	}
	return first + n, err
}

var firstWrites = sync.Pool{New: func() any { b := make([]byte, 0, firstWrite); return &b }}

// sendHeader sends the stream's header together with the beginning of p,
// unless it was sent before. It does not block, and returns how much of p it took.
//
// The header, and with it that beginning, is delivered even if the stream is
// reset (draft-ietf-webtrans-http3-16, section 4.4), if the peer supports RESET_STREAM_AT.
func (s *SendStream) sendHeader(p []byte) (int, error) {
	if s.state.session.ctx.Err() != nil {
		return 0, ended(s.state.session.ctx)
	}
	n, err := s.writeHeader(p)
	if err != nil {
		return 0, s.state.fail(err, sendHalf)
	}
	return n, nil
}

func (s *SendStream) writeHeader(p []byte) (int, error) {
	s.headerMu.Lock()
	defer s.headerMu.Unlock()
	if s.headerSent.Load() {
		return 0, nil
	}
	buf := firstWrites.Get().(*[]byte)
	defer firstWrites.Put(buf)
	b := quicvarint.Append((*buf)[:0], s.streamType)
	b = quicvarint.Append(b, uint64(s.state.session.id))
	header := len(b)
	b = append(b, p[:min(len(p), firstWrite-header)]...)
	n, err := s.writeFirst(b, len(b)-header)
	if err != nil {
		return 0, err
	}
	s.headerSent.Store(true)
	return n, nil
}

// writeFirst hands the header and n bytes of data behind it to QUIC, or just
// the header if there is no credit for the data.
func (s *SendStream) writeFirst(b []byte, n int) (int, error) {
	session := s.state.session
	f := session.outFlow
	if f == nil && !session.reliableResets {
		_, err := s.stream.Write(b)
		return n, err
	}
	if !s.deadline.passed() && (f == nil || f.takeNow(n)) {
		err := s.stream.TryWriteAll(b)
		if err == nil {
			s.stream.SetReliableBoundary()
			s.buffered.Add(int64(n))
			return n, nil
		}
		if f != nil {
			f.giveBack(n)
		}
	}
	header := b[:len(b)-n]
	if !s.deadline.passed() && s.stream.TryWriteAll(header) == nil {
		s.stream.SetReliableBoundary()
		return 0, nil
	}
	_, err := s.stream.Write(header)
	s.state.uncredited.Store(err == nil)
	return 0, err
}

// sentMore notes that QUIC has credit for all that was written before.
func (s *SendStream) sentMore() {
	if s.state.uncredited.CompareAndSwap(true, false) {
		s.stream.SetReliableBoundary()
	}
}

// Close ends the stream: the peer reads io.EOF after all that was written.
func (s *SendStream) Close() error {
	if s.state.session.ctx.Err() != nil {
		return ended(s.state.session.ctx)
	}
	if _, err := s.sendHeader(nil); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if err := s.stream.Close(); err != nil {
		if cause := context.Cause(s.stream.Context()); cause != nil {
			err = cause // what cancelled the stream before
		}
		return s.state.fail(err, sendHalf)
	}
	s.state.finished(sendHalf)
	return nil
}

// CancelWrite resets the stream with an application error code. What was
// written and not yet delivered may be lost.
func (s *SendStream) CancelWrite(code uint32) {
	if s.state.session.ctx.Err() != nil {
		return // the end of the session resets the stream
	}
	s.sendHeader(nil) // without it the peer could not tell whose stream was reset
	s.stream.CancelWrite(wireCode(code))
	s.state.finished(sendHalf)
}

// SetWriteDeadline sets the deadline of Write; zero means none.
func (s *SendStream) SetWriteDeadline(t time.Time) error {
	if s.state.session.ctx.Err() != nil {
		return ended(s.state.session.ctx)
	}
	s.deadline.set(t)
	return s.stream.SetWriteDeadline(t)
}

// Context returns a context that is cancelled when nothing more can be sent:
// the peer asked to stop or CancelWrite was called, with a *[StreamError] as its
// cause, the session ended, with a *[SessionError], or Close was called. It
// carries the values of the session's context.
func (s *SendStream) Context() context.Context {
	s.ctxOnce.Do(func() {
		ctx, cancel := context.WithCancelCause(s.state.session.ctx)
		context.AfterFunc(s.stream.Context(), func() { cancel(s.sendingOver()) })
		s.ctx = ctx
	})
	return s.ctx
}

// sendingOver returns why the stream's context at QUIC is done, nil if by Close.
func (s *SendStream) sendingOver() error {
	err := context.Cause(s.stream.Context())
	if _, reset := errors.AsType[*quic.StreamError](err); reset || s.state.session.conn.lostBy(err) != nil {
		return s.state.fail(err, sendHalf)
	}
	return nil
}

// ReceiveStream is the receiving direction of a stream.
type ReceiveStream struct {
	state  *streamState
	stream quicReceiveStream
}

// StreamID returns the QUIC stream ID.
func (r *ReceiveStream) StreamID() quic.StreamID { return r.state.id }

// Session returns the session the stream belongs to.
func (r *ReceiveStream) Session() *Session { return r.state.session }

// SetValue attaches an application's value to the stream. It is safe for concurrent use.
func (r *ReceiveStream) SetValue(v any) { r.state.setValue(v) }

// Value returns the value attached with SetValue, nil if there is none.
func (r *ReceiveStream) Value() any { return r.state.getValue() }

// Read reads from the stream. The error is io.EOF at its end, a *[StreamError]
// if it was reset, a *[SessionError] if the session ended, and matches
// [os.ErrDeadlineExceeded] past the read deadline.
func (r *ReceiveStream) Read(p []byte) (int, error) {
	n, err := r.stream.Read(p)
	r.consumed(n)
	if sessionGone(err) {
		r.state.session.awaitEnd()
	}
	return n, r.readFailed(err)
}

// consumed gives the peer credit for n bytes that were read.
func (r *ReceiveStream) consumed(n int) {
	r.state.session.in.read(&r.state.received, n)
	r.state.session.counters.bytesReceived.Add(uint64(n))
}

// readNow reads what there is, without giving credit of the session for it.
func (r *ReceiveStream) readNow(p []byte) (int, error) {
	n, err := r.stream.Read(p)
	return n, r.readFailed(err)
}

// readFailed translates an error of reading, and notes the end of the direction.
func (r *ReceiveStream) readFailed(err error) error {
	switch err {
	case nil:
		return nil
	case io.EOF:
		r.state.finished(receiveHalf)
		return io.EOF
	}
	return r.state.failNow(err, receiveHalf)
}

// CancelRead asks the peer to stop sending, with an application error code.
func (r *ReceiveStream) CancelRead(code uint32) {
	if r.state.session.ctx.Err() != nil {
		return // the end of the session stops the stream
	}
	r.stream.CancelRead(wireCode(code))
	r.state.finished(receiveHalf)
}

// SetReadDeadline sets the deadline of Read; zero means none.
func (r *ReceiveStream) SetReadDeadline(t time.Time) error {
	if r.state.session.ctx.Err() != nil {
		return ended(r.state.session.ctx)
	}
	return r.stream.SetReadDeadline(t)
}

// Stream is a bidirectional stream: an [io.ReadWriteCloser] whose Close ends
// the sending direction only.
type Stream struct {
	SendStream
	ReceiveStream
	state streamState
}

// StreamID returns the QUIC stream ID.
func (s *Stream) StreamID() quic.StreamID { return s.state.id }

// Session returns the session the stream belongs to.
func (s *Stream) Session() *Session { return s.state.session }

// SetValue attaches an application's value to the stream, the same for both
// directions. It is safe for concurrent use.
func (s *Stream) SetValue(v any) { s.state.setValue(v) }

// Value returns the value attached with SetValue, nil if there is none.
func (s *Stream) Value() any { return s.state.getValue() }

// Read reads from the stream as [ReceiveStream.Read] does. On a stream that
// this end opened and has not written to, it first lets the peer know of the stream.
func (s *Stream) Read(p []byte) (int, error) {
	if !s.headerSent.Load() {
		if _, err := s.sendHeader(nil); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			if _, stopped := errors.AsType[*StreamError](err); !stopped {
				return 0, err
			}
		}
	}
	return s.ReceiveStream.Read(p)
}

// SetDeadline sets the deadlines of Read and Write; zero means none.
func (s *Stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

package wt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/quic-go/quic-go"
)

// Bounds of the end of a session. The streams are reset a while after the
// CLOSE_SESSION capsule, because a peer that sees its streams reset before it has read
// the capsule reports the resets instead of the code. The peer's own end of the CONNECT stream is
// awaited, because asking it to stop sending, which overtakes the capsule on
// the wire, makes some peers lose the code as well.
const (
	minResetDelay = 50 * time.Millisecond
	minCloseWait  = 250 * time.Millisecond
	maxCloseWait  = 2 * time.Second
)

// Close ends the session with a code and a reason for the peer. A reason
// longer than 1024 bytes is cut. Close does not block: [Session.Done]
// tells when the session is gone. All calls on the session and its streams fail from now
// on, and data that the peer has not yet received is lost. A session that is
// not established is cancelled, and the peer does not learn the code.
//
// The error is nil if this call ended the session, and how the session ended otherwise.
func (s *Session) Close(code uint32, reason string) error {
	reason = closeReason(reason)
	if s.abort(&SessionError{Code: code, Reason: reason, Err: errNotEstablished}) {
		return nil
	}
	if !s.markEnded(&SessionError{Code: code, Reason: reason, Clean: true}) {
		return ended(s.ctx)
	}
	s.emit(CloseCalled)
	stats := s.conn.quic.ConnectionStats()
	wait := closeWait(stats)
	finish := func(err error) {
		if err == nil {
			s.emit(CloseSent)
		}
		close(s.sendDone)
	}
	err := s.out.sendClose(appendClose(nil, code, reason), time.Now().Add(maxCloseWait), finish)
	if errors.Is(err, quic.ErrWouldBlock) {
		wait = maxCloseWait
		s.mu.Lock()
		s.withheld = true
		s.mu.Unlock()
	} else {
		finish(err)
	}
	s.mu.Lock()
	if !s.streamsReset {
		s.resetTimer = time.AfterFunc(max(minResetDelay, stats.SmoothedRTT), s.resetStreams)
	}
	s.mu.Unlock()
	s.connect.SetReadDeadline(time.Now().Add(wait))
	s.announceEnd()
	return nil
}

// closeWait is three probe timeouts (RFC 9002, section 6.2.1), within bounds.
func closeWait(stats quic.ConnectionStats) time.Duration {
	pto := stats.SmoothedRTT + max(4*stats.MeanDeviation, time.Millisecond) + 25*time.Millisecond
	return min(max(3*pto, minCloseWait), maxCloseWait)
}

// markEnded makes e how the session ended, unless it has ended before. Who
// ended it finishes the sending direction of the CONNECT stream, closes
// sendDone, and calls announceEnd.
func (s *Session) markEnded(e *SessionError) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return false
	}
	s.end = e
	s.cancel(e)
	return true
}

// announceEnd makes every call that waits on the session or its streams return.
func (s *Session) announceEnd() {
	s.mu.Lock()
	e := s.end
	for st := s.first; st != nil; st = st.next {
		st.interrupt()
	}
	last := s.reportLast()
	s.mu.Unlock()
	s.conn.datagrams.close(&s.outgoing, e)
	s.conn.emit(Event{Type: Ended, Session: s, End: e})
	if s.events != nil {
		s.events.end(e)
	}
	if last {
		s.emit(LastStreamEnded)
	}
}

// reportLast reports whether LastStreamEnded is due. The caller holds s.mu.
func (s *Session) reportLast() bool {
	if s.end == nil || s.first != nil || s.lastReported {
		return false
	}
	s.lastReported = true
	return true
}

// interrupt makes the calls that wait on the stream return, and later ones
// fail, without sending anything.
func (st *streamState) interrupt() {
	now := time.Now()
	if st.send != nil {
		st.send.SetWriteDeadline(now)
	}
	if st.receive != nil {
		st.receive.SetReadDeadline(now)
	}
}

// reset ends the stream without its application, with a code of the protocol.
func (st *streamState) reset(code quic.StreamErrorCode) {
	if st.open&sendHalf != 0 {
		st.send.CancelWrite(code)
	}
	if st.open&receiveHalf != 0 {
		st.receive.CancelRead(code)
	}
}

// resetStreams ends all streams of a session that has ended, oldest first.
// When it returns they have ended, whoever called it first.
func (s *Session) resetStreams() {
	s.resetOnce.Do(func() {
		for {
			s.mu.Lock()
			s.streamsReset = true
			st := s.first
			if st == nil {
				last := s.reportLast()
				s.mu.Unlock()
				if last {
					s.emit(LastStreamEnded)
				}
				break
			}
			s.unlink(st)
			st.reset(codeSessionGone)
			st.open = 0
			s.mu.Unlock()
			st.ended()
		}
		s.streams.clear()
		s.uniStreams.clear()
	})
}

// run reads the CONNECT stream until the session is gone.
func (s *Session) run() {
	// A peer may stop reading the CONNECT stream in the flight that carries
	// its CLOSE_SESSION, and that request comes first: wait for the capsule.
	stop := context.AfterFunc(s.connect.Context(), func() {
		if s.ctx.Err() == nil {
			s.connect.SetReadDeadline(time.Now().Add(maxCloseWait))
		}
	})
	s.connectEnded(s.readCapsules())
	stop()
	s.resetStreams()
	s.mu.Lock()
	if s.resetTimer != nil {
		s.resetTimer.Stop()
	}
	s.mu.Unlock()
	<-s.sendDone
	s.emit(ConnectFinished)
	s.release()
}

// release removes the session from the connection.
func (s *Session) release() {
	s.conn.table.remove(s)
	s.emit(Gone)
	close(s.gone)
	if s.events != nil {
		s.events.release()
	}
}

// readCapsules acts on the peer's capsules until the CONNECT stream ends, and
// returns why it did: io.EOF for a FIN.
func (s *Session) readCapsules() error {
	r := newCapsuleReader(s.connect)
	for {
		typ, length, err := r.next()
		if err != nil {
			return err
		}
		switch typ {
		case capsuleDatagram:
			if length <= maxDatagramCapsule {
				b, err := r.value()
				if err != nil {
					return err
				}
				s.deliverDatagram(b)
			}
		case capsuleDrain:
			if err := s.drainedByPeer(length); err != nil {
				return err
			}
		case capsuleClose:
			code, reason, err := r.parseClose(length)
			if err != nil {
				return err
			}
			s.endedByPeer(code, reason)
			return r.expectEnd()
		default:
			if err := s.handleFlowCapsule(r, typ, length); err != nil {
				return err
			}
		}
	}
}

// endedByPeer ends the session cleanly, as the peer asked for. The answer is
// left to connectEnded, which knows whether anything follows.
func (s *Session) endedByPeer(code uint32, reason string) {
	if s.markEnded(&SessionError{Code: code, Reason: reason, Remote: true, Clean: true}) {
		s.owesAnswer = true
		s.connect.SetReadDeadline(time.Now().Add(maxCloseWait))
		s.announceEnd()
	}
	s.resetStreams()
}

// connectEnded acts on the end of the receiving direction of the CONNECT
// stream, and finishes the sending direction unless Close does.
func (s *Session) connectEnded(err error) {
	resetErr, reset := errors.AsType[*quic.StreamError](err)
	switch lost := s.conn.lostBy(err); {
	case err == io.EOF:
		s.endedByPeer(0, "")
		s.answer(nil, 0)
	case lost != nil:
		s.connectionLost(lost)
		s.answer(nil, 0)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.connect.CancelRead(codeSessionGone)
		s.mu.Lock()
		withheld := s.withheld
		s.mu.Unlock()
		if withheld {
			s.out.reset(codeSessionGone)
		}
		if s.owesAnswer { // a CLOSE_SESSION without FIN
			s.answer(nil, 0)
			return
		}
		stopped := context.Cause(s.connect.Context())
		s.answer(&SessionError{Remote: true, Err: fmt.Errorf("peer stopped reading the CONNECT stream: %w", stopped)}, codeSessionGone)
	case reset:
		e := &SessionError{Remote: true, Err: fmt.Errorf("CONNECT stream reset: %w", resetErr)}
		e.Code, _ = applicationCode(uint64(resetErr.ErrorCode))
		s.answer(e, codeSessionGone)
	default:
		code := faultCode(err)
		s.connect.CancelRead(code)
		s.answer(&SessionError{Err: err}, code)
		s.conn.offend("malformed capsules")
	}
}

// answer finishes the sending direction of the CONNECT stream, by FIN or by a
// reset if code is not 0, unless Close has done or does so. It ends the
// session with e, if that is not nil and the session has not ended before.
func (s *Session) answer(e *SessionError, code quic.StreamErrorCode) {
	first := e != nil && s.markEnded(e)
	if !first && !s.owesAnswer {
		return
	}
	s.owesAnswer = false
	if code == 0 {
		s.out.finish()
	} else {
		s.out.reset(code)
	}
	close(s.sendDone)
	if first {
		s.announceEnd()
	}
}

// connectionLost ends the session because its connection is closed.
func (s *Session) connectionLost(err error) {
	if s.markEnded(connectionLost(err)) {
		close(s.sendDone)
		s.announceEnd()
	}
}

// awaitEnd waits, within bounds, for the end of a session whose streams the
// peer has reset as those of an ended session.
func (s *Session) awaitEnd() {
	timer := time.NewTimer(maxCloseWait)
	defer timer.Stop()
	select {
	case <-s.ctx.Done():
	case <-timer.C:
	}
}

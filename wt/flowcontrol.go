package wt

import (
	"errors"
	"fmt"

	"github.com/quic-go/quic-go"
)

// FlowControl configures the flow control of sessions
// (draft-ietf-webtrans-http3-16, section 5). It is in force on a connection if
// both ends announce a limit other than 0, and lets it carry several sessions.
// Without it a connection has one session at a time, which QUIC's own flow
// control limits. A field that is zero has the default stated; a negative one
// allows nothing until the application has consumed something, so never.
type FlowControl struct {
	// Disabled leaves flow control unannounced.
	Disabled bool
	// InitialData is how many bytes the peer may send on the streams of a new
	// session, headers not counted, that the application has not read (1 MiB).
	InitialData int64
	// MaxData is how many such bytes the windows of the connection's sessions may
	// come to together, as they grow with what the applications read and the round-trip
	// time (12 MiB). Each session may have an equal share of it, and InitialData at
	// least. It should be less than the receive window of the QUIC connection, or a session
	// that is not read can hold up the others.
	MaxData int64
	// Streams and UniStreams are how many bidirectional and unidirectional
	// streams the peer may have open in a session at the same time (100 each).
	Streams, UniStreams int64
}

func (f FlowControl) withDefaults() FlowControl {
	for _, field := range []struct {
		v   *int64
		def int64
	}{{&f.InitialData, 1 << 20}, {&f.MaxData, 12 << 20}, {&f.Streams, 100}, {&f.UniStreams, 100}} {
		if *field.v == 0 {
			*field.v = field.def
		}
		*field.v = max(0, min(*field.v, 1<<48))
	}
	f.MaxData = max(f.MaxData, f.InitialData)
	return f
}

// settings adds the settings that announce flow control.
func (f FlowControl) settings(m map[uint64]uint64) {
	if f.Disabled {
		return
	}
	m[settingInitialMaxData] = uint64(f.InitialData)
	m[settingInitialMaxStreams] = uint64(f.Streams)
	m[settingInitialMaxUniStreams] = uint64(f.UniStreams)
}

func (f FlowControl) announced() bool {
	return !f.Disabled && (f.InitialData != 0 || f.Streams != 0 || f.UniStreams != 0)
}

const defaultMaxSessions = 16

// maxStreams is the largest limit of streams (draft-ietf-webtrans-http3-16, section 5.6.2).
const maxStreams = 1 << 60

// direction tells the two kinds of streams apart, as an index.
type direction int

const (
	bidirectional direction = iota
	unidirectional
	numDirections
)

// sessionFault ends a session by a reset of its CONNECT stream with an error code.
type sessionFault struct {
	code   quic.StreamErrorCode
	reason string
}

func (e *sessionFault) Error() string { return e.reason }

// faultCode returns the code for a session that ended with err. What is no
// sessionFault is a malformed message (RFC 9297, section 3.3).
func faultCode(err error) quic.StreamErrorCode {
	if fault, ok := errors.AsType[*sessionFault](err); ok {
		return fault.code
	}
	return h3MessageError
}

func flowFault(format string, args ...any) error {
	return &sessionFault{code: codeFlowControlError, reason: fmt.Sprintf(format, args...)}
}

// startFlow notes which rules of the connection hold for the streams of the session:
// flow control is in force if both ends announced it. The peer's SETTINGS are known.
func (s *Session) startFlow() {
	resets := s.conn.quic.ConnectionState().SupportsStreamResetPartialDelivery
	s.reliableResets = resets.Local && resets.Remote
	if !s.conn.flowEnabled() {
		return
	}
	local, remote := s.conn.flow, s.conn.settings
	s.in = newIncomingFlow(s, local)
	s.outFlow = newOutgoingFlow(&s.conn.sched, remote)
}

func (c *conn) flowEnabled() bool {
	p := &c.settings
	return c.flow.announced() && (p.maxData != 0 || p.maxStreams[bidirectional] != 0 || p.maxStreams[unidirectional] != 0)
}

// maxSessions returns how many sessions the connection may carry at a time.
func (c *conn) maxSessions(configured int) int {
	switch {
	case !c.flowEnabled():
		return 1
	case configured > 0:
		return configured
	}
	return defaultMaxSessions
}

// handleFlowCapsule acts on a capsule of flow control; it leaves others to be
// skipped, and these too if flow control is not in force.
func (s *Session) handleFlowCapsule(r *capsuleReader, typ, length uint64) error {
	if s.outFlow == nil {
		return nil
	}
	var value uint64
	var err error
	switch typ {
	case capsuleMaxData, capsuleMaxStreams, capsuleMaxUniStreams, capsuleDataBlocked, capsuleStreamsBlocked, capsuleUniStreamsBlocked:
		value, err = r.parseVarint(length)
	case capsuleMaxStreamData, capsuleStreamDataBlocked: // a matter of QUIC here
		err = fmt.Errorf("%w: type %#x is for WebTransport over HTTP/2", errCapsule, typ)
	}
	if err != nil {
		return err
	}
	switch typ {
	case capsuleMaxData:
		return s.outFlow.raiseData(value)
	case capsuleMaxStreams:
		return s.outFlow.raiseStreams(bidirectional, value)
	case capsuleMaxUniStreams:
		return s.outFlow.raiseStreams(unidirectional, value)
	case capsuleStreamsBlocked, capsuleUniStreamsBlocked:
		if value > maxStreams {
			return flowFault("peer is blocked at %d streams, more than there can be", value)
		}
	}
	return nil
}

// fail ends the session because the peer violated flow control. It may be
// called on QUIC's goroutine, and so leaves the work to another.
func (s *Session) fail(fault error) {
	s.conn.spawn(func() {
		e := &SessionError{Err: fault}
		if s.abort(e) || !s.markEnded(e) {
			return
		}
		code := faultCode(fault)
		s.connect.CancelRead(code)
		s.out.reset(code)
		close(s.sendDone)
		s.announceEnd()
		s.resetStreams()
	})
}

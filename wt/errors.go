package wt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/quic-go/quic-go"
)

var (
	// ErrServerClosed is returned by [Server.Serve] and [Server.ServeConn] after
	// [Server.Shutdown] or [Server.Close].
	ErrServerClosed = errors.New("wt: server closed")
	// ErrRequirements is wrapped by the *[RefusedError] of [ClientConn.OpenSession] when
	// the server's SETTINGS or transport parameters do not allow WebTransport.
	ErrRequirements = errors.New("wt: peer does not meet the requirements of WebTransport")
	// ErrTooManySessions is returned by [ClientConn.OpenSession] when the
	// connection already carries ClientConfig.MaxSessions sessions.
	ErrTooManySessions = errors.New("wt: too many sessions on this connection")
	// ErrGoAway is returned by [ClientConn.OpenSession] after the server sent GOAWAY
	// (RFC 9114, section 5.2).
	ErrGoAway = errors.New("wt: server is going away")
	// ErrRefused matches every *[RefusedError].
	ErrRefused = errors.New("wt: session refused")
	// ErrProtocol is wrapped by the *[RefusedError] of [ClientConn.OpenSession] when the server
	// chose a subprotocol that was not offered, or none and one is required. The
	// session is reset with WT_ALPN_ERROR then (draft-ietf-webtrans-http3-16, section 3.3).
	ErrProtocol = errors.New("wt: no agreement on a subprotocol")
)

// errNotEstablished is the error of sessions that were closed before the server answered.
var errNotEstablished = errors.New("session was not established")

// maxReason is the length that a close reason may have, in bytes
// (draft-ietf-webtrans-http3-16, section 6).
const maxReason = 1024

// RefusedError is why a session was not established. A server refuses a
// session with one from its application, and the client gets one for it.
type RefusedError struct {
	// Status is the status of the response, 0 at a client that has none because the server
	// does not meet the requirements of WebTransport, or has reset the request.
	Status int
	// Header is that of the response.
	Header http.Header
	// Err is the reason, if there is one beside the status. It is not sent.
	Err error
}

func (e *RefusedError) Error() string {
	s := "wt: session refused"
	if e.Status != 0 {
		s = fmt.Sprintf("%s with status %d %s", s, e.Status, http.StatusText(e.Status))
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns e.Err.
func (e *RefusedError) Unwrap() error { return e.Err }

// Is reports true for ErrRefused.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// SessionError is how a session ended. It is the cause of the session's
// context and the error of every call on a session that has ended, and on its
// streams. errors.Is(err, net.ErrClosed) holds for it.
type SessionError struct {
	// Code and Reason are those of the CLOSE_SESSION capsule, 0 and "" if the
	// session ended without one. A peer that closed the QUIC connection with a
	// code and reason of its own has them reported here, with Clean unset.
	Code   uint32
	Reason string
	// Remote is set if the peer ended the session.
	Remote bool
	// Clean is set if the session ended by a CLOSE_SESSION capsule or a FIN on
	// the CONNECT stream, and not by a reset, a protocol error or the loss of the connection.
	Clean bool
	// Err is what ended a session that did not end cleanly.
	Err error
}

func (e *SessionError) Error() string {
	by := "locally"
	if e.Remote {
		by = "by the peer"
	}
	s := fmt.Sprintf("wt: session closed %s with code %d", by, e.Code)
	if !e.Clean {
		s = fmt.Sprintf("wt: session ended %s", by)
	}
	if e.Reason != "" {
		s += fmt.Sprintf(" (%q)", e.Reason)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns e.Err.
func (e *SessionError) Unwrap() error { return e.Err }

// Is reports true for net.ErrClosed.
func (e *SessionError) Is(target error) bool { return target == net.ErrClosed }

// StreamError is the error of a stream that was reset, or whose sending the
// peer asked to stop.
type StreamError struct {
	// StreamID is the QUIC stream ID.
	StreamID quic.StreamID
	// Code is the application error code. It is valid if HasCode is set; a
	// reset with a code outside the range of applications has none.
	Code    uint32
	HasCode bool
	// Wire is the code as it was on the wire.
	Wire quic.StreamErrorCode
	// Remote is set if the peer reset the stream or asked to stop it.
	Remote bool
}

func newStreamError(e *quic.StreamError) *StreamError {
	code, ok := applicationCode(uint64(e.ErrorCode))
	return &StreamError{StreamID: e.StreamID, Code: code, HasCode: ok, Wire: e.ErrorCode, Remote: e.Remote}
}

func (e *StreamError) Error() string {
	by := "locally"
	if e.Remote {
		by = "by the peer"
	}
	if !e.HasCode {
		return fmt.Sprintf("wt: stream %d cancelled %s without application code (%#x)", e.StreamID, by, uint64(e.Wire))
	}
	return fmt.Sprintf("wt: stream %d cancelled %s with code %d", e.StreamID, by, e.Code)
}

// DatagramTooLargeError is returned by [Session.SendDatagram].
type DatagramTooLargeError struct {
	// Size is the size of the datagram, and Max the largest that can be sent now, in bytes.
	Size, Max int
}

func (e *DatagramTooLargeError) Error() string {
	return fmt.Sprintf("wt: datagram of %d bytes is too large, at most %d bytes fit", e.Size, e.Max)
}

// connectionLost describes the end of the sessions of a connection that was
// closed with err. Some peers close the connection instead of the session:
// their code and reason are reported unless the code is one of HTTP/3.
func connectionLost(err error) *SessionError {
	e := &SessionError{Remote: true, Err: err}
	appErr, ok := errors.AsType[*quic.ApplicationError](err)
	if !ok {
		return e
	}
	e.Remote, e.Reason = appErr.Remote, appErr.ErrorMessage
	wire := uint64(appErr.ErrorCode)
	if code, ok := applicationCode(wire); ok {
		e.Code = code
	} else if wire <= 0xffffffff && !isHTTP3Code(wire) {
		e.Code = uint32(wire)
	}
	return e
}

// lostBy returns what closed the connection, if that is what err says, nil
// otherwise. The streams of a connection fail a moment before its context is done.
func (c *conn) lostBy(err error) error {
	if cause := context.Cause(c.quic.Context()); cause != nil {
		return cause
	}
	if e, ok := errors.AsType[*quic.ApplicationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*quic.TransportError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*quic.IdleTimeoutError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*quic.StatelessResetError](err); ok {
		return e
	}
	return nil
}

// closeReason makes reason fit to be sent: valid UTF-8, at most maxReason
// bytes, cut at the boundary of a code point.
func closeReason(reason string) string {
	reason = strings.ToValidUTF8(reason, string(utf8.RuneError))
	if len(reason) <= maxReason {
		return reason
	}
	n := maxReason
	for !utf8.RuneStart(reason[n]) {
		n--
	}
	return reason[:n]
}

// ended is the error of calls on a session whose context is done.
func ended(ctx context.Context) error { return context.Cause(ctx) }

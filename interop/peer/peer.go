// Package peer is one end of the tests and measurements of interoperability:
// the cases, what they need of an implementation of WebTransport, and the
// program around them. Implementations that need different versions of the same
// module cannot share a binary. Each is linked with this package into a program
// of its own, and the programs talk over UDP on loopback.
package peer

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
)

// MaxStreams is how many streams of each kind QUIC must allow at both ends.
const MaxStreams = 1000

// Config is what a case asks of the implementation at both ends.
type Config struct {
	// Protocols are the subprotocols that are offered or accepted, the preferred ones first.
	Protocols []string
	// Streams and Data are the initial limits of each session's flow control:
	// streams of each kind, and bytes. Zero leaves the implementation its default.
	Streams, Data int64
	// Sessions is how many sessions a connection may carry at once (1).
	Sessions int
}

// Application is what a server runs for the sessions of a path.
type Application struct {
	// Serve runs one session. The session ends when it returns.
	Serve func(Session)
	// Status, if not 0, refuses every session.
	Status int
}

// Implementation is an implementation of WebTransport.
type Implementation interface {
	// Name is the name that cases use to tell peers apart.
	Name() string
	// Listen serves applications by their paths, and other requests with the
	// handler, until the returned function is called, which waits for them.
	Listen(socket net.PacketConn, tls *tls.Config, config Config, apps map[string]Application, handler http.Handler) (stop func(), err error)
	// Dial opens a connection.
	Dial(ctx context.Context, address string, tls *tls.Config, config Config) (Conn, error)
	// DialSession opens a session at an https URL on a connection that ends with it.
	DialSession(ctx context.Context, url string, tls *tls.Config, config Config) (Session, error)
	// Translate makes a *SessionError, *StreamError or *RefusedError of an
	// error that says the same, and returns others as they are.
	Translate(error) error
}

// Conn is the client's end of a connection.
type Conn interface {
	// Open opens a session at an https URL.
	Open(ctx context.Context, url string, header http.Header) (Session, error)
	http.RoundTripper
	// Close closes the connection, after the sessions that are being closed.
	Close()
}

// Session is one end of a session.
type Session interface {
	OpenStream(context.Context) (Stream, error)
	OpenUniStream(context.Context) (SendStream, error)
	AcceptStream(context.Context) (Stream, error)
	AcceptUniStream(context.Context) (ReceiveStream, error)
	SendDatagram([]byte) error
	ReceiveDatagram(context.Context) ([]byte, error)
	// Protocol returns the subprotocol, "" if there is none.
	Protocol() string
	// Drain asks the other end to wind the session down. It does nothing if the
	// implementation cannot.
	Drain()
	Close(code uint32, reason string)
	// Context is done when the session has ended.
	Context() context.Context
	// Err returns how a session ended that has.
	Err() error
}

// SendStream is the sending direction of a stream.
type SendStream interface {
	io.WriteCloser
	CancelWrite(code uint32)
}

// ReceiveStream is the receiving direction of a stream.
type ReceiveStream interface {
	io.Reader
	CancelRead(code uint32)
}

// Stream is a bidirectional stream.
type Stream interface {
	SendStream
	ReceiveStream
}

// SessionError says that a session was closed with a code and reason.
type SessionError struct {
	Code   uint32
	Reason string
	Remote bool
}

func (e *SessionError) Error() string {
	return fmt.Sprintf("session closed with code %d (%q), by the peer: %t", e.Code, e.Reason, e.Remote)
}

// StreamError says that a stream was reset, or its sending stopped, with a code.
type StreamError struct {
	Code   uint32
	Remote bool
}

func (e *StreamError) Error() string {
	return fmt.Sprintf("stream cancelled with code %d, by the peer: %t", e.Code, e.Remote)
}

// RefusedError says that a session was refused with a status.
type RefusedError struct{ Status int }

func (e *RefusedError) Error() string { return fmt.Sprintf("session refused with status %d", e.Status) }

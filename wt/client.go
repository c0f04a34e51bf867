package wt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// ClientConfig configures a [ClientConn]. The zero value, and nil, work.
type ClientConfig struct {
	// MaxSessions is the number of sessions that may be open on the connection
	// at the same time (16). It is one if flow control of sessions is not in force.
	MaxSessions int
	// FlowControl is that of the sessions.
	FlowControl FlowControl
	// LegacyDisabled leaves only drafts 15 and later.
	LegacyDisabled bool
	// Limits bounds what the server can make the client store.
	Limits Limits
	// Trace, if not nil, is called for every event of the connection and its
	// sessions, on the goroutine where it happens, so perhaps on several at
	// once. It must return quickly.
	Trace func(Event)
	// Logger is given to http3.
	Logger *slog.Logger
}

// ClientConn is the client's end of a connection: it carries sessions and
// HTTP/3 requests. Its methods are safe for concurrent use.
type ClientConn struct {
	conn        *conn
	raw         *http3.RawClientConn
	maxSessions int
	closing     atomic.Bool // no more sessions are opened
}

// NewClientConn begins HTTP/3 on a QUIC connection that was dialled with the
// ALPN "h3" and a configuration from [QUICConfig]. The connection belongs to
// the ClientConn from now on.
func NewClientConn(qc *quic.Conn, config *ClientConfig) *ClientConn {
	c := newClientConn(qc, config)
	c.conn.start()
	return c
}

// NewEarlyClientConn is NewClientConn for a QUIC connection that was dialled with
// [quic.Transport.DialEarly]: SETTINGS are sent at once, as early data if the client
// resumes with a ticket that allows it. It returns when the handshake is complete, so that no
// request is early data, which an attacker could replay (RFC 8470). If the server
// rejects early data HTTP/3 begins anew after the handshake. The error is how
// the handshake failed, or that of ctx; the connection is closed then.
func NewEarlyClientConn(ctx context.Context, qc *quic.Conn, config *ClientConfig) (*ClientConn, error) {
	select {
	case <-qc.HandshakeComplete(): // nothing is early
		return NewClientConn(qc, config), nil
	default:
	}
	c := newClientConn(qc, config)
	if _, err := qc.NextConnection(ctx); err != nil { // returns qc when the handshake is complete
		qc.CloseWithError(h3NoError, "")
		return nil, fmt.Errorf("wt: completing the handshake: %w", err)
	}
	if !qc.ConnectionState().Used0RTT { // the control stream is forgotten (RFC 9001, section 4.6.2)
		c = newClientConn(qc, config)
	}
	c.conn.start()
	return c, nil
}

// newClientConn sends SETTINGS, and reads nothing before the connection is started.
func newClientConn(qc *quic.Conn, config *ClientConfig) *ClientConn {
	if config == nil {
		config = &ClientConfig{}
	}
	c := newConn(qc, false, config.Limits, config.FlowControl, config.Trace)
	c.legacyDisabled = config.LegacyDisabled
	transport := &http3.Transport{
		EnableDatagrams:        true,
		AdditionalSettings:     c.announcedSettings(),
		MaxResponseHeaderBytes: c.limits.HeaderBytes,
		DisableCompression:     true,
		Logger:                 config.Logger,
	}
	raw := transport.NewRawClientConn(qc)
	c.raw, c.handleStream = raw, raw.HandleBidirectionalStream
	context.AfterFunc(qc.Context(), c.table.close)
	return &ClientConn{conn: c, raw: raw, maxSessions: config.MaxSessions}
}

// Conn returns the QUIC connection, for its addresses, state and statistics.
func (c *ClientConn) Conn() *quic.Conn { return c.conn.quic }

// RoundTrip sends an HTTP/3 request on the connection. It asks for no
// compression. Sessions are opened by OpenSession only.
func (c *ClientConn) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodConnect {
		return nil, errors.New("wt: RoundTrip cannot CONNECT, use OpenSession")
	}
	return c.raw.RoundTrip(r)
}

// Close closes the sessions that are open, with code 0, and waits for the
// server to close them too, at most some seconds, so that their close codes
// arrive. Sessions that are not established are cancelled.
// Then it closes the connection, with H3_NO_ERROR, and waits for its goroutines.
// To close the connection at once use Conn().CloseWithError.
func (c *ClientConn) Close() error {
	c.close(0, "")
	return nil
}

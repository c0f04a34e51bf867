package wt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// max1xx is how many informational responses may precede the answer to a CONNECT request.
const max1xx = 5

// ClientConfig configures a [ClientConn]. The zero value, and nil, work.
type ClientConfig struct {
	// MaxSessions is the number of sessions that may be open on the connection
	// at the same time (1). More than one asks for a server that knows, as
	// the drafts require flow control of sessions for it, which this package does not announce.
	MaxSessions int
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
}

// NewClientConn begins HTTP/3 on a QUIC connection that was dialled with the
// ALPN "h3" and a configuration from [QUICConfig]. The connection belongs to
// the ClientConn from now on.
func NewClientConn(qc *quic.Conn, config *ClientConfig) *ClientConn {
	if config == nil {
		config = &ClientConfig{}
	}
	c := newConn(qc, false, config.Limits, config.Trace)
	transport := &http3.Transport{
		EnableDatagrams:    true,
		AdditionalSettings: announcedSettings(),
		DisableCompression: true,
		Logger:             config.Logger,
	}
	raw := transport.NewRawClientConn(qc)
	c.raw, c.handleStream = raw, raw.HandleBidirectionalStream
	c.start()
	context.AfterFunc(qc.Context(), c.table.close)
	return &ClientConn{conn: c, raw: raw, maxSessions: max(1, config.MaxSessions)}
}

// Conn returns the QUIC connection, for its addresses, state and statistics.
func (c *ClientConn) Conn() *quic.Conn { return c.conn.quic }

// OpenSession opens a session at an https URL. The header may be nil.
//
// It waits for the server's SETTINGS first, and returns an error that wraps
// [ErrRequirements] if they do not allow WebTransport. If the server answers
// with a status other than 2xx the error wraps [ErrRefused], and the response
// is returned, whose Body must be closed then.
func (c *ClientConn) OpenSession(ctx context.Context, rawURL string, header http.Header) (*Session, *http.Response, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, nil, fmt.Errorf("wt: %w", err)
	}
	if u.Scheme != "https" || u.Host == "" {
		return nil, nil, fmt.Errorf("wt: %q is not an https URL", rawURL)
	}
	request, err := c.connectRequest(ctx, u, header)
	if err != nil {
		return nil, nil, err
	}
	if c.conn.table.full(c.maxSessions) {
		return nil, nil, ErrTooManySessions
	}
	stream, err := c.raw.OpenRequestStream(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		return nil, nil, fmt.Errorf("wt: opening the CONNECT stream: %w", err)
	}
	s := newSession(ctx, c.conn, stream.StreamID(), request)
	if !c.conn.table.add(s, c.maxSessions) {
		abandon(stream)
		return nil, nil, ErrTooManySessions
	}
	stop := context.AfterFunc(ctx, func() { abandon(stream) })
	response, err := s.sendConnect(stream)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err == nil && (response.StatusCode < 200 || response.StatusCode > 299) {
		stream.Close()
		err = fmt.Errorf("%w: status %s", ErrRefused, response.Status)
		s.refuse(err)
		return nil, response, err
	}
	if err != nil {
		abandon(stream)
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		} else if lost := c.conn.lostBy(err); lost != nil {
			err = connectionLost(lost)
		}
		s.refuse(err)
		return nil, nil, fmt.Errorf("wt: opening a session: %w", err)
	}
	response.Body = http.NoBody // the stream carries capsules
	s.establish(stream)
	if !c.conn.spawn(s.run) {
		err := connectionLost(context.Cause(c.conn.quic.Context()))
		s.refuse(err)
		return nil, nil, fmt.Errorf("wt: opening a session: %w", err)
	}
	return s, response, nil
}

// abandon resets a CONNECT stream whose session will not be.
func abandon(stream *http3.RequestStream) {
	stream.CancelRead(h3RequestCancelled)
	stream.CancelWrite(h3RequestCancelled)
}

// connectRequest waits until the server is known to support sessions, and
// makes the request of the highest draft that it speaks.
func (c *ClientConn) connectRequest(ctx context.Context, u *url.URL, header http.Header) (*http.Request, error) {
	if err := c.conn.awaitSettings(ctx); err != nil {
		return nil, err
	}
	token, draft02, err := c.conn.settings.protocol()
	if err == nil {
		err = c.conn.checkRequirements(token)
	}
	if err != nil {
		return nil, err
	}
	if c.conn.goingAway() {
		return nil, ErrGoAway
	}
	header = header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	if draft02 {
		header.Set("Sec-Webtransport-Http3-Draft02", "1")
	}
	return &http.Request{Method: http.MethodConnect, Proto: token, URL: u, Host: u.Host, Header: header}, nil
}

// sendConnect sends the CONNECT request and reads the response to it.
func (s *Session) sendConnect(stream *http3.RequestStream) (*http.Response, error) {
	if err := stream.SendRequestHeader(s.request); err != nil {
		return nil, err
	}
	s.emit(ConnectSent)
	for range max1xx + 1 {
		response, err := stream.ReadResponse()
		if err != nil {
			return nil, err
		}
		if response.StatusCode >= 200 {
			response.Request = s.request
			return response, nil
		}
	}
	return nil, errors.New("too many informational responses")
}

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
// arrive. Then it closes the connection, with H3_NO_ERROR, and waits for its goroutines.
// To close the connection at once use Conn().CloseWithError.
func (c *ClientConn) Close() error {
	sessions := c.conn.table.all()
	for _, s := range sessions {
		if s.isEstablished() {
			s.Close(0, "")
		}
	}
	timer := time.NewTimer(2 * maxCloseWait)
	defer timer.Stop()
wait:
	for _, s := range sessions {
		if !s.isEstablished() {
			continue
		}
		select {
		case <-s.gone:
		case <-timer.C:
			break wait
		}
	}
	c.conn.quic.CloseWithError(h3NoError, "")
	c.conn.wait()
	return nil
}

func (s *Session) isEstablished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.established
}

package wt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

const (
	// max1xx is how many informational responses may precede the answer to a CONNECT request.
	max1xx = 5
	// maxRefusalBody is how much of the body of a refusal is kept, in bytes.
	maxRefusalBody = 4 << 10
	// refusalBodyTime is how long the body of a refusal is awaited: the refusal is what counts.
	refusalBodyTime = time.Second
)

// SessionOptions are what a client asks of a session beside its URL. The zero
// value, and nil, work.
type SessionOptions struct {
	// Header is sent with the CONNECT request.
	Header http.Header
	// Protocols are the subprotocols that the client speaks, most preferred first
	// (draft-ietf-webtrans-http3-16, section 3.3). They are of printable ASCII
	// characters. [Session.Protocol] tells which one the server chose.
	Protocols []string
	// RequireProtocol makes a session fail, with [ErrProtocol], for which the
	// server has chosen no subprotocol.
	RequireProtocol bool
	// Datagrams says how the session queues datagrams ([Session.SetDatagramOptions]).
	Datagrams DatagramOptions
	// Callbacks, if not nil, get the events of the session. They must not be
	// used for another one. If [ClientConn.StartSession] fails there are no events, except
	// Refused and Freed if the server does not allow WebTransport.
	Callbacks Callbacks
}

// OpenSession opens a session at an https URL, and waits until the server has
// accepted it: it is StartSession followed by [Session.Ready].
//
// It waits for the server's SETTINGS first. The error is a *[RefusedError] if
// they do not allow WebTransport, or the server answered with a status other than
// 2xx or reset the request; redirections are not followed. The response, if there is one,
// is returned with the error too, and holds at most the first 4 KiB of its body.
func (c *ClientConn) OpenSession(ctx context.Context, rawURL string, options *SessionOptions) (*Session, *http.Response, error) {
	s, err := c.StartSession(ctx, rawURL, options)
	if err != nil {
		return nil, nil, err
	}
	response, err := s.Ready(ctx)
	if err == nil {
		return s, response, nil
	}
	if response == nil && ctx.Err() != nil {
		s.Close(0, "")
	}
	<-s.gone
	return nil, response, err
}

// StartSession asks for a session at an https URL. It returns when the request
// is sent, without waiting for the answer. Streams may be opened and datagrams sent at once, which
// saves a round trip; if the server refuses the session they are reset and
// lost. [Session.Ready] tells. The context bounds StartSession, not the session.
//
// The error is a *[RefusedError] that wraps [ErrRequirements] if the server
// does not allow WebTransport. It wraps [net.ErrClosed] if Shutdown or Close was called.
func (c *ClientConn) StartSession(ctx context.Context, rawURL string, options *SessionOptions) (*Session, error) {
	if options == nil {
		options = &SessionOptions{}
	}
	request, err := c.connectRequest(ctx, rawURL, options)
	if err != nil {
		if errors.Is(err, ErrRefused) && options.Callbacks != nil {
			newSession(ctx, c.conn, -1, request).refuseUnsent(options.Callbacks, err)
		}
		return nil, err
	}
	if c.conn.table.full(c.sessionLimit()) {
		return nil, ErrTooManySessions
	}
	stream, err := c.raw.OpenRequestStream(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("wt: opening the CONNECT stream: %w", err)
	}
	s := newSession(ctx, c.conn, stream.StreamID(), request)
	s.draft = c.conn.settings.draft()
	s.connect = stream
	if options.Datagrams != (DatagramOptions{}) {
		s.SetDatagramOptions(options.Datagrams)
	}
	s.startFlow()
	if options.Callbacks != nil && !s.listen() {
		return nil, connectionLost(context.Cause(c.conn.quic.Context()))
	}
	if !c.conn.table.add(s, c.sessionLimit()) {
		s.cancelConnect()
		s.dismiss()
		return nil, ErrTooManySessions
	}
	stop := context.AfterFunc(ctx, s.cancelConnect)
	err = stream.SendRequestHeader(request)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err == nil {
		s.emit(ConnectSent)
		if c.conn.spawn(func() { s.awaitResponse(stream, options) }) {
			s.begin(options.Callbacks)
			return s, nil
		}
		err = context.Cause(c.conn.quic.Context())
	}
	s.cancelConnect()
	s.begin(NoCallbacks{})
	s.refuse(nil, err)
	return nil, s.openErr
}

// connectRequest waits until the server is known to support sessions, and
// makes the request of the highest draft that it speaks.
func (c *ClientConn) connectRequest(ctx context.Context, rawURL string, options *SessionOptions) (*http.Request, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("wt: %w", err)
	}
	if u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("wt: %q is not an https URL", rawURL)
	}
	header := options.Header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	if err := checkProtocols(options.Protocols, options.RequireProtocol); err != nil {
		return nil, fmt.Errorf("wt: %w", err)
	}
	if err := c.conn.awaitSettings(ctx); err != nil {
		if errors.Is(err, ErrRequirements) {
			err = &RefusedError{Err: err}
		}
		return nil, err
	}
	draft, err := c.conn.offeredDraft()
	if err != nil {
		return nil, &RefusedError{Err: err}
	}
	switch {
	case c.closing.Load():
		return nil, errClosing
	case c.conn.goingAway():
		return nil, ErrGoAway
	}
	offerProtocols(header, options.Protocols, draft)
	if draft == Draft02 {
		header.Set(headerDraft02Request, valueDraft02Request)
	}
	return &http.Request{Method: http.MethodConnect, Proto: draft.token(), URL: u, Host: u.Host, Header: header}, nil
}

// sessionLimit returns how many sessions the connection may have. Servers of
// drafts 07 to 14 announce a number.
func (c *ClientConn) sessionLimit() int {
	limit := uint64(c.conn.maxSessions(c.maxSessions))
	switch settings := &c.conn.settings; settings.draft() {
	case Draft13:
		limit = min(limit, settings.maxSessions13)
	case Draft07:
		limit = min(limit, settings.maxSessions07)
	}
	return int(limit)
}

// awaitResponse reads the response to the CONNECT request, and runs the session if it is accepted.
func (s *Session) awaitResponse(stream *http3.RequestStream, options *SessionOptions) {
	response, err := readResponse(stream)
	if err != nil {
		s.cancelConnect()
		if reset, ok := errors.AsType[*quic.StreamError](err); ok && reset.Remote {
			err = &RefusedError{Err: reset}
		}
		s.refuse(nil, err)
		return
	}
	response.Request = s.request
	if response.StatusCode < 200 || response.StatusCode > 299 {
		stream.Close()
		stream.SetReadDeadline(time.Now().Add(min(refusalBodyTime, s.conn.limits.HeaderTimeout)))
		body, _ := io.ReadAll(io.LimitReader(stream, maxRefusalBody))
		stream.CancelRead(h3NoError)
		response.Body = io.NopCloser(bytes.NewReader(body))
		s.refuse(response, &RefusedError{Status: response.StatusCode, Header: response.Header})
		return
	}
	response.Body = http.NoBody // the stream carries capsules
	s.protocol, err = acceptedProtocol(response.Header, options)
	if err != nil {
		stream.CancelRead(codeALPNError)
		stream.CancelWrite(codeALPNError)
		s.refuse(response, &RefusedError{Status: response.StatusCode, Header: response.Header, Err: err})
		return
	}
	if !s.establish(stream, response) {
		s.resetStreams()
		s.release()
		return
	}
	s.run()
}

func readResponse(stream *http3.RequestStream) (*http.Response, error) {
	for range max1xx + 1 {
		response, err := stream.ReadResponse()
		if err != nil || response.StatusCode >= 200 {
			return response, err
		}
	}
	return nil, errors.New("too many informational responses")
}

// Ready waits until the session is established or has failed, and returns the response to the
// CONNECT request. Errors are those of [ClientConn.OpenSession]. At the
// server it waits until the session is accepted, and there is no response.
func (s *Session) Ready(ctx context.Context) (*http.Response, error) {
	select {
	case <-s.ready:
	default:
		select {
		case <-s.ready:
		case <-ctx.Done():
			return nil, fmt.Errorf("wt: opening a session: %w", context.Cause(ctx))
		}
	}
	return s.response, s.openErr
}

// ResponseHeader returns the header of the response to the CONNECT request. A server
// may add to it until the session is accepted, as in Application.Connecting; a client
// has none before the session is ready.
func (s *Session) ResponseHeader() http.Header {
	if s.conn.server {
		return s.header
	}
	select {
	case <-s.ready:
	default:
		return nil
	}
	if s.response == nil {
		return nil
	}
	return s.response.Header
}

// Protocol returns the subprotocol that the server chose, "" if it chose none.
// A client knows it when the session is ready, a server from the beginning.
func (s *Session) Protocol() string {
	if s.conn.server {
		return s.protocol
	}
	select {
	case <-s.ready:
		return s.protocol
	default:
		return ""
	}
}

// establish begins a session whose CONNECT request was accepted. It reports
// false if the session has ended before. The client's has its stream already.
func (s *Session) establish(stream connectStream, response *http.Response) bool {
	s.mu.Lock()
	s.established = s.end == nil
	established := s.established
	if established {
		if s.connect == nil {
			s.connect = stream
		}
		s.out.establish(stream)
	}
	s.mu.Unlock()
	if !established {
		s.openErr = ended(s.ctx)
		close(s.ready)
		return false
	}
	if s.conn.goingAway() { // GOAWAY came when the session was not in the table yet
		s.noteDraining()
	}
	s.response = response
	s.emit(Established)
	close(s.ready)
	if s.events != nil {
		s.events.accept()
	}
	return true
}

// refuse ends a session that was not established, and releases it.
func (s *Session) refuse(response *http.Response, err error) {
	_, refused := errors.AsType[*RefusedError](err)
	if lost := s.conn.lostBy(err); lost != nil && !refused {
		err = connectionLost(lost)
	}
	first := s.markEnded(&SessionError{Remote: refused && !s.conn.server, Err: err})
	if !first {
		err = ended(s.ctx)
	}
	if !refused {
		err = fmt.Errorf("wt: opening a session: %w", err)
	}
	s.response, s.openErr = response, err
	close(s.ready)
	if first {
		close(s.sendDone)
		s.announceEnd()
	}
	s.resetStreams()
	s.release()
}

// abort ends a session that is not established yet, and reports false if it is, or has
// ended already. Whoever waits for the answer to the request, or makes it, releases the
// session.
func (s *Session) abort(e *SessionError) bool {
	s.mu.Lock()
	if s.established || s.end != nil {
		s.mu.Unlock()
		return false
	}
	s.end = e
	s.cancel(e)
	s.mu.Unlock()
	s.cancelConnect()
	close(s.sendDone)
	s.announceEnd()
	s.resetStreams()
	return true
}

// cancelConnect resets the CONNECT stream of a session that will not be. At the
// server there is none before the response is sent.
func (s *Session) cancelConnect() {
	if s.connect != nil {
		s.connect.CancelRead(h3RequestCancelled)
		s.connect.CancelWrite(h3RequestCancelled)
	}
}

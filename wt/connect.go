package wt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
)

// serveHTTP serves a request, on the goroutine that reads its stream.
func (s *Server) serveHTTP(c *conn, w http.ResponseWriter, r *http.Request) {
	http.NewResponseController(w).SetReadDeadline(time.Time{}) // the header is there
	id := r.Body.(interface{ StreamID() quic.StreamID }).StreamID()
	priority := c.table.prioritise(id, r.Header)
	if r.Method == http.MethodConnect && (r.Proto == protocolH3 || r.Proto == protocolLegacy && !c.legacyDisabled) {
		if s.refuses() {
			c.resetRequest(w, h3RequestRejected)
			return
		}
		session := newSession(r.Context(), c, id, r)
		session.priority = priority
		s.serveConnect(session, w, r)
		return
	}
	c.table.examined(id)
	switch {
	case s.refuses():
		w.WriteHeader(http.StatusServiceUnavailable)
	case s.Handler != nil:
		s.Handler.ServeHTTP(w, r)
	case r.Method == http.MethodConnect && !strings.HasPrefix(r.Proto, "HTTP/"):
		w.WriteHeader(http.StatusNotImplemented) // an unknown :protocol (RFC 9220, section 3)
	default:
		if _, ok := s.application(r.URL.Path); ok {
			w.Header().Set("Allow", http.MethodConnect)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		http.NotFound(w, r)
	}
}

// serveConnect serves a request for a session. A request that is refused is
// forgotten, with the streams that came ahead of it, when serveConnect returns.
func (s *Server) serveConnect(session *Session, w http.ResponseWriter, r *http.Request) {
	c := session.conn
	session.emit(ConnectReceived)
	select {
	case <-c.quic.HandshakeComplete(): // no session begins in 0-RTT data
	case <-c.quic.Context().Done():
		return
	}
	err := c.awaitSettings(r.Context())
	if err == nil {
		session.draft, err = c.requestedDraft(r.Proto)
	}
	if err != nil { // such requests are malformed (draft-ietf-webtrans-http3-16, section 3.1)
		c.resetRequest(w, h3MessageError)
		return
	}
	session.header = w.Header()
	session.startFlow()
	err = s.admit(c, r)
	app, ok := s.application(r.URL.Path)
	if err == nil && !ok {
		err = noApplication(r.Proto)
	}
	if err == nil {
		err = app.negotiate(session)
	}
	if err != nil {
		c.refuseRequest(w, err)
		return
	}
	if app.Callbacks != nil && !session.listen() {
		return // the connection is closed
	}
	if !c.table.add(session, c.maxSessions(s.MaxSessions)) {
		if c.flowEnabled() {
			c.refuseRequest(w, tooManySessions(0))
		} else {
			c.resetRequest(w, h3RequestRejected)
		}
		session.dismiss()
		return
	}
	if app.Connecting != nil {
		stop := context.AfterFunc(r.Context(), func() { session.abort(&SessionError{Remote: true, Err: errNotEstablished}) })
		session.guard(func() { err = app.Connecting(session) })
		stop()
		if err != nil {
			c.refuseRequest(w, err)
			session.giveUp(err)
			return
		}
	}
	s.accept(session, app, w)
}

// accept answers a request for a session with 2xx, and runs the session.
func (s *Server) accept(session *Session, app Application, w http.ResponseWriter) {
	if app.Callbacks != nil {
		session.guard(func() { session.begin(app.Callbacks(session)) })
	}
	if session.ctx.Err() == nil {
		if session.draft < Draft16 && session.request.Header.Get(headerDraft02Request) != "" {
			w.Header().Set(headerDraft02Response, valueDraft02Response)
		}
		session.conn.limitHeader(w)
		session.mu.Lock()
		session.accepted = true
		session.mu.Unlock()
		w.WriteHeader(http.StatusOK)
	}
	stream, err := httpStream(w)
	if err != nil {
		session.refuse(nil, err)
		panic(http.ErrAbortHandler)
	}
	if !session.establish(stream, nil) {
		stream.CancelRead(h3RequestCancelled)
		stream.CancelWrite(h3RequestCancelled)
		session.resetStreams()
		session.release()
		return
	}
	stream.SetWriteDeadline(time.Time{})
	if s.refuses() { // Shutdown came in the meantime
		session.Drain()
	}
	if app.Serve != nil {
		session.conn.wg.Go(func() {
			app.Serve(session)
			session.Close(0, "")
		})
	}
	session.run()
}

// giveUp ends a session that the server does not accept.
func (s *Session) giveUp(err error) {
	s.begin(NoCallbacks{})
	s.refuse(nil, err)
}

// guard calls the application for a session that is not accepted yet. If it
// panics the session is gone, and http3, which resets the request, says why.
func (s *Session) guard(call func()) {
	defer func() {
		if p := recover(); p != nil {
			s.giveUp(fmt.Errorf("application panicked: %v", p))
			panic(p)
		}
	}()
	call()
}

// noApplication is the refusal of a session at a path that has no application
// (draft-ietf-webtrans-http3-16, section 3.2; 404 in drafts before 15).
func noApplication(token string) *RefusedError {
	if token == protocolLegacy {
		return &RefusedError{Status: http.StatusNotFound}
	}
	return &RefusedError{Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {""}}}
}

// refuseRequest answers a request for a session with the refusal that err stands for.
func (c *conn) refuseRequest(w http.ResponseWriter, err error) {
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok || refused.Status < 300 || refused.Status > 599 {
		refused = &RefusedError{Status: http.StatusInternalServerError}
	}
	clear(w.Header())
	maps.Copy(w.Header(), refused.Header)
	c.limitHeader(w)
	w.WriteHeader(refused.Status)
	c.offend("refused requests")
}

// resetRequest ends a request for a session without a response.
func (c *conn) resetRequest(w http.ResponseWriter, code quic.StreamErrorCode) {
	stream, err := httpStream(w)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	stream.CancelRead(code)
	stream.CancelWrite(code)
	c.offend("refused requests")
}

// limitHeader bounds the time that the client takes to receive the header of the response.
func (c *conn) limitHeader(w http.ResponseWriter) {
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(c.limits.HeaderTimeout))
}

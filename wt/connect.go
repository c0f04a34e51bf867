package wt

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// serveHTTP serves a request, on the goroutine that reads its stream.
func (s *Server) serveHTTP(c *conn, w http.ResponseWriter, r *http.Request) {
	http.NewResponseController(w).SetReadDeadline(time.Time{}) // the header is there
	id := r.Body.(interface{ StreamID() quic.StreamID }).StreamID()
	if r.Method == http.MethodConnect && (r.Proto == protocolH3 || r.Proto == protocolLegacy) {
		s.serveConnect(c, id, w, r)
		return
	}
	c.table.examined(id)
	switch {
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
func (s *Server) serveConnect(c *conn, id quic.StreamID, w http.ResponseWriter, r *http.Request) {
	session := newSession(r.Context(), c, id, r)
	session.emit(ConnectReceived)
	select {
	case <-c.quic.HandshakeComplete(): // no session begins in 0-RTT data
	case <-c.quic.Context().Done():
		return
	}
	err := c.awaitSettings(r.Context())
	if err == nil {
		err = c.checkRequirements(r.Proto)
	}
	if err != nil { // such requests are malformed (draft-ietf-webtrans-http3-16, section 3.1)
		resetRequest(w, h3MessageError)
		return
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(c.limits.HeaderTimeout))
	app, ok := s.application(r.URL.Path)
	if !ok {
		writeRefusal(w, noApplication(r.Proto))
		return
	}
	if err := app.admit(session, w.Header()); err != nil {
		writeRefusal(w, err)
		return
	}
	if !c.table.add(session, max(1, s.MaxSessions)) {
		resetRequest(w, h3RequestRejected)
		return
	}
	if app.Connecting != nil {
		stop := context.AfterFunc(r.Context(), func() { session.abort(&SessionError{Remote: true, Err: errNotEstablished}) })
		err := app.Connecting(session)
		stop()
		if err != nil {
			writeRefusal(w, err)
			session.refuse(nil, err)
			return
		}
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(c.limits.HeaderTimeout))
	}
	s.accept(session, app, w)
}

// accept answers a request for a session with 2xx, and runs the session.
func (s *Server) accept(session *Session, app Application, w http.ResponseWriter) {
	if session.ctx.Err() == nil {
		w.WriteHeader(http.StatusOK)
	}
	stream, err := w.(http3.HTTPStreamer).HTTPStream()
	if err != nil {
		session.refuse(nil, err)
		panic(http.ErrAbortHandler)
	}
	if !session.establish(stream, nil) {
		stream.CancelRead(h3RequestCancelled)
		stream.CancelWrite(h3RequestCancelled)
		session.release()
		return
	}
	stream.SetWriteDeadline(time.Time{})
	session.conn.wg.Go(func() {
		app.Serve(session)
		session.Close(0, "")
	})
	session.run()
}

// noApplication is the refusal of a session at a path that has no application
// (draft-ietf-webtrans-http3-16, section 3.2; 404 in drafts before 15).
func noApplication(token string) *RefusedError {
	if token == protocolLegacy {
		return &RefusedError{Status: http.StatusNotFound}
	}
	return &RefusedError{Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {""}}}
}

// resetRequest ends a request without a response.
func resetRequest(w http.ResponseWriter, code quic.StreamErrorCode) {
	stream, err := w.(http3.HTTPStreamer).HTTPStream()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	stream.CancelRead(code)
	stream.CancelWrite(code)
}

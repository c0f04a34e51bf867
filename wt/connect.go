package wt

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// serveHTTP serves a request, on the goroutine that reads its stream.
func (s *Server) serveHTTP(c *conn, w http.ResponseWriter, r *http.Request) {
	deadlines := http.NewResponseController(w)
	deadlines.SetReadDeadline(time.Time{}) // the header is there
	id := r.Body.(interface{ StreamID() quic.StreamID }).StreamID()
	if r.Method == http.MethodConnect && (r.Proto == protocolH3 || r.Proto == protocolLegacy) {
		deadlines.SetWriteDeadline(time.Now().Add(c.limits.HeaderTimeout))
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
	app, ok := s.application(r.URL.Path)
	switch {
	case !ok && r.Proto == protocolH3:
		w.Header().Set("Allow", "") // no method for a session (draft-ietf-webtrans-http3-16, section 3.2)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case !ok:
		http.NotFound(w, r)
		return
	}
	check := app.CheckOrigin
	if check == nil {
		check = sameOrigin
	}
	if !check(r) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if !c.table.add(session, max(1, s.MaxSessions)) {
		resetRequest(w, h3RequestRejected)
		return
	}
	w.WriteHeader(http.StatusOK)
	stream, err := w.(http3.HTTPStreamer).HTTPStream()
	if err != nil {
		session.refuse(err)
		panic(http.ErrAbortHandler)
	}
	stream.SetWriteDeadline(time.Time{})
	session.establish(stream)
	c.wg.Go(func() {
		app.Serve(session)
		session.Close(0, "")
	})
	session.run()
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

// sameOrigin accepts requests without an Origin, and those whose Origin has
// the scheme and authority of the request (RFC 6454, section 5).
func sameOrigin(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	origin, err := url.Parse(values[0])
	return err == nil && len(values) == 1 && origin.Scheme == "https" &&
		strings.EqualFold(withPort(origin.Host), withPort(r.Host))
}

// withPort appends the port of https to a host that has none.
func withPort(host string) string {
	if (&url.URL{Host: host}).Port() == "" {
		return host + ":443"
	}
	return host
}

// establish begins a session whose CONNECT request was accepted.
func (s *Session) establish(stream connectStream) {
	s.connect = stream
	s.mu.Lock()
	s.established = true
	s.mu.Unlock()
	s.out.establish(stream)
	if s.conn.goingAway() { // GOAWAY came when the session was not in the table yet
		s.noteDraining()
	}
	s.emit(Established)
}

// refuse ends a session that was not established.
func (s *Session) refuse(err error) {
	if s.markEnded(&SessionError{Err: err}) {
		close(s.sendDone)
		s.announceEnd()
	}
	s.resetStreams()
	s.release()
}

package wt

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Application is what a server runs for the sessions of a path: either Serve or Callbacks.
type Application struct {
	// Serve runs one session on a goroutine of its own. When it returns, the
	// session is closed with code 0 unless it has ended before.
	Serve func(*Session)
	// Callbacks makes the state of a session that has been accepted, to which
	// its events are delivered. It may open streams already.
	Callbacks func(*Session) Callbacks
	// Connecting, if it is not nil, decides on a session that a client asks for, after
	// all other checks and before the response. It may open streams and send datagrams,
	// which a client takes before the response too, and add to
	// [Session.ResponseHeader]. The session is refused by an error: a *[RefusedError]
	// with its status and header, any other with status 500. The session's context ends
	// when the client gives up.
	Connecting func(*Session) error
	// CheckOrigin decides on the Origin of a request; one that is refused is
	// answered with status 403. If it is nil, requests from the server's own
	// origin are accepted, and those without an Origin, which browsers always send.
	CheckOrigin func(*http.Request) bool
	// Protocols are the subprotocols that the server speaks, most preferred first
	// (draft-ietf-webtrans-http3-16, section 3.3). The first that the client offers is
	// chosen. They are of printable ASCII characters.
	Protocols []string
	// RequireProtocol refuses, with status 400, clients that offer none of the Protocols.
	RequireProtocol bool
}

func (a *Application) check() error {
	if (a.Serve == nil) == (a.Callbacks == nil) {
		return errors.New("one of Serve and Callbacks must be set")
	}
	return checkProtocols(a.Protocols, a.RequireProtocol)
}

// negotiate decides on a request before the session becomes known. It sets the
// subprotocol, in the session and the header of the response.
func (a *Application) negotiate(s *Session) error {
	allowed := a.CheckOrigin
	if allowed == nil {
		allowed = sameOrigin
	}
	if !allowed(s.request) {
		return &RefusedError{Status: http.StatusForbidden}
	}
	s.protocol = chooseProtocol(s.request.Header, s.header, a.Protocols)
	if s.protocol == "" && a.RequireProtocol {
		return &RefusedError{Status: http.StatusBadRequest}
	}
	return nil
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

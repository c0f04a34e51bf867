package wt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Server serves WebTransport sessions and HTTP/3 requests on the same
// connections. The zero value serves nothing; give it a Handler or call Handle.
// Its fields must not change once it serves.
type Server struct {
	// Handler serves the requests that are not for a session. If it is nil they are
	// answered with 404, with 405 at the path of an application, and with 501 if they
	// CONNECT with a protocol that is unknown.
	Handler http.Handler
	// MaxSessions is the number of sessions that may be open on a connection at
	// the same time (16). Further ones are refused with status 429. It is one if flow control
	// of sessions is not in force, and further requests are reset with H3_REQUEST_REJECTED then.
	MaxSessions int
	// SessionRate is the number of sessions that may be asked for on a connection
	// in a second (100). Further ones are refused with status 429. A negative rate has no limit.
	SessionRate int
	// Admit, if it is not nil, decides on a request for a session before the
	// application is looked for: a *[RefusedError] refuses it with its status, such as
	// 429 or 503, and header; any other error with status 500.
	Admit func(*http.Request) error
	// FlowControl is that of the sessions.
	FlowControl FlowControl
	// LegacyDisabled leaves only drafts 15 and later, and so out all browsers of today.
	LegacyDisabled bool
	// Limits bounds what clients can make the server store.
	Limits Limits
	// Trace, if not nil, is called for every event of the connections and
	// sessions, on the goroutine where it happens, so perhaps on several at
	// once. It must return quickly.
	Trace func(Event)
	// IdleTimeout is how long a connection may have neither sessions nor requests
	// before it is closed with H3_NO_ERROR; zero means as long as QUIC keeps it.
	// Some browsers abandon the connection of an ended session without closing it.
	IdleTimeout time.Duration
	// Logger is given to http3.
	Logger *slog.Logger

	mu     sync.Mutex
	apps   map[string]Application
	conns  []*conn // in the order of their beginning
	closed bool
	cancel []context.CancelFunc // of the calls of Serve
	wg     sync.WaitGroup       // connections
}

// Handle makes app serve the sessions whose request has the given path. It
// panics if the path has an application already, or the application cannot be served.
func (s *Server) Handle(path string, app Application) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := app.check(); err != nil {
		panic(fmt.Sprintf("wt: application for %s: %v", path, err))
	}
	if _, ok := s.apps[path]; ok {
		panic("wt: two applications for " + path)
	}
	if s.apps == nil {
		s.apps = make(map[string]Application)
	}
	s.apps[path] = app
}

func (s *Server) application(path string) (Application, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, ok := s.apps[path]
	return app, ok
}

// Serve accepts connections from ln and serves them, until ln or the server is
// closed. The configuration of ln should come from [QUICConfig], and its TLS
// configuration must offer the ALPN "h3" ([http3.ConfigureTLSConfig]). With a
// listener from [quic.Transport.ListenEarly] the SETTINGS arrive with the
// handshake, and a session is established a round trip earlier.
// Serve does not close ln. It always returns an error, after Shutdown or Close ErrServerClosed.
func (s *Server) Serve(ln http3.QUICListener) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrServerClosed
	}
	s.cancel = append(s.cancel, cancel)
	s.mu.Unlock()
	for {
		qc, err := ln.Accept(ctx)
		if ctx.Err() != nil {
			return ErrServerClosed
		}
		if err != nil {
			return fmt.Errorf("wt: accepting connections: %w", err)
		}
		s.mu.Lock()
		closed := s.closed
		if !closed {
			s.wg.Go(func() { s.ServeConn(qc) })
		}
		s.mu.Unlock()
		if closed {
			qc.CloseWithError(h3NoError, "")
			return ErrServerClosed
		}
	}
}

// ServeConn serves one connection until it is closed. It returns when all
// handlers and applications of the connection have returned. The error is nil
// if either end closed the connection with H3_NO_ERROR.
func (s *Server) ServeConn(qc *quic.Conn) error {
	c := newConn(qc, true, s.Limits, s.FlowControl, s.Trace)
	c.legacyDisabled = s.LegacyDisabled
	sessions := s.SessionRate
	setDefault(&sessions, 100)
	c.sessionRate = rate{number: sessions, period: time.Second}
	h3 := &http3.Server{
		EnableDatagrams:    true,
		AdditionalSettings: c.announcedSettings(),
		MaxHeaderBytes:     c.limits.HeaderBytes,
		Handler:            http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serveHTTP(c, w, r) }),
		Logger:             s.Logger,
	}
	if !s.track(c) {
		qc.CloseWithError(h3NoError, "")
		return ErrServerClosed
	}
	defer s.untrack(c)
	raw, err := h3.NewRawServerConn(qc)
	if err != nil {
		qc.CloseWithError(h3NoError, "")
		return fmt.Errorf("wt: %w", err)
	}
	c.raw, c.handleStream = raw, raw.HandleRequestStream
	if s.IdleTimeout > 0 {
		c.startIdleTimer(s.IdleTimeout)
	}
	c.start()
	c.wait()
	err = context.Cause(qc.Context())
	if appErr, ok := errors.AsType[*quic.ApplicationError](err); ok && appErr.ErrorCode == h3NoError {
		return nil
	}
	return fmt.Errorf("wt: connection closed: %w", err)
}

func (s *Server) track(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns = append(s.conns, c)
	return true
}

func (s *Server) untrack(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = slices.DeleteFunc(s.conns, func(other *conn) bool { return other == c })
}

// Close closes all connections at once, with H3_NO_ERROR, and waits for those
// accepted by Serve to be done. Sessions end uncleanly.
func (s *Server) Close() error {
	s.closeConns()
	s.wg.Wait()
	return nil
}

func (s *Server) closeConns() {
	for _, c := range s.refuse() {
		c.quic.CloseWithError(h3NoError, "")
	}
}

package wt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// Shutdown ends the server without cutting anything off, as far as ctx allows.
//
// It stops accepting connections, sessions, which are reset with
// H3_REQUEST_REJECTED so that clients try them elsewhere, and requests, which
// are answered with 503. It asks all sessions to wind down ([Session.Drain]), and waits until
// they and the requests have ended. When ctx is done it closes
// the sessions that are left, with code 0, or if the cause of ctx is a
// *[SessionError] with its Code and Reason, and waits for their clients and
// applications, at most some seconds, so that the codes arrive. Then it closes the connections, with H3_NO_ERROR.
//
// Listeners stay open, and GOAWAY is not sent, as http3 keeps its control stream to itself.
// The error is nil if all sessions and requests ended by themselves, and their
// applications and handlers have returned; otherwise it is that of ctx, and [Server.Close] waits for those.
func (s *Server) Shutdown(ctx context.Context) error {
	conns := s.refuse()
	for _, session := range sessionsOf(conns) {
		session.Drain()
	}
	err := awaitIdle(ctx, conns)
	if err != nil {
		code, reason := closeCode(ctx)
		last, cancel := lastMoments(ctx)
		defer cancel()
		ctx = last
		if sessions := sessionsOf(conns); len(sessions) > 0 {
			closeSessions(ctx, sessions, code, reason)
			// A browser forgets the code if the connection is closed right after it, though it has answered.
			linger(ctx, minCloseWait)
		}
	}
	s.closeConns()
	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	if !first(ctx, done) {
		err = cmp.Or(err, ctx.Err())
	}
	return err
}

// lastMoments returns a context that bounds what is done after ctx is done.
func lastMoments(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 2*maxCloseWait)
}

// refuse makes the server refuse connections, sessions and requests from now
// on, and returns its connections.
func (s *Server) refuse() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, cancel := range s.cancel {
		cancel()
	}
	return slices.Clone(s.conns)
}

func (s *Server) refuses() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func sessionsOf(conns []*conn) []*Session {
	var sessions []*Session
	for _, c := range conns {
		sessions = append(sessions, c.table.all()...)
	}
	return sessions
}

// awaitIdle waits until no connection has a session or a request, and clients
// had the time to receive what the last of them sent.
func awaitIdle(ctx context.Context, conns []*conn) error {
	for _, c := range conns {
		if !first(ctx, c.table.idle()) {
			return ctx.Err()
		}
	}
	var longest time.Duration
	for _, c := range conns {
		longest = max(longest, c.lingering())
	}
	linger(ctx, longest)
	return nil
}

// first waits for done or ctx, and reports whether done is closed, also if ctx is done by then.
func first(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// linger waits for some time, but no longer than ctx.
func linger(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// closeCode returns the code and reason with which the sessions are closed that
// have not ended when ctx is done.
func closeCode(ctx context.Context) (code uint32, reason string) {
	if e, ok := errors.AsType[*SessionError](context.Cause(ctx)); ok {
		return e.Code, e.Reason
	}
	return 0, ""
}

// closeSessions closes sessions and waits until the peer has closed them too, or ctx is done.
func closeSessions(ctx context.Context, sessions []*Session, code uint32, reason string) {
	for _, s := range sessions {
		s.Close(code, reason)
	}
	for _, s := range sessions {
		select {
		case <-s.gone:
		case <-ctx.Done():
			return
		}
	}
}

// Shutdown ends the connection without cutting sessions off, as far as ctx
// allows: it opens no more sessions, asks those that are open to wind down
// ([Session.Drain]), and waits until they have ended or ctx is done. What is left is closed
// as by [ClientConn.Close], with the code that [Server.Shutdown] takes from ctx. Requests are not waited
// for. The error is nil if all sessions ended by themselves, otherwise that of ctx.
func (c *ClientConn) Shutdown(ctx context.Context) error {
	c.closing.Store(true)
	sessions := c.conn.table.all()
	for _, s := range sessions {
		s.Drain()
	}
	var err error
	for _, s := range sessions {
		if !first(ctx, s.gone) {
			err = ctx.Err()
		}
	}
	code, reason := closeCode(ctx)
	c.close(code, reason)
	return err
}

// close closes the sessions, then the connection.
func (c *ClientConn) close(code uint32, reason string) {
	c.closing.Store(true)
	ctx, cancel := lastMoments(context.Background())
	defer cancel()
	closeSessions(ctx, c.conn.table.all(), code, reason)
	c.conn.quic.CloseWithError(h3NoError, "")
	c.conn.wait()
}

// errClosing is the error of opening a session on a connection that is being closed.
var errClosing = fmt.Errorf("wt: the connection is being closed: %w", net.ErrClosed)

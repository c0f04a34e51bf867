package browsertest

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"runtime"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/wtsim/wtsim/wt"
)

// Chromium does not close the connection of a session that has ended, so that
// it stays until it has been idle for this long.
const idleTimeout = 4 * time.Second

// keepOpen opens a session that has open streams.
const keepOpen = `
	const session = await connect("/");
	for (let i = 0; i < 5; i++) {
		const str = await session.createBidirectionalStream();
		await str.writable.getWriter().write(encoder.encode("hello"));
		await str.readable.getReader().read();
		await (await session.createUnidirectionalStream()).getWriter().write(encoder.encode("hello"));
	}
`

// serveEnds serves an echo whose connections do not stay, and hands on how sessions ended.
func serveEnds(t *testing.T) (*server, *counter, <-chan *wt.SessionError) {
	var events counter
	ended := make(chan *wt.SessionError, 100)
	srv := &wt.Server{Trace: events.count}
	srv.Handle("/", wt.Application{CheckOrigin: fromPage, Serve: func(s *wt.Session) {
		echo(s)
		ended <- endOf(s)
	}})
	return serve(t, srv, &quic.Config{MaxIdleTimeout: idleTimeout}), &events, ended
}

func TestPagesThatAreReloadedLeaveNothingAtTheServer(t *testing.T) {
	p := sharedPage(t)
	srv, events, ended := serveEnds(t)
	pages, sessions := share(10), 2
	for range pages {
		for range sessions {
			run[any](t, p, srv, keepOpen, nil)
		}
		if connectionGoroutines() == 0 {
			t.Error("the goroutines of connections are not found")
		}
		p.reload(t)
		for range sessions {
			end := receive(t, ended)
			// Chromium says once that a page is gone. If that is lost, the server hears no more of it.
			if _, idle := errors.AsType[*quic.IdleTimeoutError](end); idle && through != "" {
				continue
			}
			if *end != (wt.SessionError{Remote: true, Clean: true}) {
				t.Errorf("a session ended with %+v", end)
			}
		}
	}
	checkNothingLeft(t, events, int64(pages*sessions))
}

func TestABrowserThatIsKilledLeavesNothingAtTheServer(t *testing.T) {
	sharedPage(t)
	p, err := openPage()
	if err != nil {
		t.Fatal(err)
	}
	srv, events, ended := serveEnds(t)
	run[any](t, p, srv, keepOpen, nil)
	if err := p.close(); err != nil {
		t.Error(err)
	}
	end := receive(t, ended)
	if _, ok := errors.AsType[*quic.IdleTimeoutError](end); !ok || end.Clean {
		t.Errorf("the session ended with %+v", end)
	}
	checkNothingLeft(t, events, 1)
}

func TestServerClosesConnectionsThatHaveNoSessionAnyMore(t *testing.T) {
	p := sharedPage(t)
	conns := make(chan *quic.Conn, 1)
	srv := &wt.Server{IdleTimeout: 100 * time.Millisecond}
	srv.Handle("/", wt.Application{CheckOrigin: fromPage, Serve: func(s *wt.Session) { conns <- s.Conn(); echo(s) }})
	run[any](t, p, serve(t, srv, nil), `
		const session = await connect("/");
		session.close();
		await session.closed;
	`, nil)
	conn := receive(t, conns)
	receive(t, conn.Context().Done())
	cause, ok := errors.AsType[*quic.ApplicationError](context.Cause(conn.Context()))
	if !ok || cause.Remote || cause.ErrorCode != quic.ApplicationErrorCode(http3.ErrCodeNoError) {
		t.Errorf("the connection ended with %v", context.Cause(conn.Context()))
	}
}

// checkNothingLeft waits until no connection, and nothing that serves one, runs any more.
func checkNothingLeft(t *testing.T, events *counter, sessions int64) {
	t.Helper()
	eventually(t, func() bool { return connectionGoroutines() == 0 })
	if got := events.of(wt.Established); got != sessions {
		t.Errorf("%d sessions, want %d", got, sessions)
	}
	if gone := events.of(wt.Gone); gone != sessions {
		t.Errorf("%d of %d sessions are gone", gone, sessions)
	}
	if opened, ended := events.of(wt.StreamOpened), events.of(wt.StreamEnded); opened != ended {
		t.Errorf("%d of %d streams have ended", ended, opened)
	}
}

var ofConnection = regexp.MustCompile(`/quic-go\.\(\*Conn\)|/wt\.\(\*(conn|Session|Stream)\)|/browsertest\.echo`)

// connectionGoroutines counts the goroutines of connections, of their sessions and applications.
func connectionGoroutines() int {
	buf := make([]byte, 8<<20)
	n := 0
	for stack := range bytes.SplitSeq(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
		if ofConnection.Match(stack) {
			n++
		}
	}
	return n
}

// eventually waits for a condition.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to be in time")
		}
	}
}

package wt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
)

// When the path dies nobody says so: both ends find out by themselves, at the same
// time after what they last heard, and every call fails with that.
func TestSessionsOfADeadPathEndWithTheIdleTimeout(t *testing.T) {
	const timeout = 5 * time.Second
	server, sessions, _ := meeting()
	server.MaxSessions = 4
	var accepted chan *Session
	configure := func(w *world) {
		accepted = sessions()
		w.clientQUIC.MaxIdleTimeout, w.serveQUIC.MaxIdleTimeout = timeout, timeout
	}
	inWorld(t, server, configure, func(w *world) {
		c := w.dial(nil)
		var all []*Session
		for range 3 {
			all = append(all, w.open(c, "/"), <-accepted)
		}
		attacked := w.server.conns[0]
		w.settle()
		for _, end := range []*pipeEnd{w.clientNet, w.serverNet} {
			end.setDrop(func() bool { return true })
		}
		var calls sync.WaitGroup
		for _, s := range all {
			str, err := s.OpenStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range []func() error{
				func() error { _, err := io.Copy(str, zeros{}); return err },
				func() error { _, err := io.ReadAll(str); return err },
				func() error { _, err := s.AcceptStream(context.Background()); return err },
				func() error { _, err := s.ReceiveDatagram(context.Background()); return err },
			} {
				calls.Go(func() {
					if err := call(); !errors.Is(err, context.Cause(s.Context())) {
						t.Errorf("call failed with %v, the session ended with %v", err, context.Cause(s.Context()))
					}
				})
			}
		}
		calls.Wait()
		for _, s := range all {
			e := endOf(t, s)
			if _, idle := errors.AsType[*quic.IdleTimeoutError](e); !idle || e.Clean || e.Code != 0 {
				t.Errorf("session ended with %+v, want the idle timeout", e)
			}
			<-s.Done()
			if err := s.Close(1, ""); !errors.Is(err, e) {
				t.Errorf("Close: %v, want %v", err, e)
			}
		}
		synctest.Wait() // a request is forgotten when its handler has returned
		checkForgotten(t, c.conn)
		checkForgotten(t, attacked)
		c.Close()
	})
}

// A session that is closed while the path is dead is gone as soon as any other.
func TestASessionIsClosedOnADeadPath(t *testing.T) {
	server, sessions, _ := meeting()
	var accepted chan *Session
	configure := func(w *world) {
		accepted = sessions()
		w.serveQUIC.MaxIdleTimeout = 10 * time.Second
	}
	inWorld(t, server, configure, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/")
		peer := <-accepted
		w.clientNet.setDrop(func() bool { return true })
		start := time.Now()
		s.Close(7, "")
		<-s.Done()
		if d := time.Since(start); d > maxCloseWait {
			t.Errorf("gone after %v", d)
		}
		if e := endOf(t, peer); e.Clean {
			t.Errorf("the peer saw %+v through a dead path", e)
		}
		c.Close()
	})
}

// A path that is dead for a while delays a close, and does not change it.
func TestACloseArrivesWhenThePathIsBack(t *testing.T) {
	server, sessions, _ := meeting()
	var accepted chan *Session
	inWorld(t, server, func(*world) { accepted = sessions() }, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/")
		peer := <-accepted
		for _, end := range []*pipeEnd{w.clientNet, w.serverNet} {
			end.setDrop(func() bool { return true })
		}
		s.Close(7, "seven")
		time.Sleep(3 * time.Second)
		for _, end := range []*pipeEnd{w.clientNet, w.serverNet} {
			end.setDrop(nil)
		}
		if e := endOf(t, peer); *e != (SessionError{Code: 7, Reason: "seven", Remote: true, Clean: true}) {
			t.Errorf("the peer saw %+v", e)
		}
		<-peer.Done()
		c.Close()
	})
}

func TestASessionSurvivesAnotherAddressOfTheClient(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/echo")
		for port := 11; port < 14; port++ {
			checkEcho(w, s)
			w.clientNet.rebind(port)
		}
		checkEcho(w, s)
		s.Close(0, "")
		<-s.Done()
		c.Close()
	})
}

func TestAThousandSessionsOnOneConnection(t *testing.T) {
	const n = 1000
	server := &Server{MaxSessions: n, SessionRate: -1}
	var mu sync.Mutex
	ended := make(map[uint32]int)
	server.Handle("/", Application{Serve: func(s *Session) {
		str, err := s.AcceptStream(context.Background())
		if err == nil {
			io.Copy(str, str)
			str.Close()
		}
		<-s.Context().Done()
		e := endOf(t, s)
		mu.Lock()
		defer mu.Unlock()
		ended[e.Code]++
	}})
	configure := func(w *world) {
		w.serveQUIC.MaxIncomingStreams = 2*n + 10
		clear(ended)
	}
	inWorld(t, server, configure, func(w *world) {
		w.ctx = context.Background()
		c := w.dial(&ClientConfig{MaxSessions: n})
		time.Sleep(rtt)
		var wg sync.WaitGroup
		open := make(chan struct{}, n)
		closeAll := make(chan struct{})
		for i := range n {
			wg.Go(func() {
				s, _, err := c.OpenSession(w.ctx, "https://server/", nil)
				if err != nil {
					t.Error(err)
					open <- struct{}{}
					return
				}
				message := []byte(fmt.Sprintf("session %d", i))
				str, err := s.OpenStream(w.ctx)
				if err == nil {
					str.Write(message)
					str.Close()
					var got []byte
					if got, err = io.ReadAll(str); err == nil && !bytes.Equal(got, message) {
						err = fmt.Errorf("%q came back", got)
					}
				}
				if err != nil {
					t.Errorf("session %d: %v", i, err)
				}
				open <- struct{}{}
				<-closeAll
				s.Close(uint32(i), "")
				<-s.Done()
			})
		}
		for range n {
			<-open
		}
		if got := c.conn.table.len(); got != n {
			t.Errorf("%d sessions are open at once", got)
		}
		if _, _, err := c.OpenSession(w.ctx, "https://server/", nil); err != ErrTooManySessions {
			t.Errorf("one more: error %v, want ErrTooManySessions", err)
		}
		attacked := w.server.conns[0]
		close(closeAll)
		wg.Wait()
		w.settle()
		for i := range uint32(n) {
			if ended[i] != 1 {
				t.Errorf("%d sessions ended with the code of session %d", ended[i], i)
			}
		}
		checkForgotten(t, c.conn)
		checkForgotten(t, attacked)
		c.Close()
	})
}

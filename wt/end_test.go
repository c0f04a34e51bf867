package wt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

func sessionError(t *testing.T, err error) *SessionError {
	t.Helper()
	e, ok := errors.AsType[*SessionError](err)
	if !ok {
		t.Fatalf("error %v is no SessionError", err)
	}
	return e
}

func TestCloseByClientArrivesWithCodeAndReason(t *testing.T) {
	server := &Server{}
	var seen chan error
	server.Handle("/", Application{Serve: func(s *Session) {
		<-s.Context().Done()
		seen <- context.Cause(s.Context())
	}})
	inWorld(t, server, nil, func(w *world) {
		seen = make(chan error, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		if err := s.Close(42, "done"); err != nil {
			t.Errorf("Close: %v", err)
		}
		local := sessionError(t, context.Cause(s.Context()))
		if *local != (SessionError{Code: 42, Reason: "done", Clean: true}) {
			t.Errorf("client's end: %+v", local)
		}
		remote := sessionError(t, <-seen)
		if *remote != (SessionError{Code: 42, Reason: "done", Remote: true, Clean: true}) {
			t.Errorf("server's end: %+v", remote)
		}
		start := time.Now()
		<-s.Done()
		if d := time.Since(start); d != oneWay {
			t.Errorf("client's session is gone %v after the server learned of the close, want %v", d, oneWay)
		}
		c.Close()
	})
}

func TestCloseByServerArrivesWithCodeAndReason(t *testing.T) {
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) { s.Close(0xffffffff, "bye") }})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/")
		_, err := s.AcceptStream(w.ctx)
		if e := sessionError(t, err); *e != (SessionError{Code: 0xffffffff, Reason: "bye", Remote: true, Clean: true}) {
			t.Errorf("client's end: %+v", e)
		}
		<-s.Done()
		c.Close()
	})
}

func TestEndOfSessionInterruptsEveryCall(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/echo")
		str, _ := s.OpenStream(w.ctx)
		str.Write([]byte("x"))
		io.ReadFull(str, make([]byte, 1))
		full, _ := s.OpenStream(w.ctx)
		results := make(chan error)
		calls := []func() error{
			func() error { _, err := s.AcceptStream(w.ctx); return err },
			func() error { _, err := s.AcceptUniStream(w.ctx); return err },
			func() error { _, err := s.ReceiveDatagram(w.ctx); return err },
			func() error { _, err := str.Read(make([]byte, 1)); return err },
			func() error { _, err := full.Write(make([]byte, 100<<20)); return err },
		}
		for _, call := range calls {
			go func() { results <- call() }()
		}
		time.Sleep(time.Second)
		start := time.Now()
		s.Close(9, "enough")
		for range calls {
			if e := sessionError(t, <-results); e.Code != 9 || !errors.Is(e, net.ErrClosed) {
				t.Errorf("a call ended with %v", e)
			}
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("calls took %v to return", d)
		}
		for name, err := range map[string]error{
			"Close":        s.Close(1, ""),
			"SendDatagram": s.SendDatagram(nil),
			"stream Close": str.Close(),
			"SetDeadline":  str.SetReadDeadline(time.Time{}),
		} {
			if e := sessionError(t, err); e.Code != 9 {
				t.Errorf("%s after the end: %v", name, err)
			}
		}
		c.Close()
	})
}

func TestCloseDoesNotWaitForFlowControl(t *testing.T) {
	// 128 bytes suffice for the request, and not for the capsule.
	var end ends
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) { end.application().Serve(s) }})
	configure := func(w *world) { w.serveQUIC.InitialStreamReceiveWindow, w.serveQUIC.MaxStreamReceiveWindow = 512, 512 }
	inWorld(t, server, configure, func(w *world) {
		end = make(ends, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		reason := string(bytes.Repeat([]byte("x"), maxReason))
		start := time.Now()
		s.Close(5, reason)
		if d := time.Since(start); d != 0 {
			t.Errorf("Close took %v", d)
		}
		if e := <-end; e.Code != 5 || e.Reason != reason || !e.Clean {
			t.Errorf("the server's session ended with %v", e)
		}
		c.Close()
	})
}

func TestLostConnectionEndsSessionsUncleanly(t *testing.T) {
	var end ends
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) { end.application().Serve(s) }})
	inWorld(t, server, nil, func(w *world) {
		end = make(ends, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		w.clientNet.setDrop(func() bool { return true })
		w.serverNet.setDrop(func() bool { return true })
		for _, err := range []error{<-end, func() error { _, err := s.AcceptStream(context.Background()); return err }()} {
			e := sessionError(t, err)
			if _, timeout := errors.AsType[*quic.IdleTimeoutError](err); e.Clean || !timeout {
				t.Errorf("session ended with %+v", e)
			}
		}
		<-s.Done()
		c.Close()
	})
}

func TestConnectionClosedWithACodeOfThePeer(t *testing.T) {
	for _, test := range []struct {
		wire quic.ApplicationErrorCode
		code uint32
	}{{7, 7}, {0x52e4a40fa8e2, 7}, {h3NoError, 0}, {0x52e4a40fa8f9, 0}} {
		var end ends
		server := &Server{}
		server.Handle("/", Application{Serve: func(s *Session) { end.application().Serve(s) }})
		inWorld(t, server, nil, func(w *world) {
			end = make(ends, 1)
			c := w.dial(nil)
			s := w.open(c, "/")
			c.Conn().CloseWithError(test.wire, "because")
			e := <-end
			if e.Code != test.code || e.Reason != "because" || !e.Remote || e.Clean {
				t.Errorf("closed with %#x: the server's session ended with %+v", test.wire, e)
			}
			<-s.Done()
			if e := sessionError(t, context.Cause(s.Context())); e.Remote || e.Clean {
				t.Errorf("closed with %#x: the client's session ended with %+v", test.wire, e)
			}
			c.Close()
		})
	}
}

// recorder records events and when they happened.
type recorder struct {
	mu    sync.Mutex
	types []EventType
	times map[EventType]time.Time
}

func (r *recorder) record(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.times == nil {
		r.times = make(map[EventType]time.Time)
	}
	r.types = append(r.types, e.Type)
	r.times[e.Type] = time.Now()
}

func TestEventsOfASession(t *testing.T) {
	var client, serverEvents recorder
	server := &Server{Trace: serverEvents.record}
	server.Handle("/", Application{Serve: echo})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(&ClientConfig{Trace: client.record})
		s := w.open(c, "/")
		str, _ := s.OpenStream(w.ctx)
		str.Write([]byte("x"))
		io.ReadFull(str, make([]byte, 1))
		closed := time.Now()
		s.Close(0, "")
		<-s.Done()
		w.settle()
		if want := []EventType{
			SettingsReceived, ConnectSent, Established, StreamOpened, CloseCalled, CloseSent, Ended,
			StreamEnded, LastStreamEnded, ConnectFinished, Gone,
		}; !slices.Equal(client.types, want) {
			t.Errorf("client's events are %v, want %v", client.types, want)
		}
		if want := []EventType{
			SettingsReceived, ConnectReceived, Established, StreamOpened, Ended,
			StreamEnded, LastStreamEnded, ConnectFinished, Gone,
		}; !slices.Equal(serverEvents.types, want) {
			t.Errorf("server's events are %v, want %v", serverEvents.types, want)
		}
		for _, e := range []struct {
			of   *recorder
			who  string
			what EventType
			at   time.Duration
		}{
			{&client, "client", Ended, 0}, {&client, "client", CloseSent, 0},
			{&serverEvents, "server", Ended, oneWay}, {&serverEvents, "server", LastStreamEnded, oneWay}, {&serverEvents, "server", Gone, oneWay},
			{&client, "client", LastStreamEnded, rtt}, {&client, "client", Gone, rtt},
		} {
			if d := e.of.times[e.what].Sub(closed); d != e.at {
				t.Errorf("%s's %q is %v after the close, want %v", e.who, e.what, d, e.at)
			}
		}
		c.Close()
	})
}

func TestStreamsAreResetThoughThePeerDoesNotAnswer(t *testing.T) {
	var events recorder
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(&ClientConfig{Trace: events.record})
		s := w.open(c, "/echo")
		str, _ := s.OpenStream(w.ctx)
		str.Write([]byte("x"))
		w.clientNet.setDrop(func() bool { return true })
		closed := time.Now()
		s.Close(0, "")
		<-s.Done()
		if d := events.times[LastStreamEnded].Sub(closed); d != minResetDelay {
			t.Errorf("streams were reset %v after the close, want %v", d, minResetDelay)
		}
		if d := time.Since(closed); d != minCloseWait {
			t.Errorf("session was gone %v after the close, want %v", d, minCloseWait)
		}
		c.Close()
	})
}

func TestCodeArrivesUnderHeavyLoss(t *testing.T) {
	var end ends
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) {
		str, _ := s.OpenStream(context.Background())
		io.Copy(str, zeros{})
		end.application().Serve(s)
	}})
	inWorld(t, server, nil, func(w *world) {
		end = make(ends, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		time.Sleep(100 * time.Millisecond)
		n := 0
		lossy := func() bool { n++; return n%3 != 0 }
		w.clientNet.setDrop(lossy)
		s.Close(42, "lossy")
		if e := <-end; e.Code != 42 || e.Reason != "lossy" || !e.Clean {
			t.Errorf("session ended with %v", e)
		}
		<-s.Done()
		c.Close()
	})
}

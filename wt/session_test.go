package wt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

// echo sends back what arrives: on bidirectional streams, on a new
// unidirectional stream for each of those of the peer, and as datagrams.
func echo(s *Session) {
	go func() {
		for {
			b, err := s.ReceiveDatagram(context.Background())
			if err != nil {
				return
			}
			s.SendDatagram(b)
		}
	}()
	go func() {
		for {
			in, err := s.AcceptUniStream(context.Background())
			if err != nil {
				return
			}
			go func() {
				out, err := s.OpenUniStream(context.Background())
				if err != nil {
					return
				}
				io.Copy(out, in)
				out.Close()
			}()
		}
	}()
	for {
		str, err := s.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go func() {
			io.Copy(str, str)
			str.Close()
		}()
	}
}

func echoServer() *Server {
	s := &Server{MaxSessions: 8}
	s.Handle("/echo", Application{Serve: echo})
	return s
}

func TestEchoOnEveryChannelInBothDirections(t *testing.T) {
	server := &Server{}
	finished := make(chan error, 1)
	exercise := func(ctx context.Context, s *Session) error {
		message := bytes.Repeat([]byte("wt"), 50_000)
		str, err := s.OpenStream(ctx)
		if err != nil {
			return err
		}
		if _, err := str.Write(message); err != nil {
			return err
		}
		str.Close()
		if got, err := io.ReadAll(str); err != nil || !bytes.Equal(got, message) {
			return errors.Join(err, errors.New("bidirectional echo differs"))
		}
		out, err := s.OpenUniStream(ctx)
		if err != nil {
			return err
		}
		if _, err := out.Write(message); err != nil {
			return err
		}
		out.Close()
		in, err := s.AcceptUniStream(ctx)
		if err != nil {
			return err
		}
		if got, err := io.ReadAll(in); err != nil || !bytes.Equal(got, message) {
			return errors.Join(err, errors.New("unidirectional echo differs"))
		}
		if err := s.SendDatagram([]byte("ping")); err != nil {
			return err
		}
		if got, err := s.ReceiveDatagram(ctx); err != nil || string(got) != "ping" {
			return errors.Join(err, errors.New("datagram echo differs"))
		}
		return nil
	}
	server.Handle("/echo", Application{Serve: echo})
	server.Handle("/exercise", Application{Serve: func(s *Session) { finished <- exercise(context.Background(), s) }})
	inWorld(t, server, nil, func(w *world) {
		finished = make(chan error, 1)
		c := w.dial(nil)
		s := w.open(c, "/echo")
		if err := exercise(w.ctx, s); err != nil {
			t.Errorf("client to server: %v", err)
		}
		s.Close(0, "")
		<-s.Done()
		s = w.open(c, "/exercise")
		echo(s)
		if err := <-finished; err != nil {
			t.Errorf("server to client: %v", err)
		}
		c.Close()
	})
}

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

func TestRequestBesideSession(t *testing.T) {
	server := echoServer()
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello "+r.URL.Path) })
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		w.open(c, "/echo")
		r, _ := http.NewRequestWithContext(w.ctx, http.MethodGet, "https://server/page", nil)
		response, err := c.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || string(body) != "hello /page" {
			t.Errorf("body %q, %v", body, err)
		}
		c.Close()
	})
}

package wt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
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

func TestSeveralSessionsOnOneConnection(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(&ClientConfig{MaxSessions: 3})
		sessions := []*Session{w.open(c, "/echo"), w.open(c, "/echo"), w.open(c, "/echo")}
		for i, s := range sessions {
			str, err := s.OpenStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			message := string(rune('a' + i))
			io.WriteString(str, message)
			str.Close()
			if got, err := io.ReadAll(str); err != nil || string(got) != message {
				t.Errorf("session %d echoed %q, %v", s.ID(), got, err)
			}
			s.SendDatagram([]byte(message))
			if got, err := s.ReceiveDatagram(w.ctx); err != nil || string(got) != message {
				t.Errorf("session %d echoed the datagram %q, %v", s.ID(), got, err)
			}
		}
		if _, _, err := c.OpenSession(w.ctx, "https://server/echo", nil); !errors.Is(err, ErrTooManySessions) {
			t.Errorf("fourth session: %v, want ErrTooManySessions", err)
		}
		sessions[1].Close(1, "")
		<-sessions[1].Done()
		for _, s := range []*Session{sessions[0], sessions[2], w.open(c, "/echo")} {
			if err := s.Context().Err(); err != nil {
				t.Errorf("session %d ended with another one", s.ID())
			}
		}
		c.Close()
	})
}

func TestRefusedSessionReturnsTheResponse(t *testing.T) {
	inWorld(t, &Server{}, nil, func(w *world) {
		c := w.dial(nil)
		s, response, err := c.OpenSession(w.ctx, "https://server/", &SessionOptions{Header: http.Header{"Origin": {"https://server"}}})
		if !errors.Is(err, ErrRefused) || s != nil || response == nil || response.StatusCode != http.StatusMethodNotAllowed {
			t.Fatalf("session %v, response %v, error %v", s, response, err)
		}
		response.Body.Close()
		if left := c.conn.table.all(); len(left) != 0 {
			t.Errorf("%d sessions left in the table", len(left))
		}
		c.Close()
	})
}

func TestOpenSessionStopsWithItsContext(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(nil)
		ctx, cancel := context.WithTimeout(w.ctx, oneWay)
		defer cancel()
		if _, _, err := c.OpenSession(ctx, "https://server/echo", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the context", err)
		}
		s := w.open(c, "/echo")
		type key struct{}
		s.Close(0, "")
		<-s.Done()
		s, _, err := c.OpenSession(context.WithValue(w.ctx, key{}, "value"), "https://server/echo", nil)
		if err != nil || s.Context().Value(key{}) != "value" {
			t.Errorf("session %v does not carry the values of its context, %v", s, err)
		}
		c.Close()
	})
}

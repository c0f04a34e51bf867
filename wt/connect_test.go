package wt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

func TestTheApplicationMayRefuseASession(t *testing.T) {
	server := &Server{}
	server.Handle("/", Application{
		Protocols: []string{"a"},
		Connecting: func(s *Session) error {
			switch s.Request().URL.RawQuery {
			case "status":
				return &RefusedError{Status: http.StatusTeapot, Header: http.Header{"X": {"y"}}}
			case "success":
				return &RefusedError{Status: http.StatusOK}
			case "error":
				return errors.New("no")
			}
			s.ResponseHeader().Set("X", "accepted")
			if s.Protocol() != "a" {
				t.Errorf("subprotocol %q before the answer, want a", s.Protocol())
			}
			return nil
		},
		Serve: func(s *Session) { <-s.Context().Done() },
	})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		for _, test := range []struct {
			query    string
			status   int
			header   string
			protocol string
		}{
			{"status", http.StatusTeapot, "y", ""},
			{"success", http.StatusInternalServerError, "", ""},
			{"error", http.StatusInternalServerError, "", ""},
			{"", http.StatusOK, "accepted", `"a"`},
		} {
			s, response, err := c.OpenSession(w.ctx, "https://server/?"+test.query, &SessionOptions{Protocols: []string{"a"}})
			if response == nil {
				t.Fatalf("%s: %v", test.query, err)
			}
			if s != nil && s.ResponseHeader().Get("X") != test.header {
				t.Errorf("%s: the session has the header %v", test.query, s.ResponseHeader())
			}
			if response.StatusCode != test.status || response.Header.Get("X") != test.header || response.Header.Get("WT-Protocol") != test.protocol {
				t.Errorf("%s: status %d with header %v, want %d", test.query, response.StatusCode, response.Header, test.status)
			}
		}
		c.Close()
	})
}

func TestServerMayOpenStreamsBeforeItAnswers(t *testing.T) {
	server := &Server{}
	server.Handle("/", Application{
		Connecting: func(s *Session) error {
			str, err := s.OpenUniStream(s.Context())
			if err != nil {
				return err
			}
			str.Write([]byte("early"))
			str.Close()
			if err := s.SendDatagram([]byte("early")); err != nil {
				return err
			}
			time.Sleep(time.Second)
			if s.Request().URL.RawQuery == "refuse" {
				return &RefusedError{Status: http.StatusForbidden}
			}
			return nil
		},
		Serve: func(s *Session) { <-s.Context().Done() },
	})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		time.Sleep(rtt) // for the SETTINGS
		start := time.Now()
		s, err := c.StartSession(w.ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		str, err := s.AcceptUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(str); err != nil || string(got) != "early" {
			t.Errorf("read %q, %v", got, err)
		}
		if got, err := s.ReceiveDatagram(w.ctx); err != nil || string(got) != "early" {
			t.Errorf("received %q, %v", got, err)
		}
		if d := time.Since(start); d != rtt {
			t.Errorf("received after %v, want %v", d, rtt)
		}
		if _, err := s.Ready(w.ctx); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d != time.Second+rtt {
			t.Errorf("accepted after %v, want %v", d, time.Second+rtt)
		}
		s, err = c.StartSession(w.ctx, "https://server/?refuse", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.AcceptUniStream(w.ctx); err != nil {
			t.Error(err)
		}
		if _, err := s.Ready(w.ctx); !errors.Is(err, ErrRefused) {
			t.Errorf("error %v, want ErrRefused", err)
		}
		c.Close()
	})
}

func TestNoCapsuleIsProcessedBeforeTheAnswer(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		var end ends
		server := &Server{}
		server.Handle("/", Application{
			Connecting: func(s *Session) error {
				time.Sleep(time.Second)
				select {
				case <-s.Draining():
					t.Error("DRAIN_SESSION was processed before the answer")
				case <-s.Context().Done():
					t.Error("CLOSE_SESSION was processed before the answer")
				default:
				}
				if refuse {
					return &RefusedError{Status: http.StatusForbidden}
				}
				return nil
			},
			Serve: func(s *Session) {
				<-s.Draining()
				end.application().Serve(s)
			},
		})
		inWorld(t, server, func(*world) { end = make(ends, 1) }, func(w *world) {
			c := w.dialRaw()
			defer c.close()
			str := c.begin()
			if err := str.SendRequestHeader(c.request("/")); err != nil {
				t.Fatal(err)
			}
			str.Write(appendClose(capsule(capsuleDrain, ""), 7, "seven"))
			str.Close()
			response, err := str.ReadResponse()
			if err != nil {
				t.Fatal(err)
			}
			if refuse {
				if response.StatusCode != http.StatusForbidden {
					t.Errorf("status %d, want 403", response.StatusCode)
				}
				return
			}
			if e := <-end; e.Code != 7 || e.Reason != "seven" || !e.Clean {
				t.Errorf("session ended with %+v", e)
			}
		})
	}
}

func TestClosingASessionBeforeAnsweringResetsTheRequest(t *testing.T) {
	server := &Server{}
	server.Handle("/", Application{
		Connecting: func(s *Session) error { return s.Close(7, "no") },
		Serve:      func(*Session) { t.Error("the session was served") },
	})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		_, response, err := c.OpenSession(w.ctx, "https://server/", nil)
		if e, ok := errors.AsType[*quic.StreamError](err); !ok || e.ErrorCode != h3RequestCancelled || response != nil {
			t.Errorf("error %v, want a reset with H3_REQUEST_CANCELLED", err)
		}
		w.settle()
		if left := w.server.conns[0].table.all(); len(left) != 0 {
			t.Errorf("%d sessions left at the server", len(left))
		}
		c.Close()
	})
}

func TestClosingTheServerEndsTheSessionsItIsAskedFor(t *testing.T) {
	server := &Server{}
	server.Handle("/", Application{
		Connecting: func(s *Session) error {
			<-s.Context().Done()
			return context.Cause(s.Context())
		},
		Serve: echo,
	})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		s, err := c.StartSession(w.ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		server.Close() // waits for its connections
		if _, err := s.Ready(w.ctx); !errors.As(err, new(*SessionError)) {
			t.Errorf("error %v, want that of the session", err)
		}
		c.Close()
	})
}

func TestMalformedRequestsAreReset(t *testing.T) {
	ok := []string{":method", "CONNECT", ":protocol", protocolH3, ":scheme", "https", ":authority", "server", ":path", "/echo"}
	without := func(i int) []string {
		fields := append([]string{}, ok...)
		return append(fields[:2*i], fields[2*i+2:]...)
	}
	with := func(i int, value string) []string {
		fields := append([]string{}, ok...)
		fields[2*i+1] = value
		return fields
	}
	inWorld(t, echoServer(), nil, func(w *world) {
		for name, fields := range map[string][]string{
			"no :method":                     without(0),
			"no :scheme":                     without(2),
			"no :authority":                  without(3),
			"no :path":                       without(4),
			"an empty :authority":            with(3, ""),
			"an empty :path":                 with(4, ""),
			"a relative :path":               with(4, "echo"),
			"user information":               with(3, "user@server"),
			":protocol that is no token":     with(1, "web transport"),
			"another method":                 with(0, "GET"),
			":path twice":                    append(append([]string{}, ok...), ":path", "/echo"),
			"a field in upper case":          append(append([]string{}, ok...), "Origin", "https://server"),
			"a pseudo-header field too late": append(append([]string{}, ok[:8]...), "origin", "https://server", ":path", "/echo"),
			"a connection-specific field":    append(append([]string{}, ok...), "connection", "close"),
		} {
			c := w.dialWire(settingsFrame(settingH3Datagram, 1, settingWebTransport, 1))
			if code := resetCode(t, c.request(headers(fields...))); code != h3MessageError {
				t.Errorf("%s: reset with %#x, want H3_MESSAGE_ERROR", name, code)
			}
			c.close()
		}
		c := w.dialWire(settingsFrame(settingH3Datagram, 1, settingWebTransport, 1))
		c.accepted(c.request(headers(ok...)))
		c.close()
	})
}

func TestAnApplicationThatPanicsLeavesNoSession(t *testing.T) {
	server := &Server{Logger: slog.New(slog.DiscardHandler)}
	server.Handle("/connecting", Application{Connecting: func(*Session) error { panic("connecting") }, Serve: echo})
	server.Handle("/callbacks", Application{Callbacks: func(*Session) Callbacks { panic("callbacks") }})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		for _, path := range []string{"/connecting", "/callbacks"} {
			s, err := c.StartSession(w.ctx, "https://server"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			<-s.Done()
			w.settle()
			if left := w.server.conns[0].table.all(); len(left) != 0 {
				t.Errorf("%s: %d sessions left at the server", path, len(left))
			}
		}
		c.Close()
	})
}

func TestOriginsAreThoseOfTheApplication(t *testing.T) {
	server := &Server{}
	server.Handle("/", Application{
		CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "https://friend.example" },
		Serve:       func(s *Session) { <-s.Context().Done() },
	})
	inWorld(t, server, nil, func(w *world) {
		c := w.dialRaw()
		defer c.close()
		for origin, want := range map[string]int{"https://friend.example": 200, "https://server": 403, "": 403} {
			r := c.request("/")
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			if status := c.send(c.begin(), r); status != want {
				t.Errorf("origin %q: status %d, want %d", origin, status, want)
			}
		}
	})
}

func TestSessionsAreEstablishedInSpiteOfLoss(t *testing.T) {
	for seed := range uint64(4) {
		inWorld(t, echoServer(), nil, func(w *world) {
			c := w.dial(nil)
			loss := func(side uint64) func() bool {
				random := rand.New(rand.NewPCG(seed, side))
				return func() bool { return random.IntN(10) < 2 }
			}
			w.clientNet.setDrop(loss(0))
			w.serverNet.setDrop(loss(1))
			for i := range 20 {
				s, err := c.StartSession(w.ctx, "https://server/echo", nil)
				if err != nil {
					t.Fatal(err)
				}
				str, err := s.OpenStream(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				message := fmt.Sprintf("message %d", i)
				str.Write([]byte(message))
				str.Close()
				if got, err := io.ReadAll(str); err != nil || string(got) != message {
					t.Errorf("seed %d: session %d echoed %q, %v", seed, i, got, err)
				}
				if _, err := s.Ready(w.ctx); err != nil {
					t.Errorf("seed %d: session %d: %v", seed, i, err)
				}
				s.Close(0, "")
				<-s.Done()
			}
			w.clientNet.setDrop(nil)
			w.serverNet.setDrop(nil)
			c.Close()
		})
	}
}

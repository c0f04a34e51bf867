package wt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// answering runs a test of a client against a raw server that hands out the
// streams of requests, from which nothing has been read.
func answering(t *testing.T, test func(ctx context.Context, c *ClientConn, server *quic.Conn, requests <-chan *quic.Stream)) {
	t.Helper()
	againstRawServer(t, settings16(settingWebTransport, 1), QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
		requests := make(chan *quic.Stream, 8)
		go func() {
			for {
				str, err := server.AcceptStream(ctx)
				if err != nil {
					return
				}
				requests <- str
			}
		}()
		test(ctx, c, server, requests)
	})
}

func TestOnlyStatuses2xxEstablishASession(t *testing.T) {
	for _, status := range []string{"200", "204", "299", "300", "302", "308", "401", "404", "429", "500", "503", "600"} {
		t.Run(status, func(t *testing.T) {
			answering(t, func(ctx context.Context, c *ClientConn, _ *quic.Conn, requests <-chan *quic.Stream) {
				go func() {
					str := <-requests
					str.Write(headers(":status", status, "location", "https://elsewhere/", "x", "y"))
					if status[0] != '2' {
						str.Write(frame(frameData, []byte("why not")))
						str.Close()
					}
				}()
				s, response, err := c.OpenSession(ctx, "https://server/", nil)
				if response == nil || !strings.HasPrefix(response.Status, status) || response.Header.Get("X") != "y" {
					t.Fatalf("response %v, error %v", response, err)
				}
				body, readErr := io.ReadAll(response.Body)
				if status[0] == '2' {
					if err != nil || s.Context().Err() != nil || len(body) != 0 {
						t.Errorf("session %v with body %q, %v", s, body, err)
					}
					s.Close(0, "")
					return
				}
				refused, ok := errors.AsType[*RefusedError](err)
				if !ok || !errors.Is(err, ErrRefused) || refused.Status != response.StatusCode || refused.Header.Get("Location") != "https://elsewhere/" {
					t.Errorf("error %v, want a RefusedError with the status and the header", err)
				}
				if string(body) != "why not" || readErr != nil {
					t.Errorf("body %q, %v", body, readErr)
				}
				select {
				case str := <-requests:
					t.Errorf("another request was made, on stream %d", str.StreamID())
				default:
				}
			})
		})
	}
}

func TestInformationalResponsesPrecedeTheAnswer(t *testing.T) {
	for _, test := range []struct {
		number int
		opened bool
	}{{0, true}, {1, true}, {max1xx, true}, {max1xx + 1, false}} {
		answering(t, func(ctx context.Context, c *ClientConn, _ *quic.Conn, requests <-chan *quic.Stream) {
			go func() {
				str := <-requests
				for range test.number {
					str.Write(headers(":status", "103"))
				}
				str.Write(okResponse)
			}()
			_, _, err := c.OpenSession(ctx, "https://server/", nil)
			if (err == nil) != test.opened {
				t.Errorf("%d informational responses: %v", test.number, err)
			}
		})
	}
}

func TestTheBodyOfARefusalIsBounded(t *testing.T) {
	for _, test := range []struct {
		name string
		send []byte
		want int
		took time.Duration
	}{
		{"too long", frame(frameData, bytes.Repeat([]byte("x"), 10_000)), 4096, rtt},
		{"never ending", frame(frameData, []byte("x")), 1, rtt + refusalBodyTime},
	} {
		t.Run(test.name, func(t *testing.T) {
			answering(t, func(ctx context.Context, c *ClientConn, _ *quic.Conn, requests <-chan *quic.Stream) {
				var str *quic.Stream
				go func() {
					str = <-requests
					str.Write(slices.Concat(headers(":status", "404"), test.send))
				}()
				time.Sleep(rtt) // for the SETTINGS
				start := time.Now()
				_, response, _ := c.OpenSession(ctx, "https://server/", nil)
				if d := time.Since(start); d != test.took {
					t.Errorf("refused after %v, want %v", d, test.took)
				}
				if body, err := io.ReadAll(response.Body); len(body) != test.want || err != nil {
					t.Errorf("body of %d bytes, %v, want %d", len(body), err, test.want)
				}
				if code := stopCode(t, str.Context()); code != h3NoError {
					t.Errorf("the rest was stopped with %#x, want H3_NO_ERROR", code)
				}
			})
		})
	}
}

func TestStreamsAndDatagramsMayPrecedeTheAnswer(t *testing.T) {
	server := &Server{}
	server.Handle("/echo", Application{
		Connecting: func(*Session) error { time.Sleep(time.Second); return nil },
		Serve:      echo,
	})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		time.Sleep(rtt) // for the SETTINGS
		start := time.Now()
		s, err := c.StartSession(w.ctx, "https://server/echo", nil)
		if err != nil {
			t.Fatal(err)
		}
		str, err := s.OpenStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		str.Write([]byte("stream"))
		str.Close()
		if err := s.SendDatagram([]byte("datagram")); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("they were sent after %v", d)
		}
		if got, err := io.ReadAll(str); err != nil || string(got) != "stream" {
			t.Errorf("echoed %q, %v", got, err)
		}
		if got, err := s.ReceiveDatagram(w.ctx); err != nil || string(got) != "datagram" {
			t.Errorf("echoed the datagram %q, %v", got, err)
		}
		if d := time.Since(start); d != time.Second+rtt {
			t.Errorf("echoed after %v, want %v", d, time.Second+rtt)
		}
		if response, err := s.Ready(w.ctx); err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("response %v, %v", response, err)
		}
		c.Close()
	})
}

func TestARefusedSessionTakesItsStreamsAlong(t *testing.T) {
	answering(t, func(ctx context.Context, c *ClientConn, server *quic.Conn, requests <-chan *quic.Stream) {
		s, err := c.StartSession(ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		bidi, _ := s.OpenStream(ctx)
		bidi.Write([]byte("x"))
		uni, _ := s.OpenUniStream(ctx)
		uni.Write([]byte("x"))
		connect, peer := <-requests, <-requests
		peerUni, err := server.AcceptUniStream(ctx)
		for err == nil && peerUni.StreamID() != uni.StreamID() {
			peerUni, err = server.AcceptUniStream(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		connect.Write(headers(":status", "403"))
		connect.Close()
		if code := resetCode(t, peer); code != codeSessionGone {
			t.Errorf("bidirectional stream reset with %#x", code)
		}
		if code := stopCode(t, peer.Context()); code != codeSessionGone {
			t.Errorf("bidirectional stream stopped with %#x", code)
		}
		if code := resetCode(t, peerUni); code != codeSessionGone {
			t.Errorf("unidirectional stream reset with %#x", code)
		}
		response, err := s.Ready(ctx)
		if !errors.Is(err, ErrRefused) || response.StatusCode != http.StatusForbidden {
			t.Errorf("response %v, %v", response, err)
		}
		if _, err := bidi.Write([]byte("x")); !errors.Is(err, net.ErrClosed) || !errors.Is(err, ErrRefused) {
			t.Errorf("writing ended with %v, want the session's error", err)
		}
		<-s.Done()
	})
}

func TestClosingASessionBeforeTheAnswerCancelsTheRequest(t *testing.T) {
	var ended chan error
	server := &Server{}
	server.Handle("/", Application{
		Connecting: func(s *Session) error {
			<-s.Context().Done()
			ended <- context.Cause(s.Context())
			return nil
		},
		Serve: func(*Session) { t.Error("the session was served") },
	})
	inWorld(t, server, func(*world) { ended = make(chan error, 1) }, func(w *world) {
		c := w.dial(nil)
		s, err := c.StartSession(w.ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(rtt)
		start := time.Now()
		if err := s.Close(7, "never mind"); err != nil {
			t.Error(err)
		}
		if _, err := s.Ready(w.ctx); !errors.Is(err, errNotEstablished) {
			t.Errorf("Ready returned %v", err)
		}
		<-s.Done()
		if d := time.Since(start); d != 0 {
			t.Errorf("the session was gone after %v", d)
		}
		if e := sessionError(t, context.Cause(s.Context())); e.Code != 7 || e.Clean || e.Remote {
			t.Errorf("the client's session ended with %+v", e)
		}
		if e := sessionError(t, <-ended); e.Clean || !e.Remote {
			t.Errorf("the server's session ended with %+v", e)
		}
		if d := time.Since(start); d != oneWay {
			t.Errorf("the server noticed after %v, want %v", d, oneWay)
		}
		w.settle()
		if left := w.server.conns[0].table.all(); len(left) != 0 {
			t.Errorf("%d sessions left at the server", len(left))
		}
		c.Close()
	})
}

func TestLosingTheConnectionBeforeTheAnswerFailsTheSession(t *testing.T) {
	answering(t, func(ctx context.Context, c *ClientConn, server *quic.Conn, requests <-chan *quic.Stream) {
		s, err := c.StartSession(ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		<-requests
		server.CloseWithError(h3NoError, "")
		_, err = s.Ready(ctx)
		if e := sessionError(t, err); e.Clean || !e.Remote {
			t.Errorf("the session failed with %+v", e)
		}
		<-s.Done()
	})
}

func TestAResetRequestFailsTheSession(t *testing.T) {
	answering(t, func(ctx context.Context, c *ClientConn, _ *quic.Conn, requests <-chan *quic.Stream) {
		go func() {
			str := <-requests
			str.CancelRead(h3RequestRejected)
			str.CancelWrite(h3RequestRejected)
		}()
		_, response, err := c.OpenSession(ctx, "https://server/", nil)
		if e, ok := errors.AsType[*quic.StreamError](err); !ok || !e.Remote || e.ErrorCode != h3RequestRejected || response != nil {
			t.Errorf("error %v, want the reset with H3_REQUEST_REJECTED", err)
		}
		if !errors.Is(err, ErrRefused) {
			t.Errorf("error %v, want ErrRefused", err)
		}
		if left := c.conn.table.all(); len(left) != 0 {
			t.Errorf("%d sessions left in the table", len(left))
		}
	})
}

func TestURLsThatNameNoSession(t *testing.T) {
	answering(t, func(ctx context.Context, c *ClientConn, _ *quic.Conn, _ <-chan *quic.Stream) {
		for _, url := range []string{"", "http://server/", "https:///path", "wss://server/", "https://server:port/", "/path"} {
			if _, err := c.StartSession(ctx, url, nil); err == nil {
				t.Errorf("%q was accepted", url)
			}
		}
	})
}

// readyCallbacks notes what the session knows of its response when it is accepted or refused.
type readyCallbacks struct {
	NoCallbacks
	events chan string
}

func (r *readyCallbacks) note(event string, s *Session) {
	select {
	case <-s.ready:
		r.events <- fmt.Sprintf("%s: %s %q", event, s.ResponseHeader().Get("X"), s.Protocol())
	default:
		r.events <- event + " ahead of its response"
	}
}

func (r *readyCallbacks) Accepted(s *Session)                 { r.note("accepted", s) }
func (r *readyCallbacks) Refused(s *Session, _ *RefusedError) { r.note("refused", s) }

func TestCallbacksKnowTheResponse(t *testing.T) {
	for _, test := range []struct{ status, want string }{
		{"200", `accepted: y "a"`},
		{"404", `refused: y ""`},
	} {
		answering(t, func(ctx context.Context, c *ClientConn, _ *quic.Conn, requests <-chan *quic.Stream) {
			go func() {
				str := <-requests
				str.Write(headers(":status", test.status, "x", "y", "wt-protocol", `"a"`))
				if test.status == "404" {
					str.Close()
				}
			}()
			callbacks := &readyCallbacks{events: make(chan string, 1)}
			if _, err := c.StartSession(ctx, "https://server/", &SessionOptions{Protocols: []string{"a"}, Callbacks: callbacks}); err != nil {
				t.Fatal(err)
			}
			if got := <-callbacks.events; got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

package wt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
)

// losing loses packets, so many of a hundred.
func losing(percent int, seed uint64) func() bool {
	random := rand.New(rand.NewPCG(seed, 0))
	return func() bool { return random.IntN(100) < percent }
}

// losingOneIn drops every n-th datagram, the first of them first. No two are
// lost in a row, so that what is sent again in time arrives however the
// endpoints divide their data into datagrams; with [losing] a bound on the time
// to arrive holds by chance only.
func losingOneIn(n int) func() bool {
	sent := 0
	return func() bool {
		sent++
		return n > 0 && sent%n == 1%n
	}
}

func TestShutdownWaitsForSessionsAndRequests(t *testing.T) {
	server := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(2 * time.Second)
		w.Write(make([]byte, 100_000))
	})}
	server.Handle("/", Application{Serve: func(s *Session) {
		<-s.Draining()
		time.Sleep(time.Second)
		s.Close(7, "wound down")
	}})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/")
		get := func() (*http.Response, error) {
			r, _ := http.NewRequestWithContext(w.ctx, http.MethodGet, "https://server/", nil)
			return c.RoundTrip(r)
		}
		got := make(chan int, 1)
		go func() {
			response, err := get()
			if err != nil {
				t.Error(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Error(err)
			}
			got <- len(body)
		}()
		time.Sleep(rtt)
		start := time.Now()
		shutdown := make(chan error, 1)
		go func() { shutdown <- server.Shutdown(w.ctx) }()
		<-s.Draining()
		if d := time.Since(start); d != oneWay {
			t.Errorf("the client was told after %v, want %v", d, oneWay)
		}
		_, _, err := c.OpenSession(w.ctx, "https://server/", nil)
		if e, ok := errors.AsType[*quic.StreamError](err); !ok || e.ErrorCode != h3RequestRejected {
			t.Errorf("another session: %v, want a reset with H3_REQUEST_REJECTED", err)
		}
		if response, err := get(); err != nil || response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("another request: %v, %v, want status 503", response, err)
		}
		<-s.Context().Done()
		if e := sessionError(t, context.Cause(s.Context())); e.Code != 7 || !e.Clean {
			t.Errorf("the session ended with %v", e)
		}
		if d := time.Since(start); d != time.Second+oneWay {
			t.Errorf("the session ended after %v, want %v", d, time.Second+oneWay)
		}
		if n := <-got; n != 100_000 {
			t.Errorf("%d bytes of the response arrived", n)
		}
		if err := <-shutdown; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		synctest.Wait()
		time.Sleep(oneWay)
		if code := connCode(t, c.Conn()); code != h3NoError {
			t.Errorf("connection closed with %#x", code)
		}
		c.Close()
	})
}

func TestShutdownOfAnIdleServerIsImmediate(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(nil)
		time.Sleep(rtt)
		start := time.Now()
		if err := w.server.Shutdown(w.ctx); err != nil || time.Since(start) != 0 {
			t.Errorf("Shutdown: %v after %v", err, time.Since(start))
		}
		if code := connCode(t, c.Conn()); code != h3NoError {
			t.Errorf("connection closed with %#x", code)
		}
		if err := w.server.ServeConn(c.Conn()); err != ErrServerClosed {
			t.Errorf("ServeConn after Shutdown: %v", err)
		}
		c.Close()
	})
}

// What arrives after a request has ended is what its client has still to
// receive: the last packets may be lost.
func TestShutdownLetsResponsesArriveUnderLoss(t *testing.T) {
	server := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 20_000)) })}
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		time.Sleep(rtt)
		w.serverNet.setDrop(losingOneIn(3))
		shutdown := make(chan error, 1)
		time.AfterFunc(oneWay+time.Millisecond, func() { shutdown <- server.Shutdown(w.ctx) })
		r, _ := http.NewRequestWithContext(w.ctx, http.MethodGet, "https://server/", nil)
		response, err := c.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || len(body) != 20_000 {
			t.Errorf("%d bytes of the response arrived, %v", len(body), err)
		}
		if err := <-shutdown; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		c.Close()
	})
}

func TestShutdownClosesTheSessionsThatAreLeft(t *testing.T) {
	for name, test := range map[string]struct {
		cause  error
		code   uint32
		reason string
		err    error
	}{
		"without a cause":       {nil, 0, "", context.DeadlineExceeded},
		"with a cause":          {&SessionError{Code: 5, Reason: "restart"}, 5, "restart", context.DeadlineExceeded},
		"with another cause":    {io.EOF, 0, "", context.DeadlineExceeded},
		"with a wrapped reason": {errors.Join(io.EOF, &SessionError{Code: 6}), 6, "", context.DeadlineExceeded},
	} {
		for _, loss := range []int{0, 3} {
			t.Run(name, func(t *testing.T) {
				server := echoServer()
				server.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				inWorld(t, server, nil, func(w *world) {
					c := w.dial(nil)
					sessions := []*Session{w.open(c, "/echo"), w.open(c, "/echo"), w.open(c, "/echo")}
					go func() {
						r, _ := http.NewRequestWithContext(w.ctx, http.MethodGet, "https://server/", nil)
						c.RoundTrip(r)
					}()
					time.Sleep(oneWay)
					w.clientNet.setDrop(losingOneIn(loss))
					w.serverNet.setDrop(losingOneIn(loss))
					start := time.Now()
					ctx, cancel := context.WithTimeoutCause(w.ctx, time.Second, test.cause)
					defer cancel()
					if err := server.Shutdown(ctx); err != test.err {
						t.Errorf("Shutdown: %v, want %v", err, test.err)
					}
					if d := time.Since(start); loss == 0 && d != time.Second+rtt+minCloseWait || d > time.Second+2*maxCloseWait {
						t.Errorf("Shutdown took %v", d)
					}
					for _, s := range sessions {
						e := sessionError(t, context.Cause(s.Context()))
						if *e != (SessionError{Code: test.code, Reason: test.reason, Remote: true, Clean: true}) {
							t.Errorf("with one datagram of %d lost a session ended with %+v", loss, e)
						}
					}
					w.clientNet.setDrop(nil)
					w.serverNet.setDrop(nil)
					c.Conn().CloseWithError(h3NoError, "")
					c.Close()
				})
			})
		}
	}
}

// Neither a client that is not there any more nor one that withholds the
// credit for the capsules holds Shutdown up.
func TestShutdownDoesNotWaitForClientsThatDoNotAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		configure func(*world)
		silence   func(*world)
		after     time.Duration
	}{
		"silent": {
			nil, func(w *world) { w.clientNet.setDrop(func() bool { return true }) }, time.Second + 2*minCloseWait,
		},
		"without credit": {
			func(w *world) {
				w.clientQUIC.InitialStreamReceiveWindow, w.clientQUIC.MaxStreamReceiveWindow = 256, 256
			}, func(*world) {}, time.Second + maxCloseWait + minCloseWait,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, echoServer(), test.configure, func(w *world) {
				c := w.dialRaw()
				defer c.close()
				c.connect("/echo")
				w.settle()
				test.silence(w)
				start := time.Now()
				reason := string(bytes.Repeat([]byte("x"), maxReason))
				ctx, cancel := context.WithTimeoutCause(w.ctx, time.Second, &SessionError{Reason: reason})
				defer cancel()
				if err := w.server.Shutdown(ctx); err != context.DeadlineExceeded {
					t.Errorf("Shutdown: %v", err)
				}
				if d := time.Since(start); d != test.after {
					t.Errorf("Shutdown took %v, want %v", d, test.after)
				}
			})
		})
	}
}

// A session of an application that decides on it meanwhile is drained when it is accepted.
func TestShutdownDrainsSessionsThatAreAcceptedLater(t *testing.T) {
	server := &Server{}
	server.Handle("/", Application{
		Connecting: func(*Session) error {
			time.Sleep(time.Second)
			return nil
		},
		Serve: func(s *Session) {
			<-s.Draining()
			s.Close(3, "drained")
		},
	})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		shutdown := make(chan error, 1)
		time.AfterFunc(time.Second/2, func() { shutdown <- server.Shutdown(w.ctx) })
		s := w.open(c, "/")
		<-s.Draining()
		<-s.Context().Done()
		if e := sessionError(t, context.Cause(s.Context())); e.Code != 3 || !e.Clean {
			t.Errorf("the session ended with %v", e)
		}
		if err := <-shutdown; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		c.Close()
	})
}

func TestShutdownDoesNotWaitForApplicationsThatDoNotReturn(t *testing.T) {
	for name, test := range map[string]struct {
		work  func(*Session)
		after time.Duration
		err   error
	}{
		"that return in time": {
			func(s *Session) { s.Close(0, ""); time.Sleep(time.Second) }, time.Second, nil},
		"that go on after their session": {
			func(s *Session) { s.Close(0, ""); time.Sleep(10 * time.Second) }, 2 * time.Second, context.DeadlineExceeded},
		"that hold on to it": {
			func(*Session) { time.Sleep(10 * time.Second) }, 2*time.Second + 2*maxCloseWait, context.DeadlineExceeded},
		"that return when it is closed": {
			func(s *Session) { <-s.Context().Done(); time.Sleep(time.Second) }, 3 * time.Second, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			server := &Server{}
			server.Handle("/", Application{Serve: func(s *Session) {
				<-s.Draining()
				test.work(s)
			}})
			inWorld(t, server, nil, func(w *world) {
				c := w.dial(nil)
				w.open(c, "/")
				w.settle()
				start := time.Now()
				ctx, cancel := context.WithTimeout(w.ctx, 2*time.Second)
				defer cancel()
				if err := server.Shutdown(ctx); err != test.err {
					t.Errorf("Shutdown: %v, want %v", err, test.err)
				}
				if d := time.Since(start); d != test.after {
					t.Errorf("Shutdown took %v, want %v", d, test.after)
				}
				c.Close()
			})
		})
	}
}

func TestShutdownLeavesTheListenerToItsOwner(t *testing.T) {
	testCert()
	synctest.Test(t, func(t *testing.T) {
		clientNet, serverNet := newPipe(oneWay)
		dialer, listener := &quic.Transport{Conn: clientNet}, &quic.Transport{Conn: serverNet}
		ln, err := listener.Listen(serverTLS(), QUICConfig(nil))
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error)
		for range 2 { // a server, and the one that replaces it
			server := echoServer()
			go func() { served <- server.Serve(ln) }()
			qc, err := dialer.Dial(t.Context(), serverNet.addr, clientTLS(), QUICConfig(nil))
			if err != nil {
				t.Fatal(err)
			}
			c := NewClientConn(qc, nil)
			if _, _, err := c.OpenSession(t.Context(), "https://server/echo", nil); err != nil {
				t.Fatal(err)
			}
			c.Close()
			server.Shutdown(t.Context())
			if err := <-served; err != ErrServerClosed {
				t.Errorf("Serve: %v, want ErrServerClosed", err)
			}
		}
		ln.Close()
		dialer.Close()
		listener.Close()
		clientNet.Close()
		serverNet.Close()
	})
}

func TestClientShutdownWaitsForItsSessions(t *testing.T) {
	server := &Server{}
	server.Handle("/drains", Application{Serve: func(s *Session) {
		<-s.Draining()
		time.Sleep(time.Second)
		s.Close(7, "")
	}})
	server.Handle("/stays", Application{Serve: func(s *Session) { <-s.Context().Done() }})
	inWorld(t, server, nil, func(w *world) {
		for _, test := range []struct {
			path   string
			code   uint32
			remote bool
			after  time.Duration
			err    error
		}{
			{"/drains", 7, true, oneWay + time.Second + oneWay, nil},
			{"/stays", 9, false, 5*time.Second + rtt, context.Canceled},
		} {
			c := w.dial(nil)
			s := w.open(c, test.path)
			ctx, cancel := context.WithCancelCause(w.ctx)
			stop := time.AfterFunc(5*time.Second, func() { cancel(&SessionError{Code: 9}) })
			time.AfterFunc(time.Millisecond, func() {
				if _, _, err := c.OpenSession(w.ctx, "https://server/stays", nil); !errors.Is(err, net.ErrClosed) {
					t.Errorf("another session: %v", err)
				}
			})
			start := time.Now()
			if err := c.Shutdown(ctx); err != test.err {
				t.Errorf("Shutdown: %v, want %v", err, test.err)
			}
			if d := time.Since(start); d != test.after {
				t.Errorf("%s: Shutdown took %v, want %v", test.path, d, test.after)
			}
			if e := sessionError(t, context.Cause(s.Context())); e.Code != test.code || e.Remote != test.remote || !e.Clean {
				t.Errorf("%s: the session ended with %+v", test.path, e)
			}
			stop.Stop()
			cancel(nil)
		}
	})
}

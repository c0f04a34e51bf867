package wt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"pgregory.net/rapid"
)

func TestServerRefusesSessionsBeyondItsLimit(t *testing.T) {
	for _, test := range []struct {
		name   string
		client ClientConfig
		second error // of the second session that the client opens, nil: status 429
		code   quic.StreamErrorCode
	}{
		{"with flow control", ClientConfig{MaxSessions: 2}, nil, 0},
		{"without", ClientConfig{MaxSessions: 2, FlowControl: FlowControl{Disabled: true}}, ErrTooManySessions, h3RequestRejected},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := func() *Server {
				s := echoServer()
				s.MaxSessions = 1
				return s
			}
			inWorld(t, server(), nil, func(w *world) {
				c := w.dial(&test.client)
				s := w.open(c, "/echo")
				_, response, err := c.OpenSession(w.ctx, "https://server/echo", nil)
				if test.second != nil {
					if err != test.second {
						t.Errorf("second session: %v, want %v", err, test.second)
					}
				} else if !errors.Is(err, ErrRefused) || response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "1" {
					t.Errorf("second session: %v with response %v, want status 429", err, response)
				}
				s.Close(0, "")
				<-s.Done()
				w.open(c, "/echo")
				c.Close()
			})
			if test.code == 0 {
				return
			}
			inWorld(t, server(), nil, func(w *world) { // a client that asks nevertheless
				c := w.dialRawWith(map[uint64]uint64{settingWebTransport: 1})
				defer c.close()
				c.connect("/echo")
				second := c.begin()
				second.SendRequestHeader(c.request("/echo"))
				_, err := second.ReadResponse()
				if e, ok := errors.AsType[*quic.StreamError](err); !ok || e.ErrorCode != test.code {
					t.Errorf("second session: %v, want a reset with %#x", err, test.code)
				}
			})
		})
	}
}

func TestSessionsAskedForTooFastAreRefused(t *testing.T) {
	server := echoServer()
	server.SessionRate = 4
	inWorld(t, server, nil, func(w *world) {
		c := w.dialRaw()
		defer c.close()
		ask := func(want int) {
			t.Helper()
			r := c.request("/echo")
			str := c.begin()
			str.SendRequestHeader(r)
			response, err := str.ReadResponse()
			if err != nil {
				t.Fatal(err)
			}
			str.Close()
			retry := response.Header.Get("Retry-After")
			if response.StatusCode != want || (retry == "1") != (want == http.StatusTooManyRequests) {
				t.Errorf("status %d with Retry-After %q, want status %d", response.StatusCode, retry, want)
			}
		}
		start := time.Now()
		for range 4 {
			ask(http.StatusOK)
		}
		ask(http.StatusTooManyRequests)
		time.Sleep(time.Until(start.Add(time.Second + 250*time.Millisecond)))
		for range 4 {
			ask(http.StatusOK)
		}
		ask(http.StatusTooManyRequests)
	})
}

func TestARateAllowsItsNumberInEveryPeriod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 50).Draw(t, "number")
		gaps := rapid.SliceOfN(rapid.IntRange(0, 100), 1, 300).Draw(t, "milliseconds between attempts")
		r := rate{number: n, period: time.Second}
		now := time.Unix(0, 0)
		var allowed []time.Time
		for _, gap := range gaps {
			now = now.Add(time.Duration(gap) * time.Millisecond)
			if r.take(now) == 0 {
				allowed = append(allowed, now)
			}
		}
		if len(allowed) < min(n, len(gaps)) {
			t.Errorf("%d of %d attempts were allowed", len(allowed), len(gaps))
		}
		for i, first := range allowed {
			within := 0
			for _, at := range allowed[i:] {
				if at.Sub(first) < time.Second {
					within++
				}
			}
			if within > 2*n {
				t.Errorf("%d in the second from %v: more than its number at once, and as many earned", within, first)
			}
		}
	})
}

func TestAdmitDecidesBeforeTheApplication(t *testing.T) {
	server := &Server{}
	server.Admit = func(r *http.Request) error {
		switch r.URL.Query().Get("refuse") {
		case "busy":
			return &RefusedError{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"30"}}}
		case "error":
			return errors.New("database is down")
		}
		return nil
	}
	server.Handle("/", Application{
		Connecting: func(s *Session) error {
			if s.Request().URL.RawQuery != "" {
				t.Errorf("%s reached the application", s.Request().URL)
			}
			return nil
		},
		Serve: func(s *Session) { <-s.Context().Done() },
	})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		_, _, err := c.OpenSession(w.ctx, "https://server/?refuse=busy", nil)
		if e, ok := errors.AsType[*RefusedError](err); !ok || e.Status != 503 || e.Header.Get("Retry-After") != "30" {
			t.Errorf("error %v, want status 503 and its header", err)
		}
		_, _, err = c.OpenSession(w.ctx, "https://server/?refuse=error", nil)
		if e, ok := errors.AsType[*RefusedError](err); !ok || e.Status != 500 {
			t.Errorf("error %v, want status 500", err)
		}
		w.open(c, "/")
		c.Close()
	})
}

func TestPeersThatOffendTooOftenLoseTheirConnection(t *testing.T) {
	const budget = 20
	for name, test := range map[string]struct {
		limits  Limits
		offend  func(*rawClient)
		offence string
	}{
		"early streams": {Limits{EarlyStreams: 1}, func(c *rawClient) {
			for range budget + 2 {
				c.sendUniStream(400, "")
			}
		}, tooEarly},
		"early datagrams": {Limits{EarlyDatagrams: 1}, func(c *rawClient) {
			for range budget + 2 {
				c.quic.SendDatagram(varints(100))
			}
		}, tooEarly},
		"early streams that wait too long": {Limits{EarlyTimeout: time.Second}, func(c *rawClient) {
			for range budget + 1 {
				c.sendUniStream(400, "")
			}
		}, tooEarly},
		"refused sessions": {Limits{}, func(c *rawClient) {
			for range budget + 1 {
				if c.quic.Context().Err() == nil {
					str, err := c.h3.OpenRequestStream(c.w.ctx)
					if err == nil && str.SendRequestHeader(c.request("/nowhere")) == nil {
						str.ReadResponse()
						str.Close()
					}
				}
			}
		}, "refused requests"},
		"malformed requests": {Limits{}, func(c *rawClient) {
			for range budget + 1 {
				str, err := c.quic.OpenStream()
				if err == nil {
					str.Write(headers(":method", "CONNECT", ":protocol", protocolH3))
				}
			}
		}, "malformed requests"},
		"streams without a header": {Limits{HeaderTimeout: time.Second}, func(c *rawClient) {
			for range budget + 1 {
				str, _ := c.quic.OpenUniStream()
				str.Write([]byte{0x40})
			}
		}, "streams without a header"},
		"malformed capsules": {Limits{}, func(c *rawClient) {
			for range budget + 1 {
				str, err := c.h3.OpenRequestStream(c.w.ctx)
				if err == nil && str.SendRequestHeader(c.request("/echo")) == nil {
					str.ReadResponse()
					str.Write(capsule(capsuleClose, "abc"))
					time.Sleep(rtt)
				}
			}
		}, "malformed capsules"},
	} {
		t.Run(name, func(t *testing.T) {
			test.limits.Offences = budget
			hostileWorld(t, test.limits, func(w *world, c *rawClient, _ ends) {
				test.offend(c)
				if code := connCode(t, c.quic); code != h3ExcessiveLoad {
					t.Errorf("connection closed with %#x, want H3_EXCESSIVE_LOAD", code)
				}
				if reason := context.Cause(c.quic.Context()).Error(); !strings.Contains(reason, test.offence) {
					t.Errorf("reason %q does not name %s", reason, test.offence)
				}
			})
		})
	}
}

func TestOffencesWithinTheirLimitAreForgiven(t *testing.T) {
	hostileWorld(t, Limits{HeaderTimeout: time.Second, Offences: 8}, func(w *world, c *rawClient, _ ends) {
		for range 13 { // one in 4 s, where one in 7.5 s is earned back
			str, err := c.quic.OpenUniStream()
			if err != nil {
				t.Fatal(err)
			}
			str.Write([]byte{0x40})
			time.Sleep(4 * time.Second)
		}
		synctest.Wait()
		if err := context.Cause(c.quic.Context()); err != nil {
			t.Errorf("connection closed with %v", err)
		}
	})
}

func TestLargeHeadersAreRefused(t *testing.T) {
	hostileWorld(t, Limits{HeaderBytes: 2000}, func(w *world, c *rawClient, _ ends) {
		r := c.request("/echo")
		for i := range 50 {
			r.Header.Set(fmt.Sprintf("X-%d", i), "0123456789")
		}
		if status := c.send(c.begin(), r); status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("status %d, want 431", status)
		}
	})
	server := &Server{}
	server.Handle("/", Application{
		Connecting: func(*Session) error {
			return &RefusedError{Status: 400, Header: http.Header{"X": {strings.Repeat("x", 3000)}}}
		},
		Serve: echo,
	})
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(&ClientConfig{Limits: Limits{HeaderBytes: 2000}})
		if _, response, err := c.OpenSession(w.ctx, "https://server/", nil); err == nil || response != nil {
			t.Errorf("error %v, response %v", err, response)
		}
		c.Close()
	})
}

func TestClientKeepsToTheNumberOfSessionsOfAnOldServer(t *testing.T) {
	limits := []uint64{settingInitialMaxData, 1000, settingInitialMaxStreams, 10}
	for _, test := range []struct {
		settings []uint64
		sessions int // that the client opens, of at most 4
	}{
		{[]uint64{settingMaxSessions13, 2}, 2},
		{[]uint64{settingMaxSessions13, 1<<62 - 1}, 4},
		{[]uint64{settingMaxSessions07, 3}, 3},
		{[]uint64{settingMaxSessions13, 2, settingWebTransport, 1}, 4},
	} {
		settings := slices.Concat(test.settings, limits)
		againstRawServer(t, settings16(settings...), QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
			for range test.sessions {
				if _, err := c.StartSession(ctx, "https://server/", nil); err != nil {
					t.Errorf("%v: %v", test.settings, err)
				}
			}
			if _, err := c.StartSession(ctx, "https://server/", nil); err != ErrTooManySessions {
				t.Errorf("%v: session %d: %v, want ErrTooManySessions", test.settings, test.sessions+1, err)
			}
		})
	}
}

package wt

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
)

// A peer that gives no credit cannot make calls wait for longer than the
// application allows, nor the end of a session for longer than its bounds.
func TestPeersThatWithholdCreditHoldNothingUp(t *testing.T) {
	withheld := func(connection, stream, streams uint64) func(*world) {
		return func(w *world) {
			q := w.clientQUIC
			q.InitialConnectionReceiveWindow, q.MaxConnectionReceiveWindow = connection, connection
			q.InitialStreamReceiveWindow, q.MaxStreamReceiveWindow = stream, stream
			if streams == 0 {
				q.MaxIncomingStreams = -1
			}
		}
	}
	for name, test := range map[string]struct {
		configure func(*world)
		settings  map[uint64]uint64
		opens     bool // the application can open a stream
	}{
		"of the connection": {withheld(1, 1<<20, 1), nil, true},
		"of streams":        {withheld(1<<20, 1, 1), nil, true},
		"for streams":       {withheld(1<<20, 1<<20, 0), nil, false},
		"of the session": {withheld(1<<20, 1<<20, 1), map[uint64]uint64{
			settingWebTransport: 1, settingInitialMaxStreams: 1,
		}, true},
		"for streams of the session": {withheld(1<<20, 1<<20, 1), map[uint64]uint64{
			settingWebTransport: 1, settingInitialMaxData: 1,
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var done chan time.Duration
			server := &Server{}
			server.Handle("/", Application{Serve: func(s *Session) {
				writes := make(chan error, 1)
				go func() {
					str, err := s.OpenStream(context.Background())
					if (err == nil) != test.opens {
						t.Errorf("OpenStream: %v", err)
					}
					if err == nil {
						_, err = str.Write(make([]byte, 1<<20))
					}
					writes <- err
				}()
				time.Sleep(time.Second)
				start := time.Now()
				s.Close(9, strings.Repeat("x", maxReason))
				if err := <-writes; !errors.Is(err, context.Cause(s.Context())) || time.Since(start) != 0 {
					t.Errorf("the call that waited returned %v after %v", err, time.Since(start))
				}
				<-s.Done()
				done <- time.Since(start)
			}})
			configure := func(w *world) {
				done = make(chan time.Duration, 1)
				test.configure(w)
			}
			inWorld(t, server, configure, func(w *world) {
				settings := test.settings
				if settings == nil {
					settings = map[uint64]uint64{settingWebTransport: 1}
				}
				c := w.dialRawWith(settings)
				defer c.close()
				str := c.begin()
				str.SendRequestHeader(c.request("/"))
				if d := <-done; d > maxCloseWait {
					t.Errorf("the session was gone after %v, want at most %v", d, maxCloseWait)
				}
				w.settle()
				if err := context.Cause(c.quic.Context()); err != nil {
					t.Errorf("connection closed: %v", err)
					return
				}
				checkForgotten(t, w.server.conns[0])
			})
		})
	}
}

func TestRefusalsThatAPeerDoesNotTakeAreGivenUp(t *testing.T) {
	server := &Server{Limits: Limits{HeaderTimeout: time.Second}}
	server.Handle("/", Application{
		Connecting: func(*Session) error {
			return &RefusedError{Status: 400, Header: http.Header{"X": {strings.Repeat("x", 20_000)}}}
		},
		Serve: echo,
	})
	withhold := func(w *world) {
		w.clientQUIC.InitialStreamReceiveWindow, w.clientQUIC.MaxStreamReceiveWindow = 1, 1
	}
	inWorld(t, server, withhold, func(w *world) {
		c := w.dialRaw()
		defer c.close()
		str := c.begin()
		str.SendRequestHeader(c.request("/"))
		time.Sleep(time.Second + rtt)
		synctest.Wait()
		checkForgotten(t, w.server.conns[0])
	})
}

// A client bounds what a server withholds, too.
func TestServersThatWithholdCreditHoldNoClientUp(t *testing.T) {
	for name, change := range map[string]func(*quic.Config){
		"of the connection": func(c *quic.Config) { c.InitialConnectionReceiveWindow, c.MaxConnectionReceiveWindow = 1, 1 },
		"of streams":        func(c *quic.Config) { c.InitialStreamReceiveWindow, c.MaxStreamReceiveWindow = 1, 1 },
		"for streams":       func(c *quic.Config) { c.MaxIncomingStreams = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			config := QUICConfig(nil)
			change(config)
			againstRawServer(t, settings16(settingWebTransport, 1), config, func(ctx context.Context, c *ClientConn, _ *quic.Conn) {
				start := time.Now()
				ctx, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				header := http.Header{"X": {strings.Repeat("x", 20_000)}}
				if _, _, err := c.OpenSession(ctx, "https://server/", &SessionOptions{Header: header}); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("OpenSession: %v, want the deadline", err)
				}
				if d := time.Since(start); d != time.Second {
					t.Errorf("OpenSession took %v", d)
				}
				if err := c.Close(); err != nil || time.Since(start) != time.Second {
					t.Errorf("Close: %v, %v after the call", err, time.Since(start))
				}
				checkForgotten(t, c.conn)
			})
		})
	}
}

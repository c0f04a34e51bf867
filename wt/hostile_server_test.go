package wt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// serverStep is something that a server may do with a request for a session.
type serverStep struct {
	name string
	do   func(connect *quic.Stream)
}

// A client's session is established, fails or ends in bounded time, and leaves
// nothing behind, in whatever order its server answers, closes, and resets it.
func TestASessionOfAClientEndsInWhateverOrderItsServerActs(t *testing.T) {
	steps := []serverStep{
		{"response", func(c *quic.Stream) { c.Write(okResponse) }},
		{"CLOSE_SESSION", func(c *quic.Stream) { c.Write(frame(frameData, appendClose(nil, 7, "seven"))) }},
		{"FIN", func(c *quic.Stream) { c.Close() }},
		{"RESET_STREAM", func(c *quic.Stream) { c.CancelWrite(wireCode(5)) }},
		{"STOP_SENDING", func(c *quic.Stream) { c.CancelRead(wireCode(6)) }},
	}
	var orders [][]serverStep
	var extend func(chosen []serverStep)
	extend = func(chosen []serverStep) {
		if named(chosen, "CLOSE_SESSION") < 0 || named(chosen, "response") >= 0 && named(chosen, "response") < named(chosen, "CLOSE_SESSION") {
			orders = append(orders, slices.Clone(chosen)) // else http3 closes the connection
		}
		for _, s := range steps {
			if named(chosen, s.name) < 0 {
				extend(append(chosen, s))
			}
		}
	}
	extend(nil)
	for _, pause := range []time.Duration{0, rtt} {
		t.Run(fmt.Sprintf("a pause of %v", pause), func(t *testing.T) {
			config := QUICConfig(nil)
			config.MaxIncomingStreams = 1 << 10
			control := settings16(settingWebTransport, 1, settingInitialMaxData, 1<<20, settingInitialMaxUniStreams, 10)
			againstRawServer(t, control, config, func(_ context.Context, c *ClientConn, server *quic.Conn) {
				for _, order := range orders {
					var names []string
					for _, s := range order {
						names = append(names, s.name)
					}
					followSteps(t, strings.Join(names, ", "), c, server, order, pause)
				}
			})
		})
	}
}

// named returns the index of a step, -1 if it is not there.
func named(steps []serverStep, name string) int {
	return slices.IndexFunc(steps, func(s serverStep) bool { return s.name == name })
}

func followSteps(t *testing.T, name string, c *ClientConn, server *quic.Conn, steps []serverStep, pause time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		connect, err := server.AcceptStream(context.Background())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		for _, s := range steps {
			s.do(connect)
			time.Sleep(pause)
		}
		time.Sleep(2 * time.Second)
		connect.CancelRead(0)
		connect.CancelWrite(0)
	}()
	start := time.Now()
	s, err := c.StartSession(ctx, "https://server/", nil)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		<-done
		return
	}
	if str, err := s.OpenUniStream(ctx); err == nil { // ahead of the answer
		str.Write([]byte("x"))
	}
	_, err = s.Ready(ctx)
	established := err == nil
	ends := slices.ContainsFunc(steps, func(s serverStep) bool { return s.name != "response" })
	if established && named(steps, "response") < 0 {
		t.Errorf("%s: established without a response", name)
	}
	if !established || !ends {
		s.Close(0, "")
	}
	select {
	case <-s.Done():
	case <-time.After(4 * time.Second):
		t.Errorf("%s: not gone after %v", name, time.Since(start))
	}
	if e := sessionError(t, context.Cause(s.Context())); established && ends && !e.Remote || (e.Err == nil) != e.Clean && !errors.Is(e, errNotEstablished) {
		t.Errorf("%s: session ended with %+v", name, e)
	}
	checkForgotten(t, c.conn)
	if err := context.Cause(server.Context()); err != nil {
		t.Fatalf("%s: connection closed with %v", name, err)
	}
	<-done
}

package wt

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// trickle writes b to a stream a byte at a time, until the peer wants no more.
func trickle(str *quic.Stream, b []byte, pause time.Duration) {
	for i := range b {
		str.Write(b[i : i+1])
		select {
		case <-time.After(pause):
		case <-str.Context().Done():
			return
		}
	}
}

// The time for a header begins with the stream: bytes that trickle in do not extend it.
func TestHeadersThatTrickleInAreGivenUp(t *testing.T) {
	limits := Limits{HeaderTimeout: 2 * time.Second}
	for name, header := range map[string][]byte{
		"a request":                             connectHeaders(protocolH3, "/echo"),
		"unknown frames ahead of a request":     slices.Repeat(frame(0x21, nil), 100),
		"one unknown frame ahead of a request":  append(varints(0x21, 1<<62-1), make([]byte, 100)...),
		"the length of a request":               {frameHeaders, 0xc0, 0, 0, 0, 0, 0, 0, 0},
		"the header of a stream of a session":   {0x40, 0x41, 0xc0, 0, 0, 0, 0, 0, 0, 0},
		"its type, in the longest form":         {0xc0, 0, 0, 0, 0, 0, 0, 0x41, 0},
		"a request of an impossible large size": append(varints(frameHeaders, 60<<10), make([]byte, 100)...),
	} {
		t.Run(name, func(t *testing.T) {
			underAttack(t, limits, nil, func(w *world, _ *rawClient, _ ends) {
				c := w.dialWire(settings16(settingWebTransport, 1))
				defer c.close()
				time.Sleep(rtt)
				start := time.Now()
				str := c.request()
				go trickle(str, header, 300*time.Millisecond)
				resetCode(t, str)
				if d := time.Since(start); d != limits.HeaderTimeout+rtt {
					t.Errorf("reset after %v, want %v", d, limits.HeaderTimeout+rtt)
				}
				checkForgotten(t, w.server.conns[2])
			})
		})
	}
}

func TestASessionMayHaveAHeaderThatTrickledIn(t *testing.T) {
	limits := Limits{HeaderTimeout: time.Minute}
	underAttack(t, limits, func(w *world) { w.ctx = context.Background() }, func(w *world, _ *rawClient, _ ends) {
		c := w.dialWire(settings16(settingWebTransport, 1))
		defer c.close()
		str := c.request()
		trickle(str, connectHeaders(protocolH3, "/echo"), 100*time.Millisecond)
		c.accepted(str)
		data := c.request()
		trickle(data, append(varints(frameWebTransport, uint64(str.StreamID())), "data"...), 100*time.Millisecond)
		got := make([]byte, 4)
		if _, err := data.Read(got); err != nil || got[0] != 'd' {
			t.Errorf("echoed %q, %v", got, err)
		}
	})
}

func TestMalformedHeadersEndTheirStreamOnly(t *testing.T) {
	for name, request := range map[string][]byte{
		"no QPACK":                           frame(frameHeaders, bytes.Repeat([]byte{0xff}, 20)),
		"an entry of the dynamic table":      frame(frameHeaders, []byte{0x02, 0x00, 0x80}),
		"nothing":                            frame(frameHeaders, nil),
		"no pseudo-header":                   headers("x", "y"),
		"a pseudo-header twice":              connectHeaders(protocolH3, "/echo", ":path", "/end"),
		"a response":                         headers(":status", "200"),
		"an upper-case name":                 connectHeaders(protocolH3, "/echo", "X-Upper", "y"),
		"a name with a line break":           connectHeaders(protocolH3, "/echo", "x\ny", "z"),
		"a value with a line break":          connectHeaders(protocolH3, "/echo", "x", "y\r\nz: 0"),
		"a header of HTTP/1":                 connectHeaders(protocolH3, "/echo", "connection", "close"),
		"a session without a path":           headers(":method", "CONNECT", ":protocol", protocolH3, ":scheme", "https", ":authority", "server"),
		"a session without an authority":     headers(":method", "CONNECT", ":protocol", protocolH3, ":scheme", "https", ":path", "/echo"),
		"a :protocol with another method":    headers(":method", "GET", ":protocol", protocolH3, ":scheme", "https", ":authority", "server", ":path", "/echo"),
		"a field that is too long by itself": varints(frameHeaders, 1<<30),
	} {
		t.Run(name, func(t *testing.T) {
			underAttack(t, Limits{HeaderTimeout: time.Second}, nil, func(w *world, _ *rawClient, _ ends) {
				c := w.dialWire(settings16(settingWebTransport, 1))
				defer c.close()
				time.Sleep(rtt)
				str := c.request(request)
				first := make([]byte, 64)
				n, err := str.Read(first)
				if err == nil && bytes.HasPrefix(first[:n], okResponse) {
					t.Errorf("answered with %x", first[:n])
				}
				time.Sleep(2 * time.Second)
				if err := context.Cause(c.quic.Context()); err != nil {
					t.Errorf("connection closed with %v", err)
				}
				checkForgotten(t, w.server.conns[2])
				good := c.request(connectHeaders(protocolH3, "/echo"))
				c.accepted(good)
				c.echoes(good.StreamID())
			})
		})
	}
}

// againstResponse runs a test of OpenSession against a server that answers as respond does.
func againstResponse(t *testing.T, timeout time.Duration, respond func(*quic.Stream), check func(*ClientConn, error)) {
	t.Helper()
	againstRawServer(t, settings16(settingWebTransport, 1, settingInitialMaxData, 1), QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
		go func() {
			if connect, err := server.AcceptStream(ctx); err == nil {
				respond(connect)
			}
		}()
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		start := time.Now()
		s, _, err := c.OpenSession(limited, "https://server/", nil)
		if err == nil {
			s.Close(0, "")
		}
		if d := time.Since(start); d > timeout {
			t.Errorf("OpenSession took %v, it had %v", d, timeout)
		}
		check(c, err)
		checkForgotten(t, c.conn)
		if err := context.Cause(server.Context()); err != nil {
			t.Errorf("connection closed with %v", err)
		}
	})
}

func TestResponsesThatDoNotComeEndWithTheContext(t *testing.T) {
	for name, response := range map[string][]byte{
		"a response byte by byte":                 append(headers(":status", "200", "x", strings.Repeat("y", 100)), 0),
		"unknown frames ahead of the response":    slices.Repeat(frame(0x21, nil), 100),
		"informational responses ahead of it":     slices.Repeat(headers(":status", "103"), 5),
		"a length of the response and no more":    varints(frameHeaders, 1000),
		"an unknown frame that never ends":        append(varints(0x21, 1<<62-1), make([]byte, 100)...),
		"half of the header of the first frame":   {0x40},
		"an informational response, then nothing": headers(":status", "100"),
	} {
		t.Run(name, func(t *testing.T) {
			againstResponse(t, 2*time.Second, func(str *quic.Stream) {
				trickle(str, response, 100*time.Millisecond)
			}, func(_ *ClientConn, err error) {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v, want the deadline", err)
				}
			})
		})
	}
}

func TestInvalidResponsesFailTheSession(t *testing.T) {
	for name, response := range map[string][]byte{
		"no QPACK":                       frame(frameHeaders, bytes.Repeat([]byte{0xff}, 20)),
		"no status":                      headers("x", "y"),
		"a status of letters":            headers(":status", "abc"),
		"two statuses":                   headers(":status", "200", ":status", "200"),
		"more than the limit of headers": varints(frameHeaders, 1<<40),
		"informational responses only":   slices.Repeat(headers(":status", "103"), max1xx+1),
	} {
		t.Run(name, func(t *testing.T) {
			againstResponse(t, 5*time.Second, func(str *quic.Stream) { str.Write(response) }, func(_ *ClientConn, err error) {
				if err == nil || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v, want that the response is invalid", err)
				}
			})
		})
	}
}

// Frames that are out of place before the response close the connection or reset the request.
func TestFramesAheadOfTheResponseFailTheSession(t *testing.T) {
	for name, b := range map[string][]byte{
		"DATA": frame(frameData, appendClose(nil, 7, "seven")), "SETTINGS": settingsFrame(), "GOAWAY": frame(frameGoAway, varints(0)),
		"PUSH_PROMISE": frame(framePushPromise, varints(0)), "a frame of HTTP/2": frame(0x06, nil),
	} {
		t.Run(name, func(t *testing.T) {
			againstRawServer(t, settings16(settingWebTransport, 1), QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
				go func() {
					if connect, err := server.AcceptStream(ctx); err == nil {
						connect.Write(b)
						connect.Write(okResponse)
					}
				}()
				s, _, err := c.OpenSession(ctx, "https://server/", nil)
				if err == nil && name != "PUSH_PROMISE" { // which http3 skips
					t.Errorf("session %d was established", s.ID())
				}
			})
		})
	}
}

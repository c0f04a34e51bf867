package wt

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// What a server can make a client hold is bounded, too.
func TestFloodsOfAServerFillNoMemory(t *testing.T) {
	payload := strings.Repeat("x", 1<<10)
	type flood func(server *quic.Conn, connect *quic.Stream, g *gauge)
	nothing := func(*quic.Conn, *quic.Stream, *gauge) {}
	frames := func(b []byte) flood {
		return func(_ *quic.Conn, connect *quic.Stream, g *gauge) {
			b := slices.Repeat(b, 500)
			g.each(200, func(int) { connect.Write(b) })
		}
	}
	datagrams := func(session func(connect *quic.Stream) quic.StreamID) flood {
		return func(server *quic.Conn, connect *quic.Stream, g *gauge) {
			b := append(varints(uint64(session(connect)/4)), payload...)
			g.each(10_000, func(int) { server.SendDatagram(b) })
		}
	}
	var goAways []byte
	for i := range uint64(10_000) {
		goAways = append(goAways, frame(frameGoAway, varints(4*(20_000-i)))...)
	}
	for name, test := range map[string]struct {
		control []byte
		flood   flood
		bound   int
	}{
		"streams of what is no session": {nil, func(server *quic.Conn, _ *quic.Stream, g *gauge) {
			g.each(4_000, func(int) {
				if str, err := server.OpenUniStreamSync(context.Background()); err == nil {
					str.Write(append(varints(streamTypeWebTransport, 400), payload...))
					str.Close()
				}
			})
		}, connectionStreams * 2 << 10}, // both ends are here
		"datagrams of what is no session": {nil, datagrams(func(*quic.Stream) quic.StreamID { return 400 }), 0},
		"datagrams of a session":          {nil, datagrams((*quic.Stream).StreamID), Limits{}.withDefaults().DatagramQueue * 2 << 10},
		"capsules": {nil, frames(frame(frameData, slices.Concat(
			capsule(capsuleDrain, ""), capsule(0x17, "grease"), capsule(capsuleDataBlocked, "\x00"),
		))), 0},
		"frames on the CONNECT stream": {nil, frames(append(frame(0x21, []byte("grease")), frame(frameData, nil)...)), 0},
		"GOAWAY":                       {goAways, nothing, 0},
		"frames on the control stream": {slices.Repeat(frame(0x21, []byte(payload)), 4_000), nothing, 0},
	} {
		t.Run(name, func(t *testing.T) {
			control := append(settings16(settingWebTransport, 1, settingInitialMaxData, 1), test.control...)
			config := QUICConfig(nil)
			config.InitialStreamReceiveWindow = 1 << 20
			againstRawServer(t, control, config, func(ctx context.Context, c *ClientConn, server *quic.Conn) {
				g := newGauge()
				time.Sleep(10 * rtt)
				if test.control != nil {
					g.sample()
					g.check(t, test.bound)
					return
				}
				s, connect := openRaw(t, ctx, c, server)
				test.flood(server, connect, g)
				g.sample()
				g.check(t, test.bound)
				if s.Context().Err() != nil {
					t.Errorf("the session ended with %v", context.Cause(s.Context()))
				}
			})
		})
	}
}

// openRaw opens a session with a raw server, and returns its ends.
func openRaw(t *testing.T, ctx context.Context, c *ClientConn, server *quic.Conn) (*Session, *quic.Stream) {
	t.Helper()
	accepted := make(chan *quic.Stream, 1)
	go func() {
		connect, err := server.AcceptStream(ctx)
		if err == nil {
			connect.Write(okResponse)
		}
		accepted <- connect
	}()
	s, _, err := c.OpenSession(ctx, "https://server/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, <-accepted
}

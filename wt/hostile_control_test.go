package wt

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// hugeSettings is a SETTINGS frame with a payload of n bytes, n being even.
func hugeSettings(n int) []byte {
	var b []byte
	for id := uint64(0x100); len(b)+4 <= n; id++ {
		b = append(b, varints(id, 0x40)...)
	}
	if len(b) < n {
		b = append(b, varints(0x21, 0)...)
	}
	return frame(frameSettings, b)
}

func TestWhatClosesTheConnectionOfAClientEndsItsSessions(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(*wireClient, *quic.SendStream)
		code uint64
	}{
		"FIN of the control stream":     {func(_ *wireClient, control *quic.SendStream) { control.Close() }, h3ClosedCriticalStream},
		"a reset of the control stream": {func(_ *wireClient, control *quic.SendStream) { control.CancelWrite(0) }, h3ClosedCriticalStream},
		"a second control stream":       {func(c *wireClient, _ *quic.SendStream) { c.uni(varints(streamTypeControl)) }, h3StreamCreationError},
		"another first control stream":  {func(c *wireClient, _ *quic.SendStream) { c.uni([]byte{0xc0, 0, 0, 0, 0, 0, 0, 0}) }, h3StreamCreationError},
		"SETTINGS again":                {func(_ *wireClient, control *quic.SendStream) { control.Write(settings16()) }, h3FrameUnexpected},
		"a header of SETTINGS again":    {func(_ *wireClient, control *quic.SendStream) { control.Write(varints(frameSettings, 1<<62-1)) }, h3FrameUnexpected},
		"a GOAWAY that is too long":     {func(_ *wireClient, control *quic.SendStream) { control.Write(varints(frameGoAway, 9)) }, h3FrameError},
		"a PRIORITY_UPDATE beyond limit": {func(_ *wireClient, control *quic.SendStream) {
			control.Write(varints(framePriorityUpdate, maxPriorityUpdateLength+1))
		}, h3FrameError},
		"two encoder streams": {func(c *wireClient, _ *quic.SendStream) {
			c.uni(varints(2))
			c.uni(varints(2))
		}, h3StreamCreationError},
	} {
		t.Run(name, func(t *testing.T) {
			underAttack(t, Limits{}, nil, func(w *world, _ *rawClient, end ends) {
				c := &wireClient{w: w, quic: w.dialQUIC()}
				control := c.uni(append(varints(streamTypeControl), settings16(settingWebTransport, 1)...))
				c.accepted(c.request(connectHeaders(protocolH3, "/end")))
				test.do(c, control)
				if e := <-end; e.Clean || e.Err == nil {
					t.Errorf("session ended with %+v", e)
				}
				if code := connCode(t, c.quic); code != test.code {
					t.Errorf("connection closed with %#x, want %#x", code, test.code)
				}
			})
		})
	}
}

// uni opens a unidirectional stream and writes to it.
func (c *wireClient) uni(b []byte) *quic.SendStream {
	c.w.t.Helper()
	str, err := c.quic.OpenUniStream()
	if err != nil {
		c.w.t.Fatal(err)
	}
	str.Write(b)
	return str
}

func TestSettingsThatAreNotAccepted(t *testing.T) {
	for name, test := range map[string]struct {
		frame []byte
		code  uint64
	}{
		"one byte more than the limit": {hugeSettings(maxSettingsFrame + 2), h3FrameError},
		"a size of 2^62 - 1":           {varints(frameSettings, 1<<62-1), h3FrameError},
		"a setting twice":              {settingsFrame(settingInitialMaxData, 1, settingInitialMaxData, 1), h3SettingsError},
		"a setting twice, otherwise encoded": {frame(frameSettings, slices.Concat(
			varints(settingH3Datagram, 1), []byte{0x40, settingH3Datagram, 1},
		)), h3SettingsError},
		"H3_DATAGRAM = 2^62 - 1": {settingsFrame(settingH3Datagram, 1<<62-1), h3SettingsError},
	} {
		t.Run(name, func(t *testing.T) {
			underAttack(t, Limits{}, nil, func(w *world, _ *rawClient, _ ends) {
				c := w.dialWire(test.frame)
				c.request(connectHeaders(protocolH3, "/echo"))
				if code := connCode(t, c.quic); code != test.code {
					t.Errorf("connection closed with %#x, want %#x", code, test.code)
				}
			})
			againstRawServer(t, test.frame, QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
				if _, _, err := c.OpenSession(ctx, "https://server/", nil); err == nil {
					t.Error("a session was established")
				}
				if code := connCode(t, server); code != test.code {
					t.Errorf("client closed the connection with %#x, want %#x", code, test.code)
				}
			})
		})
	}
}

// Limits of sessions up to the largest integer are taken for what they are.
func TestSettingsAtTheirLimitsAreAccepted(t *testing.T) {
	const most = 1<<62 - 1
	underAttack(t, Limits{}, nil, func(w *world, _ *rawClient, _ ends) {
		for name, f := range map[string][]byte{
			"as large as can be": hugeSettings(maxSettingsFrame),
			"the largest values": settings16(settingWebTransport, most, settingMaxSessions13, most, settingMaxSessions07, most,
				settingInitialMaxData, most, settingInitialMaxStreams, most, settingInitialMaxUniStreams, most),
		} {
			c := w.dialWire(f)
			time.Sleep(rtt)
			if err := context.Cause(c.quic.Context()); err != nil {
				t.Errorf("%s: connection closed with %v", name, err)
				continue
			}
			if bytes.Contains(f, varints(settingWebTransport)) {
				connect := c.request(connectHeaders(protocolH3, "/echo"))
				c.accepted(connect)
				c.echoes(connect.StreamID())
			}
			c.close()
		}
	})
}

func TestSettingsThatTrickleInAreAwaitedForTheirTime(t *testing.T) {
	for pause, accepted := range map[time.Duration]bool{100 * time.Millisecond: true, time.Second: false} {
		underAttack(t, Limits{}, func(w *world) { w.ctx = context.Background() }, func(w *world, _ *rawClient, _ ends) {
			c := &wireClient{w: w, quic: w.dialQUIC()}
			defer c.close()
			connect := c.request(connectHeaders(protocolH3, "/echo"))
			control := c.uni(varints(streamTypeControl))
			b := settings16(settingWebTransport, 1)
			for i := range b {
				control.Write(b[i : i+1])
				time.Sleep(pause)
			}
			if accepted {
				c.accepted(connect)
				c.echoes(connect.StreamID())
			} else if code := resetCode(t, connect); code != h3MessageError {
				t.Errorf("request reset with %#x, want H3_MESSAGE_ERROR", code)
			}
		})
	}
}

func TestAServerWithoutSettingsIsGivenUp(t *testing.T) {
	for name, control := range map[string][]byte{
		"nothing":                       nil,
		"half a frame header":           {frameSettings},
		"a frame that does not come":    {frameSettings, 10, 1},
		"SETTINGS without WebTransport": settingsFrame(0x21, 1),
	} {
		t.Run(name, func(t *testing.T) {
			againstRawServer(t, control, QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
				start := time.Now()
				_, _, err := c.OpenSession(ctx, "https://server/", nil)
				if !errors.Is(err, ErrRequirements) || !errors.Is(err, ErrRefused) {
					t.Errorf("error %v, want ErrRequirements", err)
				}
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("given up after %v", d)
				}
				checkForgotten(t, c.conn)
			})
		})
	}
}

func TestTheEndOfAServersControlStreamEndsTheSessions(t *testing.T) {
	againstRawServer(t, nil, QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
		control, err := server.OpenUniStream()
		if err != nil {
			t.Fatal(err)
		}
		control.Write(append(varints(streamTypeControl), settings16(settingWebTransport, 1)...))
		s, _ := openRaw(t, ctx, c, server)
		control.Close()
		if code := connCode(t, server); code != h3ClosedCriticalStream {
			t.Errorf("connection closed with %#x, want H3_CLOSED_CRITICAL_STREAM", code)
		}
		<-s.Done()
		if e := sessionError(t, context.Cause(s.Context())); e.Clean || e.Remote || e.Err == nil {
			t.Errorf("session ended with %+v", e)
		}
		checkForgotten(t, c.conn)
	})
}

package wt

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
)

// okBlock begins with ":status: 200", which is field 25 of QPACK's static table, and
// okResponse is a HEADERS frame with it.
var (
	okBlock    = []byte{0, 0, 0xd9}
	okResponse = frame(frameHeaders, okBlock)
)

// withRawServer runs a test with a transport that reaches a server, which sends the
// given frames on the control stream of each connection, which it does not open if
// they are nil, and does otherwise as the test says.
func withRawServer(t *testing.T, control []byte, config *quic.Config, test func(context.Context, *quic.Transport, net.Addr, <-chan *quic.Conn)) {
	t.Helper()
	testCert()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		clientNet, serverNet := newPipe(oneWay)
		dialer, listener := &quic.Transport{Conn: clientNet}, &quic.Transport{Conn: serverNet}
		ln, err := listener.Listen(serverTLS(), config)
		if err != nil {
			t.Fatal(err)
		}
		accepted := make(chan *quic.Conn, 1)
		go func() {
			for {
				server, err := ln.Accept(ctx)
				if err != nil {
					return
				}
				if control != nil {
					str, err := server.OpenUniStream()
					if err != nil {
						t.Error(err)
						return
					}
					str.Write(append(varints(streamTypeControl), control...))
				}
				accepted <- server
			}
		}()
		test(ctx, dialer, serverNet.addr, accepted)
		ln.Close()
		dialer.Close()
		listener.Close()
		clientNet.Close()
		serverNet.Close()
	})
}

// againstRawServer is withRawServer with one connection.
func againstRawServer(t *testing.T, control []byte, config *quic.Config, test func(context.Context, *ClientConn, *quic.Conn)) {
	t.Helper()
	withRawServer(t, control, config, func(ctx context.Context, transport *quic.Transport, addr net.Addr, accepted <-chan *quic.Conn) {
		qc, err := transport.Dial(ctx, addr, clientTLS(), QUICConfig(nil))
		if err != nil {
			t.Fatal(err)
		}
		c := NewClientConn(qc, &ClientConfig{MaxSessions: 4})
		test(ctx, c, <-accepted)
		qc.CloseWithError(h3NoError, "")
		c.Close()
	})
}

func settings16(pairs ...uint64) []byte {
	return settingsFrame(slices.Concat([]uint64{settingEnableConnect, 1, settingH3Datagram, 1}, pairs)...)
}

func TestClientClosesTheConnectionOnInvalidInput(t *testing.T) {
	for name, test := range map[string]struct {
		control []byte
		do      func(*quic.Conn)
		code    uint64
	}{
		"WT_ENABLED = 2":                {settings16(settingWebTransport, 2), func(*quic.Conn) {}, h3SettingsError},
		"a GOAWAY for a server's":       {append(settings16(), frame(frameGoAway, varints(1))...), func(*quic.Conn) {}, h3IDError},
		"a GOAWAY that takes more back": {slices.Concat(settings16(), frame(frameGoAway, varints(4)), frame(frameGoAway, varints(8))), func(*quic.Conn) {}, h3IDError},
		"a stream of session 3": {settings16(), func(qc *quic.Conn) {
			str, _ := qc.OpenStream()
			str.Write(varints(frameWebTransport, 3))
		}, h3IDError},
		"a request of the server": {settings16(), func(qc *quic.Conn) {
			str, _ := qc.OpenStream()
			str.Write(varints(frameHeaders, 0))
		}, h3StreamCreationError},
	} {
		t.Run(name, func(t *testing.T) {
			againstRawServer(t, test.control, QUICConfig(nil), func(_ context.Context, _ *ClientConn, server *quic.Conn) {
				test.do(server)
				if code := connCode(t, server); code != test.code {
					t.Errorf("connection closed with %#x, want %#x", code, test.code)
				}
			})
		})
	}
}

func TestClientOpensNoSessionAfterGoAway(t *testing.T) {
	control := append(settings16(settingWebTransport, 1), frame(frameGoAway, varints(0))...)
	againstRawServer(t, control, QUICConfig(nil), func(ctx context.Context, c *ClientConn, _ *quic.Conn) {
		time.Sleep(rtt)
		if _, _, err := c.OpenSession(ctx, "https://server/", nil); err != ErrGoAway {
			t.Errorf("error %v, want ErrGoAway", err)
		}
	})
}

func TestStreamsOfTheServerAheadOfItsResponseArrive(t *testing.T) {
	const streams = 90
	againstRawServer(t, settings16(settingWebTransport, 1), QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
		go func() {
			connect, _ := server.AcceptStream(ctx)
			for range streams {
				str, _ := server.OpenUniStream()
				str.Write(append(varints(streamTypeWebTransport, uint64(connect.StreamID())), "early"...))
				str.Close()
			}
			server.SendDatagram(append(varints(uint64(connect.StreamID())/4), "early"...))
			time.Sleep(time.Second)
			connect.Write(okResponse)
		}()
		s, _, err := c.OpenSession(ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for range streams {
			str, err := s.AcceptUniStream(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(str); err != nil || string(got) != "early" {
				t.Fatalf("read %q, %v", got, err)
			}
		}
		if got, err := s.ReceiveDatagram(ctx); err != nil || string(got) != "early" {
			t.Errorf("received %q, %v", got, err)
		}
	})
}

// The close code must be the first that the peer sees of the end: neither
// STOP_SENDING nor a reset may come with it.
func TestCloseTravelsAlone(t *testing.T) {
	againstRawServer(t, settings16(settingWebTransport, 1), QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
		requests := make(chan *quic.Stream, 1)
		go func() {
			connect, _ := server.AcceptStream(ctx)
			connect.Write(okResponse)
			requests <- connect
		}()
		s, _, err := c.OpenSession(ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		connect := <-requests
		data, _ := s.OpenStream(ctx)
		data.Write([]byte("x"))
		peer, err := server.AcceptStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s.Close(42, "bye")
		got, err := io.ReadAll(connect)
		if want := appendClose(nil, 42, "bye"); err != nil || !bytes.HasSuffix(got, frame(frameData, want)) {
			t.Errorf("CONNECT stream ends with %x, %v, want a DATA frame of %x and FIN", got, err, want)
		}
		if d := time.Since(start); d != oneWay {
			t.Errorf("CLOSE_SESSION arrived after %v, want %v", d, oneWay)
		}
		if code := resetCode(t, peer); code != codeSessionGone {
			t.Errorf("data stream reset with %#x", code)
		}
		if d := time.Since(start); d != minResetDelay+oneWay {
			t.Errorf("data stream reset after %v, want %v", d, minResetDelay+oneWay)
		}
		if code := stopCode(t, connect.Context()); code != codeSessionGone {
			t.Errorf("CONNECT stream stopped with %#x", code)
		}
		if d := time.Since(start); d != minCloseWait+oneWay {
			t.Errorf("CONNECT stream stopped after %v, want %v", d, minCloseWait+oneWay)
		}
	})
}

func TestCloseGivesUpWhenCreditIsWithheld(t *testing.T) {
	config := QUICConfig(nil)
	config.InitialStreamReceiveWindow, config.MaxStreamReceiveWindow = 512, 512
	againstRawServer(t, settings16(settingWebTransport, 1), config, func(ctx context.Context, c *ClientConn, server *quic.Conn) {
		stopped := make(chan *quic.Stream, 1)
		go func() {
			connect, _ := server.AcceptStream(ctx)
			connect.Write(okResponse)
			stopped <- connect
		}()
		s, _, err := c.OpenSession(ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s.Close(1, string(make([]byte, maxReason)))
		if d := time.Since(start); d != 0 {
			t.Errorf("Close took %v", d)
		}
		<-s.Done()
		if d := time.Since(start); d != maxCloseWait {
			t.Errorf("session was gone after %v, want %v", d, maxCloseWait)
		}
		if code := resetCode(t, <-stopped); code != codeSessionGone {
			t.Errorf("CONNECT stream reset with %#x", code)
		}
	})
}

package wt

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

func isDraining(s *Session) bool {
	select {
	case <-s.Draining():
		return true
	default:
		return false
	}
}

func TestDrainReachesThePeerAndTheSessionStaysUsable(t *testing.T) {
	var sessions chan *Session
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) {
		sessions <- s
		echo(s)
	}})
	inWorld(t, server, nil, func(w *world) {
		for _, fromServer := range []bool{false, true} {
			sessions = make(chan *Session, 1)
			c := w.dial(nil)
			s := w.open(c, "/")
			from, to := s, <-sessions
			if fromServer {
				from, to = to, from
			}
			w.settle()
			if isDraining(from) || isDraining(to) {
				t.Error("a session is draining from the start")
			}
			start := time.Now()
			from.Drain()
			if !isDraining(from) {
				t.Error("who drains a session is not told so")
			}
			<-to.Draining()
			if d := time.Since(start); d != oneWay {
				t.Errorf("DRAIN_SESSION arrived after %v, want %v", d, oneWay)
			}
			str, err := s.OpenStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(str, "still there")
			str.Close()
			if got, err := io.ReadAll(str); err != nil || string(got) != "still there" {
				t.Errorf("echo of a draining session: %q, %v", got, err)
			}
			c.Close()
			from.Drain() // of a session that has ended
		}
	})
}

func TestDrainIsSentOnce(t *testing.T) {
	againstRawServer(t, settings16(settingWebTransport, 1), QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
		accepted := make(chan *quic.Stream, 1)
		go func() {
			connect, _ := server.AcceptStream(ctx)
			connect.Write(okResponse)
			accepted <- connect
		}()
		s, _, err := c.OpenSession(ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			s.Drain()
			time.Sleep(rtt)
		}
		s.Close(0, "")
		got, err := io.ReadAll(<-accepted)
		want := append(frame(frameData, []byte{0x80, 0, 0x78, 0xae, 0}), frame(frameData, appendClose(nil, 0, ""))...)
		if err != nil || !bytes.HasSuffix(got, want) || bytes.Count(got, want[:7]) != 1 {
			t.Errorf("CONNECT stream carried %x, %v, want it to end with %x", got, err, want)
		}
	})
}

func TestDrainIsRepeatedWhenItIsLost(t *testing.T) {
	var sessions chan *Session
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) {
		sessions <- s
		<-s.Context().Done()
	}})
	inWorld(t, server, nil, func(w *world) {
		sessions = make(chan *Session, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		peer := <-sessions
		w.settle()
		w.clientNet.setDrop(func() bool { return true })
		s.Drain()
		time.Sleep(oneWay)
		w.clientNet.setDrop(losing(30, 7))
		<-peer.Draining()
		if err := peer.Context().Err(); err != nil {
			t.Errorf("the session ended: %v", context.Cause(peer.Context()))
		}
		w.clientNet.setDrop(nil)
		c.Close()
	})
}

func TestDrainOfASessionThatIsNotEstablishedIsSentAfterTheResponse(t *testing.T) {
	var sessions chan *Session
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) {
		sessions <- s
		<-s.Context().Done()
	}})
	inWorld(t, server, nil, func(w *world) {
		sessions = make(chan *Session, 1)
		c := w.dial(nil)
		s, err := c.StartSession(w.ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s.Drain()
		<-(<-sessions).Draining()
		if d := time.Since(start); d != rtt+oneWay {
			t.Errorf("DRAIN_SESSION arrived after %v, want %v", d, rtt+oneWay)
		}
		c.Close()
	})
}

// The server is http3's own, which sends GOAWAY when it is shut down.
func TestGoAwayDrainsTheSessionsOfAClient(t *testing.T) {
	testCert()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		clientNet, serverNet := newPipe(oneWay)
		dialer, listener := &quic.Transport{Conn: clientNet}, &quic.Transport{Conn: serverNet}
		ln, err := listener.Listen(serverTLS(), QUICConfig(nil))
		if err != nil {
			t.Fatal(err)
		}
		h3 := &http3.Server{
			EnableDatagrams: true, AdditionalSettings: map[uint64]uint64{settingWebTransport: 1},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusOK)
				stream, _ := w.(http3.HTTPStreamer).HTTPStream()
				io.Copy(io.Discard, stream)
				stream.Close()
			}),
		}
		go func() {
			if qc, err := ln.Accept(ctx); err == nil {
				h3.ServeQUICConn(qc)
			}
		}()
		qc, err := dialer.Dial(ctx, serverNet.addr, clientTLS(), QUICConfig(nil))
		if err != nil {
			t.Fatal(err)
		}
		c := NewClientConn(qc, nil)
		s, _, err := c.OpenSession(ctx, "https://server/", nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		shutdown := make(chan error, 1)
		go func() { shutdown <- h3.Shutdown(ctx) }()
		<-s.Draining()
		if d := time.Since(start); d != oneWay {
			t.Errorf("GOAWAY was noticed after %v, want %v", d, oneWay)
		}
		if err := s.Context().Err(); err != nil {
			t.Errorf("the session ended with GOAWAY: %v", context.Cause(s.Context()))
		}
		if _, _, err := c.OpenSession(ctx, "https://server/", nil); err != ErrGoAway {
			t.Errorf("opening another session: %v, want ErrGoAway", err)
		}
		c.Close()
		<-shutdown
		ln.Close()
		dialer.Close()
		listener.Close()
		clientNet.Close()
		serverNet.Close()
	})
}

package wt

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

// streamPair returns both ends of a stream of a session whose server
// streamServer hands the streams of its sessions over.
func streamServer(streams *chan *Stream) *Server {
	server := &Server{}
	server.Handle("/", Application{Serve: func(s *Session) {
		for {
			str, err := s.AcceptStream(context.Background())
			if err != nil {
				return
			}
			*streams <- str
		}
	}})
	return server
}

func TestStreamCodesArriveInBothDirections(t *testing.T) {
	var streams chan *Stream
	inWorld(t, streamServer(&streams), nil, func(w *world) {
		streams = make(chan *Stream, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		for _, code := range []uint32{0, 29, 30, 0xffffffff} {
			str, err := s.OpenStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			str.CancelWrite(code) // before anything was written
			peer := <-streams
			_, err = peer.Read(make([]byte, 1))
			if e, ok := errors.AsType[*StreamError](err); !ok || e.Code != code || !e.HasCode || !e.Remote || e.StreamID != str.StreamID() {
				t.Errorf("reset with %d is read as %v", code, err)
			}
			if _, err = str.Write([]byte("x")); !isLocal(err, code) {
				t.Errorf("writing after the reset: %v", err)
			}
			str.CancelRead(code)
			if _, err = str.Read(make([]byte, 1)); !isLocal(err, code) {
				t.Errorf("reading after CancelRead: %v", err)
			}
			for err == nil || isLocal(err, code) {
				_, err = peer.Write(make([]byte, 1000))
			}
			if e, ok := errors.AsType[*StreamError](err); !ok || e.Code != code || !e.HasCode || !e.Remote {
				t.Errorf("stop with %d is written as %v", code, err)
			}
		}
		if n := openStreams(s); n != 0 {
			t.Errorf("%d streams left in the session", n)
		}
		c.Close()
	})
}

func isLocal(err error, code uint32) bool {
	e, ok := errors.AsType[*StreamError](err)
	return ok && !e.Remote && e.HasCode && e.Code == code
}

func TestStreamWithoutDataReachesThePeer(t *testing.T) {
	var streams chan *Stream
	inWorld(t, streamServer(&streams), nil, func(w *world) {
		streams = make(chan *Stream, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		str, err := s.OpenStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		go func() { io.WriteString(<-streams, "hello") }()
		b := make([]byte, 5)
		if _, err := io.ReadFull(str, b); err != nil || string(b) != "hello" {
			t.Errorf("read %q, %v", b, err)
		}
		str.SetValue(5)
		if str.Value() != 5 || str.SendStream.Value() != 5 || str.ReceiveStream.Value() != 5 {
			t.Error("the directions of a stream differ in its value")
		}
		c.Close()
	})
}

func TestDeadlinesInterruptStreams(t *testing.T) {
	var streams chan *Stream
	inWorld(t, streamServer(&streams), nil, func(w *world) {
		streams = make(chan *Stream, 1)
		c := w.dial(nil)
		str, err := w.open(c, "/").OpenStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		str.SetDeadline(time.Now().Add(time.Second))
		start := time.Now()
		if _, err := str.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read: %v", err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("Read returned after %v, want 1s", d)
		}
		if _, err := str.Write(make([]byte, 100)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write: %v", err)
		}
		str.SetDeadline(time.Time{})
		if _, err := str.Write(make([]byte, 100)); err != nil {
			t.Errorf("Write without deadline: %v", err)
		}
		c.Close()
	})
}

func TestOpenStreamWaitsForCredit(t *testing.T) {
	var streams chan *Stream
	configure := func(w *world) { w.serveQUIC.MaxIncomingStreams = 2 } // the CONNECT stream is one
	inWorld(t, streamServer(&streams), configure, func(w *world) {
		streams = make(chan *Stream, 1)
		c := w.dial(nil)
		s := w.open(c, "/")
		first, err := s.OpenStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		if _, err := s.OpenStream(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without credit: %v", err)
		}
		first.Close()
		go func() {
			peer := <-streams
			io.Copy(io.Discard, peer)
			peer.Close()
		}()
		io.Copy(io.Discard, first)
		second, err := s.OpenStream(w.ctx)
		if err != nil {
			t.Fatalf("with credit: %v", err)
		}
		time.AfterFunc(time.Second, func() { s.Close(3, "") })
		_, err = s.OpenStream(w.ctx)
		if e := sessionError(t, err); e.Code != 3 {
			t.Errorf("waiting ended with %v", err)
		}
		if _, err = second.Read(make([]byte, 1)); sessionError(t, err).Code != 3 {
			t.Errorf("reading ended with %v", err)
		}
		c.Close()
	})
}

func TestAThousandStreams(t *testing.T) {
	configure := func(w *world) { w.serveQUIC.MaxIncomingStreams = 10 }
	inWorld(t, echoServer(), configure, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/echo")
		results := make(chan error)
		for range 1000 {
			go func() {
				str, err := s.OpenStream(w.ctx)
				if err == nil {
					_, err = io.WriteString(str, "stream")
					str.Close()
				}
				if err == nil {
					var got []byte
					if got, err = io.ReadAll(str); string(got) != "stream" {
						err = errors.Join(err, errors.New("echo differs"))
					}
				}
				results <- err
			}()
		}
		for range 1000 {
			if err := <-results; err != nil {
				t.Fatal(err)
			}
		}
		if n := openStreams(s); n != 0 {
			t.Errorf("%d streams left in the session", n)
		}
		c.Close()
	})
}

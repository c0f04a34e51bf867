package wt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// forSeeds runs a test for each of n seeds, whose random source it passes.
func forSeeds(t *testing.T, n uint64, test func(*testing.T, *rand.Rand)) {
	t.Helper()
	for seed := range n {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { test(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

// impair makes the world lose a share of all datagrams, and delays each of them
// by up to jitter more than it takes.
func (w *world) impair(r *rand.Rand, loss float64, jitter time.Duration) {
	for _, end := range []*pipeEnd{w.clientNet, w.serverNet} {
		source := rand.New(rand.NewPCG(r.Uint64(), 0)) // each end has its own order of sending
		end.setDrop(func() bool { return source.Float64() < loss })
		if jitter > 0 {
			end.setJitter(func() time.Duration { return time.Duration(source.Int64N(int64(jitter))) })
		}
	}
}

// endOf waits for the end of a session and returns it.
func endOf(t *testing.T, s *Session) *SessionError {
	t.Helper()
	<-s.Context().Done()
	return sessionError(t, context.Cause(s.Context()))
}

// meeting is a server whose application hands its sessions to the test.
func meeting() (*Server, func() chan *Session, *Application) {
	var sessions chan *Session
	app := &Application{Serve: func(s *Session) {
		sessions <- s
		<-s.Context().Done()
	}}
	server := &Server{}
	server.Handle("/", *app)
	return server, func() chan *Session {
		sessions = make(chan *Session, 1)
		return sessions
	}, app
}

func TestWhatPrecedesASessionArrivesInWhateverOrder(t *testing.T) {
	const n = 10
	forSeeds(t, 50, func(t *testing.T, r *rand.Rand) {
		server := echoServer()
		inWorld(t, server, nil, func(w *world) {
			c := w.dial(nil)
			time.Sleep(rtt)
			w.impair(r, 0, rtt) // QUIC discards what comes when later packets were acknowledged a round trip ago
			s, err := c.StartSession(w.ctx, "https://server/echo", nil)
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for i := range n {
				s.SendDatagram([]byte{byte(i)})
				wg.Go(func() {
					str, err := s.OpenStream(w.ctx)
					if err != nil {
						t.Error(err)
						return
					}
					message := bytes.Repeat([]byte{byte(i)}, 3000)
					str.Write(message)
					str.Close()
					if got, err := io.ReadAll(str); err != nil || !bytes.Equal(got, message) {
						t.Errorf("stream %d echoed %d bytes, %v", i, len(got), err)
					}
				})
			}
			var datagrams []byte
			for range n {
				d, err := s.ReceiveDatagram(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				datagrams = append(datagrams, d...)
			}
			slices.Sort(datagrams)
			if !bytes.Equal(datagrams, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
				t.Errorf("datagrams %v came back", datagrams)
			}
			wg.Wait()
			c.Close()
		})
	})
}

func TestCloseCodesArriveBothWaysUnderLoss(t *testing.T) {
	forSeeds(t, 50, func(t *testing.T, r *rand.Rand) {
		server, sessions, _ := meeting()
		var accepted chan *Session
		inWorld(t, server, func(*world) { accepted = sessions() }, func(w *world) {
			c := w.dial(nil)
			s := w.open(c, "/")
			peer := <-accepted
			for _, end := range []*Session{s, peer} { // something is always under way
				str, err := end.OpenUniStream(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				go io.Copy(str, zeros{})
			}
			time.Sleep(100 * time.Millisecond)
			w.impair(r, 0.3, 0)
			closer, other := s, peer
			if r.IntN(2) == 0 {
				closer, other = peer, s
			}
			code, reason := r.Uint32(), fmt.Sprint(r.Uint32())
			closer.Close(code, reason)
			if e := endOf(t, closer); *e != (SessionError{Code: code, Reason: reason, Clean: true}) {
				t.Errorf("closed with %+v", e)
			}
			if e := endOf(t, other); *e != (SessionError{Code: code, Reason: reason, Remote: true, Clean: true}) {
				t.Errorf("closed with %d, %q, the peer saw %+v", code, reason, e)
			}
			<-s.Done()
			<-peer.Done()
			c.Close()
		})
	})
}

func TestBothEndsMayCloseAtOnce(t *testing.T) {
	server, sessions, _ := meeting()
	var accepted chan *Session
	inWorld(t, server, func(*world) { accepted = sessions() }, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/")
		peer := <-accepted
		str, _ := s.OpenStream(w.ctx)
		str.Write([]byte("x"))
		time.Sleep(rtt)
		start := time.Now()
		s.Close(1, "client")
		peer.Close(2, "server")
		if e := endOf(t, s); *e != (SessionError{Code: 1, Reason: "client", Clean: true}) {
			t.Errorf("client's end: %+v", e)
		}
		if e := endOf(t, peer); *e != (SessionError{Code: 2, Reason: "server", Clean: true}) {
			t.Errorf("server's end: %+v", e)
		}
		<-s.Done()
		<-peer.Done()
		if d := time.Since(start); d != oneWay {
			t.Errorf("gone after %v, want %v", d, oneWay)
		}
		checkForgotten(t, c.conn)
		c.Close()
	})
}

// agree checks what the two ends of a session say about its end. Each may have ended it.
func agree(t *testing.T, a, b *SessionError) {
	t.Helper()
	if a.Remote {
		a, b = b, a
	}
	switch {
	case a.Remote:
		t.Errorf("both ends were closed by the peer: %+v and %+v", a, b)
	case !a.Clean || !b.Clean:
		t.Errorf("unclean: %+v and %+v", a, b)
	case b.Remote && (a.Code != b.Code || a.Reason != b.Reason):
		t.Errorf("one end closed with %+v, the other saw %+v", a, b)
	}
}

// Whatever streams do at the time, and whoever closes, the two ends agree, no
// session is left, and every stream ends with its session's error or one of its own.
func TestBothEndsAgreeOnTheEndOnABadNetwork(t *testing.T) {
	forSeeds(t, 50, func(t *testing.T, r *rand.Rand) {
		server, sessions, _ := meeting()
		var accepted chan *Session
		inWorld(t, server, func(*world) { accepted = sessions() }, func(w *world) {
			c := w.dial(nil)
			s := w.open(c, "/")
			peer := <-accepted
			w.impair(r, 0.1, 2*oneWay)
			var wg sync.WaitGroup
			for i, end := range []*Session{s, peer} {
				source := rand.New(rand.NewPCG(r.Uint64(), 0))
				wg.Go(func() { disturb(t, end, source) })
				wg.Go(func() { receive(t, end) })
				if i == 0 || r.IntN(2) == 0 {
					at := time.Duration(r.IntN(300)) * time.Millisecond
					wg.Go(func() {
						time.Sleep(at)
						end.Close(uint32(i), "")
					})
				}
			}
			wg.Wait()
			agree(t, endOf(t, s), endOf(t, peer))
			<-s.Done()
			<-peer.Done()
			for _, end := range []*Session{s, peer} {
				if n := openStreams(end); n != 0 {
					t.Errorf("%d streams are left", n)
				}
			}
			checkForgotten(t, c.conn)
			c.Close()
		})
	})
}

// disturb opens streams, and writes to, finishes and resets them, until the session ends.
func disturb(t *testing.T, s *Session, r *rand.Rand) {
	for {
		str, err := s.OpenStream(context.Background())
		if err != nil {
			checkEnded(t, s, err)
			return
		}
		if _, err := str.Write(make([]byte, r.IntN(20_000))); err != nil {
			checkEnded(t, s, err)
		}
		switch r.IntN(4) {
		case 0:
			str.Close()
		case 1:
			str.CancelWrite(1)
		case 2:
			str.CancelRead(2)
			str.Close()
		}
		time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
	}
}

// receive reads the streams of the peer to their ends.
func receive(t *testing.T, s *Session) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		str, err := s.AcceptStream(context.Background())
		if err != nil {
			checkEnded(t, s, err)
			return
		}
		wg.Go(func() {
			if _, err := io.Copy(io.Discard, str); err != nil {
				checkEnded(t, s, err)
			}
			str.Close()
		})
	}
}

// checkEnded checks that a call failed because of its stream, or with its session's error.
func checkEnded(t *testing.T, s *Session, err error) {
	t.Helper()
	if e, ok := errors.AsType[*StreamError](err); ok && e.HasCode {
		return
	}
	if cause := context.Cause(s.Context()); cause == nil || !errors.Is(err, cause) {
		t.Errorf("call failed with %v, the session ended with %v", err, cause)
	}
}

package wt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// closeStep is something that a peer may do about the end of a session.
type closeStep struct {
	name string
	do   func(connect *http3.RequestStream, data *quic.Stream)
}

var closeSteps = []closeStep{
	{"CLOSE_SESSION", func(connect *http3.RequestStream, _ *quic.Stream) { connect.Write(appendClose(nil, 7, "seven")) }},
	{"FIN", func(connect *http3.RequestStream, _ *quic.Stream) { connect.Close() }},
	{"RESET_STREAM", func(connect *http3.RequestStream, _ *quic.Stream) { connect.CancelWrite(wireCode(5)) }},
	{"STOP_SENDING", func(connect *http3.RequestStream, _ *quic.Stream) { connect.CancelRead(wireCode(6)) }},
	{"reset of a stream", func(_ *http3.RequestStream, data *quic.Stream) {
		data.CancelWrite(codeSessionGone)
		data.CancelRead(codeSessionGone)
	}},
}

// permutations calls f with every order of every subset of steps.
func permutations[T any](steps []T, f func([]T)) {
	chosen := make([]T, 0, len(steps))
	used := make([]bool, len(steps))
	var extend func()
	extend = func() {
		f(slices.Clone(chosen))
		for i, s := range steps {
			if used[i] {
				continue
			}
			used[i], chosen = true, append(chosen, s)
			extend()
			used[i], chosen = false, chosen[:len(chosen)-1]
		}
	}
	extend()
}

// expectedEnd returns how a session ends whose peer takes the steps, with time
// for each to arrive: by the first of those on the CONNECT stream that it can
// send. STOP_SENDING alone is waited out, for a CLOSE_SESSION to come. ok is
// false if none of them ends the session.
func expectedEnd(steps []closeStep) (e SessionError, ok bool) {
	for _, s := range steps {
		switch s.name {
		case "CLOSE_SESSION":
			return SessionError{Code: 7, Reason: "seven", Remote: true, Clean: true}, true
		case "FIN":
			return SessionError{Remote: true, Clean: true}, true
		case "RESET_STREAM":
			return SessionError{Code: 5, Remote: true}, true
		case "STOP_SENDING":
			e, ok = SessionError{Remote: true}, true
		}
	}
	return e, ok
}

func names(steps []closeStep) string {
	var s []string
	for _, step := range steps {
		s = append(s, step.name)
	}
	return strings.Join(s, ", ")
}

func TestASessionEndsOnceInWhateverOrderItsPeerEndsIt(t *testing.T) {
	for _, pause := range []time.Duration{0, rtt} {
		t.Run(fmt.Sprintf("a pause of %v", pause), func(t *testing.T) {
			underAttack(t, Limits{}, func(w *world) { w.ctx = context.Background() }, func(w *world, c *rawClient, end ends) {
				permutations(closeSteps, func(steps []closeStep) {
					want, ending := expectedEnd(steps)
					if !ending {
						return
					}
					connect := c.connect("/end")
					data := c.sendStream(uint64(connect.StreamID()), "x")
					time.Sleep(rtt)
					start := time.Now()
					for _, s := range steps {
						s.do(connect, data)
						time.Sleep(pause)
					}
					e := <-end
					if d := time.Since(start); d > maxCloseWait+10*rtt {
						t.Errorf("%s: ended after %v", names(steps), d)
					}
					got := SessionError{Code: e.Code, Reason: e.Reason, Remote: e.Remote, Clean: e.Clean}
					// In one flight a reset may overtake what was sent before.
					if reset := (SessionError{Code: 5, Remote: true}); got != want && (pause != 0 || got != reset || !strings.Contains(names(steps), "RESET")) {
						t.Errorf("%s: session ended with %+v, want %+v", names(steps), e, want)
					}
					if (e.Err == nil) != e.Clean {
						t.Errorf("%s: Clean is %v with the error %v", names(steps), e.Clean, e.Err)
					}
					connect.CancelRead(0)
					connect.CancelWrite(0)
					data.CancelRead(0)
					data.CancelWrite(0)
				})
			})
		})
	}
}

// A session that its application closes, while its peer ends it too, ends with what
// came first, and is gone in bounded time whatever the peer does.
func TestASessionIsGoneInTimeWhateverItsPeerAnswersClose(t *testing.T) {
	var gone chan time.Duration
	server := &Server{MaxSessions: 1 << 10}
	server.Handle("/", Application{Serve: func(s *Session) {
		str, _ := s.OpenStream(context.Background())
		str.Write([]byte("x"))
		time.Sleep(time.Second)
		start := time.Now()
		err := s.Close(9, "nine")
		if err == nil {
			err = context.Cause(s.Context())
		}
		e, ok := errors.AsType[*SessionError](err)
		if !ok || !e.Remote && (e.Code != 9 || !e.Clean) {
			t.Errorf("Close: %v", err)
		}
		if _, err := str.Write([]byte("y")); !errors.Is(err, e) {
			t.Errorf("Write: %v, want %v", err, e)
		}
		<-s.Done()
		gone <- time.Since(start)
	}})
	configure := func(w *world) {
		gone = make(chan time.Duration, 1<<10)
		w.clientQUIC.MaxIncomingStreams = 1 << 10 // the peer never looks at them
	}
	inWorld(t, server, configure, func(w *world) {
		w.ctx = context.Background()
		c := w.dialRaw()
		defer c.close()
		for _, before := range []time.Duration{2 * rtt, oneWay + time.Millisecond, 0} { // when the peer begins, ahead of its learning of the close
			permutations(closeSteps, func(steps []closeStep) {
				connect := c.connect("/")
				data := c.sendStream(uint64(connect.StreamID()), "x")
				time.Sleep(time.Second - before)
				for _, s := range steps {
					s.do(connect, data)
					time.Sleep(time.Millisecond)
				}
				if d := <-gone; d > maxCloseWait+rtt {
					t.Errorf("%s, %v before: gone after %v", names(steps), before, d)
				}
				connect.CancelRead(0)
				connect.CancelWrite(0)
				data.CancelRead(0)
				data.CancelWrite(0)
			})
		}
		w.settle()
		checkForgotten(t, w.server.conns[0])
	})
}

// A peer may reset streams as those of an ended session, and not end it. It is
// not believed for long, and the session goes on.
func TestAPeerThatOnlyClaimsTheEndOfASession(t *testing.T) {
	server := echoServer()
	var errs chan error
	server.Handle("/", Application{Serve: func(s *Session) {
		for range 2 {
			str, err := s.AcceptStream(context.Background())
			if err != nil {
				t.Errorf("AcceptStream: %v", err)
				return
			}
			start := time.Now()
			_, err = io.Copy(io.Discard, str)
			if e, ok := errors.AsType[*StreamError](err); !ok || e.HasCode || e.Wire != codeSessionGone || !e.Remote {
				t.Errorf("Read: %v, want a reset without code", err)
			}
			if d := time.Since(start); d > maxCloseWait+2*rtt {
				t.Errorf("Read took %v", d)
			}
			str.CancelWrite(0)
		}
		errs <- s.Context().Err()
		<-s.Context().Done()
	}})
	inWorld(t, server, func(*world) { errs = make(chan error, 1) }, func(w *world) {
		c := w.dialRaw()
		defer c.close()
		connect := c.connect("/")
		for range 2 {
			str := c.sendStream(uint64(connect.StreamID()), "x")
			time.Sleep(rtt)
			str.CancelWrite(codeSessionGone)
			str.CancelRead(codeSessionGone)
		}
		if err := <-errs; err != nil {
			t.Errorf("session ended with %v", err)
		}
		connect.Close()
		if code := answer(t, connect); code != 0 {
			t.Errorf("answered with %#x, want FIN", code)
		}
	})
}

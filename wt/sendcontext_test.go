package wt

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestContextOfASendStreamSaysWhyNothingMoreCanBeSent(t *testing.T) {
	isStream := func(code uint32, remote bool) func(error) bool {
		return func(err error) bool {
			e, ok := errors.AsType[*StreamError](err)
			return ok && e.Remote == remote && e.HasCode && e.Code == code
		}
	}
	isSession := func(code uint32, remote bool) func(error) bool {
		return func(err error) bool {
			e, ok := errors.AsType[*SessionError](err)
			return ok && e.Remote == remote && e.Code == code
		}
	}
	for name, test := range map[string]struct {
		do    func(s *Session, ours, peers *Stream)
		after time.Duration
		cause func(error) bool
	}{
		"the peer asks to stop": {
			func(_ *Session, _, peers *Stream) { peers.CancelRead(7) }, oneWay, isStream(7, true),
		},
		"CancelWrite": {
			func(_ *Session, ours, _ *Stream) { ours.CancelWrite(8) }, 0, isStream(8, false),
		},
		"Close": {
			func(_ *Session, ours, _ *Stream) { ours.Close() }, 0, func(err error) bool { return err == context.Canceled },
		},
		"the session is closed": {
			func(s *Session, _, _ *Stream) { s.Close(9, "") }, 0, isSession(9, false),
		},
		"the peer closes the session": {
			func(_ *Session, _, peers *Stream) { peers.Session().Close(10, "") }, oneWay, isSession(10, true),
		},
		"a stop ahead of the session's end": {
			func(_ *Session, _, peers *Stream) {
				peers.ReceiveStream.stream.CancelRead(codeSessionGone)
				time.AfterFunc(time.Second, func() { peers.Session().Close(11, "") })
			}, time.Second + oneWay, isSession(11, true),
		},
		"the connection is closed": {
			func(_ *Session, _, peers *Stream) { peers.Session().Conn().CloseWithError(12, "") }, oneWay, isSession(12, true),
		},
	} {
		t.Run(name, func(t *testing.T) {
			var streams chan *Stream
			inWorld(t, streamServer(&streams), nil, func(w *world) {
				streams = make(chan *Stream, 1)
				type key struct{}
				c := w.dial(nil)
				s, _, err := c.OpenSession(context.WithValue(w.ctx, key{}, "value"), "https://server/", nil)
				if err != nil {
					t.Fatal(err)
				}
				ours, err := s.OpenStream(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				ours.Write([]byte("x"))
				peers := <-streams
				ctx := ours.Context()
				if ctx.Value(key{}) != "value" {
					t.Error("the context does not carry the values of the session's")
				}
				w.settle()
				if ctx.Err() != nil || ctx != ours.Context() {
					t.Errorf("before anything happened it is %v", ctx)
				}
				start := time.Now()
				test.do(s, ours, peers)
				<-ctx.Done()
				if d := time.Since(start); d != test.after {
					t.Errorf("done after %v, want %v", d, test.after)
				}
				if err := context.Cause(ctx); !test.cause(err) {
					t.Errorf("its cause is %v", err)
				}
				synctest.Wait()
				c.Close()
			})
		})
	}
}

package wt

import (
	"strings"
	"testing"
	"time"
)

// flowWorld is a server with a small window for each session and the
// application app at /events, and a client's session with it.
func flowWorld(t *testing.T, window int64, app Application, test func(*world, *ClientConn)) {
	t.Helper()
	server := &Server{FlowControl: FlowControl{InitialData: window, MaxData: window}}
	server.Handle("/events", app)
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		test(w, c)
	})
}

func TestThePeerGetsCreditWhenDataReturns(t *testing.T) {
	const window = 10_000
	server := &diary{}
	server.react = func(event string, _ *Session, _ *EventStream) {
		if strings.Contains(event, "data") {
			time.Sleep(time.Second)
		}
	}
	app := Application{Callbacks: func(*Session) Callbacks { return server }}
	flowWorld(t, window, app, func(w *world, c *ClientConn) {
		str, err := w.open(c, "/events").OpenUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := str.Write(make([]byte, 2*window)); err != nil {
			t.Fatal(err)
		}
		// The window opens when half of it has been consumed.
		if elapsed := time.Since(start); elapsed < time.Second {
			t.Errorf("two windows of data were sent in %v, while the application was busy for longer", elapsed)
		}
	})
}

// A stream that is given up while its data is delivered uses up no credit.
func TestAStreamStoppedByItsDataGivesItsCreditBack(t *testing.T) {
	const window, streams = 10_000, 20
	server := &diary{}
	server.react = func(event string, _ *Session, st *EventStream) {
		if strings.Contains(event, "data") {
			st.StopSending(1)
		}
	}
	app := Application{Callbacks: func(*Session) Callbacks { return server }}
	flowWorld(t, window, app, func(w *world, c *ClientConn) {
		s := w.open(c, "/events")
		for range streams {
			str, err := s.OpenUniStream(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			str.SetWriteDeadline(time.Now().Add(time.Second))
			if n, err := str.Write(make([]byte, 2000)); n != 2000 {
				t.Fatalf("wrote %d bytes, %v", n, err)
			}
			time.Sleep(3 * rtt)
		}
	})
}

func TestWritableWaitsForTheSessionsCredit(t *testing.T) {
	const window = 10_000
	asked := make(map[*EventStream]int)
	client := &diary{supply: func(st *EventStream, p []byte) (int, Next) {
		asked[st]++
		return len(p), More
	}}
	var paused *EventStream
	server := &diary{}
	server.react = func(event string, _ *Session, st *EventStream) {
		if strings.Contains(event, "opened") && paused == nil {
			paused = st
			st.Pause()
		}
	}
	app := Application{Callbacks: func(*Session) Callbacks { return server }}
	flowWorld(t, window, app, func(w *world, c *ClientConn) {
		s := w.openWith(c, "/events", client)
		first, _ := s.OpenEventStream(false, nil)
		w.settle()
		second, _ := s.OpenEventStream(false, nil)
		w.settle()
		if asked[first] != 1 || asked[second] != 0 {
			t.Errorf("asked %d and %d times, want once for what exceeds the credit, and never without any", asked[first], asked[second])
		}
		paused.Resume()
		w.settle()
		if asked[first] < 10 || asked[second] < 10 {
			t.Errorf("asked %d and %d times in seconds with credit", asked[first], asked[second])
		}
		s.Close(0, "")
		w.settle()
		checkInvariants(t, client)
	})
}

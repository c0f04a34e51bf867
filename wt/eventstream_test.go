package wt

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPausedStreamHoldsItsPeerBack(t *testing.T) {
	server := &diary{}
	var stream *EventStream
	received := 0
	server.react = func(event string, _ *Session, st *EventStream) {
		switch {
		case strings.HasSuffix(event, "opened"):
			stream = st
			st.Pause()
		case strings.Contains(event, "data ("):
			received++
		}
	}
	app := &Server{}
	app.Handle("/events", Application{Callbacks: func(*Session) Callbacks { return server }})
	small := func(w *world) {
		w.serveQUIC.InitialStreamReceiveWindow, w.serveQUIC.MaxStreamReceiveWindow = 50_000, 50_000
	}
	inWorld(t, app, small, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.open(c, "/events")
		str, err := s.OpenUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		str.SetWriteDeadline(time.Now().Add(time.Second))
		const size = 200_000
		n, _ := str.Write(make([]byte, size))
		s.SendDatagram([]byte("datagram"))
		w.settle()
		if n >= 60_000 || n < 40_000 {
			t.Errorf("%d bytes went into a window of 50000 while the stream is paused", n)
		}
		server.expect(t, "accepted", "6: opened", "datagram datagram")
		stream.Resume()
		str.SetWriteDeadline(time.Time{})
		if _, err := str.Write(make([]byte, size-n)); err != nil {
			t.Fatal(err)
		}
		str.Close()
		w.settle()
		if log := server.log(); log[len(log)-1] != "6: ended" || received < size/eventBuffer {
			t.Errorf("events %q, want all data and the end", log)
		}
		s.Close(0, "")
		w.settle()
		checkInvariants(t, server)
	})
}

// What the application decides on for a stream goes into the next packets: it
// is not asked for data that QUIC could only store.
func TestWritableFollowsWhatCanBeSent(t *testing.T) {
	const window = 30_000
	var asked, given atomic.Int64
	client := &diary{supply: func(_ *EventStream, p []byte) (int, Next) {
		asked.Add(1)
		given.Add(int64(len(p)))
		return len(p), More
	}}
	got := make(chan int, 1)
	server := &Server{}
	server.Handle("/slow", Application{Serve: func(s *Session) {
		str, err := s.AcceptUniStream(s.Context())
		if err != nil {
			return
		}
		time.Sleep(5 * time.Second)
		n, _ := io.Copy(io.Discard, io.LimitReader(str, 10*window))
		got <- int(n)
		str.CancelRead(3)
		<-s.Context().Done()
	}})
	small := func(w *world) {
		w.serveQUIC.InitialStreamReceiveWindow, w.serveQUIC.MaxStreamReceiveWindow = window, window
	}
	inWorld(t, server, small, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.openWith(c, "/slow", client)
		if _, err := s.OpenEventStream(false, nil); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if n := given.Load(); n > window+eventBuffer {
			t.Errorf("asked for %d bytes while %d could be sent", n, window)
		}
		time.Sleep(5 * time.Second)
		if n := <-got; n != 10*window {
			t.Errorf("server read %d bytes, want %d", n, 10*window)
		}
		w.settle()
		if n := given.Load(); n > 11*window+eventBuffer {
			t.Errorf("asked for %d bytes while at most %d could be sent", n, 11*window)
		}
		s.Close(0, "")
		w.settle()
		client.expect(t, "accepted", "6: stop 3", "6: ended", `closed by us 0 ""`, "freed")
	})
}

func TestAnEventStreamWaitsForStreamCredit(t *testing.T) {
	for name, limit := range map[string]func(*world){
		"of the connection": func(w *world) { w.serveQUIC.MaxIncomingUniStreams = 4 }, // of which HTTP/3 has one
		"of the session":    func(w *world) { w.server.FlowControl.UniStreams = 3 },
	} {
		t.Run(name, func(t *testing.T) { testStreamCredit(t, limit) })
	}
}

// testStreamCredit opens six streams where the peer allows three.
func testStreamCredit(t *testing.T, limit func(*world)) {
	client := &diary{}
	client.supply = func(st *EventStream, p []byte) (int, Next) {
		if st.Value() == 0 {
			return copy(p, "first"), Wait
		}
		return copy(p, "later"), End
	}
	server := &diary{}
	app := &Server{}
	app.Handle("/events", Application{Callbacks: func(*Session) Callbacks { return server }})
	inWorld(t, app, limit, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.openWith(c, "/events", client)
		var streams []*EventStream
		for range 6 {
			st, err := s.OpenEventStream(false, len(streams))
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, st)
		}
		if streams[0].StreamID() != 6 || streams[5].StreamID() != -1 {
			t.Errorf("stream IDs %d and %d, want 6, and -1 of one that is not open", streams[0].StreamID(), streams[5].StreamID())
		}
		streams[4].Reset(1) // given up before it is open
		synctest.Wait()
		if !slices.Contains(client.log(), "-1: ended") {
			t.Errorf("events %q, want the end of the stream that was given up", client.log())
		}
		w.settle()
		if streams[3].StreamID() != 18 || streams[5].StreamID() != 22 {
			t.Errorf("stream IDs %d and %d when there is credit, want 18 and 22", streams[3].StreamID(), streams[5].StreamID())
		}
		streams[0].Reset(1)
		w.settle()
		log := client.log()
		slices.Sort(log)
		if want := []string{"-1: ended", "10: ended", "14: ended", "18: ended", "22: ended", "6: ended", "accepted"}; !slices.Equal(log, want) {
			t.Errorf("client's events %q, want %q", log, want)
		}
		s.Close(0, "")
		w.settle()
		checkInvariants(t, client)
		checkInvariants(t, server)
	})
}

// The peer must learn of a bidirectional stream on which it is to write first.
func TestABidirectionalStreamIsAnnouncedWithoutData(t *testing.T) {
	client, server := &diary{supply: wait}, &diary{supply: wait}
	server.react = func(event string, _ *Session, st *EventStream) {
		if strings.HasSuffix(event, "opened") && !st.Bidirectional() {
			t.Error("a unidirectional stream without data is known to the peer")
		}
	}
	callbackWorld(t, func() *diary { return server }, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.openWith(c, "/events", client)
		for _, bidirectional := range []bool{true, false} {
			if _, err := s.OpenEventStream(bidirectional, nil); err != nil {
				t.Fatal(err)
			}
		}
		w.settle()
		server.expect(t, "accepted", "4: opened")
	})
}

func TestWantWriteDuringWritableIsNotLost(t *testing.T) {
	client, parts := &diary{}, []string{"one,", "two,", "three"}
	client.supply = func(st *EventStream, p []byte) (int, Next) {
		if len(parts) == 0 {
			return 0, End
		}
		n := copy(p, parts[0])
		parts = parts[1:]
		st.WantWrite()
		return n, Wait
	}
	callbackWorld(t, nil, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.openWith(c, "/echo", client)
		s.OpenEventStream(true, nil)
		w.settle()
		log := client.log()
		var echoed bytes.Buffer
		for _, event := range log {
			if _, data, ok := strings.Cut(event, ": data "); ok {
				echoed.WriteString(data)
			}
		}
		if echoed.String() != "one,two,three" || log[len(log)-1] != "4: ended" {
			t.Errorf("events %q, want the echo of all parts", log)
		}
	})
}

func TestAnEventStreamHasItsValueAndItsKind(t *testing.T) {
	client := &diary{supply: wait}
	callbackWorld(t, nil, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.openWith(c, "/echo", client)
		st, err := s.OpenEventStream(true, "mine")
		if err != nil {
			t.Fatal(err)
		}
		if st.Value() != "mine" || st.Session() != s || !st.Local() || !st.Bidirectional() {
			t.Errorf("value %v, session %p, local %v, bidirectional %v", st.Value(), st.Session(), st.Local(), st.Bidirectional())
		}
		st.SetValue(nil)
		if st.Value() != nil {
			t.Errorf("value %v after it was taken away", st.Value())
		}
	})
}

func TestAResetIsReportedWhileTheStreamIsPaused(t *testing.T) {
	server := &diary{}
	server.react = func(event string, _ *Session, st *EventStream) {
		if strings.Contains(event, "data") {
			st.Pause()
		}
	}
	callbackWorld(t, func() *diary { return server }, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		str, err := w.open(c, "/events").OpenUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		str.Write([]byte("first"))
		time.Sleep(3 * rtt)
		str.Write([]byte("more, which nobody reads"))
		w.settle()
		server.expect(t, "accepted", "6: opened", "6: data first")
		str.CancelWrite(5)
		time.Sleep(rtt)
		server.expect(t, "accepted", "6: opened", "6: data first", "6: reset 5", "6: ended")
	})
}

func TestTheEndOfAPausedStreamComesAfterItsData(t *testing.T) {
	server := &diary{}
	var stream *EventStream
	server.react = func(event string, _ *Session, st *EventStream) {
		if strings.HasSuffix(event, "opened") {
			stream = st
			st.Pause()
		}
	}
	callbackWorld(t, func() *diary { return server }, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		str, err := w.open(c, "/events").OpenUniStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		str.Write([]byte("all"))
		str.Close()
		w.settle()
		server.expect(t, "accepted", "6: opened")
		stream.Resume()
		w.settle()
		server.expect(t, "accepted", "6: opened", "6: data all", "6: finished", "6: ended")
	})
}

package wt

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// wait is a supply that has nothing and never ends.
func wait(*EventStream, []byte) (int, Next) { return 0, Wait }

// Each event in turn makes the application close the session.
func TestAnyCallbackMayCloseTheSession(t *testing.T) {
	for _, on := range []string{"accepted", "opened", "data", "finished", "reset", "stop", "ended", "datagram", "draining"} {
		t.Run(on, func(t *testing.T) {
			server := &diary{}
			server.react = func(event string, s *Session, _ *EventStream) {
				if strings.Contains(event, on) {
					s.Close(9, "enough")
				}
			}
			callbackWorld(t, func() *diary { return server }, func(w *world) {
				c := w.dial(nil)
				defer c.Close()
				s := w.open(c, "/events")
				if str, err := s.OpenStream(w.ctx); err == nil {
					str.Write([]byte("data"))
					time.Sleep(rtt)
					str.CancelRead(1)
					str.CancelWrite(2)
				}
				if str, err := s.OpenStream(w.ctx); err == nil {
					str.Write([]byte("more"))
					str.Close()
				}
				time.Sleep(rtt)
				s.SendDatagram([]byte("datagram"))
				time.Sleep(rtt)
				s.Drain()
				w.settle()
				checkEnd(t, server, on, `closed by us 9 "enough"`)
			})
		})
	}
}

// checkEnd checks that an application which closed its session at the first
// event that contains on was told nothing afterwards but the end.
func checkEnd(t *testing.T, d *diary, on, closed string) {
	t.Helper()
	log := d.log()
	i := slices.IndexFunc(log, func(event string) bool { return strings.Contains(event, on) })
	if i < 0 {
		t.Fatalf("no event %q in %q", on, log)
	}
	rest := slices.DeleteFunc(slices.Clone(log[i+1:]), func(event string) bool { return strings.HasSuffix(event, ": ended") })
	if !slices.Equal(rest, []string{closed, "freed"}) {
		t.Errorf("events after it: %q, of all %q", rest, log)
	}
	checkInvariants(t, d)
}

// checkInvariants checks what holds for the events of every session.
func checkInvariants(t interface{ Errorf(string, ...any) }, d *diary) {
	log := d.log()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.broken) > 0 {
		t.Errorf("%q", d.broken)
	}
	if len(log) == 0 || log[len(log)-1] != "freed" || slices.Index(log, "freed") != len(log)-1 {
		t.Errorf("freed is not once and last: %q", log)
	}
	opened, ended := make(map[string]bool), make(map[string]bool)
	closed := false
	for _, event := range log {
		stream, what, ofStream := strings.Cut(event, ": ")
		switch {
		case strings.HasPrefix(event, "closed") || strings.HasPrefix(event, "refused"):
			if closed {
				t.Errorf("closed twice: %q", log)
			}
			closed = true
		case !ofStream:
			if closed && event != "freed" {
				t.Errorf("%q after closed: %q", event, log)
			}
		case closed && what != "ended":
			t.Errorf("%q after closed: %q", event, log)
		case what == "opened":
			opened[stream] = true
		case what == "ended":
			ended[stream] = true
		}
	}
	for stream := range opened {
		if !ended[stream] {
			t.Errorf("stream %s has not ended: %q", stream, log)
		}
	}
	if !closed {
		t.Errorf("never closed: %q", log)
	}
}

func TestTheEndOfASessionResetsItsStreamsAndFreesIt(t *testing.T) {
	for name, test := range map[string]struct {
		end    func(*world, *ClientConn, *Session)
		closed string
	}{
		"by the peer":    {func(_ *world, _ *ClientConn, s *Session) { s.Close(7, "bye") }, `closed by the peer 7 "bye"`},
		"by a FIN alone": {func(_ *world, _ *ClientConn, s *Session) { s.connect.Close() }, `closed by the peer 0 ""`},
		"by a reset of the CONNECT stream": {func(_ *world, _ *ClientConn, s *Session) { s.connect.CancelWrite(h3NoError) },
			`closed by the peer, uncleanly 0 ""`},
		"by a capsule that is malformed": {func(_ *world, _ *ClientConn, s *Session) {
			s.connect.TryWriteAll(varints(capsuleClose, 3, 1, 2, 3))
		}, `closed by us, uncleanly 0 ""`},
		"by the end of the connection": {func(_ *world, c *ClientConn, _ *Session) { c.conn.quic.CloseWithError(5, "gone") },
			`closed by the peer, uncleanly 5 "gone"`},
		"by silence": {func(w *world, c *ClientConn, _ *Session) {
			w.clientNet.setDrop(func() bool { return true })
			w.serverNet.setDrop(func() bool { return true })
			time.Sleep(time.Minute)
		}, `closed by the peer, uncleanly 0 ""`},
	} {
		t.Run(name, func(t *testing.T) {
			server := &diary{supply: wait}
			server.react = func(event string, s *Session, _ *EventStream) {
				if event == "accepted" {
					s.OpenEventStream(true, nil)
				}
			}
			callbackWorld(t, func() *diary { return server }, func(w *world) {
				c := w.dial(nil)
				s := w.open(c, "/events")
				str, err := s.OpenStream(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				str.Write([]byte("data"))
				uni, err := s.OpenUniStream(w.ctx)
				if err != nil {
					t.Fatal(err)
				}
				uni.Write([]byte("data"))
				w.settle()
				test.end(w, c, s)
				w.settle()
				log := server.log()
				i := slices.Index(log, test.closed)
				if i < 0 {
					t.Fatalf("not %q: %q", test.closed, log)
				}
				rest := slices.Clone(log[i+1:])
				slices.Sort(rest)
				if want := []string{"1: ended", "4: ended", "6: ended", "freed"}; !slices.Equal(rest, want) {
					t.Errorf("events after it: %q, want %q", rest, want)
				}
				checkInvariants(t, server)
				c.conn.quic.CloseWithError(h3NoError, "")
				c.Close()
			})
		})
	}
}

func TestResetsAndRequestsToStopAreReportedAsTheyArrive(t *testing.T) {
	server := &diary{supply: wait}
	callbackWorld(t, func() *diary { return server }, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.open(c, "/events")
		str, err := s.OpenStream(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		str.Write(nil)
		str.CancelWrite(30)
		time.Sleep(rtt)
		server.expect(t, "accepted", "4: opened", "4: reset 30")
		str.CancelRead(0xffffffff)
		time.Sleep(rtt)
		server.expect(t, "accepted", "4: opened", "4: reset 30", "4: stop 4294967295", "4: ended")
	})
}

// A peer that opens and resets streams as fast as it can is given streams only
// as fast as the application takes note of them.
func TestASlowCallbackBoundsWhatWaitsForIt(t *testing.T) {
	const streams, limit = 500, 10
	server, most := &diary{}, 0
	server.react = func(_ string, s *Session, _ *EventStream) {
		time.Sleep(5 * time.Millisecond)
		s.events.turns.mu.Lock()
		most = max(most, len(s.events.turns.waiting))
		s.events.turns.mu.Unlock()
	}
	application := Application{Callbacks: func(*Session) Callbacks { return server }}
	s := &Server{}
	s.Handle("/events", application)
	slow := func(w *world) { w.serveQUIC.MaxIncomingStreams = limit }
	inWorld(t, s, slow, func(w *world) {
		c := w.dialRaw()
		defer c.close()
		connect := c.connect("/events")
		for range streams {
			str := c.sendStream(uint64(connect.StreamID()), "x")
			str.SetReliableBoundary()
			str.CancelWrite(wireCode(1))
			str.CancelRead(wireCode(2))
			c.quic.SendDatagram(append(varints(uint64(connect.StreamID())/4), "datagram"...))
		}
		time.Sleep(time.Minute)
	})
	count := 0
	for _, event := range server.log() {
		if strings.HasSuffix(event, "opened") {
			count++
		}
	}
	if count != streams {
		t.Errorf("%d streams were opened, want %d", count, streams)
	}
	// A stream has an event of each direction and its end waiting, the session a few more.
	if bound := 4*limit + 4; most > bound || most < limit {
		t.Errorf("%d events waited at most, want between %d and %d", most, limit, bound)
	}
	checkInvariants(t, server)
}

func TestAThousandStreamsSurviveLoss(t *testing.T) {
	const streams = 1000
	client := &diary{supply: line("a line on each stream")}
	server := &Server{FlowControl: FlowControl{Streams: streams}}
	server.Handle("/echo", Application{Callbacks: func(*Session) Callbacks { return &echoCallbacks{} }})
	many := func(w *world) {
		w.serveQUIC.MaxIncomingStreams = streams + 1
		n := 0
		w.serverNet.setDrop(func() bool { n++; return n > 20 && n%5 == 0 })
	}
	inWorld(t, server, many, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.openWith(c, "/echo", client)
		for range streams {
			if _, err := s.OpenEventStream(true, nil); err != nil {
				t.Fatal(err)
			}
		}
		w.settle()
		s.Close(0, "")
		w.settle()
	})
	counts := make(map[string]int)
	for _, event := range client.log() {
		if _, what, ok := strings.Cut(event, ": "); ok {
			counts[what]++
		}
	}
	for _, event := range []string{"data (21 bytes)", "finished", "ended"} {
		if counts[event] != streams {
			t.Errorf("%d of %q, want %d", counts[event], event, streams)
		}
	}
	checkInvariants(t, client)
}

// echoCallbacks returns what arrives on bidirectional streams.
type echoCallbacks struct{ NoCallbacks }

type echoState struct {
	pending  []byte
	finished bool
}

func (*echoCallbacks) StreamOpened(st *EventStream) { st.SetValue(&echoState{}) }
func (*echoCallbacks) Data(st *EventStream, p []byte) {
	e := st.Value().(*echoState)
	e.pending = append(e.pending, p...)
	st.WantWrite()
}
func (*echoCallbacks) StreamFinished(st *EventStream) {
	st.Value().(*echoState).finished = true
	st.WantWrite()
}
func (*echoCallbacks) Writable(st *EventStream, p []byte) (int, Next) {
	e := st.Value().(*echoState)
	n := copy(p, e.pending)
	e.pending = e.pending[n:]
	switch {
	case len(e.pending) > 0:
		return n, More
	case e.finished:
		return n, End
	}
	return n, Wait
}

// Streams that one end resets while the other closes the session, on a network
// that loses packets, end once at each end.
func TestResetsThatCrossACloseEndEachStreamOnce(t *testing.T) {
	const streams = 50
	client, server := &diary{}, &diary{}
	client.supply = func(_ *EventStream, p []byte) (int, Next) { return copy(p, "data"), Wait }
	var opened []*EventStream
	server.react = func(event string, _ *Session, st *EventStream) {
		if strings.HasSuffix(event, "opened") {
			opened = append(opened, st)
		}
	}
	callbackWorld(t, func() *diary { return server }, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.openWith(c, "/events", client)
		for range streams {
			if _, err := s.OpenEventStream(true, nil); err != nil {
				t.Fatal(err)
			}
		}
		w.settle()
		for i, net := range []*pipeEnd{w.clientNet, w.serverNet} {
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			net.setDrop(func() bool { return rng.IntN(3) == 0 })
		}
		for i, st := range opened { // on their way while the close is
			st.Reset(uint32(i))
			st.StopSending(uint32(i))
		}
		time.Sleep(oneWay / 2)
		s.Close(1, "over")
		if n := len(opened); n != streams {
			t.Errorf("%d streams were opened, want %d", n, streams)
		}
		w.settle()
		w.settle()
	})
	for _, d := range []*diary{client, server} {
		checkInvariants(t, d)
		if len(d.over) != streams {
			t.Errorf("%d streams have ended, want %d", len(d.over), streams)
		}
	}
}

// What arrived before the peer closed the session is delivered before that is told.
func TestDatagramsAheadOfACloseAreDelivered(t *testing.T) {
	server := &diary{}
	server.react = func(string, *Session, *EventStream) { time.Sleep(time.Second) }
	callbackWorld(t, func() *diary { return server }, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.open(c, "/events")
		for _, text := range []string{"one", "two", "three"} {
			s.SendDatagram([]byte(text))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(oneWay)
		s.Close(0, "done")
		time.Sleep(10 * time.Second)
		server.expect(t, "accepted", "datagram one", "datagram two", "datagram three", `closed by the peer 0 "done"`, "freed")
	})
}

// A server that shuts down tells its sessions, at both ends, and waits for them.
func TestASessionWithCallbacksClosesWhenTheServerShutsDown(t *testing.T) {
	client, server := &diary{}, &diary{}
	client.react = func(event string, s *Session, _ *EventStream) {
		if event == "draining" {
			s.Close(6, "as you wish")
		}
	}
	callbackWorld(t, func() *diary { return server }, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		w.openWith(c, "/events", client)
		w.settle()
		if err := w.server.Shutdown(w.ctx); err != nil {
			t.Error(err)
		}
		w.settle()
		client.expect(t, "accepted", "draining", `closed by us 6 "as you wish"`, "freed")
		server.expect(t, "accepted", "draining", `closed by the peer 6 "as you wish"`, "freed")
	})
}

package wt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
)

// diary writes down the events of a session, and reacts to them. A stream
// is named by its ID.
type diary struct {
	mu     sync.Mutex
	events []string
	inside bool // a callback is running
	broken []string
	over   map[*EventStream]bool // the streams that have ended

	// react, if not nil, is called for every event, with its session or its stream.
	react func(event string, s *Session, st *EventStream)
	// supply, if not nil, is Writable, which is not an event that is written down.
	supply func(*EventStream, []byte) (int, Next)
}

func (r *diary) record(s *Session, st *EventStream, event string, args ...any) {
	r.enter()
	defer r.leave()
	if st != nil {
		event = fmt.Sprintf("%d: %s", st.StreamID(), event)
	}
	event = strings.TrimSpace(fmt.Sprintf(event, args...))
	r.mu.Lock()
	r.events = append(r.events, event)
	if st != nil && r.over[st] {
		r.broken = append(r.broken, "an event after the end of its stream: "+event)
	}
	if strings.HasSuffix(event, ": ended") {
		if r.over == nil {
			r.over = make(map[*EventStream]bool)
		}
		r.over[st] = true
	}
	r.mu.Unlock()
	if r.react != nil {
		r.react(event, s, st)
	}
}

func (r *diary) enter() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inside {
		r.broken = append(r.broken, "two events at a time")
	}
	if len(r.events) > 0 && r.events[len(r.events)-1] == "freed" {
		r.broken = append(r.broken, "an event after freed")
	}
	r.inside = true
}

func (r *diary) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside = false
}

func (r *diary) Accepted(s *Session) { r.record(s, nil, "accepted") }
func (r *diary) Refused(s *Session, e *RefusedError) {
	r.record(s, nil, "refused: %v", strings.TrimPrefix(e.Error(), "wt: session refused "))
}
func (r *diary) StreamOpened(st *EventStream) { r.record(st.Session(), st, "opened") }
func (r *diary) Data(st *EventStream, p []byte) {
	r.record(st.Session(), st, "data %s", summary(p))
}
func (r *diary) StreamFinished(st *EventStream) { r.record(st.Session(), st, "finished") }
func (r *diary) StreamReset(st *EventStream, e *StreamError) {
	r.record(st.Session(), st, "reset %d", e.Code)
}
func (r *diary) StopSending(st *EventStream, e *StreamError) {
	r.record(st.Session(), st, "stop %d", e.Code)
}
func (r *diary) StreamEnded(st *EventStream)   { r.record(st.Session(), st, "ended") }
func (r *diary) Datagram(s *Session, b []byte) { r.record(s, nil, "datagram %s", b) }
func (r *diary) Draining(s *Session)           { r.record(s, nil, "draining") }
func (r *diary) Freed(s *Session)              { r.record(s, nil, "freed") }
func (r *diary) Closed(s *Session, e *SessionError) {
	by := "by us"
	if e.Remote {
		by = "by the peer"
	}
	if !e.Clean {
		by += ", uncleanly"
	}
	r.record(s, nil, "closed %s %d %q", by, e.Code, e.Reason)
}

func (r *diary) Writable(st *EventStream, p []byte) (int, Next) {
	r.enter()
	defer r.leave()
	if r.supply == nil {
		return 0, Wait
	}
	return r.supply(st, p)
}

func summary(p []byte) string {
	if len(p) > 20 {
		return fmt.Sprintf("(%d bytes)", len(p))
	}
	return string(p)
}

// log returns the events so far.
func (r *diary) log() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// expect compares the events so far with those given.
func (r *diary) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := r.log(); !slices.Equal(got, want) {
		t.Errorf("events:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, broken := range r.broken {
		t.Error(broken)
	}
}

// line returns a supply that writes text and ends the stream.
func line(text string) func(*EventStream, []byte) (int, Next) {
	return func(_ *EventStream, p []byte) (int, Next) { return copy(p, text), End }
}

// callbackWorld is a server with an echo at /echo, and an application at
// /events that is what app returns.
func callbackWorld(t *testing.T, app func() *diary, test func(*world)) {
	t.Helper()
	server := echoServer()
	if app != nil {
		server.Handle("/events", Application{Callbacks: func(*Session) Callbacks { return app() }})
	}
	inWorld(t, server, nil, test)
}

func (w *world) openWith(c *ClientConn, path string, callbacks Callbacks) *Session {
	w.t.Helper()
	s, _, err := c.OpenSession(w.ctx, "https://server"+path, &SessionOptions{Callbacks: callbacks})
	if err != nil {
		w.t.Fatalf("opening a session at %s: %v", path, err)
	}
	return s
}

func TestTheEventsOfASessionComeInOrder(t *testing.T) {
	client, server := &diary{supply: line("hello")}, &diary{}
	server.supply = line("welcome")
	server.react = func(event string, s *Session, st *EventStream) {
		if event == "4: finished" {
			st.WantWrite()
		}
	}
	callbackWorld(t, func() *diary { return server }, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s := w.openWith(c, "/events", client)
		if _, err := s.OpenEventStream(true, nil); err != nil {
			t.Fatal(err)
		}
		w.settle()
		s.SendDatagram([]byte("ping"))
		w.settle()
		s.Drain()
		w.settle()
		s.Close(7, "done")
		w.settle()
		client.expect(t, "accepted", "4: data welcome", "4: finished", "4: ended", "draining", `closed by us 7 "done"`, "freed")
		server.expect(t, "accepted", "4: opened", "4: data hello", "4: finished", "4: ended",
			"datagram ping", "draining", `closed by the peer 7 "done"`, "freed")
	})
}

func TestASessionThatIsRefusedHasNoOtherEvents(t *testing.T) {
	client := &diary{supply: func(_ *EventStream, p []byte) (int, Next) { return copy(p, "optimistic"), Wait }}
	server := echoServer()
	server.Handle("/refused", Application{
		Serve: func(*Session) {},
		Connecting: func(*Session) error {
			time.Sleep(time.Second) // the stream is there by then
			return &RefusedError{Status: http.StatusTeapot, Header: http.Header{"Reason": {"tea"}}}
		},
	})
	client.react = func(event string, s *Session, _ *EventStream) {
		if refused, ok := errors.AsType[*RefusedError](context.Cause(s.Context())); event[0] == 'r' && (!ok || refused.Header.Get("Reason") != "tea") {
			t.Errorf("refused with %v, want the header of the response", refused)
		}
	}
	inWorld(t, server, nil, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		s, err := c.StartSession(w.ctx, "https://server/refused", &SessionOptions{Callbacks: client})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.OpenEventStream(false, nil); err != nil {
			t.Fatal(err)
		}
		w.settle()
		client.expect(t, "refused: with status 418 I'm a teapot", "6: ended", "freed")
	})
}

func TestTheRequirementThatIsNotMetIsAnEvent(t *testing.T) {
	client := &diary{}
	againstRawServer(t, settings16(), QUICConfig(nil), func(ctx context.Context, c *ClientConn, _ *quic.Conn) {
		_, err := c.StartSession(ctx, "https://server/", &SessionOptions{Callbacks: client})
		if !errors.Is(err, ErrRequirements) {
			t.Errorf("error %v, want ErrRequirements", err)
		}
		synctest.Wait()
	})
	log := client.log()
	if len(log) != 2 || !strings.Contains(log[0], "requirements") || log[1] != "freed" {
		t.Errorf("events: %q, want refused for the requirements, and freed", log)
	}
}

func TestASessionOfOneAPIRejectsTheOther(t *testing.T) {
	callbackWorld(t, nil, func(w *world) {
		c := w.dial(&ClientConfig{MaxSessions: 2})
		defer c.Close()
		s := w.openWith(c, "/echo", NoCallbacks{})
		_, err1 := s.AcceptStream(w.ctx)
		_, err2 := s.AcceptUniStream(w.ctx)
		_, err3 := s.ReceiveDatagram(w.ctx)
		for _, err := range []error{err1, err2, err3} {
			if err != errCallbacks {
				t.Errorf("error %v, want that the session has callbacks", err)
			}
		}
		s.Close(0, "")
		<-s.Done()
		if _, err := s.OpenEventStream(true, nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("opening a stream of a session that has ended: %v", err)
		}
		if _, err := w.open(c, "/echo").OpenEventStream(true, nil); err == nil {
			t.Error("a session without callbacks opened an EventStream")
		}
	})
}

// What the server sends ahead of its response may arrive ahead of it.
func TestEventsOfThePeerWaitForAccepted(t *testing.T) {
	client := &diary{supply: func(_ *EventStream, p []byte) (int, Next) { return copy(p, "early"), Wait }}
	againstRawServer(t, settings16(settingWebTransport, 1), QUICConfig(nil), func(ctx context.Context, c *ClientConn, server *quic.Conn) {
		s, err := c.StartSession(ctx, "https://server/", &SessionOptions{Callbacks: client})
		if err != nil {
			t.Fatal(err)
		}
		connect, _ := server.AcceptStream(ctx)
		s.OpenEventStream(true, nil)
		str, _ := server.AcceptStream(ctx)
		str.CancelRead(wireCode(3))
		str.Write([]byte("answer"))
		uni, _ := server.OpenUniStream()
		uni.Write(append(varints(streamTypeWebTransport, uint64(connect.StreamID())), "data"...))
		server.SendDatagram(append(varints(uint64(connect.StreamID())/4), "datagram"...))
		time.Sleep(time.Second)
		client.expect(t)
		connect.Write(okResponse)
		time.Sleep(time.Second)
		log := client.log()
		slices.Sort(log[1:]) // which is first among streams and datagrams is not said
		want := []string{"accepted", "4: data answer", "4: stop 3", "7: data data", "7: opened", "datagram datagram"}
		if !slices.Equal(log, want) {
			t.Errorf("events %q, want %q", log, want)
		}
	})
}

package wt

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// A server's session has its callbacks when it is accepted; what is opened
// before waits for them.
func TestStreamsThatAreOpenedBeforeTheSessionIsAcceptedAreWritten(t *testing.T) {
	for name, open := range map[string]func(*Application, func(*Session)){
		"when a client asks": func(a *Application, f func(*Session)) {
			a.Connecting = func(s *Session) error { f(s); return nil }
		},
		"when the callbacks are made": func(a *Application, f func(*Session)) {
			made := a.Callbacks
			a.Callbacks = func(s *Session) Callbacks { f(s); return made(s) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := &diary{}, &diary{supply: line("early")}
			app := Application{Callbacks: func(*Session) Callbacks { return server }}
			open(&app, func(s *Session) {
				if _, err := s.OpenEventStream(false, nil); err != nil {
					t.Error(err)
				}
			})
			s := &Server{}
			s.Handle("/events", app)
			inWorld(t, s, nil, func(w *world) {
				c := w.dial(nil)
				defer c.Close()
				w.openWith(c, "/events", client)
				w.settle()
				client.expect(t, "accepted", "7: opened", "7: data early", "7: finished", "7: ended")
			})
			checkInvariants(t, server)
		})
	}
}

func TestASessionThatTheServerRefusesHasNoCallbacks(t *testing.T) {
	s := &Server{}
	s.Handle("/events", Application{
		Callbacks: func(*Session) Callbacks {
			t.Error("the callbacks of a session were made that is refused")
			return NoCallbacks{}
		},
		Connecting: func(s *Session) error {
			_, err := s.OpenEventStream(false, nil)
			return errors.Join(errors.New("no"), err)
		},
	})
	inWorld(t, s, nil, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		_, response, err := c.OpenSession(w.ctx, "https://server/events", nil)
		if !errors.Is(err, ErrRefused) || response.StatusCode != http.StatusInternalServerError {
			t.Errorf("error %v, want status 500", err)
		}
	})
}

func TestASessionMayBeClosedWhenItsCallbacksAreMade(t *testing.T) {
	server := &diary{}
	s := &Server{}
	s.Handle("/events", Application{Callbacks: func(s *Session) Callbacks {
		s.Close(3, "changed my mind")
		return server
	}})
	inWorld(t, s, nil, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		if _, _, err := c.OpenSession(w.ctx, "https://server/events", nil); err == nil {
			t.Error("the session was established")
		}
		w.settle()
	})
	log := server.log()
	if len(log) != 2 || !strings.HasPrefix(log[0], "closed by us") || log[1] != "freed" {
		t.Errorf("events %q, want closed and freed", log)
	}
}

// When a server has as many sessions as it may, one more has no events.
func TestASessionTooManyHasNoCallbacks(t *testing.T) {
	made := 0
	s := &Server{MaxSessions: 1}
	s.Handle("/events", Application{Callbacks: func(*Session) Callbacks { made++; return NoCallbacks{} }})
	inWorld(t, s, nil, func(w *world) {
		c := w.dial(nil)
		defer c.Close()
		w.open(c, "/events")
		if _, _, err := c.OpenSession(w.ctx, "https://server/events", nil); err == nil {
			t.Error("a second session was accepted")
		}
		w.settle()
		if made != 1 {
			t.Errorf("callbacks were made %d times", made)
		}
	})
}

func TestAnApplicationHasEitherServeOrCallbacks(t *testing.T) {
	for _, app := range []Application{{}, {Serve: func(*Session) {}, Callbacks: func(*Session) Callbacks { return nil }}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("Handle did not panic")
				}
			}()
			new(Server).Handle("/", app)
		}()
	}
}

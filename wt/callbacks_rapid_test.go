package wt

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"pgregory.net/rapid"
)

// whim is an application that does anything at any event.
type whim struct {
	diary
	rng     *rand.Rand
	calm    int // of so many reactions one closes the session
	streams []*EventStream
	opened  int
}

func newWhim(seed uint64, calm int) *whim {
	w := &whim{rng: rand.New(rand.NewPCG(seed, 0)), calm: calm}
	w.react = func(_ string, s *Session, st *EventStream) { w.act(s, st) }
	w.supply = func(st *EventStream, p []byte) (int, Next) {
		w.act(st.Session(), st)
		return w.rng.IntN(len(p) + 1), Next(w.rng.IntN(3))
	}
	return w
}

func (w *whim) open(s *Session, bidirectional bool) {
	if st, err := s.OpenEventStream(bidirectional, nil); err == nil {
		w.streams = append(w.streams, st)
		w.opened++
	}
}

// ask calls what changes no state that events tell of.
func (w *whim) ask(s *Session, st *EventStream) {
	s.Stats()
	s.MaxDatagramSize()
	s.Protocol()
	s.ExportKeyingMaterial("whim", nil, 8)
	s.SetDatagramOptions(DatagramOptions{WhenFull: DatagramPolicy(w.rng.IntN(3))})
	if st != nil {
		st.SetPriority(int8(w.rng.IntN(8)), w.rng.IntN(2) == 0)
		st.SetSendOrder(w.rng.Int64N(5))
		st.SetValue(st.StreamID())
	}
}

// act is called within a callback, so never twice at a time.
func (w *whim) act(s *Session, st *EventStream) {
	if st != nil {
		w.streams = append(w.streams, st)
	}
	if len(w.streams) > 0 {
		st = w.streams[w.rng.IntN(len(w.streams))]
	}
	if w.rng.IntN(w.calm) == 0 {
		s.Close(w.rng.Uint32(), "whim")
	}
	switch action := w.rng.IntN(16); {
	case action < 3:
		if len(w.streams) < 100 {
			w.open(s, action < 2)
		}
	case action == 3:
		s.SendDatagram([]byte("x"))
	case action == 4:
		s.Drain()
	case action == 5:
		w.ask(s, st)
		time.Sleep(time.Duration(w.rng.IntN(10)) * time.Millisecond)
	case st == nil:
	case action < 9:
		st.WantWrite()
	case action == 9:
		st.Pause()
	case action < 12:
		st.Resume()
	case action == 12:
		st.Reset(w.rng.Uint32())
	case action == 13:
		st.StopSending(w.rng.Uint32())
	}
}

// Two applications that do anything, on a network that loses packets, are told
// of it in an order that makes sense.
func TestTheOrderOfEventsHoldsForAnyApplications(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		calm := rapid.IntRange(5, 200).Draw(rt, "calm")
		streams := rapid.Int64Range(1, 20).Draw(rt, "streams")
		lossy := rapid.Bool().Draw(rt, "lossy")
		abrupt := rapid.Bool().Draw(rt, "abrupt")
		first := 0
		client, server := newWhim(seed, calm), newWhim(seed+1, calm)
		t.Run("", func(t *testing.T) {
			app := &Server{}
			app.Handle("/events", Application{Callbacks: func(*Session) Callbacks { return server }})
			inWorld(t, app, func(w *world) {
				for _, config := range []*quic.Config{w.clientQUIC, w.serveQUIC} {
					config.MaxIncomingStreams, config.MaxIncomingUniStreams = streams, streams+3
				}
				if lossy {
					rng := rand.New(rand.NewPCG(seed+2, 0))
					w.serverNet.setDrop(func() bool { return rng.IntN(10) == 0 })
				}
			}, func(w *world) {
				c := w.dial(nil)
				s := w.openWith(c, "/events", client)
				for range 5 {
					if _, err := s.OpenEventStream(true, nil); err == nil {
						first++
					}
				}
				time.Sleep(time.Duration(seed%3000) * time.Millisecond)
				if abrupt {
					c.conn.quic.CloseWithError(h3NoError, "")
				} else {
					s.Close(1, "enough")
					<-s.Done()
				}
				c.Close()
				w.settle()
				synctest.Wait()
			})
		})
		checkInvariants(rt, &client.diary)
		checkInvariants(rt, &server.diary)
		if n := client.opened + first; len(client.over) < n {
			rt.Errorf("%d streams were opened, %d ended", n, len(client.over))
		}
	})
}

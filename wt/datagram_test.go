package wt

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
)

func TestIncomingDatagramsAreDroppedByNumberAndAge(t *testing.T) {
	for name, test := range map[string]struct {
		limits           Limits
		options          *DatagramOptions
		received         []byte
		dropped, expired uint64
	}{
		"by default all are kept": {Limits{}, nil, []byte{0, 1, 2, 3}, 0, 0},
		"by number, the oldest":   {Limits{DatagramQueue: 2}, nil, []byte{2, 3}, 2, 0},
		"by the session's number": {Limits{DatagramQueue: 2}, &DatagramOptions{IncomingHighWaterMark: 3}, []byte{1, 2, 3}, 1, 0},
		"by the number of Limits": {Limits{DatagramQueue: 2}, &DatagramOptions{}, []byte{2, 3}, 2, 0},
		// The application comes a second after the first, which arrive 100 ms apart.
		"by an age that the third just reaches": {
			Limits{}, &DatagramOptions{IncomingMaxAge: 800 * time.Millisecond}, []byte{2, 3}, 0, 2},
		"by an age that it exceeds": {
			Limits{}, &DatagramOptions{IncomingMaxAge: 800*time.Millisecond - 1}, []byte{3}, 0, 3},
		"by age before number": {
			Limits{}, &DatagramOptions{IncomingMaxAge: 250 * time.Millisecond, IncomingHighWaterMark: 3}, nil, 0, 4},
	} {
		t.Run(name, func(t *testing.T) {
			var received []byte
			var stats Stats
			server := &Server{Limits: test.limits}
			server.Handle("/", Application{Serve: func(s *Session) {
				if test.options != nil {
					s.SetDatagramOptions(*test.options)
				}
				time.Sleep(time.Second + rtt) // the client is established one way later, its datagrams take another
				for len(received) < len(test.received) {
					b, err := s.ReceiveDatagram(context.Background())
					if err != nil {
						return
					}
					received = append(received, b...)
				}
				stats = s.Stats()
			}})
			inWorld(t, server, nil, func(w *world) {
				c := w.dial(nil)
				s := w.open(c, "/")
				for i := range 4 {
					s.SendDatagram([]byte{byte(i)})
					time.Sleep(100 * time.Millisecond)
				}
				<-s.Done()
				if string(received) != string(test.received) {
					t.Errorf("received %v, want %v", received, test.received)
				}
				if stats.DatagramsReceived != 4 || stats.DatagramsDroppedIncoming != test.dropped || stats.DatagramsExpiredIncoming != test.expired {
					t.Errorf("%d received, %d dropped, %d expired, want 4, %d, %d", stats.DatagramsReceived,
						stats.DatagramsDroppedIncoming, stats.DatagramsExpiredIncoming, test.dropped, test.expired)
				}
				c.Close()
			})
		})
	}
}

// Every datagram is accounted for: sent, dropped or expired at the sender, and
// what is sent and not lost arrives.
func TestDatagramsAreAccountedForUnderLoss(t *testing.T) {
	const n = 2000
	for name, test := range map[string]struct {
		options DatagramOptions
		blocks  bool // and so sends all
	}{
		"straight to QUIC": {DatagramOptions{}, true},
		"a queue":          {DatagramOptions{OutgoingHighWaterMark: 16}, true},
		"a maximum age":    {DatagramOptions{OutgoingMaxAge: 5 * time.Millisecond}, false},
		"drop oldest":      {DatagramOptions{WhenFull: DatagramDropOldest, OutgoingMaxAge: 5 * time.Millisecond}, false},
		"drop newest":      {DatagramOptions{WhenFull: DatagramDropNewest, OutgoingHighWaterMark: 16}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var got chan Stats
			server := &Server{Limits: Limits{DatagramQueue: n}}
			server.Handle("/", Application{Serve: func(s *Session) {
				<-s.Context().Done()
				got <- s.Stats()
			}})
			inWorld(t, server, nil, func(w *world) {
				got = make(chan Stats, 1)
				c := w.dial(nil)
				s, _, err := c.OpenSession(w.ctx, "https://server/", &SessionOptions{Datagrams: test.options})
				if err != nil {
					t.Fatal(err)
				}
				w.clientNet.setDrop(losing(10, 1))
				start := time.Now()
				for range n {
					if err := s.SendDatagram(make([]byte, 1000)); err != nil {
						t.Fatal(err)
					}
					time.Sleep(100 * time.Microsecond)
				}
				if d := time.Since(start); test.options.WhenFull != DatagramBlock && d != n*100*time.Microsecond {
					t.Errorf("sending took %v", d)
				}
				w.settle()
				stats := s.Stats()
				sent := stats.DatagramsSent
				if sum := sent + stats.DatagramsDroppedOutgoing + stats.DatagramsExpiredOutgoing; sum != n {
					t.Errorf("%d sent, dropped or expired, want %d", sum, n)
				}
				if test.blocks != (sent == n) || sent < n/10 {
					t.Errorf("%d of %d were sent", sent, n)
				}
				w.clientNet.setDrop(nil)
				s.Close(0, "")
				received := (<-got).DatagramsReceived
				if lost := sent - received; lost < sent/20 || lost > sent/5 {
					t.Errorf("%d of %d arrived, with a tenth of the packets lost", received, sent)
				}
				c.Close()
			})
		})
	}
}

func TestSendDatagramOfAnEndedSessionFails(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		for _, policy := range []DatagramPolicy{DatagramBlock, DatagramDropOldest} {
			c := w.dial(nil)
			s := w.open(c, "/echo")
			s.SetDatagramOptions(DatagramOptions{WhenFull: policy})
			if err := s.SendDatagram([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if b, err := s.ReceiveDatagram(w.ctx); err != nil || string(b) != "x" {
				t.Errorf("echoed %q, %v", b, err)
			}
			c.Conn().CloseWithError(5, "")
			synctest.Wait()
			if e := sessionError(t, s.SendDatagram([]byte("y"))); e.Code != 5 {
				t.Errorf("sending on a closed connection: %v", e)
			}
			c.Close()
		}
	})
}

// QUIC may tell of the end of a connection before the session has noticed.
func TestErrorsOfSendingDatagramsEndTheSessionIfTheConnectionIsLost(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/echo")
		if err := s.datagramError(io.ErrNoProgress); err != io.ErrNoProgress || s.Context().Err() != nil {
			t.Errorf("another error became %v", err)
		}
		lost := &quic.ApplicationError{Remote: true, ErrorCode: 5, ErrorMessage: "gone"}
		for range 2 {
			if e := sessionError(t, s.datagramError(lost)); e.Code != 5 || e.Reason != "gone" || !e.Remote || e.Clean {
				t.Errorf("the error is %+v", e)
			}
		}
		if context.Cause(s.Context()) == nil {
			t.Error("the session goes on")
		}
		c.Close()
	})
}

func TestMaxDatagramSizeIsExact(t *testing.T) {
	inWorld(t, echoServer(), nil, func(w *world) {
		c := w.dial(nil)
		s := w.open(c, "/echo")
		for _, policy := range []DatagramPolicy{DatagramBlock, DatagramDropNewest} {
			s.SetDatagramOptions(DatagramOptions{WhenFull: policy})
			size := s.MaxDatagramSize()
			if err := s.SendDatagram(make([]byte, size)); err != nil {
				t.Errorf("a datagram of %d bytes: %v", size, err)
			}
			if b, err := s.ReceiveDatagram(w.ctx); err != nil || len(b) != size {
				t.Errorf("echoed %d bytes, %v", len(b), err)
			}
			err := s.SendDatagram(make([]byte, s.MaxDatagramSize()+1))
			if e, ok := errors.AsType[*DatagramTooLargeError](err); !ok || e.Max != s.MaxDatagramSize() || e.Size != e.Max+1 {
				t.Errorf("one byte more: %v", err)
			}
		}
		c.Close()
	})
}

package wt

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"pgregory.net/rapid"
)

// slowSender sends a datagram every 100 ms, and notes when it has sent which.
type slowSender struct {
	datagramSender
	start time.Time
	sent  []string
}

func newSlowSender() *slowSender {
	s := &slowSender{start: time.Now()}
	s.datagramSender.send = func(b []byte) error {
		time.Sleep(100 * time.Millisecond)
		if string(b) == "too large" {
			return &quic.DatagramTooLargeError{}
		}
		if string(b) == "lost" {
			return net.ErrClosed
		}
		s.sent = append(s.sent, fmt.Sprintf("%s@%d", b, time.Since(s.start).Milliseconds()))
		return nil
	}
	s.spawn = func(f func()) bool {
		go f()
		return true
	}
	return s
}

// enqueueAll enqueues what the words say, the first of which is sent at once.
func (s *slowSender) enqueueAll(t *testing.T, q *outgoingDatagrams, words string, o DatagramOptions) {
	t.Helper()
	for _, word := range strings.Fields(words) {
		if err := s.enqueue(q, []byte(word), &o); err != nil {
			t.Errorf("queueing %s: %v", word, err)
		}
		synctest.Wait()
	}
}

func TestDatagramsThatWaitAreDroppedByPolicyAndAge(t *testing.T) {
	for name, test := range map[string]struct {
		options          DatagramOptions
		sent             string
		dropped, expired uint64
	}{
		"a queue that is large enough": {
			DatagramOptions{OutgoingHighWaterMark: 3, WhenFull: DatagramDropOldest}, "a@100 b@200 c@300 d@400", 0, 0},
		"drop oldest": {
			DatagramOptions{OutgoingHighWaterMark: 2, WhenFull: DatagramDropOldest}, "a@100 c@200 d@300", 1, 0},
		"drop newest": {
			DatagramOptions{OutgoingHighWaterMark: 2, WhenFull: DatagramDropNewest}, "a@100 b@200 c@300", 1, 0},
		"the age that the third just reaches": {
			DatagramOptions{OutgoingHighWaterMark: 3, OutgoingMaxAge: 200 * time.Millisecond, WhenFull: DatagramDropOldest},
			"a@100 b@200 c@300", 0, 1},
		"the age that it exceeds": {
			DatagramOptions{OutgoingHighWaterMark: 3, OutgoingMaxAge: 200*time.Millisecond - 1, WhenFull: DatagramDropOldest},
			"a@100 b@200", 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, q := newSlowSender(), &outgoingDatagrams{}
				s.enqueueAll(t, q, "a b c d", test.options)
				time.Sleep(time.Second)
				synctest.Wait()
				if got := strings.Join(s.sent, " "); got != test.sent {
					t.Errorf("sent %s, want %s", got, test.sent)
				}
				if q.sent.Load() != uint64(len(s.sent)) || q.dropped.Load() != test.dropped || q.expired.Load() != test.expired {
					t.Errorf("%d sent, %d dropped, %d expired, want %d, %d, %d",
						q.sent.Load(), q.dropped.Load(), q.expired.Load(), len(s.sent), test.dropped, test.expired)
				}
				if s.running || len(s.waiting) != 0 {
					t.Error("the sender has not come to rest")
				}
			})
		})
	}
}

func TestExpiredDatagramsMakeRoomForNewOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, q := newSlowSender(), &outgoingDatagrams{}
		o := DatagramOptions{OutgoingHighWaterMark: 2, OutgoingMaxAge: 50 * time.Millisecond, WhenFull: DatagramDropNewest}
		s.enqueueAll(t, q, "a b c", o)
		time.Sleep(60 * time.Millisecond)
		s.enqueueAll(t, q, "d e", o)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := strings.Join(s.sent, " "); got != "a@100 d@200" || q.expired.Load() != 3 || q.dropped.Load() != 0 {
			t.Errorf("sent %s, %d expired, %d dropped", got, q.expired.Load(), q.dropped.Load())
		}
	})
}

func TestSendersWaitForRoom(t *testing.T) {
	for name, test := range map[string]struct {
		maxAge  time.Duration
		sent    string
		queued  []int // when, in ms
		expired uint64
	}{
		"that is made by sending":  {0, "a@100 b@200 c@300 d@400 e@500", []int{0, 0, 0, 100, 200}, 0},
		"that is made by the age":  {50 * time.Millisecond, "a@100 d@200", []int{0, 0, 0, 50, 50}, 3},
		"that is made by one each": {150 * time.Millisecond, "a@100 b@200 d@300 e@400", []int{0, 0, 0, 100, 150}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, q := newSlowSender(), &outgoingDatagrams{}
				var queued []int
				for _, word := range []string{"a", "b", "c", "d", "e"} {
					err := s.enqueue(q, []byte(word), &DatagramOptions{OutgoingHighWaterMark: 2, OutgoingMaxAge: test.maxAge})
					if err != nil {
						t.Errorf("queueing %s: %v", word, err)
					}
					synctest.Wait()
					queued = append(queued, int(time.Since(s.start).Milliseconds()))
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if got := strings.Join(s.sent, " "); got != test.sent || q.expired.Load() != test.expired || q.dropped.Load() != 0 {
					t.Errorf("sent %s, %d expired, %d dropped, want %s, %d, 0", got, q.expired.Load(), q.dropped.Load(), test.sent, test.expired)
				}
				if !slices.Equal(queued, test.queued) {
					t.Errorf("queued at %v ms, want %v", queued, test.queued)
				}
			})
		})
	}
}

func TestTheEndOfASessionWakesItsSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, q := newSlowSender(), &outgoingDatagrams{}
		o := DatagramOptions{OutgoingHighWaterMark: 1}
		s.enqueueAll(t, q, "a b", o)
		end := errors.New("ended")
		time.AfterFunc(50*time.Millisecond, func() { s.close(q, end) })
		if err := s.enqueue(q, []byte("c"), &o); err != end || time.Since(s.start) != 50*time.Millisecond {
			t.Errorf("queueing ended after %v with %v", time.Since(s.start), err)
		}
		time.Sleep(time.Second) // for what was under way
	})
}

func (s *slowSender) queued(q *outgoingDatagrams) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(q.queue)
}

// queueing is a datagram that a session queues, and how long nothing happens then.
type queueing struct {
	session int
	options DatagramOptions
	pause   time.Duration
}

func drawQueueing(t *rapid.T) queueing {
	milliseconds := func(most int, label string) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(t, label)) * time.Millisecond
	}
	return queueing{
		session: rapid.IntRange(0, 2).Draw(t, "session"),
		options: DatagramOptions{
			WhenFull:              rapid.SampledFrom([]DatagramPolicy{DatagramBlock, DatagramDropOldest, DatagramDropNewest}).Draw(t, "policy"),
			OutgoingHighWaterMark: rapid.IntRange(1, 5).Draw(t, "high-water mark"),
			OutgoingMaxAge:        milliseconds(500, "age"),
		},
		pause: milliseconds(120, "pause"),
	}
}

// Of what several sessions queue each datagram is sent, dropped or expired,
// those of a session in their order.
func TestNoDatagramIsUnaccountedFor(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		plan := rapid.SliceOfN(rapid.Custom(drawQueueing), 1, 60).Draw(r, "plan")
		queues := []*outgoingDatagrams{{session: 0}, {session: 4}, {session: 12}}
		var sent [3][]string
		var count [3]uint64
		synctest.Test(t, func(t *testing.T) {
			s := newSlowSender()
			for _, step := range plan {
				q := queues[step.session]
				before := s.queued(q)
				count[step.session]++
				if err := s.enqueue(q, fmt.Appendf(nil, "%d.%03d", step.session, count[step.session]), &step.options); err != nil {
					t.Error(err)
				}
				if n := s.queued(q); n > max(before, step.options.OutgoingHighWaterMark) {
					t.Errorf("%d datagrams are queued after %d, at most %d may be", n, before, step.options.OutgoingHighWaterMark)
				}
				time.Sleep(step.pause)
				synctest.Wait()
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			for _, d := range s.sent {
				sent[d[0]-'0'] = append(sent[d[0]-'0'], d)
			}
		})
		for i, q := range queues {
			if sum := q.sent.Load() + q.dropped.Load() + q.expired.Load(); sum != count[i] || len(q.queue) != 0 {
				r.Fatalf("%d of %d datagrams are accounted for, %d left", sum, count[i], len(q.queue))
			}
			if !slices.IsSorted(sent[i]) || uint64(len(sent[i])) != q.sent.Load() {
				r.Fatalf("sent %v", sent[i])
			}
		}
	})
}

func TestSessionsTakeTurnsWithTheirDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlowSender()
		o := DatagramOptions{OutgoingHighWaterMark: 8, WhenFull: DatagramDropOldest}
		for _, session := range []quic.StreamID{4, 8, 0} {
			n := 3
			if session == 8 {
				n = 1
			}
			words := ""
			for i := range n {
				words += fmt.Sprintf(" %d.%d", session, i)
			}
			s.enqueueAll(t, &outgoingDatagrams{session: session}, words, o)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		want := []string{"4.0@100", "8.0@200", "0.0@300", "4.1@400", "0.1@500", "4.2@600", "0.2@700"}
		if !slices.Equal(s.sent, want) {
			t.Errorf("sent %v, want %v", s.sent, want)
		}
	})
}

func TestDatagramsOfAnEndedSessionAreNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ended, other := newSlowSender(), &outgoingDatagrams{}, &outgoingDatagrams{session: 4}
		o := DatagramOptions{OutgoingHighWaterMark: 8, WhenFull: DatagramDropOldest}
		s.enqueueAll(t, ended, "a b c", o)
		s.enqueueAll(t, other, "d too", o)
		s.enqueue(other, []byte("too large"), &o)
		s.enqueueAll(t, other, "e lost f", o)
		end := errors.New("ended")
		s.close(ended, end)
		if err := s.enqueue(ended, []byte("x"), &o); err != end {
			t.Errorf("queueing in an ended session: %v", err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := strings.Join(s.sent, " "); got != "a@100 d@200 too@300 e@500" {
			t.Errorf("sent %s", got)
		}
		if ended.dropped.Load() != 2 || other.dropped.Load() != 3 {
			t.Errorf("%d and %d dropped, want 2 and 3", ended.dropped.Load(), other.dropped.Load())
		}
		if err := s.enqueue(other, []byte("x"), &o); err != net.ErrClosed {
			t.Errorf("queueing after the connection was lost: %v", err)
		}
	})
}

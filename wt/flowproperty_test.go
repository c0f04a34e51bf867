package wt

import (
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// streamPlan is what a stream of the property test does at both ends.
type streamPlan struct {
	writes  []int // sizes
	reset   bool  // the writer resets it after the writes, instead of closing it
	pause   time.Duration
	chunk   int // the reader reads at most so much at once
	stop    int // the reader stops the stream after so many bytes, -1: never
	uni     bool
	backlog time.Duration // how long the reader waits before it reads
}

func drawStream(t *rapid.T) streamPlan {
	return streamPlan{
		writes:  rapid.SliceOfN(rapid.IntRange(0, 6000), 0, 5).Draw(t, "writes"),
		reset:   rapid.Bool().Draw(t, "reset"),
		pause:   time.Duration(rapid.IntRange(0, 50).Draw(t, "pause_ms")) * time.Millisecond,
		chunk:   rapid.IntRange(1, 4000).Draw(t, "chunk"),
		stop:    rapid.OneOf(rapid.Just(-1), rapid.IntRange(0, 8000)).Draw(t, "stop"),
		uni:     rapid.Bool().Draw(t, "uni"),
		backlog: time.Duration(rapid.IntRange(0, 100).Draw(t, "backlog_ms")) * time.Millisecond,
	}
}

func (p streamPlan) write(ctx context.Context, s *Session, index byte) {
	var str interface {
		io.WriteCloser
		CancelWrite(uint32)
	}
	if p.uni {
		uni, err := s.OpenUniStream(ctx)
		if err != nil {
			return
		}
		str = uni
	} else {
		bidi, err := s.OpenStream(ctx)
		if err != nil {
			return
		}
		go io.Copy(io.Discard, bidi)
		str = bidi
	}
	str.Write([]byte{index})
	for _, n := range p.writes {
		str.Write(make([]byte, n))
	}
	time.Sleep(p.pause)
	if p.reset {
		str.CancelWrite(1)
	} else {
		str.Close()
	}
}

// read reads a stream as the plan says that its first byte names.
func readPlanned(r interface {
	io.Reader
	CancelRead(uint32)
}, plans []streamPlan) {
	var index [1]byte
	if _, err := io.ReadFull(r, index[:]); err != nil {
		return
	}
	p := plans[index[0]]
	time.Sleep(p.backlog)
	b := make([]byte, p.chunk)
	for total := 0; p.stop < 0 || total <= p.stop; {
		n, err := r.Read(b)
		if total += n; err != nil {
			return
		}
	}
	r.CancelRead(2)
}

// Whatever happens to streams, both ends agree on what was used of the
// session's credit, and all of it comes back.
func TestBothEndsAgreeOnTheCreditUsed(t *testing.T) {
	testCert()
	rapid.Check(t, func(r *rapid.T) {
		config := FlowControl{
			InitialData: rapid.Int64Range(1000, 20000).Draw(r, "initial_data"),
			MaxData:     rapid.Int64Range(1000, 40000).Draw(r, "max_data"),
			Streams:     rapid.Int64Range(1, 4).Draw(r, "streams"),
			UniStreams:  rapid.Int64Range(1, 4).Draw(r, "uni_streams"),
		}
		plans := rapid.SliceOfN(rapid.Custom(drawStream), 1, 12).Draw(r, "plans")
		loss := rapid.IntRange(0, 20).Draw(r, "loss_percent")
		seed := rapid.Uint64().Draw(r, "seed")
		if problem := creditUsed(t, config, plans, loss, seed); problem != "" {
			r.Fatalf("%s (seed %d)", problem, seed)
		}
	})
}

// mayBeLost is how many bytes quic-go may leave out of the final sizes although they were
// counted: what it still held of streams that were reset, and stopped before the reset arrived.
func mayBeLost(plans []streamPlan) (n int64) {
	for _, p := range plans {
		if p.reset && p.stop >= 0 {
			n += maxBuffered
		}
	}
	return n
}

func creditUsed(t *testing.T, config FlowControl, plans []streamPlan, loss int, seed uint64) (problem string) {
	server := &Server{FlowControl: config}
	var sessions chan *Session
	server.Handle("/", Application{Serve: func(s *Session) {
		sessions <- s
		var readers sync.WaitGroup
		defer readers.Wait()
		readers.Go(func() {
			for {
				str, err := s.AcceptStream(s.Context())
				if err != nil {
					return
				}
				str.Close()
				readers.Go(func() { readPlanned(str, plans) })
			}
		})
		for {
			str, err := s.AcceptUniStream(s.Context())
			if err != nil {
				return
			}
			readers.Go(func() { readPlanned(str, plans) })
		}
	}})
	configure := func(*world) { sessions = make(chan *Session, 1) }
	inWorld(t, server, configure, func(w *world) {
		c := w.dial(&ClientConfig{FlowControl: config})
		s := w.open(c, "/")
		peer := <-sessions
		for i, end := range []*pipeEnd{w.clientNet, w.serverNet} {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			end.setDrop(func() bool { return random.IntN(100) < loss })
		}
		var writers sync.WaitGroup
		for i, p := range plans {
			writers.Go(func() { p.write(w.ctx, s, byte(i)) })
			synctest.Wait()
		}
		writers.Wait()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		w.clientNet.setDrop(nil)
		w.serverNet.setDrop(nil)
		problem = disagreement(s, peer, mayBeLost(plans))
		if problem != "" {
			t.Logf("sent %+v\ngot %+v", s.outFlow.data, peer.in)
		}
		s.Close(0, "")
		c.Close()
	})
	return problem
}

// disagreement says on what the sender and the receiver of a session at rest disagree, if they
// do. The receiver may not know of that many bytes which were lost.
func disagreement(s, peer *Session, lost int64) string {
	sent, got := s.outFlow, peer.in
	sent.sched.mu.Lock()
	defer sent.sched.mu.Unlock()
	got.mu.Lock()
	defer got.mu.Unlock()
	switch {
	case s.ctx.Err() != nil:
		return "the session ended: " + context.Cause(s.ctx).Error()
	case openStreams(s) != 0 || openStreams(peer) != 0:
		return "streams are left"
	case sent.data.used > sent.data.limit:
		return "more was sent than the peer allowed"
	case sent.data.used < got.received || sent.data.used > got.received+lost:
		return "the ends disagree about what was sent"
	case got.received != got.consumed:
		return "what was received did not all come back as credit"
	case sent.data.limit != got.limit:
		return "the ends disagree about the limit"
	case sent.streams[bidirectional].used != got.streams[bidirectional].ended,
		sent.streams[unidirectional].used != got.streams[unidirectional].ended:
		return "the ends disagree about the streams that were used"
	case len(sent.sched.groups[defaultUrgency].members) != 0:
		return "a writer was left in the scheduler"
	}
	return ""
}

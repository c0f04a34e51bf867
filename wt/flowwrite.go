package wt

import (
	"errors"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// Data whose session is under flow control is counted when QUIC packs it, so
// that a stream which is reset has used exactly the credit that its final size
// says. A write that QUIC cannot pack at once has to wait for that. To let a
// caller go on, and FIN travel with the end of the data, up to maxBuffered
// bytes of a stream in small writes are counted at once instead, and handed to QUIC such that they are
// part of the final size whatever happens to the stream.
//
// So is the end of a write that is not large. At the end of a large one a packet that is
// not full, and so the end of a batch of packets, weighs more than a round of waiting.
const (
	smallWrite  = 1 << 10
	largeWrite  = 16 << 10
	maxBuffered = 4 << 10
)

// writeWithCredit is Write for a session under flow control, after the header was sent.
func (s *SendStream) writeWithCredit(f *outgoingFlow, p []byte) (int, error) {
	if n, err := s.writeSmall(f, p); n > 0 || err != nil {
		return n, err
	}
	f.sched.begin(&f.turn, s.state.session.urgency())
	defer f.sched.end(&f.turn)
	written := 0
	for {
		rest := p[written:]
		if len(rest) > 2*smallWrite && len(p) <= largeWrite {
			rest = rest[:len(rest)-smallWrite]
		}
		n, err := s.stream.WriteWithLimit(rest, f.limiter)
		written += n
		if n > 0 {
			s.buffered.Store(0) // it came after all that was buffered
			s.sentMore()
		}
		if errors.Is(err, quic.ErrWriteLimitReached) {
			s.awaitCredit(f)
			err = nil
		}
		if err != nil || written == len(p) {
			return written, err
		}
		if n, err := s.writeSmall(f, p[written:]); n > 0 || err != nil {
			return written + n, err
		}
	}
}

// awaitWritable waits until QUIC would pack data of the stream at once, and the
// session has credit for it.
func (s *SendStream) awaitWritable() error {
	f := s.state.session.outFlow
	for {
		_, err := s.stream.WriteWithLimit(probe[:1], func(int) int { return 0 })
		if !errors.Is(err, quic.ErrWriteLimitReached) {
			return s.state.fail(err, sendHalf)
		}
		if f == nil || f.hasCredit() {
			return nil
		}
		f.sched.begin(&f.turn, s.state.session.urgency())
		s.awaitCredit(f)
		f.sched.end(&f.turn)
	}
}

// writeSmall takes all of a small write, or nothing.
func (s *SendStream) writeSmall(f *outgoingFlow, p []byte) (int, error) {
	n := len(p)
	if n > smallWrite || s.deadline.passed() || s.buffered.Load()+int64(n) > maxBuffered || !f.takeNow(n) {
		return 0, nil
	}
	err := s.stream.TryWriteAll(p)
	if err != nil {
		f.giveBack(n)
		if errors.Is(err, quic.ErrWouldBlock) {
			err = nil
		}
		return 0, err
	}
	s.buffered.Add(int64(n))
	s.sentMore()
	return n, nil
}

// awaitCredit waits until the session has credit and its turn, or anything
// happens to the stream that its next write will report.
func (s *SendStream) awaitCredit(f *outgoingFlow) {
	session := s.state.session
	o := f.obstacle()
	if o.tell {
		session.out.send(sendDataBlocked, uint64(o.limit))
	}
	if o.ready == nil {
		return
	}
	var timeout <-chan time.Time
	if o.credit {
		f.sched.end(&f.turn)
		defer f.sched.begin(&f.turn, session.urgency())
		defer f.leave(&f.data, o.ready)
	} else {
		timer := time.NewTimer(patience(session.conn.quic.ConnectionStats().SmoothedRTT))
		defer timer.Stop()
		timeout = timer.C
	}
	deadline, changed := s.deadline.wait()
	var expired <-chan time.Time
	if deadline != nil {
		defer deadline.Stop()
		expired = deadline.C
	}
	select {
	case <-o.ready:
	case <-timeout:
		f.overtake()
	case <-expired:
	case <-changed:
	case <-session.ctx.Done():
	case <-s.stream.Context().Done():
	}
}

// writeDeadline is the write deadline of a stream, for what waits outside of QUIC.
type writeDeadline struct {
	mu      sync.Mutex
	at      time.Time
	changed chan struct{} // closed at the next change; nil if nobody waits
}

func (d *writeDeadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = t
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

func (d *writeDeadline) passed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.at.IsZero() && !time.Now().Before(d.at)
}

// wait returns a timer for the deadline, nil if there is none, and a channel
// that is closed when the deadline changes.
func (d *writeDeadline) wait() (*time.Timer, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	if d.at.IsZero() {
		return nil, d.changed
	}
	return time.NewTimer(time.Until(d.at)), d.changed
}

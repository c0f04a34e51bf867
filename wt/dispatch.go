package wt

import (
	"context"
	"errors"
	"sync/atomic"
)

// errCallbacks is returned by the calls that wait for what the callbacks of a session are told.
var errCallbacks = errors.New("wt: the session belongs to its Callbacks")

// dispatcher delivers the events of a session to its Callbacks.
type dispatcher struct {
	session   *Session
	turns     turns
	callbacks Callbacks     // set by begin
	accepted  chan struct{} // closed when Accepted has its turn, which the peer's events wait for

	opener, uniOpener opener

	datagrams atomic.Bool  // a turn is posted for the datagrams in the queue
	drained   atomic.Bool  // a turn was posted for Draining
	live      atomic.Int64 // the session, the streams whose StreamEnded is to come, and Draining

	over bool // Closed or Refused was delivered; belongs to the turns
}

// listen makes the session one with Callbacks, which begin sets. Until Freed
// the connection waits for it. It reports false if the connection is closed.
func (s *Session) listen() bool {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting {
		return false
	}
	c.wg.Add(1)
	d := &dispatcher{session: s, accepted: make(chan struct{})}
	d.turns.spawn = c.wg.Go
	d.turns.taken = true // until begin
	d.live.Store(1)
	s.events = d
	return true
}

// begin starts the delivery of events, if the session has Callbacks.
func (s *Session) begin(callbacks Callbacks) {
	if s.events != nil {
		s.events.callbacks = callbacks
		s.conn.wg.Go(s.events.turns.leave)
	}
}

// refuseUnsent reports a session that is refused without having asked for it.
func (s *Session) refuseUnsent(callbacks Callbacks, err error) {
	if s.listen() {
		s.begin(callbacks)
		s.refuse(nil, err)
	}
}

// dismiss forgets a session that will not be.
func (s *Session) dismiss() {
	s.begin(NoCallbacks{})
	if s.events != nil {
		s.events.release()
	}
}

// accept announces that the session is established.
func (d *dispatcher) accept() {
	d.turns.post(func() {
		if !d.over {
			d.callbacks.Accepted(d.session)
		}
	})
	close(d.accepted)
	d.datagramArrived()
	select {
	case <-d.session.draining:
		d.drain()
	default:
	}
}

// end announces how the session ended.
func (d *dispatcher) end(e *SessionError) {
	d.turns.post(func() {
		d.over = true
		if refused, ok := errors.AsType[*RefusedError](e.Err); ok {
			d.callbacks.Refused(d.session, refused)
		} else {
			d.callbacks.Closed(d.session, e)
		}
	})
}

// drain announces that the session is to be wound down.
func (d *dispatcher) drain() {
	if !d.isAccepted() || !d.drained.CompareAndSwap(false, true) || !d.retain() {
		return
	}
	d.turns.post(func() {
		if !d.ignoring() {
			d.callbacks.Draining(d.session)
		}
		d.release()
	})
}

func (d *dispatcher) isAccepted() bool {
	select {
	case <-d.accepted:
		return true
	default:
		return false
	}
}

// ignoring reports whether the peer's events are of no interest any more,
// because the application has closed the session, or knows that it is closed.
func (d *dispatcher) ignoring() bool {
	e, ok := errors.AsType[*SessionError](context.Cause(d.session.ctx))
	return d.over || ok && !e.Remote
}

// datagramArrived lets the datagrams in the queue be delivered.
func (d *dispatcher) datagramArrived() {
	if d.isAccepted() && d.datagrams.CompareAndSwap(false, true) {
		d.turns.post(d.deliverDatagrams)
	}
}

// deliverDatagrams delivers as many datagrams as there are now. Those that
// arrive meanwhile have a turn of their own, lest they keep other events waiting.
func (d *dispatcher) deliverDatagrams() {
	d.datagrams.Store(false)
	for range d.session.datagrams.len() {
		next, ok := d.session.datagrams.tryPop()
		if !ok || d.ignoring() {
			return
		}
		if next.expired() {
			d.session.counters.expiredIncoming.Add(1)
			continue
		}
		d.callbacks.Datagram(d.session, next.payload)
	}
}

// retain counts one more stream, unless the session is gone.
func (d *dispatcher) retain() bool {
	for {
		n := d.live.Load()
		if n == 0 {
			return false
		}
		if d.live.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release counts one stream less, or the session itself when it leaves its
// connection. When nothing is left it announces that, as the last event.
func (d *dispatcher) release() {
	if d.live.Add(-1) == 0 {
		d.turns.post(func() {
			d.callbacks.Freed(d.session)
			d.session.conn.wg.Done()
		})
	}
}

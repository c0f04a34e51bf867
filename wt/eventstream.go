package wt

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/quic-go/quic-go"
)

// EventStream is a stream of a session with [Callbacks]. Its methods never
// wait, and are safe for concurrent use.
type EventStream struct {
	events        *dispatcher
	local         bool
	bidirectional bool
	value         atomic.Pointer[any]

	// users counts what may still bring events of the stream: the stream
	// itself until it is over, the goroutines that read and write, and the
	// wait for a request to stop. The last one announces the end of the stream.
	users     atomic.Int32
	announced bool // the application knows of the stream; belongs to the turns

	mu       sync.Mutex
	changed  sync.Cond // signalled by Resume, and when the stream is over
	send     *SendStream
	receive  *ReceiveStream
	waiting  context.Context     // while the stream waits for credit
	giveUp   context.CancelFunc  // ends the wait
	givenUp  bool                // before the stream was open
	code     uint32              // with which it was given up
	priority []func(*SendStream) // what to do when the stream is open
	paused   bool
	sized    bool // the final size has become known since the last look
	stopped  bool // no more Data
	sent     bool // no more Writable
	wanted   bool // WantWrite was called after the last Writable began
	writing  bool // the goroutine that writes runs, or there is nothing left to do for it
	over     bool
}

func newEventStream(d *dispatcher, local, bidirectional bool) *EventStream {
	es := &EventStream{events: d, local: local, bidirectional: bidirectional}
	es.changed.L = &es.mu
	return es
}

// OpenEventStream opens a stream of a session that has [Callbacks], and gives it a
// value. It never waits: if the peer does not allow one more stream now, the
// stream is opened as soon as it does. [Callbacks.Writable] is called when the stream
// is open and data can be sent. The peer learns of the stream with the first
// data, or the end; of a bidirectional one also if Writable returns none at first.
// It may be called before the session is accepted, and then sends ahead of the answer.
//
// The error is a *[SessionError] if the session has ended; otherwise
// [Callbacks.StreamEnded] follows in any case.
func (s *Session) OpenEventStream(bidirectional bool, value any) (*EventStream, error) {
	d := s.events
	if d == nil {
		return nil, errors.New("wt: OpenEventStream on a session without Callbacks")
	}
	if s.ctx.Err() != nil || !d.retain() {
		return nil, ended(s.ctx)
	}
	es := newEventStream(d, true, bidirectional)
	es.SetValue(value)
	es.announced, es.writing = true, true
	users := int32(3) // the stream, the writer, the wait for a request to stop
	if bidirectional {
		users++
	}
	es.users.Store(users)
	if err := es.opener().open(es); err != nil {
		es.announced = false
		es.release(users)
		return nil, err
	}
	return es, nil
}

func (es *EventStream) opener() *opener {
	if es.bidirectional {
		return &es.events.opener
	}
	return &es.events.uniOpener
}

// opener opens the streams of one kind that a session with Callbacks asks for, in the order of asking.
type opener struct {
	mu      sync.Mutex
	waiting []*EventStream // those that there is no credit for
}

// open opens a stream at once if the peer allows it, else as soon as it does.
func (o *opener) open(es *EventStream) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		err := es.open(context.Background(), false)
		if err != errNoCredit {
			return err
		}
		es.events.session.conn.wg.Go(o.run)
	}
	es.waiting, es.giveUp = context.WithCancel(context.Background())
	o.waiting = append(o.waiting, es)
	return nil
}

// remove forgets a stream that waits and was given up. The first is left to run.
func (o *opener) remove(es *EventStream) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.waiting, es); i > 0 {
		o.waiting = slices.Delete(o.waiting, i, i+1)
		es.release(es.users.Load())
	}
}

// run opens the streams that wait.
func (o *opener) run() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.waiting) > 0 {
		es := o.waiting[0]
		o.mu.Unlock()
		if err := es.open(es.waiting, true); err != nil {
			es.release(es.users.Load()) // nothing uses it yet
		}
		es.giveUp()
		o.mu.Lock()
		o.waiting[0] = nil
		o.waiting = o.waiting[1:]
	}
}

// open opens the stream. If it may not wait, it fails when there is no credit.
func (es *EventStream) open(ctx context.Context, wait bool) error {
	s := es.events.session
	var send *SendStream
	var receive *ReceiveStream
	if es.bidirectional {
		st, err := s.openStream(ctx, wait, es)
		if err != nil {
			return err
		}
		send, receive = &st.SendStream, &st.ReceiveStream
	} else {
		st, err := s.openUniStream(ctx, wait, es)
		if err != nil {
			return err
		}
		send = st
	}
	es.mu.Lock()
	es.send, es.receive = send, receive
	for _, apply := range es.priority {
		apply(send)
	}
	es.priority = nil
	givenUp, code := es.givenUp, es.code
	es.mu.Unlock()
	if givenUp {
		es.Reset(code)
		es.StopSending(code)
	}
	es.watchStop()
	s.conn.wg.Go(es.write)
	if receive != nil {
		s.conn.wg.Go(es.read)
	}
	return nil
}

// arrived makes an EventStream of a stream of the peer that is in the session's list.
func (es *EventStream) arrived(send *SendStream, receive *ReceiveStream) {
	es.send, es.receive = send, receive
	es.events.session.conn.wg.Go(func() {
		if !es.enter() {
			es.release(1)
			return
		}
		es.announced = true
		es.events.callbacks.StreamOpened(es)
		es.events.turns.leave()
		if send != nil {
			es.users.Add(1)
			es.watchStop()
		}
		es.read()
	})
}

// dismiss forgets a stream of the peer that came too late. es may be nil.
func (es *EventStream) dismiss() {
	if es != nil {
		es.release(2)
	}
}

// enter waits until an event that the peer caused may be delivered. It
// reports false if the session has ended.
func (es *EventStream) enter() bool {
	d := es.events
	select {
	case <-d.accepted:
	case <-d.session.ctx.Done():
		return false
	}
	d.turns.enter()
	if d.session.ctx.Err() != nil {
		d.turns.leave()
		return false
	}
	return true
}

// finish notes that both directions of the stream are over.
func (es *EventStream) finish() {
	es.mu.Lock()
	es.over = true
	es.changed.Broadcast()
	es.mu.Unlock()
	es.release(1)
}

// release counts n users less. The last one announces the end of the stream.
func (es *EventStream) release(n int32) {
	if es.users.Add(-n) != 0 {
		return
	}
	d := es.events
	d.turns.post(func() {
		if es.announced {
			d.callbacks.StreamEnded(es)
		}
		d.release()
	})
}

// StreamID returns the QUIC stream ID, -1 if the stream is not open yet. It is
// when [Callbacks.Writable] is called for it.
func (es *EventStream) StreamID() quic.StreamID {
	es.mu.Lock()
	defer es.mu.Unlock()
	switch {
	case es.send != nil:
		return es.send.StreamID()
	case es.receive != nil:
		return es.receive.StreamID()
	}
	return -1
}

// Session returns the session the stream belongs to.
func (es *EventStream) Session() *Session { return es.events.session }

// Bidirectional reports whether the stream has both directions. Of a
// unidirectional one this end has the sending direction if the stream is Local,
// the receiving direction otherwise.
func (es *EventStream) Bidirectional() bool { return es.bidirectional }

// Local reports whether this end opened the stream.
func (es *EventStream) Local() bool { return es.local }

// SetValue attaches an application's value to the stream.
func (es *EventStream) SetValue(v any) { es.value.Store(&v) }

// Value returns the value attached by OpenEventStream or SetValue, nil if there is none.
func (es *EventStream) Value() any {
	if p := es.value.Load(); p != nil {
		return *p
	}
	return nil
}

// WantWrite makes the stack call [Callbacks.Writable] when QUIC can send data of the
// stream. It does nothing if the sending direction is over, or does not exist.
func (es *EventStream) WantWrite() {
	es.mu.Lock()
	defer es.mu.Unlock()
	es.wanted = true
	if es.send == nil || es.writing || es.sent || es.over {
		return
	}
	es.writing = true
	es.users.Add(1)
	es.events.session.conn.wg.Go(es.write)
}

// Reset resets the sending direction with an application error code. A stream
// that is not open yet is given up.
func (es *EventStream) Reset(code uint32) {
	es.mu.Lock()
	es.sent = true
	send, waits := es.send, es.abandon(code)
	es.mu.Unlock()
	switch {
	case waits:
		es.opener().remove(es)
	case send != nil:
		send.CancelWrite(code)
	}
}

// StopSending asks the peer to stop sending, with an application error code. There is no
// Data any more, nor the end of the peer's direction. A stream that is not open yet is given up.
func (es *EventStream) StopSending(code uint32) {
	es.mu.Lock()
	es.stopped, es.paused = true, false
	es.changed.Broadcast()
	receive, waits := es.receive, es.bidirectional && es.abandon(code)
	es.mu.Unlock()
	switch {
	case waits:
		es.opener().remove(es)
	case receive != nil:
		receive.CancelRead(code)
	}
}

// abandon gives up a stream that is not open yet, and reports false for others.
// If it is opened all the same it is reset with the code. The caller holds es.mu.
func (es *EventStream) abandon(code uint32) bool {
	if !es.local || es.send != nil {
		return false
	}
	es.givenUp, es.code = true, code
	es.giveUp()
	return true
}

// Pause stops Data, until Resume. What the peer sends is held back by
// flow control. The end of the peer's direction, which comes after the data,
// waits as well. Other events do not, nor does a reset, as it does away with the
// data; only what the peer resets the stream behind, such as the first bytes, comes first.
func (es *EventStream) Pause() {
	es.mu.Lock()
	defer es.mu.Unlock()
	es.paused = !es.stopped
}

// Resume undoes Pause.
func (es *EventStream) Resume() {
	es.mu.Lock()
	defer es.mu.Unlock()
	es.paused = false
	es.changed.Broadcast()
}

// SetPriority is [SendStream.SetPriority] for the stream.
func (es *EventStream) SetPriority(urgency int8, incremental bool) {
	es.whenOpen(func(s *SendStream) { s.SetPriority(urgency, incremental) })
}

// SetSendOrder is [SendStream.SetSendOrder] for the stream.
func (es *EventStream) SetSendOrder(order int64) {
	es.whenOpen(func(s *SendStream) { s.SetSendOrder(order) })
}

// SetSendGroup is [SendStream.SetSendGroup] for the stream.
func (es *EventStream) SetSendGroup(g *SendGroup) {
	g = es.Session().groupOr(g)
	es.whenOpen(func(s *SendStream) { s.SetSendGroup(g) })
}

// whenOpen calls f with the sending direction, if there is one, when the stream is open.
func (es *EventStream) whenOpen(f func(*SendStream)) {
	es.mu.Lock()
	defer es.mu.Unlock()
	switch {
	case es.send != nil:
		f(es.send)
	case es.local && !es.givenUp:
		es.priority = append(es.priority, f)
	}
}

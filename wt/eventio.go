package wt

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/quic-go/quic-go"
)

// eventBuffer is the size of what Data delivers and Writable fills at most, in
// bytes: about the initial congestion window of QUIC (RFC 9002, section 7.2).
// Larger buffers would bind data long before a slow path can carry
// it, smaller ones wake the application for every packet of a fast path.
const eventBuffer = 16 << 10

// eventBuffers are lent to callbacks: a stream without an event has none.
var eventBuffers = sync.Pool{New: func() any { return new([eventBuffer]byte) }}

// read delivers what the stream receives, until the end of the direction.
func (es *EventStream) read() {
	defer es.release(1)
	for es.readOnce() {
	}
}

// readOnce waits for data, or the end, then for the stream's turn, and reads
// only then, so that the peer gets no credit while callbacks are busy. It reports whether to go on.
func (es *EventStream) readOnce() bool {
	var first [1]byte
	_, err := es.receive.stream.Peek(first[:])
	if sessionGone(err) {
		es.events.session.awaitEnd()
	}
	reset := err != nil && err != io.EOF
	if !reset {
		if over, resumed := es.awaitResumed(); over || !resumed {
			return !over
		}
	}
	if !es.enter() {
		return false
	}
	d := es.events
	defer d.turns.leave()
	if !reset && es.isPaused() {
		return true
	}
	buf := eventBuffers.Get().(*[eventBuffer]byte)
	defer eventBuffers.Put(buf)
	n, err := es.receive.readNow(buf[:])
	if n > 0 {
		d.callbacks.Data(es, buf[:n:n])
		es.receive.consumed(n)
	}
	if err == nil {
		return true
	}
	es.mu.Lock()
	stopped := es.stopped
	es.mu.Unlock()
	if stopped || d.session.ctx.Err() != nil {
		return false
	}
	if err == io.EOF {
		d.callbacks.StreamFinished(es)
	} else if reset, ok := errors.AsType[*StreamError](err); ok && reset.Remote {
		d.callbacks.StreamReset(es, reset)
	}
	return false
}

// awaitResumed waits while the stream is paused, until it is over, or has
// perhaps been reset.
func (es *EventStream) awaitResumed() (over, resumed bool) {
	es.mu.Lock()
	defer es.mu.Unlock()
	for es.paused && !es.over && !es.sized {
		es.changed.Wait()
	}
	es.sized = false
	return es.over, !es.paused
}

// sizeKnown notes that the peer has finished or reset its direction. It is
// called on QUIC's goroutine.
func (es *EventStream) sizeKnown() {
	es.mu.Lock()
	defer es.mu.Unlock()
	es.sized = true
	es.changed.Broadcast()
}

func (es *EventStream) isPaused() bool {
	es.mu.Lock()
	defer es.mu.Unlock()
	return es.paused
}

// write asks the application for data and sends it, until it has none or the
// direction is over.
func (es *EventStream) write() {
	defer es.release(1)
	for es.writeOnce() {
	}
}

// writeOnce waits until QUIC can send, and asks for data only then: a stream
// that is held up has none that it could have decided on later. It reports whether to go on.
func (es *EventStream) writeOnce() bool {
	if es.send.awaitWritable() != nil {
		return false
	}
	buf := eventBuffers.Get().(*[eventBuffer]byte)
	defer eventBuffers.Put(buf)
	n, next, ok := es.pull(buf[:])
	if !ok {
		return false
	}
	if n > 0 {
		if _, err := es.send.Write(buf[:n]); err != nil {
			return false
		}
	}
	switch {
	case next == End:
		es.mu.Lock()
		es.sent = true
		es.mu.Unlock()
		es.send.Close()
		return false
	case n == 0 && es.bidirectional:
		es.send.sendHeader(nil) // the peer may be to write first
	}
	if next == More && n > 0 {
		return true
	}
	es.mu.Lock()
	defer es.mu.Unlock()
	es.writing = es.wanted && !es.sent
	return es.writing
}

// pull calls Writable, unless the sending direction is over.
func (es *EventStream) pull(p []byte) (n int, next Next, ok bool) {
	d := es.events
	d.turns.enter()
	defer d.turns.leave()
	es.mu.Lock()
	sent := es.sent
	es.wanted = false
	es.mu.Unlock()
	if sent || d.session.ctx.Err() != nil {
		return 0, Wait, false
	}
	n, next = d.callbacks.Writable(es, p)
	if n < 0 || n > len(p) {
		panic("wt: Writable returned a count that is out of range")
	}
	return n, next, true
}

// watchStop reports the peer's request to stop as soon as it arrives.
func (es *EventStream) watchStop() {
	ctx := es.send.stream.Context()
	context.AfterFunc(ctx, func() { // at the latest at the end of the connection
		defer es.release(1)
		if e, ok := errors.AsType[*quic.StreamError](context.Cause(ctx)); ok && e.Remote {
			es.stop(e)
		}
	})
}

func (es *EventStream) stop(e *quic.StreamError) {
	if sessionGone(e) {
		es.events.session.awaitEnd()
	}
	if !es.enter() {
		return
	}
	defer es.events.turns.leave()
	es.mu.Lock()
	sent := es.sent
	es.sent = true
	es.mu.Unlock()
	if !sent {
		es.events.callbacks.StopSending(es, newStreamError(e))
	}
	es.send.CancelWrite(0) // QUIC has reset the stream with the peer's code
}

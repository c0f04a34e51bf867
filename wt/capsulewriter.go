package wt

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// outgoing is a kind of capsule that is sent on the CONNECT stream during the
// session, in the order in which those that wait together are sent.
type outgoing int

const (
	sendMaxData outgoing = iota
	sendMaxStreams
	sendMaxUniStreams
	sendDataBlocked
	sendStreamsBlocked
	sendUniStreamsBlocked
	sendDrain
	numOutgoing
)

// maxStreamsCapsule and streamsBlockedCapsule return the kinds for streams of a direction.
func (d direction) maxStreamsCapsule() outgoing     { return sendMaxStreams + outgoing(d) }
func (d direction) streamsBlockedCapsule() outgoing { return sendStreamsBlocked + outgoing(d) }

var outgoingTypes = [numOutgoing]uint64{
	capsuleMaxData, capsuleMaxStreams, capsuleMaxUniStreams,
	capsuleDataBlocked, capsuleStreamsBlocked, capsuleUniStreamsBlocked,
	capsuleDrain,
}

// capsuleWriter sends a session's capsules, and is all that writes to its
// CONNECT stream. A caller never waits: a capsule that flow control holds back
// is kept, and replaced by a later one of its kind, so that a peer
// which does not read makes this end store no more than one capsule of each.
type capsuleWriter struct {
	conn *conn

	mu      sync.Mutex
	stream  connectStream // nil until the session is established
	waiting [numOutgoing]bool
	begun   [numOutgoing]bool   // one was sent or is waiting
	values  [numOutgoing]uint64 // of the last one that was sent or is waiting
	busy    bool                // a goroutine is in Write
	final   func(error)
	close   []byte // CLOSE_SESSION, after which the stream is finished
	over    bool   // nothing will be sent any more
}

// establish allows capsules to be sent.
func (w *capsuleWriter) establish(stream connectStream) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stream = stream
	w.flush()
}

// send sends a capsule whose value is a varint; that of sendDrain is ignored.
// Limits only grow: one that is not larger than the last of its kind, which callers that run
// at the same time may hand over first, is dropped.
func (w *capsuleWriter) send(kind outgoing, value uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun[kind] && value <= w.values[kind] {
		return
	}
	w.waiting[kind], w.begun[kind], w.values[kind] = true, true, value
	w.flush()
}

// sendClose sends a CLOSE_SESSION capsule and FIN. What is still to be sent,
// other than what is under way, is dropped. It returns nil if both were handed
// to QUIC, and quic.ErrWouldBlock if flow control holds them back: then QUIC
// has until the deadline to take them, after which the stream is reset, and
// done is called with the result.
func (w *capsuleWriter) sendClose(capsule []byte, deadline time.Time, done func(error)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.waiting[:])
	w.close = capsule
	err := w.flush()
	if errors.Is(err, quic.ErrWouldBlock) {
		w.final = done
		w.stream.SetWriteDeadline(deadline)
	}
	return err
}

// finish ends the stream with FIN, unless that was done before. A capsule that
// is under way would be cut off by FIN: then the stream is reset.
func (w *capsuleWriter) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.over || w.stream == nil:
	case w.busy:
		w.fail()
	default:
		w.over = true
		w.stream.Close()
	}
}

// reset resets the stream, even if it was finished before: QUIC may hold what
// it took for want of credit.
func (w *capsuleWriter) reset(code quic.StreamErrorCode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stream != nil {
		w.over = true
		w.stream.CancelWrite(code)
	}
}

// flush sends what is waiting. The caller holds w.mu.
func (w *capsuleWriter) flush() error {
	if w.busy {
		return quic.ErrWouldBlock
	}
	if w.over || w.stream == nil {
		return net.ErrClosed
	}
	b := w.take()
	if b == nil {
		return nil
	}
	err := w.stream.TryWriteAll(b)
	switch {
	case err == nil && w.close != nil:
		w.over = true
		w.stream.Close()
	case errors.Is(err, quic.ErrWouldBlock):
		if w.busy = w.conn.spawn(func() { w.write(b) }); !w.busy {
			w.over = true
			return net.ErrClosed
		}
	case err != nil:
		w.fail()
	}
	return err
}

// take returns the capsules to be sent now.
func (w *capsuleWriter) take() []byte {
	if w.close != nil {
		return w.close
	}
	var b []byte
	for kind, waiting := range w.waiting {
		if !waiting {
			continue
		}
		b = quicvarint.Append(b, outgoingTypes[kind])
		if outgoing(kind) == sendDrain {
			b = quicvarint.Append(b, 0)
		} else {
			b = quicvarint.Append(b, uint64(quicvarint.Len(w.values[kind])))
			b = quicvarint.Append(b, w.values[kind])
		}
	}
	clear(w.waiting[:])
	return b
}

// write waits for flow control, and sends what has come up in the meantime.
func (w *capsuleWriter) write(b []byte) {
	for {
		_, err := w.stream.Write(b)
		w.mu.Lock()
		closing := w.close != nil && &b[0] == &w.close[0]
		if err == nil && !closing && !w.over {
			if b = w.take(); b != nil {
				w.mu.Unlock()
				continue
			}
		}
		w.busy = false
		if err == nil && w.over {
			err = net.ErrClosed // the stream was reset meanwhile
		}
		switch {
		case err != nil:
			w.fail()
		case closing && !w.over:
			w.over = true
			w.stream.Close()
		}
		done := w.final
		w.mu.Unlock()
		if done != nil {
			done(err)
		}
		return
	}
}

// fail resets the stream: the peer does not read it any more, did not for too
// long, or the connection is lost. The caller holds w.mu.
func (w *capsuleWriter) fail() {
	if !w.over {
		w.over = true
		w.stream.CancelWrite(codeSessionGone)
	}
}

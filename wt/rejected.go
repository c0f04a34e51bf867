package wt

import (
	"slices"

	"github.com/quic-go/quic-go"
)

// maxRejected is how many rejected streams per connection are remembered for
// sessions that may still come. It is far more than a peer has reason to send.
const maxRejected = 1024

// rejectedStream is a stream that was rejected because its session was not
// there. Its peer has spent credit of the session on it, and gets it back when the session comes.
type rejectedStream struct {
	id        quic.StreamID // of the session
	direction direction
	header    int64
	session   *Session // once it is there
	known     bool     // the final size is
	size      int64
	received  received
}

// remember keeps a stream that is being rejected. The caller holds t.mu.
func (t *table) remember(it *earlyItem) {
	if !it.isStream() || len(t.rejected) >= maxRejected || t.closed {
		return
	}
	d := unidirectional
	if it.stream != nil {
		d = bidirectional
	}
	it.rejected = &rejectedStream{id: it.session, direction: d, header: int64(it.header)}
	t.rejected = append(t.rejected, it.rejected)
}

// takeRejected removes and returns the rejected streams of a session. The caller holds t.mu.
func (t *table) takeRejected(id quic.StreamID) []*rejectedStream {
	var taken []*rejectedStream
	t.rejected = slices.DeleteFunc(t.rejected, func(r *rejectedStream) bool {
		if r.id == id {
			taken = append(taken, r)
		}
		return r.id == id
	})
	return taken
}

// finished notes the final size of a rejected stream.
func (t *table) finished(r *rejectedStream, size int64) {
	t.mu.Lock()
	r.known, r.size = true, size
	s := r.session
	t.mu.Unlock()
	if s != nil {
		s.in.finish(&r.received, size-r.header)
	}
}

// countRejected gives back what the peer spent on streams that were rejected.
func (t *table) countRejected(s *Session, rejected []*rejectedStream) {
	if s.in == nil {
		return
	}
	for _, r := range rejected {
		s.in.opened(r.direction)
		s.in.abandon(&r.received)
		t.mu.Lock()
		r.session = s
		known := r.known
		t.mu.Unlock()
		if known {
			s.in.finish(&r.received, r.size-r.header)
		}
		s.in.ended(r.direction)
	}
}

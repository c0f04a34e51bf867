package wt

import (
	"sync"
	"time"
)

// incomingFlow is what the peer may send in a session, and the credit it gets
// for what the application has consumed.
type incomingFlow struct {
	session *Session
	config  FlowControl

	mu       sync.Mutex
	limit    int64 // as last sent to the peer
	received int64 // read, and the final sizes that are known
	consumed int64 // read, or given up with the stream
	window   int64
	streams  [numDirections]incomingStreams

	// The window doubles when a share of it is consumed in less than four
	// times that share of a round trip, as those of QUIC do.
	epochStart    time.Time
	epochConsumed int64
}

type incomingStreams struct {
	open   int64 // that may be open at once
	limit  int64 // as last sent to the peer
	opened int64
	ended  int64
}

// received is what a stream of the session received. It is guarded by
// incomingFlow.mu, and its zero value is that of a stream of which nothing came.
type received struct {
	read      int64
	final     int64 // the final size, once it is known
	finished  bool  // the final size is known
	abandoned bool  // no more will be read
}

func newIncomingFlow(s *Session, c FlowControl) *incomingFlow {
	return &incomingFlow{
		session: s, config: c,
		limit: c.InitialData, window: c.InitialData,
		streams: [numDirections]incomingStreams{
			bidirectional:  {open: c.Streams, limit: c.Streams},
			unidirectional: {open: c.UniStreams, limit: c.UniStreams},
		},
		epochStart: time.Now(),
	}
}

// opened counts a stream of the peer, and fails the session if it is one too many.
func (f *incomingFlow) opened(d direction) {
	if f == nil {
		return
	}
	f.mu.Lock()
	n := &f.streams[d]
	n.opened++
	over, limit := n.opened > n.limit, n.limit
	f.mu.Unlock()
	if over {
		f.session.fail(flowFault("peer opened more than %d streams", limit))
	}
}

// AllowStreams lets the peer have at least so many bidirectional and
// unidirectional streams open in this session at the same time, beyond what
// [FlowControl] says (W3C's anticipatedConcurrentIncoming… are such numbers). The limits of
// QUIC, which all sessions of a connection share, stay ([quic.Config]). Without
// flow control of sessions they are the only ones, and AllowStreams does nothing.
func (s *Session) AllowStreams(streams, uniStreams int64) {
	s.in.allow(bidirectional, streams)
	s.in.allow(unidirectional, uniStreams)
}

// allow raises the number of streams that may be open at once.
func (f *incomingFlow) allow(d direction, open int64) {
	if f == nil {
		return
	}
	f.mu.Lock()
	n := &f.streams[d]
	n.open = max(n.open, min(open, maxStreams))
	f.grant(d, 1)
}

// ended gives credit for a stream of the peer that is over at this end: often
// when the peer is about to run out of it, in larger steps otherwise.
func (f *incomingFlow) ended(d direction) {
	if f == nil {
		return
	}
	f.mu.Lock()
	n := &f.streams[d]
	n.ended++
	step := max(1, n.open/4)
	if n.limit-n.opened <= step {
		step = 1
	}
	f.grant(d, step)
}

// grant raises the limit of streams if it can be raised by at least step. It is
// called with f.mu locked, and unlocks it.
func (f *incomingFlow) grant(d direction, step int64) {
	n := &f.streams[d]
	limit := min(n.ended+n.open, maxStreams)
	raise := limit-n.limit >= step
	if raise {
		n.limit = limit
	}
	f.mu.Unlock()
	if raise {
		f.session.out.send(d.maxStreamsCapsule(), uint64(limit))
	}
}

// read counts n bytes that the application read from a stream.
func (f *incomingFlow) read(r *received, n int) {
	if f == nil || n == 0 {
		return
	}
	f.mu.Lock()
	r.read += int64(n)
	if !r.finished {
		f.received += int64(n)
	}
	if !r.abandoned || !r.finished { // else abandon or finish has counted them
		f.consumed += int64(n)
	}
	f.update()
}

// finish notes the final size of a stream, its header not counted.
func (f *incomingFlow) finish(r *received, size int64) {
	f.mu.Lock()
	r.finished, r.final = true, max(size, r.read)
	f.received += r.final - r.read
	if r.abandoned {
		f.consumed += r.final - r.read
	}
	f.update()
}

// abandon counts what is left of a stream as consumed, now or when its final size is known.
func (f *incomingFlow) abandon(r *received) {
	if f == nil {
		return
	}
	f.mu.Lock()
	if !r.abandoned && r.finished {
		f.consumed += r.final - r.read
	}
	r.abandoned = true
	f.update()
}

// update fails the session if the peer sent too much, and gives it credit when
// a quarter of the window was consumed, as QUIC does: what is consumed in between
// is credit that the peer does not have. It is called with f.mu locked, and unlocks it.
func (f *incomingFlow) update() {
	over, limit, grant := f.received > f.limit, f.limit, false
	if !over && f.limit-f.consumed <= f.window-f.window/4 {
		f.tune()
		limit = f.consumed + f.window
		grant = limit > f.limit
		if grant {
			f.limit = limit
		}
	}
	f.mu.Unlock()
	switch {
	case over:
		f.session.fail(flowFault("peer sent more than %d bytes", limit))
	case grant:
		f.session.out.send(sendMaxData, uint64(limit))
	}
}

// tune adapts the window to the pace of the application, and to the number of
// sessions that share what the connection may hold.
func (f *incomingFlow) tune() {
	c := f.session.conn
	most := max(f.config.InitialData, f.config.MaxData/int64(max(1, c.table.len())))
	now := time.Now()
	if share1024 := (f.consumed - f.epochConsumed) * 1024 / max(1, f.window); share1024 >= 512 {
		rtt := c.quic.ConnectionStats().SmoothedRTT
		if now.Sub(f.epochStart) < 4*rtt*time.Duration(min(share1024, 2048))/1024 {
			f.window *= 2
		}
		f.epochStart, f.epochConsumed = now, f.consumed
	}
	f.window = min(f.window, most)
}

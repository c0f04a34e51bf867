package wt

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// DatagramPolicy says what [Session.SendDatagram] does with more datagrams
// than QUIC takes at the moment.
type DatagramPolicy int

const (
	// DatagramBlock makes SendDatagram wait.
	DatagramBlock DatagramPolicy = iota
	// DatagramDropOldest drops the oldest datagram of the queue. SendDatagram does not wait.
	DatagramDropOldest
	// DatagramDropNewest drops the one to be sent. SendDatagram does not wait.
	DatagramDropNewest
)

// DatagramOptions says how a session queues datagrams. A field that is zero, or
// negative, has the default stated.
type DatagramOptions struct {
	// WhenFull is the policy for outgoing datagrams (DatagramBlock).
	WhenFull DatagramPolicy
	// OutgoingHighWaterMark is the number of datagrams that the session queues
	// ahead of QUIC, which queues 32 more for all sessions of a connection (64).
	// With DatagramBlock and no OutgoingMaxAge it is zero if it is not set: datagrams go straight to QUIC.
	OutgoingHighWaterMark int
	// OutgoingMaxAge is how long a datagram may wait in the session's queue
	// before it is dropped; zero means any time.
	OutgoingMaxAge time.Duration
	// IncomingHighWaterMark is the number of datagrams held for
	// [Session.ReceiveDatagram] (Limits.DatagramQueue). When one more arrives the oldest is dropped.
	IncomingHighWaterMark int
	// IncomingMaxAge is how long a datagram may wait for ReceiveDatagram before
	// it is dropped; zero means any time.
	IncomingMaxAge time.Duration
}

// SetDatagramOptions changes how the session queues datagrams from now on.
// Those that are queued keep their age limit and, as far as they fit, their place.
func (s *Session) SetDatagramOptions(o DatagramOptions) {
	o.OutgoingHighWaterMark = max(0, o.OutgoingHighWaterMark)
	o.IncomingHighWaterMark = max(0, o.IncomingHighWaterMark)
	if o.WhenFull != DatagramBlock || o.OutgoingMaxAge > 0 {
		setDefault(&o.OutgoingHighWaterMark, 64)
	}
	setDefault(&o.IncomingHighWaterMark, s.conn.limits.DatagramQueue)
	s.datagramOptions.Store(&o)
}

// datagram is a datagram in a queue.
type datagram struct {
	payload []byte
	expires time.Time // zero: never
}

func newDatagram(payload []byte, maxAge time.Duration) datagram {
	d := datagram{payload: payload}
	if maxAge > 0 {
		d.expires = time.Now().Add(maxAge)
	}
	return d
}

// expired reports whether d has waited for longer than it may.
func (d datagram) expired() bool { return !d.expires.IsZero() && time.Now().After(d.expires) }

var datagramBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 1500); return &b }}

// SendDatagram sends a datagram, or queues or drops it as [DatagramOptions]
// say. A session of which nothing is set waits for room in QUIC's queue. The error is a *[DatagramTooLargeError] if b
// exceeds MaxDatagramSize.
func (s *Session) SendDatagram(b []byte) error {
	if s.ctx.Err() != nil {
		return ended(s.ctx)
	}
	if o := s.datagramOptions.Load(); o != nil && o.OutgoingHighWaterMark > 0 {
		return s.queueDatagram(b, o)
	}
	buf := datagramBuffers.Get().(*[]byte)
	defer datagramBuffers.Put(buf)
	*buf = append(quicvarint.Append((*buf)[:0], uint64(s.id/4)), b...)
	err := s.conn.quic.SendDatagram(*buf)
	if err == nil {
		s.counters.datagramsSent.Add(1)
		return nil
	}
	if tooLarge, ok := errors.AsType[*quic.DatagramTooLargeError](err); ok {
		return &DatagramTooLargeError{Size: len(b), Max: s.datagramPayload(tooLarge)}
	}
	return s.datagramError(err)
}

// queueDatagram leaves a datagram to the connection's datagramSender.
func (s *Session) queueDatagram(b []byte, o *DatagramOptions) error {
	if size := s.MaxDatagramSize(); len(b) > size {
		return &DatagramTooLargeError{Size: len(b), Max: size}
	}
	quarter := uint64(s.id / 4)
	payload := append(quicvarint.Append(make([]byte, 0, quicvarint.Len(quarter)+len(b)), quarter), b...)
	if err := s.conn.datagrams.enqueue(&s.outgoing, payload, o); err != nil {
		return s.datagramError(err)
	}
	return nil
}

// datagramError translates an error of sending a datagram.
func (s *Session) datagramError(err error) error {
	if s.ctx.Err() != nil {
		return ended(s.ctx)
	}
	if cause := s.conn.lostBy(err); cause != nil {
		s.connectionLost(cause)
		return ended(s.ctx)
	}
	return err
}

// probe is larger than any datagram, and so is never sent.
var probe [1 << 16]byte

// MaxDatagramSize returns the size of the largest datagram, in bytes, that
// SendDatagram accepts now. It grows when a larger path MTU is discovered.
func (s *Session) MaxDatagramSize() int {
	tooLarge, ok := errors.AsType[*quic.DatagramTooLargeError](s.conn.quic.SendDatagram(probe[:]))
	if !ok {
		return 0
	}
	return s.datagramPayload(tooLarge)
}

func (s *Session) datagramPayload(e *quic.DatagramTooLargeError) int {
	return max(0, int(e.MaxDatagramPayloadSize)-quicvarint.Len(uint64(s.id/4)))
}

// ReceiveDatagram returns the next datagram. After the end of the session it
// returns those that arrived before, then the session's error.
func (s *Session) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	if s.events != nil {
		return nil, errCallbacks
	}
	for {
		d, err := s.datagrams.pop(ctx, s.ctx)
		if err != nil {
			return nil, err
		}
		if !d.expired() {
			return d.payload, nil
		}
		s.counters.expiredIncoming.Add(1)
	}
}

func (s *Session) deliverDatagram(b []byte) {
	if s.ctx.Err() != nil {
		return
	}
	s.counters.datagramsReceived.Add(1)
	limit, maxAge := s.conn.limits.DatagramQueue, time.Duration(0)
	if o := s.datagramOptions.Load(); o != nil {
		limit, maxAge = o.IncomingHighWaterMark, o.IncomingMaxAge
		s.expireIncoming()
	}
	s.counters.droppedIncoming.Add(uint64(s.datagrams.push(newDatagram(b, maxAge), limit)))
	if s.events != nil {
		s.events.datagramArrived()
	}
}

// expireIncoming drops the datagrams at the head of the queue that are too old.
func (s *Session) expireIncoming() {
	s.counters.expiredIncoming.Add(uint64(s.datagrams.dropWhile(datagram.expired)))
}

package wt

import (
	"cmp"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
)

// outgoingDatagrams is what a session has queued for its connection's datagramSender.
type outgoingDatagrams struct {
	session quic.StreamID
	// Guarded by the sender's mu.
	queue []datagram
	room  chan struct{} // closed when there is room; nil if nobody waits for it
	err   error         // why nothing can be sent any more

	sent, dropped, expired atomic.Uint64
}

// dropExpired drops what is too old at the head of the queue.
func (q *outgoingDatagrams) dropExpired() {
	for len(q.queue) > 0 && q.queue[0].expired() {
		q.shift()
		q.expired.Add(1)
	}
}

func (q *outgoingDatagrams) shift() datagram {
	d := q.queue[0]
	q.queue[0] = datagram{}
	q.queue = q.queue[1:]
	q.wake()
	return d
}

// wake wakes those that wait for room.
func (q *outgoingDatagrams) wake() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// datagramSender sends the datagrams that the sessions of a connection have
// queued: one of each session in turn, in the order of their IDs. It has a
// goroutine as long as there are any.
type datagramSender struct {
	send  func([]byte) error // blocks while QUIC's queue is full
	spawn func(func()) bool

	mu      sync.Mutex
	waiting []*outgoingDatagrams // those with datagrams, by session
	last    quic.StreamID        // whose turn it was last
	running bool
}

// enqueue queues a datagram, within the limits of o, which may mean to wait for
// room or to drop one. The error says why nothing can be sent any more.
func (d *datagramSender) enqueue(q *outgoingDatagrams, payload []byte, o *DatagramOptions) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	q.dropExpired()
	for q.err == nil && o.WhenFull == DatagramBlock && len(q.queue) >= o.OutgoingHighWaterMark {
		d.awaitRoom(q)
	}
	if q.err != nil {
		return q.err
	}
	if len(q.queue) >= o.OutgoingHighWaterMark && o.WhenFull == DatagramDropNewest {
		q.dropped.Add(1)
		return nil
	}
	for len(q.queue) >= o.OutgoingHighWaterMark {
		q.shift()
		q.dropped.Add(1)
	}
	q.queue = append(q.queue, newDatagram(payload, o.OutgoingMaxAge))
	if i, ok := d.find(q.session); !ok {
		d.waiting = slices.Insert(d.waiting, i, q)
	}
	if !d.running && !d.spawn(d.run) {
		return net.ErrClosed
	}
	d.running = true
	return nil
}

// awaitRoom waits until a datagram leaves the queue, or is too old to stay. The
// caller holds d.mu, which is not held meanwhile.
func (d *datagramSender) awaitRoom(q *outgoingDatagrams) {
	if q.room == nil {
		q.room = make(chan struct{})
	}
	room := q.room
	var expired <-chan time.Time
	if at := q.queue[0].expires; !at.IsZero() {
		timer := time.NewTimer(time.Until(at) + 1)
		defer timer.Stop()
		expired = timer.C
	}
	d.mu.Unlock()
	select {
	case <-room:
	case <-expired:
	}
	d.mu.Lock()
	q.dropExpired()
}

func (d *datagramSender) find(session quic.StreamID) (int, bool) {
	return slices.BinarySearchFunc(d.waiting, session, func(q *outgoingDatagrams, id quic.StreamID) int {
		return cmp.Compare(q.session, id)
	})
}

// run sends until nothing is queued.
func (d *datagramSender) run() {
	for {
		q, payload := d.next()
		if q == nil {
			return
		}
		err := d.send(payload)
		_, tooLarge := errors.AsType[*quic.DatagramTooLargeError](err)
		switch {
		case err == nil:
			q.sent.Add(1)
		case tooLarge: // the path MTU has shrunk
			q.dropped.Add(1)
		default:
			q.dropped.Add(1)
			d.close(q, err)
		}
	}
}

// next takes the datagram whose turn it is. If there is none the goroutine ends.
func (d *datagramSender) next() (*outgoingDatagrams, []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.waiting) > 0 {
		i, _ := d.find(d.last + 1)
		if i == len(d.waiting) {
			i = 0
		}
		q := d.waiting[i]
		q.dropExpired()
		var payload []byte
		if len(q.queue) > 0 {
			payload = q.shift().payload
			d.last = q.session
		}
		if len(q.queue) == 0 {
			d.waiting = slices.Delete(d.waiting, i, i+1)
		}
		if payload != nil {
			return q, payload
		}
	}
	d.running = false
	return nil, nil
}

// close drops what a session has queued, and lets it queue no more.
func (d *datagramSender) close(q *outgoingDatagrams, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	q.err = err
	q.dropExpired()
	q.dropped.Add(uint64(len(q.queue)))
	q.queue = nil
	q.wake()
	if i, ok := d.find(q.session); ok {
		d.waiting = slices.Delete(d.waiting, i, i+1)
	}
}

// dropExpired drops what is too old at the head of a session's queue.
func (d *datagramSender) dropExpired(q *outgoingDatagrams) {
	d.mu.Lock()
	defer d.mu.Unlock()
	q.dropExpired()
}

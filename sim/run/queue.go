package run

import (
	"sync"

	"github.com/wtsim/wtsim/sim/record"
)

// maxQueued is how many packets a queue holds.
const maxQueued = 1 << 20

// queue stands between a network in real time and a sink, which may be slow: the
// network's goroutine only leaves packets there, and another goroutine, which calls
// the other methods, empties it.
type queue struct {
	sink

	mu      sync.Mutex
	packets []record.Packet
	spare   []record.Packet
	samples []record.Sample
	events  []record.Event
	lost    uint64 // for want of room
}

// Packet implements sink, for any goroutine.
func (q *queue) Packet(p *record.Packet) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.packets) == maxQueued {
		q.lost++
		return
	}
	q.packets = append(q.packets, *p)
}

// sample leaves a sample there, for any goroutine.
func (q *queue) sample(s record.Sample) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.samples) == maxQueued {
		q.lost++
		return
	}
	q.samples = append(q.samples, s)
}

// event leaves an event there, for any goroutine.
func (q *queue) event(e record.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events = append(q.events, e)
}

// drain hands on what is in the queue.
func (q *queue) drain() {
	q.mu.Lock()
	taken := q.packets
	q.packets, q.spare = q.spare[:0], nil
	samples, events := q.samples, q.events
	q.samples, q.events = nil, nil
	q.mu.Unlock()
	for _, e := range events {
		q.Event(e)
	}
	for _, s := range samples {
		q.Sample(s)
	}
	for i := range taken {
		q.sink.Packet(&taken[i])
	}
	q.spare = taken
}

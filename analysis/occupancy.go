package analysis

import (
	"cmp"
	"slices"
	"time"
)

// occupancy follows how many bytes wait in a queue. Datagrams come in the order
// in which they left the link. They entered it in another one if the queue is not
// a FIFO, and if it drops some at its head while others travel along the link.
type occupancy struct {
	coming  byTime // by when they began to wait, until no earlier one is expected
	waiting byTime // by until when they wait
	bytes   int64
	max     int64
}

// mostPassed is how many datagrams may pass one in a queue.
const mostPassed = 2048

// stay is a time that bytes wait, the end not included.
type stay struct {
	from, until time.Duration
	bytes       int64
}

func (o *occupancy) add(s stay) {
	o.coming.put(s.from, s)
	if o.coming.len() > mostPassed {
		o.begin(o.coming.take())
	}
}

// begin says that bytes begin to wait, none of which did so later.
func (o *occupancy) begin(s stay) {
	for o.waiting.len() > 0 && o.waiting.first().until <= s.from {
		o.bytes -= o.waiting.take().bytes
	}
	o.waiting.put(s.until, s)
	o.bytes += s.bytes
	o.max = max(o.max, o.bytes)
}

// most returns the most bytes that waited at once.
func (o *occupancy) most() int64 {
	for o.coming.len() > 0 {
		o.begin(o.coming.take())
	}
	return o.max
}

// byTime is a queue in order of a time.
type byTime struct {
	list []timed // from head on
	head int
}

type timed struct {
	at time.Duration
	stay
}

func (b *byTime) len() int     { return len(b.list) - b.head }
func (b *byTime) first() *stay { return &b.list[b.head].stay }

// put adds a stay after those of the same time.
func (b *byTime) put(at time.Duration, s stay) {
	if b.head > len(b.list)/2 {
		b.list = append(b.list[:0], b.list[b.head:]...)
		b.head = 0
	}
	i := len(b.list)
	if i > b.head && b.list[i-1].at > at {
		i, _ = slices.BinarySearchFunc(b.list[b.head:], at+1, func(t timed, at time.Duration) int { return cmp.Compare(t.at, at) })
		i += b.head
	}
	b.list = slices.Insert(b.list, i, timed{at, s})
}

func (b *byTime) take() stay {
	b.head++
	return b.list[b.head-1].stay
}

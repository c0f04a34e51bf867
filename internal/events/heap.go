// Package events is a queue of what is to be done at which time.
package events

import "time"

// Event is something to do at a time.
type Event struct {
	At  time.Duration
	Seq uint64 // breaks ties: first asked for, first run
	Run func()
}

// Before reports whether an event is to run before another.
func (e *Event) Before(o *Event) bool {
	return e.At < o.At || e.At == o.At && e.Seq < o.Seq
}

// Heap is a binary heap of events, the first one at index 0. It is typed,
// because container/heap boxes every event that passes through it.
type Heap []Event

// Push adds an event.
func (h *Heap) Push(e Event) {
	*h = append(*h, e)
	s := *h
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !e.Before(&s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = e
}

// Pop removes the first event. There must be one.
func (h *Heap) Pop() Event {
	s := *h
	first := s[0]
	last := s[len(s)-1]
	s[len(s)-1] = Event{}
	s = s[:len(s)-1]
	*h = s
	if len(s) == 0 {
		return first
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(s) {
			break
		}
		if child+1 < len(s) && s[child+1].Before(&s[child]) {
			child++
		}
		if !s[child].Before(&last) {
			break
		}
		s[i] = s[child]
		i = child
	}
	s[i] = last
	return first
}

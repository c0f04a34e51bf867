package wt

import "sync"

// turns orders the events of a session: one at a time, first come, first
// served. A goroutine that brings an event takes its turn and delivers it
// itself, so that what it lends to the callback need not be copied and an
// idle session needs no goroutine. Who must not wait for callbacks posts
// the event, which another goroutine delivers.
//
// What waits is bounded by who takes turns: a goroutine of each direction of a stream, and
// what is posted at most once for a stream or a session.
type turns struct {
	spawn func(func()) // runs a function on a goroutine

	mu      sync.Mutex
	taken   bool
	waiting []waiter // in order; empty unless taken
}

// waiter is an event that waits: a function to run, or a goroutine to let on.
type waiter struct {
	run     func()
	granted chan struct{}
}

// enter waits for the caller's turn, which leave ends.
func (t *turns) enter() {
	t.mu.Lock()
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return
	}
	granted := make(chan struct{})
	t.waiting = append(t.waiting, waiter{granted: granted})
	t.mu.Unlock()
	<-granted
}

// post makes f run in its turn, and does not wait for it.
func (t *turns) post(f func()) {
	t.mu.Lock()
	t.waiting = append(t.waiting, waiter{run: f})
	idle := !t.taken
	t.taken = true
	t.mu.Unlock()
	if idle {
		t.spawn(t.leave)
	}
}

// leave ends a turn: it runs what was posted and comes next, up to the turn of another goroutine.
func (t *turns) leave() {
	for {
		t.mu.Lock()
		if len(t.waiting) == 0 {
			t.taken = false
			t.waiting = nil
			t.mu.Unlock()
			return
		}
		next := t.waiting[0]
		t.waiting[0] = waiter{}
		t.waiting = t.waiting[1:]
		t.mu.Unlock()
		if next.granted != nil {
			close(next.granted)
			return
		}
		next.run()
	}
}

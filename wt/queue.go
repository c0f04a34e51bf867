package wt

import (
	"context"
	"sync"
)

// queue hands values from the connection's goroutines to the application's.
type queue[T any] struct {
	mu    sync.Mutex
	items []T
	wake  chan struct{} // one token while there are items that nobody was woken for
}

func newQueue[T any]() *queue[T] { return &queue[T]{wake: make(chan struct{}, 1)} }

// push appends v, and returns how many of the oldest items it dropped in order
// to have no more than limit (0: no limit).
func (q *queue[T]) push(v T, limit int) (dropped int) {
	q.mu.Lock()
	for limit > 0 && len(q.items) >= limit {
		q.removeFirst()
		dropped++
	}
	q.items = append(q.items, v)
	q.mu.Unlock()
	q.signal()
	return dropped
}

// dropWhile drops the oldest items as long as drop says so, and returns how many.
func (q *queue[T]) dropWhile(drop func(T) bool) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) > 0 && drop(q.items[0]) {
		q.removeFirst()
		dropped++
	}
	return dropped
}

// pop removes the oldest item. It waits for one until ctx or session is done.
func (q *queue[T]) pop(ctx, session context.Context) (T, error) {
	for {
		if v, ok := q.tryPop(); ok {
			return v, nil
		}
		select {
		case <-q.wake:
		case <-session.Done():
			if v, ok := q.tryPop(); ok {
				return v, nil
			}
			var zero T
			return zero, ended(session)
		case <-ctx.Done():
			var zero T
			return zero, context.Cause(ctx)
		}
	}
}

func (q *queue[T]) tryPop() (v T, ok bool) {
	q.mu.Lock()
	if len(q.items) > 0 {
		v, ok = q.removeFirst(), true
	}
	more := len(q.items) > 0
	q.mu.Unlock()
	if more {
		q.signal() // for another waiter: one token may stand for several items
	}
	return v, ok
}

func (q *queue[T]) removeFirst() T {
	v := q.items[0]
	var zero T
	q.items[0] = zero
	q.items = q.items[1:]
	return v
}

func (q *queue[T]) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// clear drops all items.
func (q *queue[T]) clear() {
	q.mu.Lock()
	q.items = nil
	q.mu.Unlock()
}

func (q *queue[T]) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

package run

import (
	"fmt"
	"io"
	"sync"
)

// maxBehind is what a behind holds that the file has not taken yet.
const maxBehind = 64 << 20

// behind writes to a file on a goroutine of its own, so that whoever writes to it
// never waits for a disk. What it has no room for is lost, and an error.
type behind struct {
	to   io.Writer
	room sync.Cond // there is something to write, or no more will come

	mu      sync.Mutex
	buffer  []byte
	lost    int
	closed  bool
	err     error
	written chan struct{} // closed when the goroutine has ended
}

func newBehind(to io.Writer) *behind {
	b := &behind{to: to, written: make(chan struct{})}
	b.room.L = &b.mu
	go b.writeAll()
	return b
}

// Write implements [io.Writer]. It returns the first error of an earlier write.
func (b *behind) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.err != nil:
		return 0, b.err
	case b.lost > 0 || len(b.buffer)+len(p) > maxBehind: // what is written stays a beginning of the whole
		b.lost += len(p)
	default:
		b.buffer = append(b.buffer, p...)
		b.room.Signal()
	}
	return len(p), nil
}

func (b *behind) writeAll() {
	defer close(b.written)
	var taken []byte
	for {
		b.mu.Lock()
		for len(b.buffer) == 0 && !b.closed {
			b.room.Wait()
		}
		taken, b.buffer = b.buffer, taken[:0]
		b.mu.Unlock()
		if len(taken) == 0 {
			return
		}
		if _, err := b.to.Write(taken); err != nil {
			b.mu.Lock()
			b.err = err
			b.mu.Unlock()
			return
		}
	}
}

// Close waits until everything is written. It returns the first error.
func (b *behind) Close() error {
	b.mu.Lock()
	b.closed = true
	b.room.Signal()
	b.mu.Unlock()
	<-b.written
	if b.err == nil && b.lost > 0 {
		return fmt.Errorf("%d bytes were lost, because the disk was too slow for them", b.lost)
	}
	return b.err
}

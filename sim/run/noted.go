package run

import (
	"fmt"
	"sync"
	"time"
)

// mostNoted bounds what is noted of an emulation.
const mostNoted = 20

// noted is what a person was told during an emulation, for those who read of it later.
// Any goroutine may add to it.
type noted struct {
	mu    sync.Mutex
	lines []string
	more  int
}

// add notes a text with its time since the start.
func (n *noted) add(at time.Duration, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.lines) == mostNoted {
		n.more++
		return
	}
	n.lines = append(n.lines, fmt.Sprintf("at %s: %s", at.Round(time.Millisecond), text))
}

// all returns the first texts, and how many followed.
func (n *noted) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.more == 0 {
		return n.lines
	}
	return append(n.lines[:len(n.lines):len(n.lines)], fmt.Sprintf("… and %d more that were told", n.more))
}

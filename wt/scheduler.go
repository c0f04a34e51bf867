package wt

import (
	"slices"
	"sync"
	"time"
)

// quantum is how many bytes a session may send before the others that have
// something to send get their turn.
const quantum = 32 << 10

// scheduler shares a connection's sending rate among the sessions that write
// at the same time, by deficit round robin (Shreedhar and Varghese, 1995),
// however many streams each of them has: QUIC shares it among streams. It only
// acts while several sessions write. Sessions of different urgency are not
// weighed against each other, as QUIC serves the more urgent first.
//
// A session that has used its turn waits for the others. If they do not use
// theirs for a while it borrows, which costs it the turns that follow. Meanwhile it shows
// whether QUIC can send at all: a session that gets nothing out while all streams that QUIC
// could take from had theirs is held by its flow control, and nobody waits for it until it goes on.
type scheduler struct {
	mu     sync.Mutex
	groups [maxUrgency + 1]group
}

// group is the sessions of one urgency.
type group struct {
	members []*turn // the sessions that write, in the order in which they began
	writers int     // of all members
	round   uint64
	next    chan struct{} // closed when the next round begins; nil if nobody waits

	borrower *turn
	proof    int // how many more times the members have to send before those that did not are stalled
}

// turn is what a session may do in a round.
type turn struct {
	group   *group
	writers int    // calls of Write under way that are not waiting for credit
	round   uint64 // that left belongs to
	left    int    // bytes, negative if they were borrowed
	moved   bool   // has sent since somebody borrows
	stalled bool   // nobody waits for it
}

// begin and end enclose what a Write of a session does while it has credit.
func (s *scheduler) begin(t *turn, urgency int8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.writers++; t.writers == 1 {
		t.group = &s.groups[urgency]
		t.group.members = append(t.group.members, t)
	}
	t.group.writers++
}

func (s *scheduler) end(t *turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := t.group
	g.writers--
	if t.writers--; t.writers > 0 {
		return
	}
	g.members = slices.DeleteFunc(g.members, func(other *turn) bool { return other == t })
	if g.borrower == t {
		g.borrower = nil
	}
	if g.next != nil && !g.contended(nil) {
		g.begin()
	}
}

// left returns what the session has left of the current round.
func (g *group) left(t *turn) int {
	if behind := g.round - t.round; behind > 0 {
		t.left += int(min(behind, 1<<10)) * quantum
		t.round, t.left = g.round, min(t.left, quantum)
	}
	return t.left
}

// contended reports whether a member other than t still has its turn.
func (g *group) contended(t *turn) bool {
	for _, other := range g.members {
		if other != t && !other.stalled && g.left(other) > 0 {
			return true
		}
	}
	return false
}

// begin begins a round.
func (g *group) begin() {
	g.round++
	if g.next != nil {
		close(g.next)
		g.next = nil
	}
}

// allowance is how far a member may borrow: long enough to prove that others are stalled.
func (g *group) allowance() int { return max(quantum, 2*g.writers*1500) }

// sent notes that a member has sent n bytes.
func (g *group) sent(t *turn, n int) {
	t.left -= n
	t.moved, t.stalled = true, false
	if g.borrower == nil {
		return
	}
	if g.proof--; g.proof > 0 {
		return
	}
	for _, other := range g.members {
		other.stalled = !other.moved
	}
	g.borrower = nil
}

// take takes up to n bytes of a session's credit and of its turn.
func (f *outgoingFlow) take(n int) int {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	n = int(min(int64(n), f.data.limit-f.data.used))
	t := &f.turn
	if g := t.group; n > 0 && len(g.members) > 1 {
		for g.left(t) <= 0 && !g.contended(t) {
			g.begin()
		}
		left := t.left
		if g.borrower == t {
			left += g.allowance()
		}
		if n = max(0, min(n, left)); n > 0 {
			g.sent(t, n)
		}
	}
	f.data.used += int64(n)
	return n
}

// takeNow takes n bytes of credit, whoever's turn it is, or none.
func (f *outgoingFlow) takeNow(n int) bool {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	if int64(n) > f.data.limit-f.data.used {
		return false
	}
	if g := f.turn.group; g != nil && len(g.members) > 1 {
		g.left(&f.turn)
		g.sent(&f.turn, n)
	}
	f.data.used += int64(n)
	return true
}

// giveBack returns what takeNow took.
func (f *outgoingFlow) giveBack(n int) {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	f.data.used -= int64(n)
	if g := f.turn.group; g != nil && len(g.members) > 1 {
		f.turn.left += n
	}
	f.data.wake()
}

// obstacle is what keeps a session from writing.
type obstacle struct {
	ready  chan struct{} // closed when it is worth trying again; nil: nothing is in the way
	credit bool          // credit is what is missing, and not a turn
	limit  int64         // of the credit
	tell   bool          // the peer is to be told of the limit
}

// obstacle puts the caller in line for what its session lacks.
func (f *outgoingFlow) obstacle() obstacle {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	if f.data.used >= f.data.limit {
		ready := f.data.enter()
		return obstacle{ready: ready, credit: true, limit: f.data.limit, tell: f.data.blocked()}
	}
	f.data.wake()
	t := &f.turn
	g := t.group
	if len(g.members) < 2 {
		return obstacle{}
	}
	for g.left(t) <= 0 && !g.contended(t) {
		g.begin()
	}
	if t.left > 0 || g.borrower == t && t.left+g.allowance() > 0 {
		return obstacle{}
	}
	if g.next == nil {
		g.next = make(chan struct{})
	}
	return obstacle{ready: g.next}
}

// overtake lets a session borrow that has waited long enough for its turn,
// unless another one does so already.
func (f *outgoingFlow) overtake() {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	g := f.turn.group
	if g.borrower != nil {
		return
	}
	g.borrower, g.proof = &f.turn, 2*g.writers
	for _, other := range g.members {
		other.moved = false
	}
}

// patience is how long a session waits for the others to use their turn.
func patience(rtt time.Duration) time.Duration { return max(time.Millisecond, rtt/4) }

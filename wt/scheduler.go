package wt

import (
	"slices"
	"sync"
	"time"
)

// quantum is how many bytes a session may send before the others that have
// something to send get their turn.
const quantum = 32 << 10

// scheduler shares a connection's sending rate among the sessions that
// write at the same time, by deficit round robin (Shreedhar and Varghese, 1995),
// however many streams each of them has: QUIC shares it among streams. It only acts while several
// sessions write. Sessions of different urgency are not weighed against each other,
// as QUIC's scheduler serves the more urgent first.
//
// A session that could write but makes no progress, because QUIC's flow
// control holds its streams, does not hold up the others for longer than a fraction of the round-trip time.
type scheduler struct {
	mu     sync.Mutex
	groups [maxUrgency + 1]group
}

// group is the sessions of one urgency.
type group struct {
	members []*turn // the sessions that write, in the order in which they began
	round   uint64
	next    chan struct{} // closed when the next round begins; nil if nobody waits
}

// turn is what a session may do in a round.
type turn struct {
	group   *group
	writers int    // calls of Write under way that are not waiting for credit
	round   uint64 // that left belongs to
	left    int
	stalled bool // has made no progress for a while, and does not count
}

// begin and end enclose what a Write of a session does while it has credit.
func (s *scheduler) begin(t *turn, urgency int8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.writers++; t.writers == 1 {
		t.group = &s.groups[urgency]
		t.group.members = append(t.group.members, t)
	}
}

func (s *scheduler) end(t *turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.writers--; t.writers > 0 {
		return
	}
	g := t.group
	g.members = slices.DeleteFunc(g.members, func(other *turn) bool { return other == t })
	if g.next != nil && !g.contended(nil) {
		g.begin()
	}
}

// left returns what the session has left of the current round.
func (g *group) left(t *turn) int {
	if t.round != g.round {
		t.round, t.left = g.round, quantum
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

// take takes up to n bytes of a session's credit and of its turn.
func (f *outgoingFlow) take(n int) int {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	n = int(min(int64(n), f.data.limit-f.data.used))
	t := &f.turn
	if g := t.group; n > 0 && len(g.members) > 1 {
		t.stalled = false
		if g.left(t) <= 0 && !g.contended(t) {
			g.begin()
		}
		n = max(0, min(n, g.left(t)))
		t.left -= n
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
		f.turn.left -= n
	}
	f.data.used += int64(n)
	return true
}

// giveBack returns what takeNow took.
func (f *outgoingFlow) giveBack(n int) {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	f.data.used -= int64(n)
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
	g := f.turn.group
	if len(g.members) < 2 || g.left(&f.turn) > 0 {
		return obstacle{}
	}
	if !g.contended(&f.turn) {
		g.begin()
		return obstacle{}
	}
	if g.next == nil {
		g.next = make(chan struct{})
	}
	return obstacle{ready: g.next}
}

// overtake begins the next round without the members that have not used the current one.
func (f *outgoingFlow) overtake(round chan struct{}) {
	f.sched.mu.Lock()
	defer f.sched.mu.Unlock()
	g := f.turn.group
	if g.next != round {
		return
	}
	for _, other := range g.members {
		other.stalled = other.stalled || g.left(other) == quantum
	}
	g.begin()
}

// patience is how long a session waits for the others to use their turn.
func patience(rtt time.Duration) time.Duration { return max(time.Millisecond, rtt/4) }

package wt

import "slices"

// sendOrder is the place of a stream among those that are sent one before the other.
type sendOrder struct {
	group *SendGroup
	order int64
	index int // in its rank
}

// SendGroup is a set of streams of a session whose send orders are compared
// with each other, and not with those of other groups (W3C WebTransport,
// WebTransportSendGroup). Groups share what there is to send with equally.
type SendGroup struct {
	session *Session
	ranks   []rank // guarded by session.mu, highest order first
}

// rank is the open streams of a group that have the same order.
type rank struct {
	order   int64
	streams []*streamState
}

// NewSendGroup makes a group. Streams join it with [SendStream.SetSendGroup].
func (s *Session) NewSendGroup() *SendGroup { return &SendGroup{session: s} }

// SetPriority sets the urgency, 0 (first) to 7, and whether the stream shares
// its turn with others of the same urgency (RFC 9218, section 4). Streams that
// never had it called have the urgency of their session, which is what the client asked for
// in the Priority header field or by PRIORITY_UPDATE, and else 3, and share their turn.
// It takes the stream out of its send order.
func (s *SendStream) SetPriority(urgency int8, incremental bool) {
	session := s.state.session
	session.mu.Lock()
	defer session.mu.Unlock()
	s.state.leaveOrder()
	s.state.ownPriority = true
	s.stream.SetPriority(urgency, incremental)
}

// SetSendOrder makes the stream's data be sent ahead of that of streams with a
// lower order in the same group (W3C WebTransport, sendOrder), whenever it has
// any. A group's highest order has the urgency of the session, the next one
// the next urgency, and so on; all that are beyond urgency 7, the lowest there is, share it.
// It replaces what SetPriority said. Streams without an order rank with the highest.
func (s *SendStream) SetSendOrder(order int64) {
	st := s.state
	st.session.mu.Lock()
	defer st.session.mu.Unlock()
	group := &st.session.sendGroup
	if st.order != nil {
		group = st.order.group
	}
	st.joinOrder(group, order)
}

// SetSendGroup moves the stream to a group, nil for the one that streams are in
// from the start. Its send order stays; it is 0 if it had none. It panics
// if the group belongs to another session.
func (s *SendStream) SetSendGroup(g *SendGroup) {
	st := s.state
	g = st.session.groupOr(g)
	st.session.mu.Lock()
	defer st.session.mu.Unlock()
	order := int64(0)
	if st.order != nil {
		order = st.order.order
	}
	st.joinOrder(g, order)
}

// groupOr returns g, or if it is nil the group that streams are in from the start.
func (s *Session) groupOr(g *SendGroup) *SendGroup {
	switch {
	case g == nil:
		return &s.sendGroup
	case g.session != s:
		panic("wt: send group of another session")
	}
	return g
}

// joinOrder gives the stream its place, unless it has ended. The caller holds session.mu.
func (st *streamState) joinOrder(g *SendGroup, order int64) {
	st.leaveOrder()
	st.ownPriority = false
	if st.open&sendHalf == 0 {
		return
	}
	st.order = &sendOrder{group: g, order: order}
	i, found := g.find(order)
	if !found {
		g.ranks = slices.Insert(g.ranks, i, rank{order: order})
	}
	r := &g.ranks[i]
	st.order.index = len(r.streams)
	r.streams = append(r.streams, st)
	st.inherit()
	if !found {
		g.changed(i + 1)
	}
}

// leaveOrder takes the stream out of its place, if it has one. The caller holds session.mu.
func (st *streamState) leaveOrder() {
	o := st.order
	if o == nil {
		return
	}
	st.order = nil
	g := o.group
	i, _ := g.find(o.order)
	r := &g.ranks[i]
	last := len(r.streams) - 1
	if o.index != last {
		r.streams[o.index] = r.streams[last]
		r.streams[o.index].order.index = o.index
	}
	r.streams[last] = nil
	r.streams = r.streams[:last]
	if last == 0 {
		g.ranks = slices.Delete(g.ranks, i, i+1)
		g.changed(i)
	}
}

// find returns where the streams of an order are in the ranks, or would be.
func (g *SendGroup) find(order int64) (int, bool) {
	return slices.BinarySearchFunc(g.ranks, order, func(r rank, order int64) int {
		switch {
		case r.order > order:
			return -1
		case r.order < order:
			return 1
		}
		return 0
	})
}

// changed gives the streams their urgency whose rank is first or later, as far
// as that makes a difference. The caller holds session.mu.
func (g *SendGroup) changed(first int) {
	for i := first; i < len(g.ranks) && int64(g.session.priority.urgency)+int64(i) <= maxUrgency; i++ {
		for _, st := range g.ranks[i].streams {
			st.inherit()
		}
	}
}

// inherit gives the stream the urgency that follows from its session's and
// its place in the send order, unless it has one of its own. Whether the
// session as a whole is incremental says nothing about its streams, which would
// starve each other if it were not. The caller holds session.mu.
func (st *streamState) inherit() {
	if st.send == nil || st.open&sendHalf == 0 || st.ownPriority {
		return
	}
	urgency := int64(st.session.priority.urgency)
	if st.order != nil {
		i, _ := st.order.group.find(st.order.order)
		urgency = min(urgency+int64(i), maxUrgency)
	}
	st.send.SetPriority(int8(urgency), true)
}

// setPriority sets the priority that the session has among the sessions and
// requests of the connection, and with it that of its streams. It reports whether
// that took a look at all of them.
func (s *Session) setPriority(p priority) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := p.urgency != s.priority.urgency
	s.priority = p
	if changed {
		for st := s.first; st != nil; st = st.next {
			st.inherit()
		}
	}
	return changed
}

// urgency returns the urgency of the session.
func (s *Session) urgency() int8 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.priority.urgency
}

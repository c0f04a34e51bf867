package baton

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/wtsim/wtsim/wt"
)

// player is an end of a session. All but its timer runs in the session's callbacks.
type player struct {
	wt.NoCallbacks
	config Config
	server bool
	rng    *rand.Rand
	ended  func(*wt.Session, Result)
	bored  *time.Timer

	result Result
	active atomic.Int64 // batons that have neither arrived nor been lost

	first  int         // what the batons begin with; 0 at a client that does not know
	toCome int         // how many are yet to come from the server that begins
	onUni  expectation // batons that come back on unidirectional streams
	onBidi expectation // batons that come back on bidirectional streams of the peer
}

// expectation says how many batons of each value are to come.
type expectation [256]int

// meet reports whether a baton is expected, and expects it no more.
func (e *expectation) meet(baton byte) bool {
	if e[baton] == 0 {
		return false
	}
	e[baton]--
	return true
}

// leg is what passes on a stream.
type leg struct {
	in       message
	out      *outgoing // nil if nothing is to be sent
	expected byte      // what answers the baton that was sent on one's own bidirectional stream
	over     bool      // no baton is to come on the stream: it is lost, or it was 0
}

func newPlayer(c Config, server bool, rng *rand.Rand, ended func(*wt.Session, Result)) *player {
	p := &player{config: c, server: server, rng: rng, ended: ended, first: c.Baton, result: Result{Batons: c.Count}}
	p.active.Store(int64(c.Count))
	if !server {
		p.toCome = c.Count
	}
	return p
}

func (p *player) Accepted(s *wt.Session) {
	p.bored = time.AfterFunc(p.config.Patience, func() {
		if p.active.Load() == 0 { // the peer has only to close the session
			s.Close(0, "")
			return
		}
		s.Close(Bored, fmt.Sprintf("nothing for %v", p.config.Patience))
	})
	if !p.server {
		return
	}
	for range p.config.Count {
		p.send(s, nil, byte(p.first))
	}
}

// send sends a baton: on a stream of the peer's, or on a new one in reply to
// what came on another stream, which is nil at the beginning.
func (p *player) send(s *wt.Session, from *wt.EventStream, baton byte) {
	answer := baton + 1
	out := newOutgoing(p.config.Padding, baton)
	lie := p.oneIn(p.config.LieOneIn)
	st := from
	switch {
	case from != nil && from.Bidirectional() && !from.Local():
		from.Value().(*leg).out = out
		if !lie && baton != 0 {
			p.onUni[answer]++
		}
		from.WantWrite()
	default:
		bidirectional := from != nil && !from.Bidirectional()
		var err error
		st, err = s.OpenEventStream(bidirectional, &leg{out: out, expected: answer, over: baton == 0})
		if err != nil {
			return // the session has ended
		}
		if st.StreamID() < 0 {
			s.Close(DaYamn, "no credit for another stream")
			return
		}
		if !lie && baton != 0 && !bidirectional {
			p.onBidi[answer]++
		}
	}
	switch {
	case lie:
		st.Reset(ILied)
		st.StopSending(ILied)
		st.Value().(*leg).over = false
		p.lose(st)
		return
	case baton == 0:
		p.active.Add(-1) // the peer will close the session, if this was the last
		p.result.Arrived++
	}
	p.result.Sent++
	p.config.trace(Pass{StreamID: st.StreamID(), Baton: baton})
}

func (p *player) oneIn(n int) bool { return n > 0 && p.rng.IntN(n) == 0 }

func (p *player) StreamOpened(st *wt.EventStream) {
	st.SetValue(&leg{})
	if p.oneIn(p.config.StopOneIn) {
		st.StopSending(IDC)
		if st.Bidirectional() {
			st.Reset(IDC)
		}
		p.lose(st)
	}
}

func (p *player) Data(st *wt.EventStream, b []byte) {
	l := st.Value().(*leg)
	before := l.in.state
	err := l.in.add(b)
	switch {
	case err != nil:
		st.Session().Close(Bruh, err.Error())
	case before != complete && l.in.state == complete:
		p.receive(st, l)
	}
}

// receive acts on a message that is complete.
func (p *player) receive(st *wt.EventStream, l *leg) {
	s, baton := st.Session(), l.in.baton
	if !p.expects(st, l, baton) {
		s.Close(Sus, fmt.Sprintf("unexpected baton %d", baton))
		return
	}
	p.result.Received++
	p.config.trace(Pass{StreamID: st.StreamID(), Baton: baton, Received: true})
	p.bored.Reset(p.config.Patience)
	if baton == 0 {
		p.result.Arrived++
		if p.active.Add(-1) == 0 {
			s.Close(0, "")
		} else if st.Bidirectional() && !st.Local() {
			st.WantWrite() // nothing but FIN
		}
		return
	}
	remainder := byte(1)
	if p.server {
		remainder = 0
	}
	if baton%7 == remainder {
		p.sendDatagram(s, baton)
	}
	p.send(s, st, baton+1)
}

// expects reports whether a baton is one that may come on a stream.
func (p *player) expects(st *wt.EventStream, l *leg, baton byte) bool {
	switch {
	case st.Local():
		return baton == l.expected
	case st.Bidirectional():
		return p.onBidi.meet(baton)
	case p.onUni.meet(baton):
		return true
	}
	if p.toCome == 0 || p.first != 0 && int(baton) != p.first {
		return false
	}
	p.toCome--
	return true
}

func (p *player) sendDatagram(s *wt.Session, baton byte) {
	const overhead = 4 + 1 // length of the padding, and baton
	padding := min(p.config.Padding, s.MaxDatagramSize()-overhead)
	if padding >= 0 && s.SendDatagram(appendMessage(nil, padding, baton)) == nil {
		p.result.DatagramsSent++
	}
}

func (p *player) Datagram(s *wt.Session, b []byte) {
	if _, err := parseMessage(b); err != nil {
		s.Close(Bruh, err.Error())
		return
	}
	p.result.DatagramsReceived++
}

func (p *player) Writable(st *wt.EventStream, b []byte) (int, wt.Next) {
	l := st.Value().(*leg)
	if l.out == nil {
		if l.in.state == complete {
			return 0, wt.End
		}
		return 0, wt.Wait
	}
	n, end := l.out.read(b)
	if !end {
		return n, wt.More
	}
	return n, wt.End
}

func (p *player) StreamFinished(st *wt.EventStream) {
	if l := st.Value().(*leg); l.in.state != complete && !l.over {
		st.Session().Close(Bruh, "stream ended inside a message")
	}
}

func (p *player) StreamReset(st *wt.EventStream, _ *wt.StreamError) {
	if l := st.Value().(*leg); l.in.state != complete && !l.over {
		if st.Bidirectional() {
			st.Reset(Whatever)
		}
		p.lose(st)
	}
}

// StopSending: a baton that the peer does not want is lost.
func (p *player) StopSending(st *wt.EventStream, _ *wt.StreamError) {
	if l := st.Value().(*leg); l.out != nil || l.in.state != complete {
		st.StopSending(Whatever)
		p.lose(st)
	}
}

// lose notes that a baton is lost with a stream. The session is over when none is left.
func (p *player) lose(st *wt.EventStream) {
	l, s := st.Value().(*leg), st.Session()
	if l.over || p.active.Load() == 0 {
		return
	}
	l.over = true
	p.result.Lost++
	switch {
	case p.active.Add(-1) > 0:
	case p.result.Arrived > 0:
		s.Close(0, "")
	default:
		s.Close(Sus, "all batons are lost")
	}
}

func (p *player) Closed(_ *wt.Session, e *wt.SessionError) { p.result.End = e }

func (p *player) Refused(_ *wt.Session, e *wt.RefusedError) {
	p.result.End = &wt.SessionError{Remote: true, Err: e}
}

func (p *player) Freed(s *wt.Session) {
	if p.bored != nil {
		p.bored.Stop()
	}
	if p.ended != nil {
		p.ended(s, p.result)
	}
}

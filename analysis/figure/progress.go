package figure

import (
	"cmp"
	"slices"
	"time"
)

// Sequence is what one end of a connection sent: how many bytes of UDP payload,
// datagram by datagram.
type Sequence struct {
	Name     string  // such as "main, server"
	Sent     []Point // bytes sent, at each sending
	Arrived  []Point // the bytes that were sent up to a datagram, at its arrival
	Dropped  []Drops // by link and reason
	Declared []Point // when the end declared packets lost, and the bytes sent by then
	First    *Episode
}

// Drops are the datagrams that a link dropped for one reason: the bytes that
// were sent up to each, at the moment at which it was dropped.
type Drops struct {
	Name   string // such as "access: queue"
	Points []Point
}

// Episode is the time around the first loss of a sequence, in which every datagram
// is kept.
type Episode struct {
	Lost                    time.Duration // when the first datagram that was lost was sent
	From, Until             time.Duration
	Sent, Arrived, Declared []Point // as in [Sequence]
	Dropped                 []Drops
}

// Of an episode, so many datagrams before the first loss and altogether are
// kept: more cannot be told apart.
const (
	beforeLoss  = 100
	wholeLosses = 500
)

// An episode begins a round-trip time before its first loss, and ends so many
// after it.
const rttsAfter = 3

// maxReasons is how many links and reasons are told apart.
const maxReasons = 4

// sequencer makes the sequence of one end. Of every part of the time of the run
// it keeps the first and the last point, and so its memory is bounded.
type sequencer struct {
	Sequence
	rtt     func(time.Duration) time.Duration // of the end at a time
	end     time.Duration                     // of the run
	total   int64
	sent    sieve
	arrived sieve
	dropped []sieve
	recent  []transit // the last ones before the first loss, then those of the episode
	over    bool      // the episode is
}

// transit is a datagram with the bytes that were sent up to it.
type transit struct {
	journey
	total float64
}

// add adds the next datagram in the order of sending.
func (s *sequencer) add(j *journey) {
	s.total += j.size
	at := float64(s.total)
	s.sent.add(Point{j.sent, at}, s.end)
	switch j.stage {
	case arrived:
		s.arrived.add(Point{j.done, at}, s.end)
	case dropped:
		n := reason(&s.Dropped, j)
		if n == len(s.dropped) {
			s.dropped = append(s.dropped, sieve{})
		}
		s.dropped[n].add(Point{j.done, at}, s.end)
	}
	s.remember(transit{*j, at})
}

// reason returns the index of the drops to which a datagram belongs, which it adds
// if need be.
func reason(all *[]Drops, j *journey) int {
	name := j.link + ": " + j.fate
	n := slices.IndexFunc(*all, func(d Drops) bool { return d.Name == name })
	switch {
	case n >= 0:
		return n
	case len(*all) == maxReasons:
		(*all)[maxReasons-1].Name = "elsewhere"
		return maxReasons - 1
	}
	*all = append(*all, Drops{Name: name})
	return len(*all) - 1
}

// remember keeps what belongs to the episode of the first loss.
func (s *sequencer) remember(t transit) {
	switch {
	case s.over:
	case s.First == nil:
		s.recent = append(s.recent, t)
		if t.stage == dropped {
			s.begin(t)
		} else if len(s.recent) >= 2*beforeLoss {
			s.recent = slices.Delete(s.recent, 0, beforeLoss)
		}
	case len(s.recent) == wholeLosses || t.sent > s.First.Lost+rttsAfter*s.rtt(s.First.Lost):
		s.over = true
	default:
		s.recent = append(s.recent, t)
	}
}

// begin begins the episode with its first loss, and what was sent shortly before
// it.
func (s *sequencer) begin(first transit) {
	s.First = &Episode{Lost: first.sent}
	from := first.sent - s.rtt(first.sent)
	keep := max(len(s.recent)-beforeLoss-1, 0)
	for keep < len(s.recent) && s.recent[keep].sent < from {
		keep++
	}
	s.recent = slices.Delete(s.recent, 0, keep)
}

// finish returns the sequence. Packets were declared lost at some moments, of
// which the first ones are all known.
func (s *sequencer) finish(declared, first []time.Duration) Sequence {
	s.Sent, s.Arrived = s.sent.points(), s.arrived.points()
	for i := range s.Dropped {
		s.Dropped[i].Points = s.dropped[i].points()
	}
	for _, t := range declared {
		s.Declared = append(s.Declared, Point{t, sentBy(s.Sent, t)})
	}
	if s.First != nil {
		for _, t := range s.recent {
			s.First.Sent = append(s.First.Sent, Point{t.sent, t.total})
			switch p := (Point{t.done, t.total}); t.stage {
			case arrived:
				s.First.Arrived = append(s.First.Arrived, p)
			case dropped:
				n := reason(&s.First.Dropped, &t.journey)
				s.First.Dropped[n].Points = append(s.First.Dropped[n].Points, p)
			}
		}
		s.bound()
		for _, t := range first {
			if t >= s.recent[0].sent {
				s.First.Declared = append(s.First.Declared, Point{t, sentBy(s.First.Sent, t)})
			}
		}
	}
	return s.Sequence
}

// bound gives the episode its time. It ends early if nothing more happens, or if
// there is too much to keep.
func (s *sequencer) bound() {
	e, rtt := s.First, s.rtt(s.First.Lost)
	last := s.recent[len(s.recent)-1].sent
	e.From, e.Until = s.recent[0].sent, last
	if len(s.recent) == wholeLosses {
		e.Until += rtt / 2
		return
	}
	for _, t := range s.recent {
		e.Until = max(e.Until, t.done)
	}
	e.Until = min(max(e.Until, e.Lost+rtt), e.Lost+rttsAfter*rtt)
}

// sentBy returns how many bytes were sent by a time.
func sentBy(sent []Point, t time.Duration) float64 {
	n, found := slices.BinarySearchFunc(sent, t, func(p Point, t time.Duration) int { return cmp.Compare(p.T, t) })
	for found && n < len(sent) && sent[n].T == t {
		n++
	}
	if n == 0 {
		return 0
	}
	return sent[n-1].V
}

// sieve keeps of every part of the time of a run the points with the smallest and
// the largest value.
type sieve struct {
	low, high [2 * buckets]Point
	kept      [2 * buckets]bool
}

func (s *sieve) add(p Point, end time.Duration) {
	i := 0
	if end > 0 {
		i = min(max(int(float64(p.T)/float64(end)*float64(len(s.kept))), 0), len(s.kept)-1)
	}
	if !s.kept[i] {
		s.low[i], s.high[i], s.kept[i] = p, p, true
		return
	}
	if p.V < s.low[i].V {
		s.low[i] = p
	}
	if p.V >= s.high[i].V {
		s.high[i] = p
	}
}

// points returns what was kept, in order of time.
func (s *sieve) points() []Point {
	var out []Point
	for i, kept := range s.kept {
		if !kept {
			continue
		}
		first, second := s.low[i], s.high[i]
		if second.T < first.T {
			first, second = second, first
		}
		out = append(out, first)
		if second != first {
			out = append(out, second)
		}
	}
	return out
}

package netem

import (
	"cmp"
	"slices"
)

// flights is a binary heap of packets by the time at which they are due, and
// by the order of arrival where that is the same.
type flights []timedFlight

type timedFlight struct {
	flight
	rank uint64 // in the order of arrival
}

func (f timedFlight) before(g timedFlight) bool {
	return f.due < g.due || f.due == g.due && f.rank < g.rank
}

func (h *flights) push(f timedFlight) {
	*h = append(*h, f)
	s := *h
	i := len(s) - 1
	for i > 0 && f.before(s[(i-1)/2]) {
		s[i] = s[(i-1)/2]
		i = (i - 1) / 2
	}
	s[i] = f
}

// pop removes the packet that is due first.
func (h *flights) pop() timedFlight {
	s := *h
	first, last := s[0], s[len(s)-1]
	s[len(s)-1] = timedFlight{}
	s = s[:len(s)-1]
	*h = s
	if len(s) == 0 {
		return first
	}
	i := 0
	for child := 1; child < len(s); child = 2*i + 1 {
		if child+1 < len(s) && s[child+1].before(s[child]) {
			child++
		}
		if last.before(s[child]) {
			break
		}
		s[i] = s[child]
		i = child
	}
	s[i] = last
	return first
}

// held yields the packets in the order of their arrival.
func (h flights) held(yield func(*Packet)) {
	byRank := slices.Clone(h)
	slices.SortFunc(byRank, func(a, b timedFlight) int { return cmp.Compare(a.rank, b.rank) })
	for _, f := range byRank {
		yield(f.packet)
	}
}

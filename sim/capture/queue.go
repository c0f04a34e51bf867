package capture

import (
	"time"

	"github.com/wtsim/wtsim/netem"
)

// sighting is a packet that passed a point.
type sighting struct {
	point  int // the interface
	at     time.Duration
	flags  uint32        // epb_flags; 0 for none
	path   *netem.Path   // on which the packet is, and
	packet *netem.Packet // the packet, while its fate is not known
	block  []byte        // once it is known: what the file says of it

	next *sighting
}

// maxWaiting is how many bytes of packets a queue keeps for one whose fate is not
// known.
const maxWaiting = 16 << 20

// queue holds sightings in the order in which they were made, which is that of
// their times, until the fate of every packet before them is known.
type queue struct {
	first, last *sighting
	waiting     map[*netem.Packet]*sighting // whose fate is not known
	size        int                         // of the blocks of all sightings
	spare       *sighting                   // for reuse
}

// push adds a sighting.
func (q *queue) push(s sighting) *sighting {
	added := q.spare
	if added == nil {
		added = new(sighting)
	} else {
		q.spare = added.next
	}
	s.block = added.block[:0]
	*added = s
	if q.last == nil {
		q.first = added
	} else {
		q.last.next = added
	}
	q.last = added
	if s.packet != nil {
		q.waiting[s.packet] = added
	}
	return added
}

// settle says that the fate of a sighting is known.
func (q *queue) settle(s *sighting) {
	if s.packet != nil {
		delete(q.waiting, s.packet)
		s.packet = nil
	}
}

// keep keeps what the file says of a sighting.
func (q *queue) keep(s *sighting, block []byte) {
	s.block = block
	q.size += len(block)
}

// pop removes the first sighting, whose block must not be used any more when the
// next one is pushed.
func (q *queue) pop() {
	s := q.first
	if q.first = s.next; q.first == nil {
		q.last = nil
	}
	q.size -= len(s.block)
	s.next, q.spare = q.spare, s
}

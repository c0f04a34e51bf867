package capture

import (
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/wtsim/wtsim/netem"
)

// sighting is a packet that passed a point.
type sighting struct {
	point   int // the interface
	at      time.Duration
	flags   *pcapgo.NgEpbFlags // may be nil
	path    *netem.Path        // on which the packet is, and
	packet  *netem.Packet      // the packet, while its fate is not known
	id      uint64             // once it is known
	data    []byte             // likewise
	comment string             // likewise; may be empty

	next *sighting
}

// record returns what a file says of the sighting.
func (s *sighting) record() (gopacket.CaptureInfo, []byte, pcapgo.NgPacketOptions) {
	options := pcapgo.NgPacketOptions{PacketID: &s.id, Flags: s.flags}
	if s.comment != "" {
		options.Comments = []string{s.comment}
	}
	return gopacket.CaptureInfo{
		Timestamp:      time.Unix(0, int64(s.at)),
		CaptureLength:  len(s.data),
		Length:         len(s.data),
		InterfaceIndex: s.point,
	}, s.data, options
}

// maxWaiting is how many bytes of packets a queue keeps for one whose fate is not
// known.
const maxWaiting = 16 << 20

// queue holds sightings in the order in which they were made, which is that of
// their times, until the fate of every packet before them is known.
type queue struct {
	first, last *sighting
	waiting     map[*netem.Packet]*sighting // whose fate is not known
	size        int                         // of the data of all sightings
	popped      *sighting                   // the last one, which is still in use
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
	s.data = added.data[:0]
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

// settle gives a sighting what the file says of the packet.
func (q *queue) settle(s *sighting, p *netem.Packet, comment string) {
	if s.packet != nil {
		delete(q.waiting, s.packet)
		s.packet = nil
	}
	s.id, s.comment = p.ID, comment
	s.data = appendIPv4(s.data, p.Source, p.Dest, p.ECN, p.Payload)
	q.size += len(s.data)
}

// pop removes the first sighting and returns it, until the next call, or nil if
// there is none, or if it has to wait, unless at the end of the capture.
func (q *queue) pop(end bool) *sighting {
	if q.popped != nil {
		q.popped.next, q.spare = q.spare, q.popped
		q.popped = nil
	}
	s := q.first
	if s == nil {
		return nil
	}
	if s.packet != nil {
		if q.size <= maxWaiting && !end {
			return nil
		}
		q.settle(s, s.packet, "on the link when this was written")
	}
	if q.first = s.next; q.first == nil {
		q.last = nil
	}
	q.size -= len(s.data)
	q.popped = s
	return s
}

package figure

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// journey is the way of one datagram from the end of a connection that sent it
// to the other one.
type journey struct {
	end   int32 // index of the end that sent it; see journeys
	hop   int32 // how many links it has entered
	size  int64 // UDP payload in bytes
	stage stage
	sent  time.Duration // when it entered the first link
	done  time.Duration // when it left the last one, or was dropped
	link  string        // the last one
	fate  string        // why it was dropped
}

// stage is how far a datagram has come.
type stage uint8

const (
	unseen  stage = iota // its first row is still to come
	foreign              // it belongs to no connection of interest
	underWay
	arrived
	dropped
	held // by a link, when the run ended
)

// maxOpen bounds the datagrams of a run that are remembered because their fate
// is not known, or that of an earlier one. It is more than networks hold.
const maxOpen = 1 << 17

// journeys follows the datagrams of some connections through the packets of a
// recording. It hands each to emit in the order of sending, when its fate and
// that of all before it is known. Of a datagram of which the network made
// copies, it is the fate of the first that counts, unless one has arrived by
// then.
type journeys struct {
	emit func(id uint64, j *journey)

	// The n-th connection has the ends 2n, its client, and 2n+1, its server.
	hosts   []string               // by end; "" if it is not known
	ways    [][]string             // by end, the links that its datagrams crossed, as far as the first ones came
	clients map[netip.AddrPort]int // the connection of each client's address, and of those that a NAT gives it
	far     map[string][2]string   // where each link ends, by direction
	joints  map[string]int         // how many links end at a host or router

	open  []journey // in the order of their IDs
	begun int       // those of open before it are done with
	first uint64    // ID of open[begun]
}

func newJourneys(links []record.Link, emit func(uint64, *journey)) *journeys {
	j := &journeys{emit: emit, clients: map[netip.AddrPort]int{}, far: map[string][2]string{}, joints: map[string]int{}, first: 1}
	for _, l := range links {
		j.far[l.Name] = [2]string{record.Forward: l.Between[1], record.Reverse: l.Between[0]}
		for _, node := range l.Between {
			j.joints[node]++
		}
	}
	return j
}

// follow adds a connection, of which both ends may be known, and returns the
// index of its client's end. A connection whose client has no known address
// cannot be followed.
func (j *journeys) follow(client, server record.Connection) (end int, ok bool) {
	if len(client.Addresses) == 0 {
		return 0, false
	}
	end = len(j.hosts)
	j.hosts = append(j.hosts, client.Host, server.Host)
	j.ways = append(j.ways, nil, nil)
	for _, a := range client.Addresses {
		j.clients[a] = end / 2
	}
	return end, true
}

// packet takes the next row.
func (j *journeys) packet(p *record.Packet) {
	if p.ID < j.first {
		return // a copy of one that is done with, or one that was given up
	}
	if p.ID >= maxOpen {
		j.advance(p.ID - maxOpen + 1)
	}
	for p.ID-j.first >= uint64(len(j.open)-j.begun) {
		j.open = append(j.open, journey{})
	}
	d := &j.open[j.begun+int(p.ID-j.first)]
	if d.stage == unseen {
		*d = journey{end: j.endOf(p), size: int64(p.Size), stage: underWay, sent: p.Sent}
		if d.end < 0 {
			d.stage = foreign
		}
	}
	if d.stage != foreign {
		j.move(d, p)
	}
	j.advance(0)
}

// endOf returns the end that sent a datagram, and -1 for others.
func (j *journeys) endOf(p *record.Packet) int32 {
	if c, ok := j.clients[p.Source]; ok {
		return int32(2 * c)
	}
	if c, ok := j.clients[p.Dest]; ok {
		return int32(2*c + 1)
	}
	return -1
}

// move takes a datagram over a link.
func (j *journeys) move(d *journey, p *record.Packet) {
	if d.end%2 == 0 {
		j.clients[p.Source] = int(d.end / 2) // behind a NAT it is another one
	}
	if d.stage == arrived {
		return
	}
	if p.Link != d.link {
		d.link = p.Link
		d.hop++
		if way := &j.ways[d.end]; int(d.hop) > len(*way) {
			*way = append(*way, p.Link)
		}
	}
	d.done = p.Done
	switch p.Fate {
	case record.Dropped:
		d.stage, d.fate = dropped, p.Reason
	case record.InTransit:
		d.stage = held
	case record.Delivered:
		d.stage, d.fate = underWay, ""
		if j.reaches(p, j.hosts[d.end^1]) {
			d.stage = arrived
		}
	}
}

// reaches reports whether a link took a datagram to a host, or, if that is not
// known, to one that has no other link.
func (j *journeys) reaches(p *record.Packet, host string) bool {
	far, known := j.far[p.Link]
	switch {
	case !known:
		return true
	case host == "":
		return j.joints[far[p.Direction]] == 1
	}
	return far[p.Direction] == host
}

// advance hands on those that are done with, up to the first that is not, and
// all before an ID.
func (j *journeys) advance(before uint64) {
	for ; j.begun < len(j.open); j.begun++ {
		d := &j.open[j.begun]
		if (d.stage == unseen || d.stage == underWay) && j.first >= before {
			break
		}
		if d.stage > foreign {
			j.emit(j.first, d)
		}
		j.first++
	}
	if j.begun == len(j.open) {
		j.first = max(j.first, before)
	}
	if 2*j.begun > len(j.open) {
		j.open = slices.Delete(j.open, 0, j.begun)
		j.begun = 0
	}
}

// finish hands on the rest.
func (j *journeys) finish() { j.advance(math.MaxUint64) }

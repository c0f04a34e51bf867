package netem

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
)

// fairQueue is flows that are served in turn, by bytes, new ones first
// (RFC 8290, section 4), like Linux's fq_codel and fq_pie. A is what the AQM of
// a flow remembers.
type fairQueue[A any] struct {
	limit   int   // packets of all flows
	memory  Bytes // bytes on the wire of all flows
	quantum Bytes

	key   [2]uint64
	flows []flow[A]
	sum   load           // of all flows
	fresh ring[*flow[A]] // flows that began lately: they have priority (RFC 8290, section 4.2)
	old   ring[*flow[A]]
}

type flow[A any] struct {
	backlog
	aqm    A
	credit Bytes // left of its quantum
	listed bool  // it is in fresh or in old
}

// seed draws the key of the flows' hash.
func (q *fairQueue[A]) seed(r *rand.Rand) { q.key = [2]uint64{r.Uint64(), r.Uint64()} }

// configure sets the limits, or Linux's defaults where they are 0.
func (q *fairQueue[A]) configure(limit int, memory Bytes, flows int, quantum Bytes) error {
	limit, memory = orDefault(limit, 10240), orDefault(memory, 32*MiB)
	flows, quantum = orDefault(flows, 1024), orDefault(quantum, deviceMTU)
	switch {
	case limit < 0 || memory < 0:
		return errors.New("the limit is negative")
	case flows < 0 || flows > 65536:
		return errors.New("the number of flows is not between 1 and 65536")
	case q.flows != nil && flows != len(q.flows):
		return errors.New("the number of flows cannot change")
	case quantum < 0 || quantum > MiB:
		return errors.New("the quantum is not between 1 and 1048576 bytes")
	}
	if q.flows == nil {
		q.flows = make([]flow[A], flows)
		for i := range q.flows {
			q.flows[i].sum = &q.sum
		}
	}
	q.limit, q.memory, q.quantum = limit, memory, quantum
	return nil
}

// list gives a flow that has a packet a place among those that are served.
func (q *fairQueue[A]) list(f *flow[A]) {
	if !f.listed {
		f.listed, f.credit = true, q.quantum
		q.fresh.push(f)
	}
}

// dequeue implements the scheduler of RFC 8290, section 4.2: deficit round
// robin, new flows first. take removes a packet from a flow, and returns nil if
// that leaves none to send.
func (q *fairQueue[A]) dequeue(take func(*flow[A]) *Packet) *Packet {
	for {
		list := &q.fresh
		if list.len() == 0 {
			list = &q.old
		}
		if list.len() == 0 {
			return nil
		}
		f := *list.at(0)
		if f.credit <= 0 {
			f.credit += q.quantum
			q.old.push(list.pop())
			continue
		}
		if p := take(f); p != nil {
			f.credit -= p.wire
			return p
		}
		list.pop()
		// A flow that is empty waits for its turn among the old ones before it
		// may be new again, lest it starve them.
		if list == &q.fresh && q.old.len() > 0 {
			q.old.push(f)
		} else {
			f.listed = false
		}
	}
}

// flowOf returns the flow of p.
func (q *fairQueue[A]) flowOf(p *Packet) *flow[A] {
	return &q.flows[q.hash(p)%uint64(len(q.flows))]
}

// hash returns a number that depends on the addresses and ports of p and on the
// key.
func (q *fairQueue[A]) hash(p *Packet) uint64 {
	h := q.key[0]
	for _, a := range [...][16]byte{p.Source.Addr().As16(), p.Dest.Addr().As16()} {
		h = mix(h ^ binary.BigEndian.Uint64(a[:8]))
		h = mix(h ^ binary.BigEndian.Uint64(a[8:]))
	}
	return mix(h^uint64(p.Source.Port())<<16^uint64(p.Dest.Port())) ^ q.key[1]
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014): a
// permutation in which each bit of the result depends on all bits of x.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (q *fairQueue[A]) held(yield func(*Packet)) {
	packets := make([]*Packet, 0, q.sum.packets)
	for i := range q.flows {
		q.flows[i].held(func(p *Packet) { packets = append(packets, p) })
	}
	inOrder(packets, yield)
}

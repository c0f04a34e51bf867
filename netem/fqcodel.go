package netem

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// FQCoDel serves flows in turn, by bytes, and has a [CoDel] for each
// (RFC 8290), like Linux's fq_codel (net/sched/sch_fq_codel.c). A flow is the
// packets of one source and destination, addresses and ports, or of several
// where their hashes collide; the hash depends on the seed. The zero value has
// Linux's defaults.
//
// When an arrival exceeds a limit, half of the bytes of the flow that has most
// are dropped from its head, but at most 64 packets.
//
// A change takes effect at the next packet, except that the number of flows
// cannot change.
type FQCoDel struct {
	Limit       int           // packets of all flows; 0 is 10240
	Memory      Bytes         // bytes on the wire of all flows; 0 is 32 MiB
	Flows       int           // 0 is 1024, at most 65536
	Quantum     Bytes         // bytes on the wire that a flow may send in its turn; 0 is 1514
	Target      time.Duration // as in [CoDel]
	Interval    time.Duration // as in [CoDel]
	CEThreshold time.Duration // as in [CoDel]
	NoECN       bool          // drop packets even if they are ECN-capable
}

func (FQCoDel) start(s *shaper) queue {
	q := &fqCoDel{aqm: codelAQM{shaper: s}}
	q.key = [2]uint64{s.env.Rand.Uint64(), s.env.Rand.Uint64()}
	return q
}

// fqBatch is the most packets that are dropped at once, Linux's drop_batch.
const fqBatch = 64

type fqCoDel struct {
	config FQCoDel // with defaults filled in
	aqm    codelAQM
	key    [2]uint64
	flows  []fqFlow
	fresh  ring[*fqFlow] // flows that began lately: they have priority (RFC 8290, section 4.2)
	old    ring[*fqFlow]
}

type fqFlow struct {
	codelFlow
	credit Bytes // left of its quantum
	listed bool  // it is in fresh or in old
}

func (q *fqCoDel) configure(e Queue) error {
	c, ok := e.(FQCoDel)
	if !ok {
		return fmt.Errorf("a running FQCoDel cannot become a %T", e)
	}
	c.Limit = orDefault(c.Limit, 10240)
	c.Memory = orDefault(c.Memory, 32*MiB)
	c.Flows = orDefault(c.Flows, 1024)
	c.Quantum = orDefault(c.Quantum, 1514)
	switch {
	case c.Limit < 0 || c.Memory < 0:
		return errors.New("the limit is negative")
	case c.Flows < 0 || c.Flows > 65536:
		return errors.New("the number of flows is not between 1 and 65536")
	case q.flows != nil && c.Flows != len(q.flows):
		return errors.New("the number of flows cannot change")
	case c.Quantum < 0 || c.Quantum > MiB:
		return errors.New("the quantum is not between 1 and 1048576 bytes")
	}
	if err := q.aqm.configure(CoDel{Target: c.Target, Interval: c.Interval, CEThreshold: c.CEThreshold, ECN: !c.NoECN}); err != nil {
		return err
	}
	if q.flows == nil {
		q.flows = make([]fqFlow, c.Flows)
	}
	q.config = c
	return nil
}

// pass implements queue. The packet uses its flow's credit.
func (q *fqCoDel) pass(p *Packet) *Packet {
	q.enqueue(p)
	return q.dequeue()
}

func (q *fqCoDel) enqueue(p *Packet) {
	f := &q.flows[q.hash(p)%uint64(len(q.flows))]
	q.aqm.push(&f.codelFlow, p)
	if !f.listed {
		f.listed, f.credit = true, q.config.Quantum
		q.fresh.push(f)
	}
	if ahead, _ := q.aqm.shaper.ahead(); ahead+q.aqm.packets > q.config.Limit || q.aqm.bytes > q.config.Memory {
		q.dropFattest()
	}
}

// dropFattest drops from the flow that has most bytes waiting, and of several
// most packets, which are not none even if they are empty (RFC 8290, section 4.1; batches as in Linux).
func (q *fqCoDel) dropFattest() {
	fattest := &q.flows[0]
	for i := range q.flows {
		f := &q.flows[i]
		if f.bytes > fattest.bytes || f.bytes == fattest.bytes && f.len() > fattest.len() {
			fattest = f
		}
	}
	enough, dropped := fattest.bytes/2, Bytes(0)
	for n := 0; n == 0 || n < fqBatch && dropped < enough; n++ {
		p := fattest.pop()
		q.aqm.packets--
		q.aqm.bytes -= p.wire
		dropped += p.wire
		fattest.count++ // CoDel takes it for its own
		q.aqm.shaper.env.Drop(p)
	}
}

// dequeue implements the scheduler of RFC 8290, section 4.2: deficit round
// robin, new flows first.
func (q *fqCoDel) dequeue() *Packet {
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
			f.credit += q.config.Quantum
			q.old.push(list.pop())
			continue
		}
		if p := q.aqm.dequeue(&f.codelFlow); p != nil {
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

// hash returns a number that depends on the flow of p and on the key.
func (q *fqCoDel) hash(p *Packet) uint64 {
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

// held lists the packets of all flows in the order of their arrival, and in
// that of their entry into the network where they arrived at one instant.
func (q *fqCoDel) held(yield func(*Packet)) {
	packets := make([]*Packet, 0, q.aqm.packets)
	for i := range q.flows {
		q.flows[i].held(func(p *Packet) { packets = append(packets, p) })
	}
	slices.SortStableFunc(packets, func(a, b *Packet) int {
		return cmp.Or(cmp.Compare(a.queued, b.queued), cmp.Compare(a.ID, b.ID))
	})
	for _, p := range packets {
		yield(p)
	}
}

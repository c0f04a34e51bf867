package netem

import (
	"fmt"
	"time"
)

// FQCoDel serves flows in turn, by bytes, and has a [CoDel] for each
// (RFC 8290), like Linux's fq_codel (net/sched/sch_fq_codel.c). A flow is the
// packets of one source and destination, addresses and ports, or of several
// where their hashes collide; the hash depends on the seed. The zero value has
// Linux's defaults, of which one is to mark ECN-capable packets.
//
// When an arrival exceeds a limit, half of the bytes of the flow that has most
// are dropped from its head, but at most 64 packets. That is done once for an
// arrival, and may leave more than Memory.
//
// A change takes effect at the next packet, except that the number of flows
// cannot change. A limit that shrinks drops nothing before the next arrival.
type FQCoDel struct {
	Limit       int           // packets of all flows; 0 is 10240
	Memory      Bytes         // bytes on the wire of all flows, where Linux counts its buffers; 0 is 32 MiB
	Flows       int           // 0 is 1024, at most 65536
	Quantum     Bytes         // bytes on the wire that a flow may send in its turn; 0 is 1514, and Linux has no less than 256
	Target      time.Duration // as in [CoDel]
	Interval    time.Duration // as in [CoDel]
	CEThreshold time.Duration // as in [CoDel]
	NoECN       bool          // drop packets even if they are ECN-capable
}

func (FQCoDel) start(s *shaper) queue {
	q := &fqCoDel{shaper: s}
	q.aqm = codelAQM{env: s.env, waiting: &q.fair.sum.bytes}
	q.fair.seed(s.env.Rand)
	q.take = func(f *flow[codelFlow]) *Packet { return q.aqm.dequeue(&f.backlog, &f.aqm) }
	return q
}

// fqBatch is the most packets that are dropped at once, Linux's drop_batch.
const fqBatch = 64

type fqCoDel struct {
	shaper *shaper
	aqm    codelAQM
	fair   fairQueue[codelFlow]
	take   func(*flow[codelFlow]) *Packet // made once
}

func (q *fqCoDel) configure(e Queue) error {
	c, ok := e.(FQCoDel)
	if !ok {
		return fmt.Errorf("a running FQCoDel cannot become a %T", e)
	}
	aqm := CoDel{Target: c.Target, Interval: c.Interval, CEThreshold: c.CEThreshold, ECN: !c.NoECN}
	if err := aqm.check(); err != nil {
		return err
	}
	if err := q.fair.configure(c.Limit, c.Memory, c.Flows, c.Quantum); err != nil {
		return err
	}
	q.aqm.configure(aqm)
	return nil
}

// pass implements queue. The packet uses its flow's credit.
func (q *fqCoDel) pass(p *Packet) *Packet {
	q.enqueue(p)
	return q.dequeue()
}

func (q *fqCoDel) enqueue(p *Packet) {
	f := q.fair.flowOf(p)
	f.push(p)
	q.fair.list(f)
	if ahead, _ := q.shaper.ahead(); ahead+q.fair.sum.packets > q.fair.limit || q.fair.sum.bytes > q.fair.memory {
		q.dropFattest()
	}
}

// dropFattest drops from the flow that has most bytes waiting, and of several
// from the first that has packets, which may all be empty (RFC 8290,
// section 4.1; batches as in Linux).
func (q *fqCoDel) dropFattest() {
	fattest := &q.fair.flows[0]
	for i := range q.fair.flows {
		f := &q.fair.flows[i]
		if f.bytes > fattest.bytes || fattest.len() == 0 && f.len() > 0 {
			fattest = f
		}
	}
	enough, dropped := fattest.bytes/2, Bytes(0)
	for n := 0; n == 0 || n < fqBatch && dropped < enough; n++ {
		p := fattest.pop()
		dropped += p.wire
		fattest.aqm.count++ // CoDel takes it for its own
		q.aqm.env.Drop(p)
	}
}

func (q *fqCoDel) dequeue() *Packet { return q.fair.dequeue(q.take) }

func (q *fqCoDel) held(yield func(*Packet)) { q.fair.held(yield) }

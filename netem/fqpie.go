package netem

import (
	"errors"
	"fmt"
	"time"
)

// FQPIE serves flows in turn, by bytes, as [FQCoDel] does, and has a [PIE] for
// each, like Linux's fq_pie (net/sched/sch_fq_pie.c). The zero value has Linux's
// defaults. An arrival that exceeds a limit is dropped.
//
// Where the AQM differs from Linux, and what a change does, is as in [PIE]. All
// flows update at one time, where Linux takes turns of 2048 of them. The number
// of flows cannot change.
type FQPIE struct {
	Limit    int           // packets of all flows; 0 is 10240
	Memory   Bytes         // bytes on the wire of all flows; 0 is 32 MiB. Linux has a limit, but drops nothing for it
	Flows    int           // 0 is 1024, at most 65536
	Quantum  Bytes         // bytes on the wire that a flow may send in its turn; 0 is 1514
	Target   time.Duration // as in [PIE]
	Update   time.Duration // as in [PIE]
	MaxBurst time.Duration // as in [PIE]
	Alpha    int           // as in [PIE]
	Beta     int           // as in [PIE]
	ECN      bool          // mark ECN-capable packets rather than drop them
	ECNProb  int           // while the flow's probability is at most so many percent; 0 is 10, at most 100
	ByteMode bool          // as in [PIE]
}

func (FQPIE) start(s *shaper) queue {
	q := &fqPIE{shaper: s, aqm: pieAQM{env: s.env}}
	q.fair.seed(s.env.Rand)
	q.take = func(f *flow[pieState]) *Packet { return q.aqm.dequeue(&f.backlog, &f.aqm) }
	return q
}

type fqPIE struct {
	shaper *shaper
	aqm    pieAQM
	fair   fairQueue[pieState]
	take   func(*flow[pieState]) *Packet // made once
}

func (q *fqPIE) configure(e Queue) error {
	c, ok := e.(FQPIE)
	if !ok {
		return fmt.Errorf("a running FQPIE cannot become a %T", e)
	}
	aqm := PIE{
		Target: c.Target, Update: c.Update, MaxBurst: c.MaxBurst, Alpha: c.Alpha, Beta: c.Beta,
		ECN: c.ECN, ByteMode: c.ByteMode,
	}.withDefaults()
	mark := orDefault(int64(c.ECNProb), pieMark)
	if mark < 0 || mark > 100 {
		return errors.New("the probability up to which packets are marked is not between 0 and 100 percent")
	}
	if err := aqm.check(); err != nil {
		return err
	}
	if err := q.fair.configure(c.Limit, c.Memory, c.Flows, c.Quantum); err != nil {
		return err
	}
	now := q.aqm.env.Clock.Now()
	q.each(func(f *flow[pieState]) { q.aqm.advance(&f.backlog, &f.aqm, now) })
	q.aqm.configure(aqm, mark)
	q.each(func(f *flow[pieState]) { q.aqm.start(&f.aqm, now) })
	return nil
}

func (q *fqPIE) each(do func(*flow[pieState])) {
	for i := range q.fair.flows {
		do(&q.fair.flows[i])
	}
}

// pass implements queue. The packet uses its flow's credit.
func (q *fqPIE) pass(p *Packet) *Packet {
	q.enqueue(p)
	return q.dequeue()
}

func (q *fqPIE) enqueue(p *Packet) {
	f := q.fair.flowOf(p)
	ahead, _ := q.shaper.ahead()
	full := ahead+q.fair.sum.packets >= q.fair.limit || q.fair.sum.bytes+p.wire > q.fair.memory
	if q.aqm.admit(&f.backlog, &f.aqm, p, full) {
		q.fair.list(f)
	}
}

func (q *fqPIE) dequeue() *Packet { return q.fair.dequeue(q.take) }

func (q *fqPIE) held(yield func(*Packet)) { q.fair.held(yield) }

package workload

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// pace is what flows of periodic messages have in common: when messages are
// sent, and when the flow is over.
type pace struct {
	flow      *flow
	datagrams bool
	period    time.Duration
	size      int
	duration  time.Duration // 0: no limit
	count     int64         // 0: no limit

	mu       sync.Mutex
	next     int64 // messages before it have been sent, or could not be
	sent     int64
	over     bool // no more will be sent
	arrived  int64
	complete gate // opened when all that was sent has arrived
}

func newPace(f *flow, transport string, rate scenario.Frequency, size netem.Bytes, duration time.Duration, count int) *pace {
	return &pace{
		flow:      f,
		datagrams: transport == "datagram",
		period:    rate.Period(),
		size:      int(size),
		duration:  duration,
		count:     int64(count),
		complete:  newGate(),
	}
}

func (p *pace) bounded() bool { return p.duration > 0 || p.count > 0 }

// send calls write for each message at its time, until the flow's duration or
// count is over or the session ends. A message that is late because write took
// long carries the time at which it was due, so that its delay counts from
// there. When what is on its way has arrived, or should have, the flow ends.
func (p *pace) send(e *end, write func(b []byte) error) {
	ctx := e.session.Context()
	begin := p.flow.now()
	b := make([]byte, p.size)
	for seq := int64(0); p.count == 0 || seq < p.count; seq++ {
		due := begin + time.Duration(seq)*p.period
		if p.duration > 0 && max(due, p.flow.now())-begin >= p.duration || p.flow.world.SleepUntil(ctx, due) != nil {
			break
		}
		message{flow: p.flow.index, seq: seq, sent: due}.put(b)
		if err := write(b); err != nil {
			if ctx.Err() != nil {
				break
			}
			p.flow.record(record.EventMessageFailed, seq, err.Error())
			continue
		}
		p.mu.Lock()
		p.left(seq)
		p.mu.Unlock()
	}
	p.mu.Lock()
	p.over = true
	p.checkComplete()
	p.mu.Unlock()
	waiting := ctx
	if p.datagrams { // some may be lost
		var cancel context.CancelFunc
		waiting, cancel = p.flow.within(ctx, patience(e.session.Conn()))
		defer cancel()
	}
	p.complete.await(waiting)
	if ctx.Err() == nil { // otherwise it is for run to decide
		p.flow.finish()
	}
}

// left records that a message was sent, once, with the lock held. In real time it may
// arrive before the sender has returned from sending it.
func (p *pace) left(seq int64) {
	if seq < p.next {
		return
	}
	p.next = seq + 1
	p.sent++
	p.flow.record(record.EventMessageSent, seq, "")
}

// take counts a message that arrived, and records its age as the named series.
func (p *pace) take(b []byte, series string) {
	m, ok := parseMessage(b)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left(m.seq)
	p.flow.record(record.EventMessageGot, m.seq, "")
	p.flow.sample(series, p.flow.now()-m.sent)
	p.flow.meter.add(len(b), p.flow.now())
	p.arrived++
	p.checkComplete()
}

// receive takes the messages on a stream, of which each has the flow's size.
func (p *pace) receive(r io.Reader, id int64, series string) {
	b := make([]byte, p.size)
	for first := true; ; first = false {
		if _, err := io.ReadFull(r, b); err != nil {
			return // the stream's end, or that of the session
		}
		if first {
			p.flow.record(record.EventFirstByte, id, "")
		}
		p.take(b, series)
	}
}

func (p *pace) checkComplete() {
	if p.over && p.arrived >= p.sent {
		p.complete.open()
	}
}

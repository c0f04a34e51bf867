package workload

import (
	"context"
	"sync"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// pace is what flows of periodic messages have in common: when messages are
// sent, and when the flow is over.
type pace struct {
	flow     *flow
	period   time.Duration
	size     int
	duration time.Duration // 0: no limit
	count    int64         // 0: no limit

	mu       sync.Mutex
	sent     int64
	over     bool // no more will be sent
	arrived  int64
	complete chan struct{} // closed when all that was sent has arrived
}

func newPace(f *flow, rate scenario.Frequency, size netem.Bytes, duration time.Duration, count int) *pace {
	return &pace{
		flow:     f,
		period:   rate.Period(),
		size:     int(size),
		duration: duration,
		count:    int64(count),
		complete: make(chan struct{}),
	}
}

func (p *pace) bounded() bool { return p.duration > 0 || p.count > 0 }

// straggler is how long the end of a flow waits for messages on their way.
const straggler = time.Second

// send calls write for each message at its time, until the flow's duration or
// count is over or the session ends. A message that is late because write took
// long carries the time at which it was due, so that its delay counts from
// there. Then send waits for messages on their way.
func (p *pace) send(ctx context.Context, write func(b []byte) error) {
	begin := p.flow.now()
	b := make([]byte, p.size)
	for seq := int64(0); p.count == 0 || seq < p.count; seq++ {
		due := begin + time.Duration(seq)*p.period
		if p.duration > 0 && due-begin >= p.duration || p.flow.instance.c.b.world.SleepUntil(ctx, due) != nil {
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
		p.flow.record(record.EventMessageSent, seq, "")
		p.mu.Lock()
		p.sent++
		p.mu.Unlock()
	}
	p.mu.Lock()
	p.over = true
	p.checkComplete()
	p.mu.Unlock()
	timer := time.NewTimer(straggler)
	defer timer.Stop()
	select {
	case <-p.complete:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// take counts a message that arrived, and records its age as the named series.
func (p *pace) take(b []byte, series string) {
	m, ok := parseMessage(b)
	if !ok {
		return
	}
	now := p.flow.now()
	p.flow.record(record.EventMessageGot, m.seq, "")
	p.flow.instance.c.b.recorder.sample(record.Sample{Time: now, Name: series, Entity: p.flow.entity, Value: (now - m.sent).Seconds()})
	p.flow.meter.add(len(b), now)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrived++
	p.checkComplete()
}

func (p *pace) checkComplete() {
	if p.over && p.arrived >= p.sent {
		select {
		case <-p.complete:
		default:
			close(p.complete)
		}
	}
}

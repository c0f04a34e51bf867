package workload

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/quic-go/quic-go/quicvarint"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// flow is one flow of a session. Both ends share it; what they share is for
// measuring only.
//
// Each stream of a flow begins with the flow's index as a varint, each datagram
// with a message header that holds it: so the receiving application knows
// which flow they belong to.
type flow struct {
	instance *instance
	config   *scenario.Flow
	index    int
	entity   string
	driver   driver
	meter    meter

	once sync.Once
	done chan struct{} // closed when the flow has ended
}

// driver is a kind of flow. Its methods run on goroutines of the end that they
// are given, and return when that end has nothing more to do.
type driver interface {
	// bounded reports whether the flow ends by itself, and not with the
	// session.
	bounded() bool
	// initiator is the end at which the flow starts.
	initiator() string
	// run begins this end's part.
	run(*end)
	// stream takes a bidirectional stream that the peer opened.
	stream(*end, *wt.Stream)
	// uniStream takes a unidirectional stream that the peer opened.
	uniStream(*end, *wt.ReceiveStream)
	// datagram takes a datagram. It must not block.
	datagram(*end, []byte)
}

// passive is a driver that expects nothing from the peer; kinds embed it.
type passive struct{}

func (passive) stream(_ *end, s *wt.Stream)           { s.CancelRead(0); s.CancelWrite(0) }
func (passive) uniStream(_ *end, s *wt.ReceiveStream) { s.CancelRead(0) }
func (passive) datagram(*end, []byte)                 {}

func newFlow(i *instance, index int) *flow {
	config := &i.Session.Flows[index]
	f := &flow{
		instance: i,
		config:   config,
		index:    index,
		entity:   i.c.b.scenario.FlowEntity(i.Name, config.Name),
		done:     make(chan struct{}),
	}
	f.meter = meter{recorder: i.c.b.recorder, entity: f.entity}
	switch c := config.Config.(type) {
	case *scenario.Bulk:
		f.driver = &bulk{flow: f, config: c}
	case *scenario.Echo:
		f.driver = &echo{pace: newPace(f, c.Rate, c.Size, c.Duration, c.Count), config: c}
	case *scenario.Media:
		f.driver = &media{pace: newPace(f, c.Rate, c.Size, c.Duration, c.Count), config: c}
	case *scenario.Request:
		f.driver = &request{flow: f, config: c}
	}
	return f
}

// run runs one end's part of the flow, from the flow's start on. A flow that
// has not ended when the session does has failed, unless it was to last as long
// as the session.
func (f *flow) run(e *end) {
	ctx := e.session.Context()
	if f.now() < e.since+f.config.Start && f.instance.c.b.world.SleepUntil(ctx, e.since+f.config.Start) != nil {
		f.sessionEnded(e)
		return
	}
	if e.side == f.driver.initiator() {
		f.record(record.EventFlowStarted, 0, "")
	}
	f.driver.run(e)
	select {
	case <-f.done:
	case <-ctx.Done():
		f.sessionEnded(e)
	}
}

func (f *flow) sessionEnded(e *end) {
	if f.driver.bounded() {
		f.fail(context.Cause(e.session.Context()))
	} else {
		f.finish()
	}
}

// finish ends the flow.
func (f *flow) finish() {
	f.end(record.EventFlowFinished, "")
}

// fail ends the flow before it is complete.
func (f *flow) fail(err error) {
	f.end(record.EventFlowFailed, err.Error())
}

func (f *flow) end(kind, text string) {
	f.once.Do(func() {
		f.meter.flush(f.now())
		f.record(kind, f.meter.total(), text)
		close(f.done)
		if f.driver.bounded() {
			f.instance.flowEnded()
		}
	})
}

// failUnlessEnded ends the flow with an error of one of its streams. When the
// session has ended the flow's end is for run to decide.
func (f *flow) failUnlessEnded(err error) {
	if _, ended := errors.AsType[*wt.SessionError](err); !ended {
		f.fail(err)
	}
}

func (f *flow) now() time.Duration { return f.instance.c.b.world.Now() }

func (f *flow) record(kind string, value int64, text string) {
	f.instance.c.b.recorder.event(record.Event{Kind: kind, Entity: f.entity, Value: value, Text: text})
}

// header is what each of the flow's streams begins with.
func (f *flow) header() []byte { return quicvarint.Append(nil, uint64(f.index)) }

// acceptStreams hands what the peer opens and sends to the flows.
func (e *end) acceptStreams(tasks *sync.WaitGroup) {
	ctx := e.session.Context()
	if len(e.instance.flows) == 0 {
		return
	}
	tasks.Go(func() {
		for {
			s, err := e.session.AcceptStream(ctx)
			if err != nil {
				return
			}
			tasks.Go(func() {
				if f := e.flowOf(s); f != nil {
					f.driver.stream(e, s)
				}
			})
		}
	})
	tasks.Go(func() {
		for {
			s, err := e.session.AcceptUniStream(ctx)
			if err != nil {
				return
			}
			tasks.Go(func() {
				if f := e.flowOf(s); f != nil {
					f.driver.uniStream(e, s)
				}
			})
		}
	})
	tasks.Go(func() {
		for {
			b, err := e.session.ReceiveDatagram(ctx)
			if err != nil {
				return
			}
			if m, ok := parseMessage(b); ok && m.flow < len(e.instance.flows) {
				e.instance.flows[m.flow].driver.datagram(e, b)
			}
		}
	})
}

// flowOf reads the header of a stream.
func (e *end) flowOf(r interface{ Read([]byte) (int, error) }) *flow {
	index, err := quicvarint.Read(quicvarint.NewReader(r))
	if err != nil || index >= uint64(len(e.instance.flows)) {
		return nil
	}
	return e.instance.flows[index]
}

// meter records what a flow delivers. Streams of one flow share it.
type meter struct {
	recorder *recorder
	entity   string

	mu       sync.Mutex
	bytes    int64
	recorded int64
	last     time.Duration
}

// add counts n bytes handed to the receiving application.
func (m *meter) add(n int, now time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += int64(n)
	if m.recorded == 0 || now-m.last >= sampleInterval {
		m.sample(now)
	}
}

func (m *meter) flush(now time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sample(now)
}

func (m *meter) sample(now time.Duration) {
	if m.bytes != m.recorded {
		m.recorder.sample(record.Sample{Time: now, Name: record.SeriesDelivered, Entity: m.entity, Value: float64(m.bytes)})
		m.last, m.recorded = now, m.bytes
	}
}

func (m *meter) total() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

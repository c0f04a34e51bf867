package workload

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/wtsim/wtsim/netem"
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
	*Workload
	instance *instance
	config   *scenario.Flow
	index    int
	entity   string
	size     netem.Bytes // that bulk data has; 0 if it has a duration
	driver   driver
	meter    meter
	arrivals arrivals

	once    sync.Once // of end
	settled sync.Once
	done    chan struct{} // closed when the flow has ended
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
		Workload: i.Workload,
		instance: i,
		config:   config,
		index:    index,
		entity:   i.scenario.FlowEntity(i.Name, config.Name),
		size:     i.scenario.SizeOf(i.Instance, config),
		done:     make(chan struct{}),
	}
	f.meter = meter{recorder: i.recorder, entity: f.entity, series: record.SeriesDelivered}
	f.arrivals = newArrivals(i.recorder, f.entity)
	switch c := config.Config.(type) {
	case *scenario.Bulk:
		f.driver = &bulk{flow: f, config: c}
	case *scenario.Echo:
		f.driver = newEcho(f, c)
	case *scenario.Media:
		f.driver = newMedia(f, c)
	case *scenario.Baton:
		f.driver = newRelay(f, c)
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
	if f.world.SleepUntil(ctx, e.since+f.config.Start) != nil {
		f.end(record.EventFlowFailed, context.Cause(ctx).Error())
		return
	}
	if e.side == f.driver.initiator() {
		f.record(record.EventFlowStarted, 0, "")
	}
	f.driver.run(e)
	select {
	case <-f.done:
	case <-ctx.Done():
		if f.driver.bounded() {
			f.end(record.EventFlowFailed, context.Cause(ctx).Error())
		} else {
			f.finish()
		}
	}
}

// finish ends the flow.
func (f *flow) finish() {
	f.end(record.EventFlowFinished, "")
	f.settle()
}

// fail ends the flow before it is complete.
func (f *flow) fail(err error) {
	f.end(record.EventFlowFailed, err.Error())
	f.settle()
}

func (f *flow) end(kind, text string) {
	f.once.Do(func() {
		f.record(kind, f.meter.flush(), text)
		close(f.done)
	})
}

// settle counts the flow as ended for the close of the session. A flow that
// ended because the session did at one end is not counted: the other end
// cannot know, and must find out itself.
func (f *flow) settle() {
	if f.driver.bounded() {
		f.settled.Do(f.instance.flowEnded)
	}
}

// failUnlessEnded ends the flow with an error of one of its streams. When the
// session has ended the flow's end is for run to decide.
func (f *flow) failUnlessEnded(err error) {
	if _, ended := errors.AsType[*wt.SessionError](err); !ended {
		f.fail(err)
	}
}

func (f *flow) now() time.Duration { return f.world.Now() }

func (f *flow) record(kind string, value int64, text string) {
	f.recorder.event(record.Event{Kind: kind, Entity: f.entity, Value: value, Text: text})
}

// owns says that a stream is one of the flow's, before anything of it can arrive.
func (f *flow) owns(id quic.StreamID) {
	if !f.options.WithoutSeries {
		f.instance.connection.owners.opened(id, f)
	}
}

// opened records that a stream of the flow was opened.
func (f *flow) opened(id quic.StreamID) {
	f.owns(id)
	f.record(record.EventStreamOpened, int64(id), "")
}

// sample records a value of the flow now.
func (f *flow) sample(series string, value time.Duration) {
	f.recorder.sample(record.Sample{Time: f.now(), Name: series, Entity: f.entity, Value: value.Seconds()})
}

// header is what each of the flow's streams begins with.
func (f *flow) header() []byte { return quicvarint.Append(nil, uint64(f.index)) }

// accept hands what the peer opens and sends to the flows.
func (e *end) accept() {
	ctx := e.session.Context()
	go func() {
		for {
			s, err := e.session.AcceptStream(ctx)
			if err != nil {
				return
			}
			go func() {
				if f := e.flowOf(s); f != nil {
					f.driver.stream(e, s)
				}
			}()
		}
	}()
	go func() {
		for {
			s, err := e.session.AcceptUniStream(ctx)
			if err != nil {
				return
			}
			go func() {
				if f := e.flowOf(s); f != nil {
					f.driver.uniStream(e, s)
				}
			}()
		}
	}()
	go func() {
		for {
			b, err := e.session.ReceiveDatagram(ctx)
			if err != nil {
				return
			}
			if m, ok := parseMessage(b); ok && m.flow < len(e.instance.flows) {
				e.instance.flows[m.flow].driver.datagram(e, b)
			}
		}
	}()
}

// flowOf reads the header of a stream. It returns nil if the stream ends first.
func (e *end) flowOf(r io.Reader) *flow {
	index, err := quicvarint.Read(quicvarint.NewReader(r))
	if err != nil || index >= uint64(len(e.instance.flows)) {
		return nil
	}
	return e.instance.flows[index]
}

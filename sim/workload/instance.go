package workload

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// instance is a session of the scenario, or one of a group.
type instance struct {
	*Workload
	scenario.Instance
	connection *connection
	entity     string
	flows      []*flow

	client, server end
	asked          gate // opened when the client has sent its request, or failed to

	pending atomic.Int64 // flows that have an end of their own and have not ended
	idle    gate         // opened when there are none left
}

// instanceKey is the key of the instance in the context of a client's session.
type instanceKey struct{}

func newInstance(c *connection, config scenario.Instance) *instance {
	i := &instance{
		Workload:   c.Workload,
		Instance:   config,
		connection: c,
		entity:     "sessions." + config.Name,
		asked:      newGate(),
		idle:       newGate(),
	}
	i.client = end{instance: i, side: "client", host: c.client, gone: newGate()}
	i.server = end{instance: i, side: "server", host: c.server.host, gone: newGate()}
	for index := range config.Session.Flows {
		f := newFlow(i, index)
		i.flows = append(i.flows, f)
		if f.driver.bounded() {
			i.pending.Add(1)
		}
	}
	// A session whose flows all last as long as it does never becomes idle.
	if len(i.flows) == 0 {
		i.idle.open()
	}
	return i
}

// flowEnded counts a flow that has an end of its own.
func (i *instance) flowEnded() {
	if i.pending.Add(-1) == 0 {
		i.idle.open()
	}
}

// open opens the session at the client, and runs the client's end.
func (i *instance) open(ctx context.Context, client *wt.ClientConn) {
	if i.world.SleepUntil(ctx, i.Start) != nil {
		return
	}
	url := "https://" + serverName + i.Session.Path
	var options *wt.SessionOptions
	if r := i.relay(); r != nil {
		url = r.url(url)
		options = &wt.SessionOptions{Callbacks: r.client()}
	}
	session, response, err := client.OpenSession(context.WithValue(ctx, instanceKey{}, i), url, options)
	if err != nil {
		if response != nil {
			response.Body.Close()
		}
		if ctx.Err() == nil {
			i.fail(err)
		}
		return
	}
	i.client.conn = client
	i.client.run(ctx, session)
}

// fail records that the session was not established. How a session fails is a
// result of the run.
func (i *instance) fail(err error) {
	i.client.record(record.EventSessionFailed, 0, err.Error())
	for _, f := range i.flows {
		f.fail(err)
	}
	i.asked.open()
	i.client.gone.open()
	i.server.gone.open()
}

// end is one end of a session.
type end struct {
	instance *instance
	side     string
	host     *sim.Host
	conn     *wt.ClientConn // the client's, for requests beside the session
	session  *wt.Session
	since    time.Duration // when it was established
	gone     gate          // opened when this end holds no more state
}

// run runs this end's part of every flow. It returns when the session is gone,
// or when its flows have ended if the scenario leaves it open.
func (e *end) run(ctx context.Context, session *wt.Session) {
	i := e.instance
	e.session, e.since = session, i.world.Now()
	if i.relay() == nil {
		e.accept()
	}
	for _, f := range i.flows {
		start := e.host.Go
		if !f.driver.bounded() {
			start = e.host.Serve // it lasts as long as the session does
		}
		start(f.entity, func(context.Context) error {
			f.run(e)
			return nil
		})
	}
	if i.Session.Drain.At > 0 {
		go e.noteDraining()
		if i.Session.Drain.By == e.side {
			go e.drainInTime()
		}
	}
	var idle chan struct{}
	if i.Session.Close.How == "none" {
		idle = i.idle.opened
	} else if i.Session.Close.By == e.side && (i.relay() == nil || i.Session.Close.At > 0) {
		go e.closeInTime()
	}
	select {
	case <-session.Done():
	case <-idle:
	case <-ctx.Done():
	}
}

// drainInTime asks for the session to be wound down when the scenario says so.
func (e *end) drainInTime() {
	ctx := e.session.Context()
	if e.instance.world.SleepUntil(ctx, e.instance.Session.Drain.At) != nil {
		return // it has ended before
	}
	e.record(record.EventDrainSent, 0, "")
	e.session.Drain()
}

// noteDraining records when this end's application learns that the session is to
// be wound down.
func (e *end) noteDraining() {
	select {
	case <-e.session.Draining():
		e.record(record.EventDrainNotified, 0, "")
	case <-e.session.Context().Done():
	}
}

// closeInTime ends the session as the scenario says.
func (e *end) closeInTime() {
	how := &e.instance.Session.Close
	ctx := e.session.Context()
	if how.At > 0 {
		e.instance.world.SleepUntil(ctx, how.At)
	} else {
		e.instance.idle.await(ctx)
	}
	switch {
	case ctx.Err() != nil: // it has ended already
	case how.How == "connection":
		e.record(record.EventCloseCalled, int64(how.Code), how.Reason)
		e.session.Conn().CloseWithError(quic.ApplicationErrorCode(how.Code), how.Reason)
	default:
		e.session.Close(how.Code, how.Reason)
	}
}

func (e *end) record(kind string, value int64, text string) {
	e.instance.recorder.event(record.Event{Kind: kind, Entity: e.instance.entity, Side: e.side, Value: value, Text: text})
}

// trace takes the events of this end.
func (e *end) trace(event wt.Event) {
	switch event.Type {
	case wt.ConnectSent:
		e.record(record.EventConnectSent, 0, "")
		e.instance.asked.open()
	case wt.ConnectReceived:
		e.record(record.EventConnectReceived, 0, "")
	case wt.Established:
		e.record(record.EventEstablished, 0, "")
	case wt.CloseCalled:
		if end, ok := errors.AsType[*wt.SessionError](context.Cause(event.Session.Context())); ok {
			e.record(record.EventCloseCalled, int64(end.Code), end.Reason)
		}
	case wt.CloseSent:
		e.record(record.EventCloseSent, 0, "")
	case wt.Ended:
		e.record(record.EventCloseNotified, int64(event.End.Code), event.End.Reason)
	case wt.LastStreamEnded:
		e.record(record.EventLastStreamEnded, 0, "")
	case wt.ConnectFinished:
		e.record(record.EventConnectStreamDone, 0, "")
	case wt.Gone:
		e.record(record.EventSessionGone, 0, "")
		e.gone.open()
	}
}

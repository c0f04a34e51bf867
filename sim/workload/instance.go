package workload

import (
	"context"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// instance is a session of the scenario, or one of a group.
type instance struct {
	scenario.Instance
	c      *connection
	entity string
	start  time.Duration
	flows  []*flow

	client, server end

	mu      sync.Mutex
	pending int           // flows that have an end of their own and have not ended
	idle    chan struct{} // closed when there are none left
}

// instanceKey is the key of the instance in the context of a client's session.
type instanceKey struct{}

func newInstance(c *connection, config scenario.Instance) *instance {
	i := &instance{
		Instance: config,
		c:        c,
		entity:   "sessions." + config.Name,
		start:    config.Start,
		idle:     make(chan struct{}),
	}
	i.client = end{instance: i, side: "client", gone: make(chan struct{})}
	i.server = end{instance: i, side: "server", gone: make(chan struct{})}
	for index := range config.Session.Flows {
		f := newFlow(i, index)
		i.flows = append(i.flows, f)
		if f.driver.bounded() {
			i.pending++
		}
	}
	// A session whose flows all last as long as it does never becomes idle.
	if len(i.flows) == 0 {
		close(i.idle)
	}
	return i
}

// flowEnded counts a flow that has an end of its own.
func (i *instance) flowEnded() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.pending--; i.pending == 0 {
		close(i.idle)
	}
}

// open opens the session at the client, and runs the client's end.
func (i *instance) open(ctx context.Context, client *wt.ClientConn) {
	if i.c.b.world.SleepUntil(ctx, i.start) != nil {
		return
	}
	url := "https://" + serverName + i.Session.Path
	session, response, err := client.OpenSession(context.WithValue(ctx, instanceKey{}, i), url, nil)
	if err != nil {
		if response != nil {
			response.Body.Close()
		}
		if ctx.Err() == nil {
			i.failed(err)
		}
		return
	}
	i.client.conn = client
	i.client.run(ctx, session)
}

// failed records that the session was not established. How a session fails is
// a result of the run.
func (i *instance) failed(err error) {
	i.c.b.recorder.event(record.Event{Kind: record.EventSessionFailed, Entity: i.entity, Side: "client", Text: err.Error()})
	for _, f := range i.flows {
		f.fail(err)
	}
	close(i.client.gone)
	close(i.server.gone)
}

// goneGrace is how long the end of a connection waits for both ends to forget
// its sessions.
const goneGrace = 10 * time.Second

// awaitGone waits until neither end holds state of the session.
func (i *instance) awaitGone(ctx context.Context) {
	timer := time.NewTimer(goneGrace)
	defer timer.Stop()
	for _, gone := range []chan struct{}{i.client.gone, i.server.gone} {
		select {
		case <-gone:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// end is one end of a session.
type end struct {
	instance *instance
	side     string
	conn     *wt.ClientConn // the client's, for requests beside the session
	session  *wt.Session
	since    time.Duration // when it was established
	gone     chan struct{} // closed when this end holds no more state
}

// run runs this end's part of every flow. It returns when the session is gone,
// or when its flows have ended if the scenario leaves it open.
func (e *end) run(ctx context.Context, session *wt.Session) {
	i := e.instance
	e.session, e.since = session, i.c.b.world.Now()
	var tasks sync.WaitGroup
	e.acceptStreams(&tasks)
	for _, f := range i.flows {
		tasks.Go(func() { f.run(e) })
	}
	stop := make(chan struct{})
	if i.Session.Close.How == "none" {
		stop = i.idle
	} else if i.Session.Close.By == e.side {
		tasks.Go(e.closeInTime)
	}
	select {
	case <-session.Done():
		tasks.Wait()
	case <-stop:
	case <-ctx.Done():
	}
}

// closeInTime ends the session as the scenario says.
func (e *end) closeInTime() {
	how := &e.instance.Session.Close
	ctx := e.session.Context()
	if how.At > 0 {
		if e.instance.c.b.world.SleepUntil(ctx, how.At) != nil {
			return
		}
	} else {
		select {
		case <-e.instance.idle:
		case <-ctx.Done():
			return
		}
	}
	if how.How == "connection" {
		e.record(record.EventCloseCalled, int64(how.Code), how.Reason)
		e.session.Conn().CloseWithError(quic.ApplicationErrorCode(how.Code), how.Reason)
		return
	}
	e.session.Close(how.Code, how.Reason) // an error says that it has ended already
}

func (e *end) record(kind string, value int64, text string) {
	e.instance.c.b.recorder.event(record.Event{Kind: kind, Entity: e.instance.entity, Side: e.side, Value: value, Text: text})
}

// trace takes the events of this end.
func (e *end) trace(event wt.Event) {
	switch event.Type {
	case wt.ConnectSent:
		e.record(record.EventConnectSent, 0, "")
	case wt.ConnectReceived:
		e.record(record.EventConnectReceived, 0, "")
	case wt.Established:
		e.record(record.EventEstablished, 0, "")
	case wt.CloseCalled:
		how := &e.instance.Session.Close
		e.record(record.EventCloseCalled, int64(how.Code), how.Reason)
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
		close(e.gone)
	}
}

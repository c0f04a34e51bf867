package workload

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/qlogwriter"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
)

// connection is a QUIC connection of the scenario and the sessions on it.
type connection struct {
	*Workload
	entity   string
	client   *sim.Host
	server   *server
	quic     scenario.QUIC // the client's
	sessions []*instance   // in the order of their starts, then of the scenario

	transports   transports // the client's
	serverClosed gate       // opened when the server knows that the connection is over

	owners                 owners
	fromClient, fromServer transfer // what each end sends, and what else it gets
}

// connections returns the connections of the scenario, in the order in which
// its sessions first name them.
func (w *Workload) connections() []*connection {
	var list []*connection
	byName := make(map[string]*connection)
	instances := w.scenario.Instances()
	w.sessions = len(instances)
	for _, i := range instances {
		c := byName[i.Connection]
		if c == nil {
			c = &connection{
				Workload:     w,
				entity:       "connections." + i.Connection,
				client:       w.hosts[i.Client],
				server:       w.serverFor(i.Server, w.scenario.QUICFor(i.Session, i.Server)),
				quic:         w.scenario.QUICFor(i.Session, i.Client),
				serverClosed: newGate(),
				owners:       owners{unused: make(map[quic.StreamID]owner)},
			}
			c.fromClient = newTransfer(w.recorder, c.entity+".client")
			c.fromServer = newTransfer(w.recorder, c.entity+".server")
			byName[i.Connection] = c
			list = append(list, c)
		}
		session := newInstance(c, i)
		c.sessions = append(c.sessions, session)
		w.instances = append(w.instances, session)
	}
	for _, c := range list {
		slices.SortStableFunc(c.sessions, func(a, b *instance) int { return cmp.Compare(a.Start, b.Start) })
	}
	return list
}

func (c *connection) start() { c.client.Go(c.entity, c.run) }

// fail records that there was no connection. How it failed is a result, not an
// error of the run.
func (c *connection) fail(err error) {
	for _, i := range c.sessions {
		i.fail(err)
	}
}

// run is the client's end.
func (c *connection) run(ctx context.Context) error {
	if err := c.world.SleepUntil(ctx, c.sessions[0].Start); err != nil {
		return err
	}
	socket, err := c.client.ListenPacket(0, socketOptions(c.scenario.HostOf(c.client.Name()), c.quic))
	if err != nil { // all ephemeral ports are taken
		c.fail(err)
		return nil
	}
	conn, err := c.dial(ctx, c.transports.add(socket))
	if err != nil {
		defer c.transports.close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.fail(fmt.Errorf("dialling: %w", err))
		return nil
	}
	client, err := c.begin(ctx, conn)
	if err != nil {
		defer c.transports.close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.fail(fmt.Errorf("dialling: %w", err))
		return nil
	}
	c.migrate(conn)
	var running sync.WaitGroup
	for n, i := range c.sessions {
		running.Go(func() {
			if n > 0 {
				c.sessions[n-1].asked.await(ctx)
			}
			i.open(ctx, client)
		})
	}
	running.Wait()
	if c.staysOpen() {
		// The run need not last for it.
		c.client.Serve(c.entity, func(ctx context.Context) error {
			<-ctx.Done()
			c.transports.close()
			return nil
		})
		return nil
	}
	defer c.transports.close()
	c.close(ctx, conn)
	return ctx.Err()
}

// dial makes the connection, and has its events recorded.
func (c *connection) dial(ctx context.Context, transport *quic.Transport) (*quic.Conn, error) {
	c.recorder.event(record.Event{Kind: record.EventDialStarted, Entity: c.entity, Side: "client"})
	config := quicConfig(c.quic)
	config.Tracer = func(_ context.Context, _ bool, id quic.ConnectionID) qlogwriter.Trace {
		c.registry.addConnection(id, c)
		return c.newTrace(c, "client", id)
	}
	server, err := c.server.host.ServerAddr(ctx, c.server.port)
	if err != nil {
		return nil, err
	}
	dial := transport.Dial
	if c.quic.Resumption == "early_data" {
		dial = transport.DialEarly
	}
	conn, err := dial(ctx, server, c.clientTLS(), config)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(conn.Context(), func() { c.recordClosed(conn, "client") })
	return conn, nil
}

// begin begins HTTP/3, and returns when the handshake is complete.
func (c *connection) begin(ctx context.Context, conn *quic.Conn) (*wt.ClientConn, error) {
	config := &wt.ClientConfig{
		MaxSessions: len(c.sessions),
		FlowControl: flowControl(c.quic),
		// A server may open streams as soon as it has accepted a session. If they
		// overtake its answer, QUIC's stream limits alone bound them.
		Limits: wt.Limits{EarlyStreams: int(c.quic.MaxStreams + c.quic.MaxUniStreams)},
		Trace:  c.trace,
	}
	if c.quic.Resumption != "early_data" {
		c.recordHandshake(conn, "client")
		return wt.NewClientConn(conn, config), nil
	}
	client, err := wt.NewEarlyClientConn(ctx, conn, config)
	if err != nil {
		return nil, err
	}
	c.recordHandshake(conn, "client")
	return client, nil
}

// recordHandshake records that the handshake of an end is complete, and whether it resumed.
func (c *connection) recordHandshake(conn *quic.Conn, side string) {
	e := record.Event{Kind: record.EventHandshakeComplete, Entity: c.entity, Side: side}
	switch state := conn.ConnectionState(); {
	case state.Used0RTT:
		e.Text = "resumed with early data"
	case state.TLS.DidResume:
		e.Text = "resumed"
	}
	c.recorder.event(e)
}

// clientTLS returns the client's TLS configuration, with the tickets that its host
// has of the server if it is to resume.
func (c *connection) clientTLS() *tls.Config {
	config := tlsConfig(c.tls.client, c.quic)
	if c.quic.Resumption == "none" {
		return config
	}
	config.ClientSessionCache = c.tickets.of(c.client.Name(), c.server.host.Name())
	return config
}

// staysOpen reports whether the scenario wants one of the sessions left open.
func (c *connection) staysOpen() bool {
	for _, i := range c.sessions {
		if i.Session.Close.How == "none" {
			return true
		}
	}
	return false
}

// close ends the connection when neither end holds state of its sessions, and
// lets the news reach the server.
func (c *connection) close(ctx context.Context, conn *quic.Conn) {
	c.awaitGone(ctx)
	grace := patience(conn)
	conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	ctx, cancel := c.within(ctx, grace)
	defer cancel()
	c.serverClosed.await(ctx)
}

// goneGrace is how long the end of a connection waits for both ends to forget
// its sessions.
const goneGrace = 10 * time.Second

func (c *connection) awaitGone(ctx context.Context) {
	ctx, cancel := c.within(ctx, goneGrace)
	defer cancel()
	for _, i := range c.sessions {
		i.client.gone.await(ctx)
		i.server.gone.await(ctx)
	}
}

// recordClosed records how a connection that is over ended.
func (c *connection) recordClosed(conn *quic.Conn, side string) {
	e := record.Event{Kind: record.EventConnectionClosed, Entity: c.entity, Side: side}
	err := context.Cause(conn.Context())
	if app, ok := errors.AsType[*quic.ApplicationError](err); ok {
		e.Value, e.Text = int64(app.ErrorCode), app.ErrorMessage
	} else if err != nil {
		e.Text = err.Error()
	}
	c.recorder.event(e)
}

// trace takes the events of the client's end.
func (c *connection) trace(e wt.Event) {
	if e.Type == wt.SettingsReceived {
		c.recordSettings("client")
		return
	}
	i := e.Session.Context().Value(instanceKey{}).(*instance)
	i.client.trace(e)
	if e.Type == wt.ConnectSent { // recorded before the server can say that it has arrived
		c.registry.addSession(c, e.Session.ID(), i)
	}
}

// recordSettings records for every session when its connection's SETTINGS came.
func (c *connection) recordSettings(side string) {
	for _, i := range c.sessions {
		c.recorder.event(record.Event{Kind: record.EventSettings, Entity: i.entity, Side: side})
	}
}

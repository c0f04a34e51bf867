package workload

import (
	"context"
	"errors"
	"fmt"
	"net"
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
	b         *Workload
	name      string
	entity    string
	client    *sim.Host
	server    *server
	quic      scenario.QUIC // the client's
	instances []*instance   // in order of their starts

	serverClosed chan struct{} // the server knows that the connection is over
}

// connections returns the connections of the scenario, in the order in which
// its sessions first name them.
func (b *Workload) connections() []*connection {
	var list []*connection
	byName := make(map[string]*connection)
	for _, i := range b.scenario.Instances() {
		c := byName[i.Connection]
		if c == nil {
			c = &connection{
				b:            b,
				name:         i.Connection,
				entity:       "connections." + i.Connection,
				client:       b.hosts[i.Session.Client],
				server:       b.serverFor(i.Session.Server, b.scenario.QUICFor(i.Session, i.Session.Server)),
				quic:         b.scenario.QUICFor(i.Session, i.Session.Client),
				serverClosed: make(chan struct{}),
			}
			byName[i.Connection] = c
			list = append(list, c)
		}
		session := newInstance(c, i)
		c.instances = append(c.instances, session)
		b.instances = append(b.instances, session)
	}
	return list
}

// tracer returns the qlog trace of one end, for quic-go.
func (b *Workload) tracer(c *connection, side string, id quic.ConnectionID) qlogwriter.Trace {
	if c == nil {
		return nil
	}
	return b.newTrace(c.name, side, id)
}

func (c *connection) start() { c.client.Go(c.entity, c.run) }

// run is the client's end.
func (c *connection) run(ctx context.Context) error {
	start := c.instances[0].start
	for _, i := range c.instances {
		start = min(start, i.start)
	}
	if err := c.b.world.SleepUntil(ctx, start); err != nil {
		return err
	}
	socket, err := c.client.ListenPacket(0, socketOptions(c.b.hostConfig(c.client.Name()), c.quic))
	if err != nil {
		return err
	}
	c.b.registry.addConnection(socket.LocalAddr().String(), c)
	transport := &quic.Transport{Conn: socket}
	defer transport.Close()

	c.b.recorder.event(record.Event{Kind: record.EventDialStarted, Entity: c.entity, Side: "client"})
	config := quicConfig(c.quic)
	config.Tracer = func(_ context.Context, _ bool, id quic.ConnectionID) qlogwriter.Trace {
		return c.b.tracer(c, "client", id)
	}
	server := &net.UDPAddr{IP: c.server.host.Addr().AsSlice(), Port: int(c.server.port)}
	conn, err := transport.Dial(ctx, server, tlsConfig(c.b.tls.client, c.quic), config)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, i := range c.instances {
			i.failed(fmt.Errorf("dialling: %w", err))
		}
		return nil // how a connection fails is a result, not an error of the run
	}
	c.b.recorder.event(record.Event{Kind: record.EventHandshakeComplete, Entity: c.entity, Side: "client"})
	client := wt.NewClientConn(conn, &wt.ClientConfig{MaxSessions: len(c.instances), Trace: c.trace})

	var sessions sync.WaitGroup
	for _, i := range c.instances {
		sessions.Go(func() { i.open(ctx, client) })
	}
	sessions.Wait()
	if ctx.Err() == nil && !c.staysOpen() {
		c.close(ctx, client)
	}
	return ctx.Err()
}

// staysOpen reports whether the scenario wants one of the sessions left open.
func (c *connection) staysOpen() bool {
	for _, i := range c.instances {
		if i.Session.Close.How == "none" {
			return true
		}
	}
	return false
}

// closeGrace is how long the end of the run waits for a server to see that its
// connection was closed.
const closeGrace = time.Second

// close ends the connection when all its sessions have ended, and lets the news
// reach the server.
func (c *connection) close(ctx context.Context, client *wt.ClientConn) {
	for _, i := range c.instances {
		i.awaitGone(ctx)
	}
	conn := client.Conn()
	conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	c.recordClosed(conn, "client")
	select {
	case <-c.serverClosed:
	case <-ctx.Done():
	case <-time.After(closeGrace):
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
	c.b.recorder.event(e)
}

// trace takes the events of the client's end.
func (c *connection) trace(e wt.Event) {
	if e.Type == wt.SettingsReceived {
		c.recordSettings("client")
		return
	}
	i := e.Session.Context().Value(instanceKey{}).(*instance)
	if e.Type == wt.ConnectSent {
		c.b.registry.addSession(e.Conn.LocalAddr().String(), e.Session.ID(), i)
	}
	i.client.trace(e)
}

// trace takes the events of a server's end.
func (s *server) trace(e wt.Event) {
	if e.Type == wt.SettingsReceived {
		if c := s.b.registry.connection(e.Conn.RemoteAddr().String()); c != nil {
			c.recordSettings("server")
		}
		return
	}
	if i := s.b.registry.session(e.Session); i != nil {
		i.server.trace(e)
	}
}

// recordSettings records for every session when its connection's SETTINGS came.
func (c *connection) recordSettings(side string) {
	for _, i := range c.instances {
		c.b.recorder.event(record.Event{Kind: record.EventSettings, Entity: i.entity, Side: side})
	}
}

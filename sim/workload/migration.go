package workload

import (
	"fmt"
	"net"
	"sync"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// transports are those of one client: the one that it dials by, and one for each
// link that it moves to. They last as long as the connection does, as what is on
// its way to an address that the client has left still arrives.
type transports struct {
	mu        sync.Mutex
	all       []*quic.Transport
	migrating sync.WaitGroup
}

func (t *transports) add(socket net.PacketConn) *quic.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	transport := &quic.Transport{Conn: socket}
	t.all = append(t.all, transport)
	return transport
}

// close ends the connection by closing its first transport, and then closes the
// others.
func (t *transports) close() {
	for i := 0; ; i++ {
		t.mu.Lock()
		if i == len(t.all) {
			t.mu.Unlock()
			return
		}
		transport := t.all[i]
		t.mu.Unlock()
		transport.Close()
		transport.Conn.Close()
		t.migrating.Wait()
	}
}

// migrate has the client of a connection move to other links when the scenario
// says so.
func (c *connection) migrate(conn *quic.Conn, t *transports) {
	for _, i := range c.sessions {
		for j := range i.Session.Migrations {
			step := &i.Session.Migrations[j]
			t.migrating.Go(func() {
				if c.world.SleepUntil(conn.Context(), step.At) == nil {
					c.move(conn, step, t)
				}
			})
		}
	}
}

// move probes a path over another link of the client, and moves to it when the
// server has answered. That it does not is a result of the run.
func (c *connection) move(conn *quic.Conn, step *scenario.Migration, t *transports) {
	name, link := c.linkOf(c.client.Name(), step.Link)
	failed := func(err error) {
		if conn.Context().Err() == nil {
			c.recorder.event(record.Event{Kind: record.EventMigrationFailed, Entity: c.entity, Side: "client", Text: fmt.Sprintf("%s: %v", name, err)})
		}
	}
	socket, err := c.client.ListenPacketOn(link, 0, socketOptions(c.scenario.HostOf(c.client.Name()), c.quic))
	if err != nil {
		failed(err)
		return
	}
	path, err := conn.AddPath(t.add(socket))
	if err != nil {
		failed(err)
		return
	}
	c.recorder.event(record.Event{Kind: record.EventPathProbed, Entity: c.entity, Side: "client", Text: name})
	if err := path.Probe(conn.Context()); err != nil {
		failed(err)
		return
	}
	if err := path.Switch(); err != nil {
		failed(err)
		return
	}
	c.recorder.event(record.Event{Kind: record.EventMigrated, Entity: c.entity, Side: "client", Text: name})
}

// linkOf returns a host's link that has a name, or is one of the group that has
// it.
func (w *Workload) linkOf(host, name string) (string, *netem.Link) {
	for i, in := range w.scenario.LinkInstances() {
		if (in.Name == name || in.Link.Name == name) && (in.Between[0] == host || in.Between[1] == host) {
			return in.Name, w.links[i].built
		}
	}
	return "", nil // which validation does not let pass
}

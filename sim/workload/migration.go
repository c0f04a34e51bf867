package workload

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
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

// addresses returns the addresses of a host's transports, in the order in which they
// were added.
func (t *transports) addresses(host *sim.Host) []netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []netip.AddrPort
	for _, transport := range t.all {
		all = append(all, host.LocalAddr(transport.Conn))
	}
	return all
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
// says so. A move that is not done when the next one is due is given up.
func (c *connection) migrate(conn *quic.Conn) {
	var steps []scenario.Migration
	seen := make(map[*scenario.Session]bool)
	for _, i := range c.sessions {
		if !seen[i.Session] { // of a group that shares the connection, once
			seen[i.Session] = true
			steps = append(steps, i.Session.Migrations...)
		}
	}
	if len(steps) == 0 {
		return
	}
	slices.SortStableFunc(steps, func(a, b scenario.Migration) int { return cmp.Compare(a.At, b.At) })
	c.transports.migrating.Go(func() {
		for n, step := range steps {
			ctx, cancel := conn.Context(), context.CancelFunc(func() {})
			if n+1 < len(steps) {
				ctx, cancel = c.until(ctx, steps[n+1].At)
			}
			if c.world.SleepUntil(ctx, step.At) == nil {
				c.move(ctx, conn, step.Link)
			}
			cancel()
		}
	})
}

// move probes a path over another link of the client, and moves to it when the
// server has answered. That it does not is a result of the run.
func (c *connection) move(ctx context.Context, conn *quic.Conn, to string) {
	name, link := c.linkOf(c.client.Name(), to)
	err := func() error {
		socket, err := c.client.ListenPacketOn(link, 0, socketOptions(c.scenario.HostOf(c.client.Name()), c.quic))
		if err != nil {
			return err
		}
		path, err := conn.AddPath(c.transports.add(socket))
		if err != nil {
			return err
		}
		c.recordMove(record.EventPathProbed, name)
		if err := path.Probe(ctx); err != nil {
			path.Close()
			return err
		}
		return path.Switch()
	}()
	switch {
	case err == nil:
		c.recordMove(record.EventMigrated, name)
	case conn.Context().Err() != nil: // the connection is over
	case ctx.Err() != nil:
		c.recordMove(record.EventMigrationFailed, name+": no answer before the next migration")
	default:
		c.recordMove(record.EventMigrationFailed, fmt.Sprintf("%s: %v", name, err))
	}
}

func (c *connection) recordMove(kind, text string) {
	c.recorder.event(record.Event{Kind: kind, Entity: c.entity, Side: "client", Text: text})
}

// linkOf returns a host's link that has a name, or is one of the group that has
// it.
func (w *Workload) linkOf(host, name string) (string, *netem.Link) {
	for _, l := range w.links {
		if (l.name == name || l.group == name) && (l.between[0] == host || l.between[1] == host) {
			return l.name, l.built
		}
	}
	return "", nil // which validation does not let pass
}

// Package workload builds a scenario: its hosts and links, cross traffic, and the
// QUIC connections, WebTransport sessions and flows that run on them. It drives
// package wt as any application would.
//
// What the applications need to know of each other that a real one would know
// from its own protocol (which session of the scenario a CONNECT request
// belongs to) they tell each other through memory, so that nothing is on the
// wire that the scenario does not name. Everything that is measured goes
// through the network.
package workload

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// Recorder takes down what happens. A [record.Writer] is one. It is called by
// one goroutine at a time.
type Recorder interface {
	Sample(record.Sample)
	Event(record.Event)
}

// Options configures a workload. The zero value is the usual one.
type Options struct {
	// QLog, if not nil, returns what the qlog of one end of a connection, such
	// as "connections.main.client", is written to. It is for its writer to report
	// errors.
	QLog func(entity string) io.WriteCloser

	// Version is the code_version of qlogs.
	Version string

	// WithoutSeries says that samples are not wanted: the data of streams is not
	// followed then. What is simulated is the same.
	WithoutSeries bool

	// KeyLog, if not nil, is what both ends of every connection log their TLS
	// secrets to; see [tls.Config.KeyLogWriter].
	KeyLog io.Writer
}

// Workload is a scenario in the world that runs it.
type Workload struct {
	scenario  *scenario.Scenario
	world     *sim.World
	options   Options
	recorder  *recorder
	hosts     map[string]*sim.Host
	tls       *credentials
	routers   []*netem.Router // in the order of the scenario
	links     []*link
	traffic   []*crossing // in the order of the scenario
	sessions  int         // in all
	instances []*instance // in the order of the scenario
	servers   map[serverKey]*server
	tickets   tickets
	registry  registry
	traces    []*trace          // in the order in which the connections' ends came up
	latest    map[string]*trace // of each connection end, by entity
	ends      map[string]int    // how often one of them came up, by entity
}

// Build puts a scenario into a world.
func Build(world *sim.World, s *scenario.Scenario, rec Recorder, options Options) (*Workload, error) {
	credentials, err := newCredentials(options.KeyLog)
	if err != nil {
		return nil, fmt.Errorf("workload: making a certificate: %w", err)
	}
	w := &Workload{
		scenario: s,
		world:    world,
		options:  options,
		recorder: &recorder{to: rec, world: world, realTime: world.Relay() != nil},
		hosts:    make(map[string]*sim.Host),
		tls:      credentials,
		servers:  make(map[serverKey]*server),
		latest:   make(map[string]*trace),
		ends:     make(map[string]int),
	}
	w.registry.init()
	w.buildNetwork()
	if err := w.buildTraffic(); err != nil {
		return nil, fmt.Errorf("workload: %w", err)
	}
	for _, c := range w.connections() {
		c.start()
	}
	world.EachRest(w.recorder.flush)
	world.AtEnd(w.finish)
	return w, nil
}

// finish records what is only known when the run ends.
func (w *Workload) finish() {
	for _, t := range w.allTraces() {
		t.flush()
	}
	for _, i := range w.instances {
		i.connection.fromClient.flush()
		i.connection.fromServer.flush()
		for _, f := range i.flows {
			f.meter.flush()
			f.arrivals.flush()
		}
	}
	for _, c := range w.traffic {
		c.meter.flush()
	}
	w.recorder.flush()
	// In real time connections may have come up meanwhile.
	for _, t := range w.allTraces() {
		t.log.close()
	}
}

// within returns a context that is done after d of virtual time at the latest.
// It counts by an event of the kernel, because many may be done at one instant.
func (w *Workload) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return w.until(ctx, w.world.Now()+d)
}

// until returns a context that is done at a virtual time at the latest.
func (w *Workload) until(ctx context.Context, t time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		w.world.SleepUntil(ctx, t)
	}()
	return ctx, cancel
}

// patience is how long to wait for what a connection has on its way: three round
// trips, as long as QUIC waits for what follows a close (RFC 9000, section 10.2),
// and a second at least.
func patience(conn *quic.Conn) time.Duration {
	return max(time.Second, 3*conn.ConnectionStats().SmoothedRTT)
}

// Package workload builds a scenario: its hosts and links, and the QUIC
// connections, WebTransport sessions and flows that run on them. It drives
// package wt as any application would.
//
// What the applications need to know of each other that a real one would know
// from its own protocol (which session of the scenario a CONNECT request
// belongs to) they tell each other through memory, so that nothing is on the
// wire that the scenario does not name. Everything that is measured goes
// through the network.
package workload

import (
	"fmt"
	"io"

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
}

// Workload is a scenario in the world that runs it.
type Workload struct {
	scenario  *scenario.Scenario
	world     *sim.World
	options   Options
	recorder  *recorder
	hosts     map[string]*sim.Host
	tls       *credentials
	links     []*link
	instances []*instance // in the order of the scenario
	servers   map[serverKey]*server
	registry  registry
	traces    []*trace // in the order in which the connections' ends came up
}

// Build puts a scenario into a world.
func Build(w *sim.World, s *scenario.Scenario, rec Recorder, options Options) (*Workload, error) {
	credentials, err := newCredentials()
	if err != nil {
		return nil, fmt.Errorf("workload: making a certificate: %w", err)
	}
	b := &Workload{
		scenario: s,
		world:    w,
		options:  options,
		recorder: &recorder{to: rec, world: w},
		hosts:    make(map[string]*sim.Host),
		tls:      credentials,
		servers:  make(map[serverKey]*server),
	}
	b.registry.init()
	b.buildNetwork()
	for _, c := range b.connections() {
		c.start()
	}
	w.EachRest(b.recorder.flush)
	w.AtEnd(b.finish)
	return b, nil
}

// finish records what is only known when the run ends.
func (b *Workload) finish() {
	for _, t := range b.traces {
		t.flush()
	}
	b.recorder.flush()
	for _, t := range b.traces {
		t.log.close()
	}
}

package simtest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/sim/workload"
	"github.com/wtsim/wtsim/wt"
)

// Network is the network of a scenario while it is built. Beside the tasks of the
// test there are the scenario's sessions and cross traffic, if it has any.
type Network struct {
	*sim.World
	t     testing.TB
	path  string
	hosts map[string]*sim.Host
	work  *workload.Workload
}

// World builds the network of a scenario, which need not have sessions, lets build
// add tasks to its hosts, and runs it in virtual time until all tasks that were started with
// [sim.Host.Go] have returned. The test fails and ends, and says the scenario's seed, if
// build or a task returns an error, if the run can make no progress any more, and
// if it reaches the scenario's time limit. Overrides, "path=value", are applied to the
// scenario in order; "seed=7" is one.
//
// Tasks run on goroutines of their own: like those of any test, they return
// errors instead of calling t.Fatal. They must not wait for what comes from outside
// of the world, such as t.Context() or a channel that was made before: virtual time
// stands still for as long. Worlds take turns, and so do checks that run in the test's process.
func World(t testing.TB, path string, build func(*Network) error, overrides ...string) sim.Result {
	t.Helper()
	s, err := scenario.LoadNetwork(path, overrides...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	result, err := sim.Run(sim.Config{Seed: s.Seed, TimeLimit: s.TimeLimit}, func(w *sim.World) error {
		work, err := workload.Build(w, s, nothing{}, workload.Options{WithoutSeries: true})
		if err != nil {
			return err
		}
		n := &Network{World: w, t: t, path: path, work: work, hosts: make(map[string]*sim.Host)}
		for h := range work.Hosts() {
			n.hosts[h.Name()] = h
		}
		return returned(build, n)
	})
	if err != nil {
		t.Fatalf("%s, seed %d: %v", path, s.Seed, err)
	}
	return result
}

// returned calls build, and returns although build may call t.FailNow: the world is then
// taken down, and the test ended, by the goroutines that began them.
func returned(build func(*Network) error, n *Network) error {
	err := errors.New("the world is not complete")
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = build(n)
	}()
	<-done
	return err
}

// nothing records nothing.
type nothing struct{}

func (nothing) Sample(record.Sample) {}
func (nothing) Event(record.Event)   {}

// Host returns a host of the scenario; of a group of N they are NAME-1 to NAME-N.
// The test ends if there is none of the name.
func (n *Network) Host(name string) *sim.Host {
	n.t.Helper()
	h, ok := n.hosts[name]
	if !ok {
		n.t.Fatalf("%s has no host %q", n.path, name)
	}
	return h
}

// Serve runs a WebTransport server on a port of a host until the run ends. Clients
// that [Network.Go] runs trust its certificate. The configuration of QUIC is completed as by
// [wt.QUICConfig]; nil means the defaults.
func (n *Network) Serve(host string, port uint16, server *wt.Server, config *quic.Config) {
	n.t.Helper()
	on := n.Host(host)
	certificate, _ := n.work.TLS()
	on.Serve(fmt.Sprintf("server on port %d", port), func(ctx context.Context) error {
		socket, err := on.ListenPacket(port, netem.SocketOptions{})
		if err != nil {
			return err
		}
		transport := &quic.Transport{Conn: socket}
		defer transport.Close()
		listener, err := transport.ListenEarly(certificate, wt.QUICConfig(config))
		if err != nil {
			return err
		}
		defer server.Close()
		stop := context.AfterFunc(ctx, func() { listener.Close() })
		defer stop()
		server.Serve(listener) // returns when the listener is closed
		return ctx.Err()
	})
}

// Go runs a client on a host: a task that the run lasts for. The dialer sends from
// a socket of that host; what it opened is closed when the task returns.
func (n *Network) Go(host, name string, client func(context.Context, *wt.Dialer) error) {
	n.t.Helper()
	on := n.Host(host)
	_, config := n.work.TLS()
	on.Go(name, func(ctx context.Context) error {
		socket, err := on.ListenPacket(0, netem.SocketOptions{})
		if err != nil {
			return err
		}
		transport := &quic.Transport{Conn: socket}
		defer transport.Close()
		return client(ctx, &wt.Dialer{Transport: transport, TLSConfig: config})
	})
}

// URL returns the URL of a path of the server on a port of a host.
func (n *Network) URL(host string, port uint16, path string) string {
	n.t.Helper()
	return "https://" + netip.AddrPortFrom(n.Host(host).Addr(), port).String() + path
}

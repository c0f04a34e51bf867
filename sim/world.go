package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/realtime"
)

// Config configures a run.
type Config struct {
	// Seed is the seed of every random stream.
	Seed uint64

	// TimeLimit is the virtual time at which the run ends at the latest;
	// [DefaultTimeLimit] if it is 0.
	TimeLimit time.Duration

	// Observe, if not nil, is called for each datagram on each path when its
	// fate is known.
	Observe func(netem.Outcome)

	// Progress, if not nil, is called now and then with the virtual time and
	// the number of datagrams so far, at least once each virtual
	// ProgressInterval (100 ms if it is 0) in which anything happens.
	Progress         func(now time.Duration, datagrams uint64)
	ProgressInterval time.Duration

	// RealTime, if not nil, has the run happen in real time: see there.
	RealTime *RealTime
}

// DefaultTimeLimit is the virtual time that a run gets unless it asks for
// another.
const DefaultTimeLimit = 10 * time.Minute

// Result is what a run did.
type Result struct {
	Elapsed   time.Duration // virtual time at which the last task returned, or the run was ended
	Datagrams uint64        // datagrams that entered the network
	Steps     uint64        // how often the kernel came to rest; not reproducible

	// RealTime is what a run in real time did, and nil for others.
	RealTime *RealTimeResult
}

// World is hosts, routers, links and tasks.
type World struct {
	driver  driver
	network *netem.Network
	conns   []net.PacketConn
	tasks   taskSet
	atEnd   []func()
	err     error // first error of building the world
}

// driver is what a world runs on: a kernel in virtual time, or the wall clock.
type driver interface {
	netem.Driver

	at(t time.Duration, f func())   // as World.At
	post(t time.Duration, f func()) // likewise, for any goroutine
	rouse()                         // looks again at which tasks run; any goroutine may call it
	reseed()
	eachRest(f func())
	do(f func()) error // as World.Do

	// For any goroutine:
	elapsed() time.Duration
	started() time.Time
	ended() bool

	// serverAddr waits for a server if there may be none yet.
	listen(h *Host, link *netem.Link, port uint16, options netem.SocketOptions) (net.PacketConn, error)
	localAddr(conn net.PacketConn) netip.AddrPort
	serverAddr(ctx context.Context, server netip.AddrPort) (*net.UDPAddr, error)
}

// Host is a computer of a world.
type Host struct {
	*netem.Host
	world *World
}

// A process has one runtime and one source of randomness to own.
var running sync.Mutex

// Run builds a world and runs it until every task that was started with
// [Host.Go] has returned. Runs of one process take turns.
//
// The error joins those of the tasks. A run that reached its time limit has a
// [*TimeLimitError], one in which nothing could happen any more a
// [*StalledError]; both say who waited for what.
func Run(config Config, build func(*World) error) (Result, error) {
	running.Lock()
	defer running.Unlock()
	if config.RealTime != nil {
		return runRealTime(config, build)
	}
	defer ownRuntime()()
	defer seedCrypto(config.Seed)()
	// The sockets are simulated, so quic-go has no kernel buffers to warn of.
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")

	var result Result
	var err error
	leak := inBubble(func() { result, err = run(config, build) })
	return result, errors.Join(err, leak)
}

func run(config Config, build func(*World) error) (Result, error) {
	k := newKernel(config.Seed)
	w := &World{
		driver:  k,
		network: netem.NewNetwork(k, config.Seed, config.Observe),
	}
	k.network = w.network
	w.tasks.init(k)
	err := errors.Join(build(w), w.err)
	if err == nil {
		err = w.network.Start()
	}
	if err != nil {
		w.shutDown(k)
		return Result{}, err
	}
	if config.Progress != nil {
		k.atRest = progress(k, config)
	}
	outcome := k.runUntil(config.timeLimit(), w.tasks.finished)
	result := Result{Elapsed: k.now, Datagrams: w.network.Datagrams(), Steps: k.steps}
	for _, f := range w.atEnd {
		f()
	}
	var waiting []Waiting
	if outcome != done {
		waiting = w.tasks.waiting()
	}
	err = errors.Join(w.tasks.err(), k.stop())
	if outcome != done {
		err = errors.Join(k.unfinished(outcome, waiting), err)
	}
	w.shutDown(k)
	return result, err
}

func (c *Config) timeLimit() time.Duration {
	if c.TimeLimit <= 0 {
		return DefaultTimeLimit
	}
	return c.TimeLimit
}

func progress(k *kernel, config Config) func() {
	interval := config.ProgressInterval
	if interval <= 0 {
		interval = 100 * time.Millisecond
	}
	var next time.Duration
	return func() {
		if k.now >= next {
			next = k.now + interval
			config.Progress(k.now, k.network.Datagrams())
		}
	}
}

// shutdownGrace is the virtual time that tasks have to return once their
// context is cancelled, and once more when their sockets are closed.
const shutdownGrace = 10 * time.Second

// shutDown ends all tasks and closes all sockets.
func (w *World) shutDown(k *kernel) {
	w.tasks.cancel()
	k.over.Store(true)
	ended := k.runUntil(k.now+shutdownGrace, w.tasks.empty)
	for _, conn := range w.conns {
		conn.Close() // most are closed already
	}
	if ended != done && k.runUntil(k.now+shutdownGrace, w.tasks.empty) != done {
		// A goroutine that ignores its context would keep the process for ever.
		panic(fmt.Sprintf("sim: tasks that do not return %s after the end of the run:\n%s", 2*shutdownGrace, w.tasks.describe()))
	}
	rest()
}

// fail keeps the first error of building the world.
func (w *World) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// Host adds a host. The first host acts first at each instant.
func (w *World) Host(name string) *Host {
	h, err := w.network.AddHost(name)
	if err != nil {
		w.fail(err)
		return nil
	}
	return &Host{Host: h, world: w}
}

// Router adds a router.
func (w *World) Router(name string) *netem.Router {
	r, err := w.network.AddRouter(name)
	if err != nil {
		w.fail(err)
	}
	return r
}

// Link joins two hosts or routers by a path of elements in each direction:
// forward from a to b, reverse from b to a. Its error is returned by [Run], and so
// are those of Route and NAT.
func (w *World) Link(name string, a, b netem.Node, forward, reverse []netem.Element) *netem.Link {
	if w.err != nil {
		return nil
	}
	l, err := w.network.Connect(name, a, b, forward, reverse)
	if err != nil {
		w.fail(err)
	}
	return l
}

// Route sets the link by which packets to an address leave a host or router; see
// [netem.Network.Route].
func (w *World) Route(at netem.Node, to netip.Addr, by *netem.Link) {
	if w.err == nil {
		w.fail(w.network.Route(at, to, by))
	}
}

// NAT puts a NAT at the end of a link that is not the given one, the inside; see
// [netem.Network.AddNAT].
func (w *World) NAT(link *netem.Link, inside netem.Node, config netem.NATConfig) *netem.NAT {
	if w.err != nil {
		return nil
	}
	t, err := w.network.AddNAT(link, inside, config)
	if err != nil {
		w.fail(err)
	}
	return t
}

// At calls f at a virtual time, as an event of the kernel: between two steps of
// the network. It may only be called while the world is built, and by functions
// that At calls. f must not block.
func (w *World) At(t time.Duration, f func()) {
	w.driver.at(t, f)
}

// Clock returns the network's clock, for models that live in the network: what
// they do must not wake an application except by packets.
func (w *World) Clock() netem.Clock { return w.driver }

// SleepUntil waits until a virtual time, as an event of the kernel: of several
// goroutines that wake at one instant, each comes to rest before the next one
// runs, in the order in which they went to sleep. (Timers of package time that
// are due at one instant fire in an order that the runtime draws at random.) It
// returns the context's error if that is done first. Any goroutine of the run
// may call it.
func (w *World) SleepUntil(ctx context.Context, t time.Duration) error {
	if t <= w.Now() {
		return ctx.Err()
	}
	due := make(chan struct{})
	w.driver.post(t, func() { close(due) })
	select {
	case <-due:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Reseed makes what the runtime decides at random next, such as the order of a
// select's cases, depend on the run's seed and on the steps of the run alone.
//
// The kernel reseeds before each step. Within a step the runtime still draws for
// ends of its own, such as a cache of type assertions, which a process fills
// in its own way before the run; a program that has many goroutines and does
// much in one step calls Reseed on the way, say for each packet. Any goroutine of
// the run may call it.
func (w *World) Reseed() { w.driver.reseed() }

// EachRest calls f whenever the run has come to rest, on the goroutine that owns
// the network: whatever f does, such as writing to files, does not disturb the
// applications. In real time, where nothing rests, it is called many times a second on
// a goroutine of its own, and once more at the end. It may only be called while
// the world is built.
func (w *World) EachRest(f func()) { w.driver.eachRest(f) }

// AtEnd calls f when the run ends, before the network is stopped and before
// [World.Over]. It may only be called while the world is built.
func (w *World) AtEnd(f func()) { w.atEnd = append(w.atEnd, f) }

// Over reports whether the run has ended, so that what applications still do is
// only to end themselves. Any goroutine of the run may call it.
func (w *World) Over() bool { return w.driver.ended() }

// Start returns the instant of package time at which the run began. Any goroutine
// of the run may call it.
func (w *World) Start() time.Time { return w.driver.started() }

// Now returns the virtual time since the start of the run. Any goroutine of the
// run may call it.
func (w *World) Now() time.Duration { return w.driver.elapsed() }

// ListenPacket opens a UDP socket on a port of the host, 0 for a free one. It
// is closed at the end of the run, if not before.
func (h *Host) ListenPacket(port uint16, options netem.SocketOptions) (net.PacketConn, error) {
	return h.keep(h.world.driver.listen(h, nil, port, options))
}

// ListenPacketOn is ListenPacket on the address that the host has on one of its
// links. What is sent from there leaves by that link.
func (h *Host) ListenPacketOn(link *netem.Link, port uint16, options netem.SocketOptions) (net.PacketConn, error) {
	return h.keep(h.world.driver.listen(h, link, port, options))
}

// keep has a socket closed at the end of the run.
func (h *Host) keep(conn net.PacketConn, err error) (net.PacketConn, error) {
	if err != nil {
		return nil, fmt.Errorf("sim: host %s: %w", h.Name(), err)
	}
	h.world.tasks.mu.Lock()
	defer h.world.tasks.mu.Unlock()
	h.world.conns = append(h.world.conns, conn)
	return conn, nil
}

// Go runs f on the host. The run lasts until every f has returned; then, or at
// the time limit, the context is cancelled. An error of f, unless it comes
// from that cancellation, becomes an error of the run.
func (h *Host) Go(name string, f func(context.Context) error) { h.world.tasks.start(h, name, f, true) }

// Serve is [Host.Go] for a task that does not keep the run going, such as a
// server.
func (h *Host) Serve(name string, f func(context.Context) error) {
	h.world.tasks.start(h, name, f, false)
}

// LocalAddr returns the address in the network of a socket that the host has
// opened.
func (h *Host) LocalAddr(conn net.PacketConn) netip.AddrPort { return h.world.driver.localAddr(conn) }

// ServerAddr returns the address by which clients reach a server on a port of
// the host. In real time that is one on loopback, which is known when the server
// listens: until then, or until the context is done, it waits.
func (h *Host) ServerAddr(ctx context.Context, port uint16) (*net.UDPAddr, error) {
	return h.world.driver.serverAddr(ctx, netip.AddrPortFrom(h.Addr(), port))
}

// Relay returns the relay of a world in real time, for the time in which it is
// built, and nil for others.
func (w *World) Relay() *realtime.Relay {
	if c, ok := w.driver.(*wallClock); ok {
		return c.relay
	}
	return nil
}

// Do calls f on the goroutine that owns the network of a world in real time. Any
// other goroutine may call it. The error says that the run is over.
func (w *World) Do(f func()) error { return w.driver.do(f) }

// Progress returns what a run in real time has done so far, and how many clients
// there are. It is called by functions that Do calls.
func (w *World) Progress() (report realtime.Report, clients int) {
	if c, ok := w.driver.(*wallClock); ok {
		_, clients = c.relay.Clients()
		report = c.Report()
	}
	return report, clients
}

package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/realtime"
)

// RealTime configures a run in real time: the same world, by the wall clock. What
// runs on hosts runs concurrently, as in any program, and hosts' sockets are
// sockets of the system on loopback, whose datagrams a [realtime.Relay] passes
// through the network. A socket with a port of its own belongs to a server, which
// answers; one with port 0 to a client. No two such runs are the same.
type RealTime struct {
	// Relay configures the relay.
	Relay realtime.RelayConfig

	// FirstDatagram has the clock start with the first datagram that arrives.
	// Otherwise it does at Start, or at once if that is the zero time or past.
	FirstDatagram bool
	Start         time.Time

	// Ready, if not nil, is called when the world is built and the clock is about
	// to run.
	Ready func()
}

// RealTimeResult is what a run in real time did beside what every run does.
type RealTimeResult struct {
	realtime.Report
	Clients []realtime.Client // that came by themselves or were sockets of hosts, in the order in which they came
	Wakeups realtime.Wakeups  // of a program beside the relay
}

// noGSO is what keeps quic-go from GSO, for the whole process.
const noGSO = "QUIC_GO_DISABLE_GSO"

// restInterval is how often a run in real time does what others do at rest.
const restInterval = 20 * time.Millisecond

// wallClock drives a world in real time.
type wallClock struct {
	*realtime.Loop
	relay *realtime.Relay
	rest  []func() // see World.EachRest
	over  atomic.Bool

	mu      sync.Mutex
	servers map[netip.AddrPort]netip.AddrPort // listeners, by the address in the network
	changed chan struct{}                     // closed when there is another one
}

func runRealTime(config Config, build func(*World) error) (result Result, err error) {
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	defer os.Unsetenv(noGSO)
	// The loop does not take a processor away from the program.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1))
	loop, err := realtime.New()
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, loop.Close()) }()
	c := &wallClock{Loop: loop, servers: make(map[netip.AddrPort]netip.AddrPort), changed: make(chan struct{})}
	w := &World{driver: c, network: netem.NewNetwork(loop, config.Seed, config.Observe)}
	c.relay = realtime.NewRelay(loop, w.network, config.RealTime.Relay)
	w.tasks.init(c)
	w.tasks.hold()
	err = errors.Join(build(w), w.err)
	if err == nil {
		err = w.network.Start()
	}
	if err != nil {
		return Result{}, err
	}
	if start := config.RealTime.Start; !config.RealTime.FirstDatagram {
		if now := time.Now(); start.Before(now) {
			start = now
		}
		loop.Start(start)
	}
	if config.RealTime.Ready != nil {
		config.RealTime.Ready()
	}
	failed := make(chan error, 1)
	go func() { failed <- loop.Run(w.network, config.timeLimit(), w.tasks.finished) }()
	stopResting := c.keepResting(w.network, config)
	stopWatching := realtime.WatchWakeups()
	w.tasks.release()
	err = <-failed
	wakeups := stopWatching()
	stopResting()
	result = Result{Elapsed: max(0, min(loop.Now(), config.timeLimit())), Datagrams: w.network.Datagrams()}
	finished := w.tasks.finished()
	for _, f := range w.atEnd {
		f()
	}
	var waiting []Waiting
	if !finished {
		waiting = w.tasks.waiting()
	}
	c.over.Store(true)
	w.network.Stop()
	err = errors.Join(err, w.tasks.err(), w.network.Check())
	if !finished && err == nil {
		err = &TimeLimitError{Limit: result.Elapsed, Waiting: waiting}
	}
	clients, _ := c.relay.Clients()
	result.RealTime = &RealTimeResult{loop.Report(), clients, wakeups}
	return result, errors.Join(err, w.leave())
}

// leave ends all tasks and closes all sockets.
func (w *World) leave() error {
	w.tasks.cancel()
	ended := w.tasks.await(shutdownGrace)
	w.tasks.mu.Lock()
	conns := slices.Clone(w.conns)
	w.tasks.mu.Unlock()
	for _, conn := range conns {
		conn.Close() // most are closed already
	}
	if !ended && !w.tasks.await(shutdownGrace) {
		return fmt.Errorf("sim: tasks that do not return %s after the end of the run:\n%s", 2*shutdownGrace, w.tasks.describe())
	}
	return nil
}

// keepResting does, until the returned function is called, what a run in virtual
// time does at rest.
func (c *wallClock) keepResting(network *netem.Network, config Config) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	interval := config.ProgressInterval
	if interval <= 0 {
		interval = 100 * time.Millisecond
	}
	go func() {
		defer close(ended)
		ticker := time.NewTicker(restInterval)
		defer ticker.Stop()
		var next time.Duration
		for {
			select {
			case <-end:
				return
			case <-ticker.C:
			}
			c.doAtRest()
			if now := c.Elapsed(); config.Progress != nil && now >= next {
				next = now + interval
				var datagrams uint64
				if c.Do(func() { datagrams = network.Datagrams() }) == nil {
					config.Progress(now, datagrams)
				}
			}
		}
	}()
	return func() {
		close(end)
		<-ended
		c.doAtRest()
	}
}

func (c *wallClock) doAtRest() {
	for _, f := range c.rest {
		f()
	}
}

func (c *wallClock) at(t time.Duration, f func())   { c.At(t, f) }
func (c *wallClock) post(t time.Duration, f func()) { c.Post(t, f) } // after the end, nobody waits for f
func (c *wallClock) rouse()                         { c.Rouse() }
func (c *wallClock) reseed()                        {}
func (c *wallClock) do(f func()) error              { return c.Do(f) }
func (c *wallClock) eachRest(f func())              { c.rest = append(c.rest, f) }
func (c *wallClock) elapsed() time.Duration         { return max(0, c.Elapsed()) }
func (c *wallClock) started() time.Time             { return c.Started() }
func (c *wallClock) ended() bool                    { return c.over.Load() }

// realSocket is a socket of the system that stands for one of a host.
type realSocket struct {
	*net.UDPConn
	clock *wallClock
	at    netip.AddrPort // in the network
	close func()         // on the goroutine of the loop
	once  sync.Once
}

// Close implements [net.PacketConn].
func (s *realSocket) Close() error {
	// First in the network, as the system may then give its port to another socket.
	s.once.Do(func() { s.clock.Do(s.close) }) // which the end of the run does as well
	return s.UDPConn.Close()
}

// plainSocket hides the methods by which quic-go uses ECN and GSO.
type plainSocket struct {
	net.PacketConn
	real *realSocket
}

// SyscallConn implements [syscall.Conn].
func (s plainSocket) SyscallConn() (syscall.RawConn, error) { return s.real.SyscallConn() }

// SetReadBuffer sets the size of the system's buffer.
func (s plainSocket) SetReadBuffer(n int) error { return s.real.SetReadBuffer(n) }

// SetWriteBuffer sets the size of the system's buffer.
func (s plainSocket) SetWriteBuffer(n int) error { return s.real.SetWriteBuffer(n) }

func (c *wallClock) listen(h *Host, link *netem.Link, port uint16, options netem.SocketOptions) (net.PacketConn, error) {
	loopback := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(loopback))
	if err != nil {
		return nil, err
	}
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	if options.NoGSO {
		os.Setenv(noGSO, "true")
		c.Note("GSO is off for all hosts, as it is to be for one")
	}
	s := &realSocket{UDPConn: conn, clock: c}
	var listener netip.AddrPort
	set := func() {
		s.at, err = c.relay.Place(local, h.Host, link)
		s.close = func() { c.relay.Remove(local) }
	}
	if port != 0 {
		set = func() {
			s.at = netip.AddrPortFrom(h.Addr(), port)
			listener, err = c.relay.Serve(h.Host, port, local, loopback)
			s.close = func() { c.relay.Withdraw(h.Host, port) }
		}
	}
	if port != 0 && link != nil {
		err = errors.New("in real time no server listens on the address of one link")
	} else if over := c.Do(set); over != nil {
		err = over
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	if port != 0 {
		c.mu.Lock()
		c.servers[s.at] = listener
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
	}
	if options.NoECN {
		return plainSocket{s, s}, nil
	}
	return s, nil
}

func (c *wallClock) localAddr(conn net.PacketConn) netip.AddrPort {
	if s, ok := conn.(plainSocket); ok {
		return s.real.at
	}
	return conn.(*realSocket).at
}

func (c *wallClock) serverAddr(ctx context.Context, server netip.AddrPort) (*net.UDPAddr, error) {
	for {
		c.mu.Lock()
		listener, ok := c.servers[server]
		changed := c.changed
		c.mu.Unlock()
		if ok {
			return net.UDPAddrFromAddrPort(listener), nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

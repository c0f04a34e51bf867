package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/realtime"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/sim/workload"
)

// EmulateRequest asks for the network of a scenario between real UDP programs. The
// scenario's sessions and expectations do not count.
type EmulateRequest struct {
	Scenario  string   // path of the scenario file
	Overrides []string // "path=value", applied in order
	Seed      *uint64  // instead of the scenario's own

	// Link is the only link that there is to be, one of a group by its own name.
	// Clients are at its end that is the client of the scenario's first session, or
	// at its first one, and servers at the other. Empty is the whole network.
	Link string

	// Client is the host at which clients are, or a group of hosts, which they get
	// in turn. Empty is that of the scenario's first session, or an end
	// of the link.
	Client string

	Upstream []Upstream       // the real servers; at least one
	Listen   []netip.AddrPort // where clients find each of them; one alone is for the first, and the ports after it for the others; port 0 is any

	AllowRemote bool          // addresses that are not of the loopback interface
	Timeout     time.Duration // as in [realtime.RelayConfig]
	MaxClients  int           // likewise

	Start         time.Time     // when the clock starts, and datagrams are relayed; zero is at once
	FirstDatagram bool          // the clock starts with the first datagram instead
	Duration      time.Duration // of the clock, after which it ends; 0 is when the context ends, after 24 hours at the latest

	Out       string         // folder of results; empty: DefaultOut
	Unwritten bool           // make no recording
	Without   []record.Table // tables that are not recorded
	CSV       bool           // also write the tables as CSV
	Capture   []string       // as in [Request]
	Complete  func(dir string) error

	Ready  func([]Listening) // called once, when it relays
	Notice func(string)      // called with what a person should know at once; it must not block
}

// Upstream is a real server.
type Upstream struct {
	Server string // the host at which it is; empty: that of the scenario's first session, or the other end of the link
	Addr   netip.AddrPort
}

// Listening is where clients find a server.
type Listening struct {
	Server   string         `json:"server"` // the host
	Listen   netip.AddrPort `json:"listen"`
	Upstream netip.AddrPort `json:"upstream"`
}

// longestEmulation is how long an emulation lasts at most: as long as a scenario may.
const longestEmulation = 24 * time.Hour

// emulation is a run between other programs.
type emulation struct {
	EmulateRequest
	ctx       context.Context
	onLive    func(Live)
	clients   []string // hosts
	users     users
	noted     noted
	listening []Listening
}

// Emulate runs the network of a scenario in real time between real programs, in
// this process, until the context ends, or the duration is over; that is no
// error. It calls onLive, if not nil, about once a second. Whatever the error, no
// file is left behind: an error is a [*scenario.Error] or an [*Error].
func Emulate(ctx context.Context, r EmulateRequest, onLive func(Live)) (*Result, error) {
	e := &emulation{EmulateRequest: r, ctx: ctx, onLive: onLive}
	if e.Notice == nil {
		e.Notice = func(string) {}
	}
	t, s, err := e.task()
	if err != nil {
		return nil, err
	}
	run := func(temporary string) (record.Run, error) {
		t.Temporary = temporary
		info, err := t.doScenario(s, func(Progress) {})
		if err != nil {
			return record.Run{}, asError(err)
		}
		return info, nil
	}
	return publish(context.WithoutCancel(ctx), t.Dir, r.Complete, run)
}

// task checks the request, and returns the scenario without its sessions.
func (e *emulation) task() (task, *scenario.Scenario, error) {
	whole, err := scenario.LoadNetwork(e.Scenario, e.Overrides...)
	if err != nil {
		return task{}, nil, err
	}
	source, err := os.ReadFile(e.Scenario)
	if err != nil {
		return task{}, nil, fail(Input, "%w", err)
	}
	s, err := whole.Network(e.Link, longestEmulation)
	if err != nil {
		return task{}, nil, fail(Input, "%s: %w", e.Scenario, err)
	}
	if e.Seed != nil {
		s.Seed = *e.Seed
	}
	client, server := e.ends(whole, s)
	if client == "" {
		return task{}, nil, fail(Input, "%s has no session that says at which hosts clients and servers are; expected a link, or a client and a server (--link, or --client and --upstream HOST=ADDRESS:PORT)", e.Scenario)
	}
	if e.clients, err = s.HostsNamed(client); err != nil {
		return task{}, nil, fail(Input, "%s: the clients' host: %w", e.Scenario, err)
	}
	if len(e.Upstream) == 0 {
		return task{}, nil, fail(Input, "there is no upstream; expected at least one address of a server")
	}
	if n := len(e.Listen); n != 1 && n != len(e.Upstream) {
		return task{}, nil, fail(Input, "there are %d addresses to listen on for %d upstreams; expected one for each, or one for all", n, len(e.Upstream))
	}
	for i, u := range e.Upstream {
		l := Listening{Server: cmp.Or(u.Server, server), Upstream: u.Addr, Listen: e.Listen[0]}
		if len(e.Listen) > 1 {
			l.Listen = e.Listen[i]
		} else if port := int(l.Listen.Port()) + i; port > math.MaxUint16 {
			return task{}, nil, fail(Input, "there is no port for each of %d upstreams from %s on; expected a lower one to listen on (--listen)", len(e.Upstream), l.Listen)
		} else if l.Listen.Port() > 0 {
			l.Listen = netip.AddrPortFrom(l.Listen.Addr(), uint16(port))
		}
		hosts, err := s.HostsNamed(l.Server)
		if err != nil {
			return task{}, nil, fail(Input, "%s: the host of the server %s: %w", e.Scenario, u.Addr, err)
		}
		l.Server = hosts[0]
		e.listening = append(e.listening, l)
	}
	for _, l := range e.listening {
		if slices.ContainsFunc(e.Upstream, func(u Upstream) bool { return u.Addr == l.Listen }) {
			return task{}, nil, fail(Input, "%s would be where clients find %s, and is an upstream itself; expected another address to listen on (--listen)", l.Listen, l.Server)
		}
	}
	if err := e.checkWays(s.Ways()); err != nil {
		return task{}, nil, fail(Input, "%s: %w", e.Scenario, err)
	}
	if _, err := captureFiles(s, e.Capture); err != nil {
		return task{}, nil, err
	}
	t := task{
		Name: e.Scenario, Scenario: source, Overrides: e.Overrides, Seed: s.Seed, Without: e.Without, CSV: e.CSV, Capture: e.Capture,
		RealTime: true, emulation: e, Determinism: record.InReal,
	}
	if !e.Unwritten {
		t.Dir = folder(cmp.Or(e.Out, DefaultOut), s.Name, e.Overrides, emulatedRuns, t.Seed)
	}
	return t, s, nil
}

// checkWays returns an error unless there is a network between all clients and
// servers.
func (e *emulation) checkWays(ways *scenario.Ways) error {
	for _, client := range e.clients {
		for _, l := range e.listening {
			if client == l.Server {
				return fmt.Errorf("clients and the server %s are both at host %s; expected two hosts (--client, --upstream HOST=ADDRESS:PORT)", l.Upstream, client)
			}
			for _, ends := range [][2]string{{client, l.Server}, {l.Server, client}} {
				if _, err := ways.Between(ends[0], ends[1]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ends returns the hosts at which clients and servers are, as far as they are not
// named.
func (e *emulation) ends(whole, s *scenario.Scenario) (client, server string) {
	if len(whole.Sessions) > 0 {
		client, server = whole.Sessions[0].Client, whole.Sessions[0].Server
	} else if len(s.Hosts) == 2 {
		client, server = s.Hosts[0].Name, s.Hosts[1].Name
	}
	if e.Link != "" {
		// The end that is the session's client, or not its server, if one is.
		first, second := s.Links[0].Between[0], s.Links[0].Between[1]
		if whole.SameHosts(client, second) || whole.SameHosts(server, first) {
			first, second = second, first
		}
		client, server = first, second
	}
	return cmp.Or(e.Client, client), server
}

func (e *emulation) config() *sim.RealTime {
	return &sim.RealTime{
		Relay:         realtime.RelayConfig{Timeout: e.Timeout, MaxClients: e.MaxClients, Remote: e.AllowRemote, Notice: e.tell, Delivered: e.users.delivered},
		FirstDatagram: e.FirstDatagram,
		Start:         e.Start,
		Ready: func() {
			if e.EmulateRequest.Ready != nil {
				e.EmulateRequest.Ready(e.listening)
			}
		},
	}
}

// tell tells at once what a person should know, and notes it for the result. It may be
// called once the network is attached.
func (e *emulation) tell(text string) {
	e.noted.add(e.users.world.Now(), text)
	e.Notice(text)
}

// firstPort is the port of a host's first server in the network.
const firstPort = 443

// attach joins a network with the programs.
func (e *emulation) attach(w *sim.World, s *scenario.Scenario, work *workload.Workload, o *observer, to *queue) error {
	e.users.world, e.users.to = w, to
	hosts := make(map[string]*sim.Host)
	for h := range work.Hosts() {
		hosts[h.Name()] = h
	}
	var clients []*netem.Host
	for _, name := range e.clients {
		clients = append(clients, hosts[name].Host)
	}
	w.Relay().TakeIn(clients...)
	ports := make(map[string]uint16)
	for i := range e.listening {
		l := &e.listening[i]
		at, err := w.Relay().Serve(hosts[l.Server].Host, firstPort+ports[l.Server], l.Upstream, l.Listen)
		if err != nil {
			if told, ok := errors.AsType[syscall.Errno](err); ok {
				return fail(Input, "cannot listen on %s for clients of %s: %w; expected a free address of this machine (--listen)", l.Listen, l.Server, told)
			}
			return fail(Input, "cannot listen for clients of %s: %w", l.Server, err)
		}
		ports[l.Server]++
		l.Listen = at
	}
	o.live = newLive(w, s, work)
	at := hosts[e.clients[0]]
	at.Go("emulation", func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(e.ctx, cancel)()
		if e.Duration > 0 {
			w.SleepUntil(ctx, e.Duration)
		} else {
			<-ctx.Done()
		}
		return nil
	})
	at.Serve("live", func(ctx context.Context) error { return o.live.report(ctx, e.onLive, e.tell) })
	return nil
}

// watch tells when a recording can no longer be written. Relaying goes on: others
// may be in the middle of their work.
func (e *emulation) watch(w *sim.World, out sink) {
	writer, ok := out.(interface{ Err() error })
	if !ok {
		return
	}
	told := false
	w.EachRest(func() {
		if err := writer.Err(); err != nil && !told {
			told = true
			e.tell(fmt.Sprintf("the results cannot be written: %v; relaying goes on, and nothing will be kept", err))
		}
	})
}

// unrecorded is what a recording in real time lacks.
type unrecorded struct {
	what string
	n    uint64
}

// describeRealTime fills in what a run's description says of a run in real time.
func describeRealTime(info *record.Run, r *sim.RealTimeResult, emulated bool, lost ...unrecorded) {
	p := r.Precision
	out := &record.RealTime{
		Emulated: emulated, Departed: p.Departed, Late: p.Late, P50: p.P50, P99: p.P99, P999: p.P999, Max: p.Max,
		Wakeups: record.Wakeups(r.Wakeups), Refused: refusals(r.Refused), Notes: r.Notes,
	}
	for _, l := range lost {
		if l.n > 0 {
			out.Notes = append(out.Notes, fmt.Sprintf("%d %s are not recorded, because the disk was too slow for them", l.n, l.what))
		}
	}
	for _, c := range r.Clients {
		out.Clients = append(out.Clients, record.Client{
			Address: c.Address, Host: c.Host, Seen: c.Seen,
			Sent:     record.Count{Packets: uint64(c.Sent.Packets), Bytes: uint64(c.Sent.Bytes)},
			Received: record.Count{Packets: uint64(c.Received.Packets), Bytes: uint64(c.Received.Bytes)},
		})
	}
	info.RealTime = out
}

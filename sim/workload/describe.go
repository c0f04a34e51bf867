package workload

import (
	"crypto/tls"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
)

// Paths returns the links' names and their paths, indexed by direction, in the
// order of the scenario.
func (w *Workload) Paths() iter.Seq2[string, [2]*netem.Path] {
	return func(yield func(string, [2]*netem.Path) bool) {
		for _, l := range w.links {
			if !yield(l.name, [2]*netem.Path{l.directions[0].path, l.directions[1].path}) {
				return
			}
		}
	}
}

// TLS returns the configurations of the servers and of the clients of the scenario's
// sessions, for others that run beside them. The certificate is made for the name
// that is the client's ServerName.
func (w *Workload) TLS() (server, client *tls.Config) {
	return w.tls.server.Clone(), w.tls.client.Clone()
}

// Hosts returns the hosts, in the order of the scenario.
func (w *Workload) Hosts() iter.Seq[*sim.Host] {
	return func(yield func(*sim.Host) bool) {
		for i := range w.scenario.Hosts {
			for _, name := range w.scenario.Hosts[i].Instances() {
				if !yield(w.hosts[name]) {
					return
				}
			}
		}
	}
}

// Addresses returns the addresses of the hosts with their names: NAME for that of
// a host, and NAME.LINK for the one that it has on a link.
func (w *Workload) Addresses() iter.Seq2[netip.Addr, string] {
	return func(yield func(netip.Addr, string) bool) {
		for h := range w.Hosts() {
			if !yield(h.Addr(), h.Name()) {
				return
			}
		}
		for _, l := range w.links {
			for _, end := range l.between {
				h := w.hosts[end]
				if h == nil {
					continue // a router
				}
				if addr, err := h.AddrOn(l.built); err == nil && !yield(addr, end+"."+l.name) {
					return
				}
			}
		}
	}
}

// Describe fills in what a run's description says of its links, sessions, flows
// and cross traffic, and of what was discarded.
func (w *Workload) Describe(info *record.Run) {
	for _, l := range w.links {
		info.Links = append(info.Links, record.Link{
			Name:    l.name,
			Between: l.between,
			Forward: l.directions[record.Forward].counters(),
			Reverse: l.directions[record.Reverse].counters(),
		})
	}
	info.Connections = w.describeConnections()
	ways := w.newWays()
	for _, i := range w.instances {
		s := record.Session{Entity: i.entity, Connection: i.connection.entity}
		if i.Name != i.Session.Name {
			s.Group = "sessions." + i.Session.Name
		}
		info.Sessions = append(info.Sessions, s)
		for _, f := range i.flows {
			r := record.Flow{Entity: f.entity, Kind: f.config.Kind, Session: i.entity, From: i.Server, To: i.Client, Size: int64(f.size)}
			if f.fromClient() {
				r.From, r.To = r.To, r.From
			}
			r.Way, r.RTT = ways.of(r.From, r.To)
			switch c := f.config.Config.(type) {
			case *scenario.Echo:
				r.Transport = c.Transport
			case *scenario.Media:
				r.Transport, r.Interval, r.Frames, r.Deadline = c.Transport, c.Rate.Period(), c.Frames(), c.Deadline
			}
			if s.Group != "" {
				r.Group = s.Group + ".flows." + f.config.Name
			}
			info.Flows = append(info.Flows, r)
		}
	}
	for _, c := range w.traffic {
		info.Traffic = append(info.Traffic, c.describe())
	}
	info.Discarded = w.discarded()
}

// describeConnections describes the ends of connections, of which each may have
// had several traces.
func (w *Workload) describeConnections() []record.Connection {
	sent := map[string]uint64{}
	for _, t := range w.allTraces() {
		t.mu.Lock()
		sent[t.entity] += t.sent
		t.mu.Unlock()
	}
	var all []record.Connection
	for _, i := range w.instances {
		c := i.connection
		for _, end := range []record.Connection{
			{Entity: c.entity + ".client", Host: c.client.Name(), Addresses: c.transports.addresses(c.client)},
			{Entity: c.entity + ".server", Host: c.server.host.Name(), Addresses: []netip.AddrPort{netip.AddrPortFrom(c.server.host.Addr(), c.server.port)}},
		} {
			if n := sent[end.Entity]; n > 0 {
				end.Sent = n
				all = append(all, end)
				delete(sent, end.Entity) // for the other sessions on it
			}
		}
	}
	return all
}

// ways knows the ways of flows and how long datagrams are on them.
type ways struct {
	between *scenario.Ways
	delays  map[scenario.Leg]time.Duration
}

func (w *Workload) newWays() *ways {
	all := &ways{w.scenario.Ways(), map[scenario.Leg]time.Duration{}}
	for _, l := range w.links {
		for _, d := range l.directions {
			config := d.link.Forward
			if d.name == record.Reverse.String() {
				config = d.link.Reverse
			}
			all.delays[scenario.Leg{Link: l.name, Direction: d.name}] = config.At(0).Delay
		}
	}
	return all
}

// Way returns the link directions from one host to another, as entities, and the
// propagation delay there and back, both as at the start; nothing if no links lead
// there and back.
func (w *Workload) Way(from, to string) ([]string, time.Duration) { return w.newWays().of(from, to) }

// of returns the link directions from one host to another, as entities, and the
// propagation delay there and back; nothing if no links lead there and back.
func (w *ways) of(from, to string) ([]string, time.Duration) {
	there, errThere := w.between.Between(from, to)
	back, errBack := w.between.Between(to, from)
	if errThere != nil || errBack != nil {
		return nil, 0
	}
	var entities []string
	for _, leg := range there {
		entities = append(entities, "links."+leg.Link+"."+leg.Direction)
	}
	var rtt time.Duration
	for _, leg := range slices.Concat(there, back) {
		rtt += w.delays[leg]
	}
	return entities, rtt
}

// fromClient reports whether what the flow delivers goes to the server. What
// counts of an echo or a request is what comes back.
func (f *flow) fromClient() bool {
	switch c := f.config.Config.(type) {
	case *scenario.Bulk:
		return c.Upload
	case *scenario.Media:
		return c.From == "client"
	}
	return false
}

// counters counts what a direction did.
func (d *direction) counters() record.Counters {
	in, out, dropped := d.path.Totals()
	duplicated := d.path.Duplicated()
	queued := netem.Count{
		Packets: in.Packets + duplicated.Packets - out.Packets - dropped.Packets,
		Bytes:   in.Bytes + duplicated.Bytes - out.Bytes - dropped.Bytes,
	}
	c := record.Counters{
		Overhead:   int64(d.overhead),
		In:         d.onLink(in),
		Duplicated: d.onLink(duplicated),
		Out:        d.onLink(out),
		Queued:     d.onLink(queued),
	}
	var marked, corrupted netem.Count
	for _, element := range d.path.Counters() {
		marked.Packets += element.Marked.Packets
		marked.Bytes += element.Marked.Bytes
		corrupted.Packets += element.Corrupted.Packets
		corrupted.Bytes += element.Corrupted.Bytes
		if element.Dropped.Packets > 0 {
			c.Dropped = append(c.Dropped, record.Drop{Reason: element.Kind, Count: d.onLink(element.Dropped)})
		}
	}
	c.Marked, c.Corrupted = d.onLink(marked), d.onLink(corrupted)
	return c
}

// onLink adds the overhead to a count of UDP payload.
func (d *direction) onLink(c netem.Count) record.Count {
	return record.Count{
		Packets: uint64(c.Packets),
		Bytes:   uint64(c.Bytes) + uint64(c.Packets)*uint64(d.overhead),
	}
}

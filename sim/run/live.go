package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/realtime"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/sim/workload"
)

// liveInterval is how often an emulation says how it goes.
const liveInterval = time.Second

// Live says how an emulation goes. What is of a time is of that since the last
// Live.
type Live struct {
	Elapsed   time.Duration // since the clock started; 0 before
	Waiting   bool          // for the first datagram, or for the start
	Clients   int           // that there are now
	Links     []LiveDirection
	Behind    bool               // the relay does not keep up: more than a tenth of the departures were late
	Precision realtime.Precision // of all departures
	Refused   []record.Refusal   // of all datagrams
}

// LiveDirection says how it goes in one direction of a link.
type LiveDirection struct {
	Entity       string        // links.NAME.forward or links.NAME.reverse
	Throughput   netem.BitRate // of what was delivered, on the link
	Delivered    uint64        // datagrams
	Dropped      uint64
	Delay        time.Duration // mean, of those that were delivered, from entry to delivery
	Queue        netem.Bytes   // UDP payload that waits now or is in transmission
	QueuePackets int64
}

// live gathers how it goes, on the goroutine of the network.
type live struct {
	world *sim.World
	lanes []*lane
	of    map[*netem.Path]*lane
	last  time.Duration

	precision realtime.Precision // at the last Live
	behind    bool               // and that it was behind then
}

// lane is a direction of a link, and what has passed it since the last Live.
type lane struct {
	entity   string
	path     *netem.Path
	overhead netem.Bytes

	delivered, dropped uint64
	bytes              netem.Bytes
	delay              time.Duration // of all of them
}

func newLive(w *sim.World, s *scenario.Scenario, work *workload.Workload) *live {
	overheads := make(map[string][2]netem.Bytes)
	for _, in := range s.LinkInstances() {
		overheads[in.Name] = [2]netem.Bytes{in.Link.Forward.Overhead, in.Link.Reverse.Overhead}
	}
	l := &live{world: w, of: make(map[*netem.Path]*lane)}
	for name, paths := range work.Paths() {
		for i, p := range paths {
			one := &lane{entity: "links." + name + "." + record.Direction(i).String(), path: p, overhead: overheads[name][i]}
			l.lanes = append(l.lanes, one)
			l.of[p] = one
		}
	}
	return l
}

func (l *live) observe(o netem.Outcome) {
	one := l.of[o.Path]
	switch o.Fate {
	case netem.Delivered:
		one.delivered++
		one.bytes += o.Packet.Size() + one.overhead
		one.delay += o.At - o.Packet.Sent
	case netem.Dropped:
		one.dropped++
	}
}

// report tells how it goes until the context is done.
func (l *live) report(ctx context.Context, tell func(Live), notice func(string)) error {
	ticker := time.NewTicker(liveInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		var now Live
		if l.world.Do(func() { now = l.take() }) != nil {
			return nil
		}
		if tell != nil {
			tell(now)
		}
		if now.Behind && !l.behind {
			notice(fmt.Sprintf("the relay does not keep up: in the last second more than one in ten datagrams left it over %s late", realtime.OnTime))
		}
		l.behind = now.Behind
	}
}

// fewest is how many departures it takes to say that the relay does not keep up.
const fewest = 100

// take returns how it goes, and begins again.
func (l *live) take() Live {
	now := l.world.Now()
	since := now - l.last
	l.last = now
	report, clients := l.world.Progress()
	out := Live{Elapsed: now, Waiting: now == 0, Clients: clients, Precision: report.Precision, Refused: refusals(report.Refused)}
	departed, late := report.Departed-l.precision.Departed, report.Late-l.precision.Late
	out.Behind = departed >= fewest && 10*late > departed
	l.precision = report.Precision
	for _, one := range l.lanes {
		d := LiveDirection{Entity: one.entity, Delivered: one.delivered, Dropped: one.dropped}
		if one.delivered > 0 {
			d.Delay = one.delay / time.Duration(one.delivered)
		}
		if since > 0 {
			d.Throughput = netem.BitRate(float64(8*one.bytes) / since.Seconds())
		}
		for _, c := range one.path.Counters() {
			if slices.Contains(queueing, c.Kind) {
				d.QueuePackets += c.In.Packets + c.Duplicated.Packets - c.Out.Packets - c.Dropped.Packets
				d.Queue += c.In.Bytes + c.Duplicated.Bytes - c.Out.Bytes - c.Dropped.Bytes
			}
		}
		one.delivered, one.dropped, one.bytes, one.delay = 0, 0, 0, 0
		out.Links = append(out.Links, d)
	}
	return out
}

// queueing are the kinds of elements with a queue.
var queueing = []string{netem.Rate{}.Kind(), netem.Trace{}.Kind()}

// refusals sorts refused datagrams by the reason.
func refusals(counts map[string]uint64) []record.Refusal {
	var all []record.Refusal
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, record.Refusal{Reason: reason, Datagrams: counts[reason]})
	}
	return all
}

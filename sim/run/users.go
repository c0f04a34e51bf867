package run

import (
	"fmt"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/realtime"
	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/workload"
)

// maxUsers bounds the clients of an emulation whose datagrams are flows of it.
const maxUsers = 50

// mostSingle is how many clients are told of one by one; more are a group.
const mostSingle = 10

// usageInterval is the least time between two samples of one flow.
const usageInterval = 10 * time.Millisecond

// users records what the clients of an emulation got, and the servers of them, as
// flows: what other programs say in their datagrams it cannot know. It runs on
// the goroutine of the network.
type users struct {
	world *sim.World
	to    *queue
	flows [maxUsers][2]used // by the client's place, down and up
}

// used is the datagrams of a client in one direction.
type used struct {
	bytes, recorded netem.Bytes
	last            time.Duration // when they were recorded
	added           time.Duration // when bytes grew
}

// userFlow names the flow of a client: down to it, or up to the servers.
func userFlow(client int, up bool) string { return fmt.Sprintf("%s-%d", userGroup(up), client+1) }

func userGroup(up bool) string {
	if up {
		return "flows.up"
	}
	return "flows.down"
}

func (u *users) delivered(client int, up bool, size netem.Bytes) {
	if client < 0 || client >= maxUsers {
		return
	}
	way, now := 0, u.world.Clock().Now()
	if up {
		way = 1
	}
	f := &u.flows[client][way]
	if f.bytes == 0 {
		u.to.event(record.Event{Time: now, Kind: record.EventFlowStarted, Entity: userFlow(client, up)})
		f.last = -usageInterval
	}
	if now-f.added >= usageInterval {
		u.sample(client, up, f)
	}
	f.bytes, f.added = f.bytes+size, now
	if now-f.last >= usageInterval {
		u.sample(client, up, f)
	}
}

func (u *users) sample(client int, up bool, f *used) {
	if f.bytes == f.recorded {
		return
	}
	f.recorded, f.last = f.bytes, f.added
	u.to.sample(record.Sample{Time: f.added, Name: record.SeriesDelivered, Entity: userFlow(client, up), Value: float64(f.bytes)})
}

// finish records what is left, after the end of the run.
func (u *users) finish() {
	for client := range u.flows {
		for way := range u.flows[client] {
			u.sample(client, way == 1, &u.flows[client][way])
		}
	}
}

// describe adds the flows to a run's description.
func (u *users) describe(info *record.Run, work *workload.Workload, clients []realtime.Client, server string) {
	clients = clients[:min(len(clients), maxUsers)]
	for i, c := range clients {
		for way, used := range u.flows[i] {
			if used.bytes == 0 {
				continue
			}
			up := way == 1
			f := record.Flow{Entity: userFlow(i, up), Kind: "datagrams", From: server, To: c.Host}
			if up {
				f.From, f.To = f.To, f.From
			}
			f.Way, f.RTT = work.Way(f.From, f.To)
			if len(clients) > mostSingle {
				f.Group = userGroup(up)
			}
			info.Flows = append(info.Flows, f)
		}
	}
}

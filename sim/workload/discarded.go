package workload

import (
	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
)

// discarded returns what hosts and routers discarded: of the hosts, then of the
// routers, each in the order of the scenario.
func (w *Workload) discarded() []record.Discard {
	var all []record.Discard
	add := func(at, reason string, n netem.Count) {
		if n.Packets > 0 {
			all = append(all, record.Discard{At: at, Reason: reason, Count: record.Count{Packets: uint64(n.Packets), Bytes: uint64(n.Bytes)}})
		}
	}
	for h := range w.Hosts() {
		noPort, bufferFull := h.Unread()
		add(h.Name(), record.DiscardNoPort, noPort)
		add(h.Name(), record.DiscardBufferFull, bufferFull)
		add(h.Name(), record.DiscardWrongAddress, h.NotOurs())
	}
	for _, r := range w.routers {
		add(r.Name(), record.DiscardNoRoute, r.NoRoute())
	}
	return all
}

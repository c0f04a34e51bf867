package analysis

import "github.com/wtsim/wtsim/sim/record"

var runDiscarded = define(ofRun, "run.discarded.REASON", "packets", "datagrams that left a link and that a host or router discarded: no_port and buffer_full of sockets, wrong_address that was not the host's, no_route at a router", "RFC 4113 udpNoPorts and udpInErrors, RFC 4293 ipSystemStatsInAddrErrors and ipSystemStatsInNoRoutes; run.json")

// discardMetrics adds what was discarded in a whole run; when is not recorded.
func discardMetrics(m *Metrics, run record.Run, w *span) {
	if !w.whole {
		return
	}
	for _, reason := range []string{record.DiscardNoPort, record.DiscardBufferFull, record.DiscardWrongAddress, record.DiscardNoRoute} {
		packets := uint64(0)
		for _, d := range run.Discarded {
			if d.Reason == reason {
				packets += d.Packets
			}
		}
		m.putNamed(runDiscarded, ofRun, reason, float64(packets))
	}
}

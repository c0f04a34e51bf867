package workload

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/wt"
	"github.com/wtsim/wtsim/wt/baton"
)

// relay passes batons. Unlike other flows it is the application of the whole
// session, which package baton opens, serves and closes; the relay looks on.
type relay struct {
	passive
	flow   *flow
	config *scenario.Baton

	mu      sync.Mutex
	sent    map[passKey]pass // messages on their way
	passes  int64
	arrived int
}

// passKey names a message: a stream carries at most one in each direction.
type passKey struct {
	stream quic.StreamID
	from   string
}

type pass struct {
	seq  int64
	time time.Duration
}

func newRelay(f *flow, c *scenario.Baton) *relay {
	return &relay{flow: f, config: c, sent: make(map[passKey]pass)}
}

func (*relay) bounded() bool     { return true }
func (*relay) initiator() string { return "" } // the server's callbacks start the flow
func (*relay) run(*end)          {}

// relay returns the flow that has the session for itself, nil if there is none.
func (i *instance) relay() *relay {
	if len(i.flows) == 0 {
		return nil
	}
	r, _ := i.flows[0].driver.(*relay)
	return r
}

func (r *relay) url(url string) string {
	query := r.batons("client").Query()
	switch {
	case query == "":
		return url
	case strings.Contains(url, "?"):
		return url + "&" + query
	}
	return url + "?" + query
}

func (r *relay) client() wt.Callbacks { return baton.Client(r.batons("client"), nil) }

func (r *relay) server(s *wt.Session) wt.Callbacks {
	r.flow.record(record.EventFlowStarted, 0, "")
	return baton.Application(r.batons("server"), nil).Callbacks(s)
}

// batons is the configuration of one end.
func (r *relay) batons(side string) baton.Config {
	name := fnv.New64a()
	name.Write([]byte(r.flow.instance.entity))
	return baton.Config{
		Baton:    r.config.Baton,
		Count:    r.config.Count,
		Padding:  int(r.config.Padding),
		Patience: r.config.Patience,
		Rand:     rand.NewPCG(r.flow.scenario.Seed, name.Sum64()),
		Trace:    func(p baton.Pass) { r.passed(side, p) },
	}
}

// passed takes down a message that an end has sent or received. When the last
// baton has arrived the flow is over, before the session is closed for that.
func (r *relay) passed(side string, p baton.Pass) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.flow
	if !p.Received {
		key := passKey{p.StreamID, side}
		if _, answer := r.sent[passKey{p.StreamID, otherSide(side)}]; !answer {
			f.opened(p.StreamID)
		}
		f.record(record.EventMessageSent, r.passes, "")
		r.sent[key] = pass{r.passes, f.now()}
		r.passes++
		return
	}
	sent := r.sent[passKey{p.StreamID, otherSide(side)}]
	f.record(record.EventMessageGot, sent.seq, "")
	f.sample(record.SeriesOneWayDelay, f.now()-sent.time)
	f.meter.add(quicvarint.Len(uint64(r.config.Padding))+int(r.config.Padding)+1, f.now())
	if p.Baton == 0 {
		if r.arrived++; r.arrived == r.config.Count {
			f.finish()
		}
	}
}

func otherSide(side string) string {
	if side == "client" {
		return "server"
	}
	return "client"
}

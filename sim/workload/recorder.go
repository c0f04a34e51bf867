package workload

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go/qlogwriter"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
)

// sampleInterval is the virtual time that passes at least between two recorded
// values of one quantity, which bounds what a run records of it. A value that
// stands for longer than that is recorded as of when it came up.
const sampleInterval = 10 * time.Millisecond

// recorder puts the time on what is recorded and keeps it until the next rest.
// Encoding and writing would disturb the applications: what the runtime decides
// at random would depend on what is recorded.
type recorder struct {
	world *sim.World
	to    Recorder

	busy    atomic.Int64 // qlog events since the last rest
	mu      sync.Mutex
	events  []record.Event
	samples []record.Sample
	logged  []logged
}

// logged is an event for a qlog file.
type logged struct {
	log   *qlogFile
	at    time.Time // virtual
	event qlogwriter.Event
}

// What happens while the run is being ended is not recorded: it is not part of
// the run.

func (r *recorder) event(e record.Event) {
	if r.world.Over() {
		return
	}
	e.Time = r.world.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// maxAtOnce is more qlog events than programs that come to rest make before they
// do. Beyond it the run would never end, and what is kept would take all memory.
const maxAtOnce = 1 << 17

// happened counts a qlog event of one end of a connection.
func (r *recorder) happened(end string, e qlogwriter.Event) {
	if r.busy.Add(1) == maxAtOnce {
		panic(fmt.Sprintf("workload: at %s more than %d qlog events without a rest, the last of them %s of %s: quic-go does not come to rest, as if it waited for a time that is over",
			r.world.Now(), maxAtOnce, e.Name(), end))
	}
}

func (r *recorder) sample(s record.Sample) {
	if r.world.Over() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, s)
}

func (r *recorder) log(to *qlogFile, e qlogwriter.Event) {
	if r.world.Over() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logged = append(r.logged, logged{to, time.Now(), e})
}

// flush writes what was recorded since the last rest.
func (r *recorder) flush() {
	r.busy.Store(0)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		r.to.Event(e)
	}
	for _, s := range r.samples {
		r.to.Sample(s)
	}
	for _, l := range r.logged {
		l.log.write(l.at, l.event)
	}
	clear(r.logged)
	r.events, r.samples, r.logged = r.events[:0], r.samples[:0], r.logged[:0]
}

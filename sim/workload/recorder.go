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
	world    *sim.World
	to       Recorder
	realTime bool

	busy  atomic.Int64 // qlog events since the last rest
	mu    sync.Mutex
	kept  kept
	lost  uint64 // for want of room
	spare kept   // of the last flush, for reuse
}

// kept is what was recorded since the last rest.
type kept struct {
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
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full() {
		return
	}
	e.Time = r.world.Now() // so that events are in the order of their times
	r.kept.events = append(r.kept.events, e)
}

// maxAtOnce is more qlog events than programs that come to rest make before they
// do. Beyond it the run would never end, and what is kept would take all memory. In
// real time nothing rests, and what is kept has a bound of its own.
const maxAtOnce = 1 << 17

// maxKept is how much is kept in real time, where writing it may take long.
const maxKept = 1 << 20

// happened counts a qlog event of one end of a connection.
func (r *recorder) happened(end string, e qlogwriter.Event) {
	if !r.realTime && r.busy.Add(1) == maxAtOnce {
		panic(fmt.Sprintf("workload: at %s more than %d qlog events without a rest, the last of them %s of %s: quic-go does not come to rest, as if it waited for a time that is over",
			r.world.Now(), maxAtOnce, e.Name(), end))
	}
}

// Unrecorded returns how many events and samples were not recorded, because the
// recorder took too long for them, as a disk may in real time.
func (w *Workload) Unrecorded() uint64 {
	w.recorder.mu.Lock()
	defer w.recorder.mu.Unlock()
	return w.recorder.lost
}

// full counts, with the lock held, what there is no room for, and reports whether
// there is none.
func (r *recorder) full() bool {
	if !r.realTime || len(r.kept.events)+len(r.kept.samples)+len(r.kept.logged) < maxKept {
		return false
	}
	r.lost++
	return true
}

func (r *recorder) sample(s record.Sample) {
	if r.world.Over() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full() {
		return
	}
	r.kept.samples = append(r.kept.samples, s)
}

func (r *recorder) log(to *qlogFile, e qlogwriter.Event) {
	if r.world.Over() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full() {
		return
	}
	r.kept.logged = append(r.kept.logged, logged{to, time.Now(), e})
}

// flush writes what was recorded since the last rest. In real time others go on
// recording meanwhile.
func (r *recorder) flush() {
	r.busy.Store(0)
	r.mu.Lock()
	taken := r.kept
	r.kept, r.spare = r.spare, kept{}
	r.mu.Unlock()
	for _, e := range taken.events {
		r.to.Event(e)
	}
	for _, s := range taken.samples {
		r.to.Sample(s)
	}
	for _, l := range taken.logged {
		l.log.write(l.at, l.event)
	}
	clear(taken.logged)
	r.spare = kept{taken.events[:0], taken.samples[:0], taken.logged[:0]}
}

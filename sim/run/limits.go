package run

import (
	"fmt"
	"sync"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/seal"
)

// Limits bounds what a run may take. The zero value bounds nothing.
type Limits struct {
	Wall   time.Duration `json:"wall_ns,omitempty"`      // wall-clock time
	Memory netem.Bytes   `json:"memory_bytes,omitempty"` // resident memory of its process, where the system tells it
}

// mostIdle is how much CPU time a worker may use without news. It tells them a few
// hundred times in a run, so that one which is silent for so long goes round in
// circles within one instant of virtual time.
var mostIdle = 5 * time.Minute

// watchInterval is how often a worker is looked at.
const watchInterval = 100 * time.Millisecond

// usage is what a process has used.
type usage struct {
	cpu    time.Duration
	memory netem.Bytes // resident now
}

// watch looks after a worker, and kills it if it takes more than it may.
type watch struct {
	worker *seal.Process
	limits Limits

	stop    chan struct{}
	stopped sync.WaitGroup

	mu      sync.Mutex
	latest  Progress
	cpu     time.Duration // of the worker, when last looked at
	newsAt  time.Duration // its CPU time at the last news
	verdict error         // why it was killed
}

func startWatch(worker *seal.Process, limits Limits) *watch {
	w := &watch{worker: worker, limits: limits, stop: make(chan struct{})}
	w.stopped.Go(w.look)
	return w
}

// news takes the worker's progress.
func (w *watch) news(p Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latest, w.newsAt = p, w.cpu
}

// end stops the watch, and returns why it killed the worker, if it did.
func (w *watch) end() error {
	close(w.stop)
	w.stopped.Wait()
	return w.verdict
}

func (w *watch) look() {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	var late <-chan time.Time
	if w.limits.Wall > 0 {
		late = time.After(w.limits.Wall)
	}
	for {
		select {
		case <-w.stop:
			return
		case <-late:
			w.kill(Limit, "it was stopped after %v of wall-clock time, its limit", w.limits.Wall)
			return
		case <-tick.C:
		}
		used, err := processUsage(w.worker.Pid())
		if err != nil {
			continue // it has ended, or the system does not tell
		}
		w.mu.Lock()
		w.cpu = used.cpu
		silent := used.cpu - w.newsAt
		w.mu.Unlock()
		switch {
		case w.limits.Memory > 0 && used.memory > w.limits.Memory:
			w.kill(Limit, "it was stopped when its memory exceeded %v, its limit", w.limits.Memory)
			return
		case silent > mostIdle:
			w.kill(Stalled, "it used %v of CPU time without any progress in virtual time, and was stopped: something is busy for ever within one instant", mostIdle)
			return
		}
	}
}

// kill ends the worker for a reason.
func (w *watch) kill(kind Kind, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := fmt.Sprintf("; %v of virtual time had passed", w.latest.Virtual)
	if limit := w.latest.Limit; limit > 0 {
		at += fmt.Sprintf(" of %v", limit)
	}
	w.verdict = fail(kind, "%s%s", fmt.Sprintf(format, args...), at)
	w.worker.Kill()
}

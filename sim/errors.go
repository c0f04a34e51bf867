package sim

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// Waiting is a task that had not returned when its run was ended.
type Waiting struct {
	Task  string        // host and name
	Since time.Duration // when the task was started
	State string        // what its goroutine does, such as "chan receive" or "sleep"
	In    string        // the innermost function outside the standard library
}

// String says who waits for what.
func (w Waiting) String() string {
	return fmt.Sprintf("%s waits in %s (%s), started at %s", w.Task, path.Base(w.In), w.State, w.Since)
}

// TimeLimitError says that a run reached its time limit.
type TimeLimitError struct {
	Limit   time.Duration
	Waiting []Waiting
}

// Error implements error.
func (e *TimeLimitError) Error() string {
	return fmt.Sprintf("the run reached its time limit of %s with %s", e.Limit, list(e.Waiting))
}

// StalledError says that a run could make no progress: nothing was on its way
// through the network, nothing was scheduled, and no task slept.
type StalledError struct {
	At      time.Duration // when the network was last active
	Waiting []Waiting
}

// Error implements error.
func (e *StalledError) Error() string {
	return fmt.Sprintf("no progress since %s of virtual time: nothing is in flight and nothing is scheduled, with %s", e.At, list(e.Waiting))
}

// LivelockError says that a run went on without time passing.
type LivelockError struct {
	At      time.Duration
	Waiting []Waiting
}

// Error implements error.
func (e *LivelockError) Error() string {
	return fmt.Sprintf("time stands still at %s of virtual time: %d steps in one instant, with %s", e.At, maxStepsPerInstant, list(e.Waiting))
}

func list(waiting []Waiting) string {
	const most = 10
	var b strings.Builder
	fmt.Fprintf(&b, "%d tasks unfinished", len(waiting))
	if len(waiting) == 1 {
		b.Reset()
		b.WriteString("1 task unfinished")
	}
	for i, w := range waiting {
		if i == most {
			fmt.Fprintf(&b, "\n  and %d more", len(waiting)-most)
			break
		}
		b.WriteString("\n  " + w.String())
	}
	return b.String()
}

// silence is how long nothing must happen after the end of a run to say that
// nothing could. All timers of QUIC expire within it.
const silence = time.Hour

// unfinished returns the error of a run that did not end by itself.
func (k *kernel) unfinished(o outcome, waiting []Waiting) error {
	limit := k.now
	switch {
	case o == stuck:
		return &LivelockError{At: limit, Waiting: waiting}
	case k.activity < limit && len(k.events) == 0 && k.network.Idle() && k.staysSilent(silence):
		return &StalledError{At: k.activity, Waiting: waiting}
	}
	return &TimeLimitError{Limit: limit, Waiting: waiting}
}

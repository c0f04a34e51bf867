package analysis

import (
	"fmt"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// failureCounter counts failures in each window.
type failureCounter struct{ sessions, flows []int64 }

func newFailureCounter(windows int) failureCounter {
	return failureCounter{make([]int64, windows), make([]int64, windows)}
}

func (c *failureCounter) event(windows []span, e record.Event) {
	var counts []int64
	switch e.Kind {
	case record.EventSessionFailed:
		counts = c.sessions
	case record.EventFlowFailed:
		counts = c.flows
	}
	for i := range counts {
		if windows[i].has(e.Time) {
			counts[i]++
		}
	}
}

// metrics adds the counts of window i.
func (c *failureCounter) metrics(m *Metrics, i int) {
	m.put(runSessionsFailed, ofRun, float64(c.sessions[i]))
	m.put(runFlowsFailed, ofRun, float64(c.flows[i]))
}

// Failure is a session that was not established, or a flow that ended before
// it was complete.
type Failure struct {
	Entity string        // the session or flow
	At     time.Duration // when it failed
	Why    string
}

// Failures returns the failures of a run in order of time, at most the given
// number, and how many there were.
func Failures(rec *record.Recording, most int) ([]Failure, int, error) {
	var list []Failure
	count := 0
	for e, err := range rec.Events() {
		if err != nil {
			return nil, 0, fmt.Errorf("analysis: %w", err)
		}
		if e.Kind != record.EventSessionFailed && e.Kind != record.EventFlowFailed {
			continue
		}
		if count++; count <= most {
			list = append(list, Failure{Entity: e.Entity, At: e.Time, Why: e.Text})
		}
	}
	return list, count, nil
}

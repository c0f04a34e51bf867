package analysis

import (
	"fmt"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

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

package analysis_test

import (
	"slices"
	"testing"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

func TestFailuresAreListedInOrderAndCounted(t *testing.T) {
	rec := made{events: []record.Event{
		{Time: 1 * ms, Kind: record.EventSessionFailed, Entity: "sessions.a", Text: "refused"},
		{Time: 2 * ms, Kind: record.EventFlowFinished, Entity: "flows.x"},
		{Time: 3 * ms, Kind: record.EventFlowFailed, Entity: "flows.y", Text: "reset"},
		{Time: 4 * ms, Kind: record.EventFlowFailed, Entity: "flows.z", Text: "lost"},
	}}.recording(t)
	list, count, err := analysis.Failures(rec, 2)
	want := []analysis.Failure{{"sessions.a", 1 * ms, "refused"}, {"flows.y", 3 * ms, "reset"}}
	if err != nil || count != 3 || !slices.Equal(list, want) {
		t.Errorf("failures %v of %d, error %v", list, count, err)
	}
	if list, count, err := analysis.Failures(made{}.recording(t), 2); list != nil || count != 0 || err != nil {
		t.Errorf("a run without events has failures %v of %d, error %v", list, count, err)
	}
}

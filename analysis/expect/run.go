package expect

import (
	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// Run is what a run achieved in the windows that its scenario's expectations are
// about.
type Run struct {
	Seed  uint64
	Whole analysis.Metrics // of the whole run

	parts map[analysis.Window]part
}

// part is what a run achieved in a window.
type part struct {
	metrics analysis.Metrics
	misfit  error // why the run has no such window
}

// Measure computes the metrics of a run as a whole and in the windows of its
// expectations. It reads the recording once, as a stream.
func Measure(rec *record.Recording) (Run, error) {
	run := Run{Seed: rec.Run.Seed, parts: map[analysis.Window]part{}}
	_, verdicts, err := prepare(&rec.Run)
	if err != nil {
		return run, err
	}
	windows := []analysis.Window{{}}
	for _, v := range verdicts {
		if _, known := run.parts[v.Window]; known || v.Window == (analysis.Window{}) {
			continue
		}
		misfit := v.Window.Check(rec.Run.Virtual)
		run.parts[v.Window] = part{misfit: misfit}
		if misfit == nil {
			windows = append(windows, v.Window)
		}
	}
	all, err := analysis.ComputeWindows(rec, windows...)
	if err != nil {
		return run, err
	}
	run.Whole = all[0]
	for i, w := range windows {
		run.parts[w] = part{metrics: all[i]}
	}
	return run, nil
}

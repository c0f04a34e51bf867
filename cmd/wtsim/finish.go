package main

import (
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
)

// outcome is a run with what was made of its recording.
type outcome struct {
	*run.Result
	findings
	Outputs  []string         // paths of all files
	Verdicts []expect.Verdict // on the scenario's expectations, if it is judged alone
}

// findings is what the analysis makes of a recording.
type findings struct {
	Metrics  analysis.Metrics
	Judged   expect.Run         // for the scenario's expectations
	Failures []analysis.Failure // the first mostFailures
	Failed   int                // how many failures there were
	Graphs   []graph            // if they were wanted
}

// mostFailures bounds the failures that a summary lists.
const mostFailures = 10

// finish analyses a recording and adds the metrics to it, as metrics.json. It
// draws the figures and the graphs that are wanted.
func finish(dir string, figures, graphs bool) (f findings, err error) {
	recording, err := record.Open(dir)
	if err != nil {
		return f, err
	}
	if f.Judged, err = expect.Measure(recording); err != nil {
		return f, err
	}
	f.Metrics = f.Judged.Whole
	if f.Failures, f.Failed, err = analysis.Failures(recording, mostFailures); err != nil {
		return f, err
	}
	if err := analysis.WriteMetrics(dir, recording.Run.Fingerprint, f.Metrics); err != nil {
		return f, err
	}
	if !figures && !graphs {
		return f, nil
	}
	data, err := analysis.Load(recording)
	if err != nil {
		return f, err
	}
	if graphs {
		f.Graphs = overview(data)
	}
	if !figures {
		return f, nil
	}
	shown, err := figure.FromData(recording, data)
	if err != nil {
		return f, err
	}
	_, err = figure.Save(figure.All(shown), filepath.Join(dir, "figures"), figure.TwoColumns, figure.SVG, figure.PNG, figure.CSV)
	return f, err
}

// outputs returns the paths of the files in a folder, in order.
func outputs(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	slices.Sort(paths)
	return paths, err
}

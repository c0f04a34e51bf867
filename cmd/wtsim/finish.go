package main

import (
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
)

// outcome is a run with what was made of its recording.
type outcome struct {
	*run.Result
	findings
	Outputs      []string // paths of all files
	Expectations int      // of the scenario
}

// findings is what the analysis makes of a recording.
type findings struct {
	Metrics  analysis.Metrics
	Failures []analysis.Failure // the first mostFailures
	Failed   int                // how many failures there were
}

// mostFailures bounds the failures that a summary lists.
const mostFailures = 10

// finish analyses a recording and adds the metrics to it, as metrics.json, and
// its figures if wanted.
func finish(dir string, figures bool) (f findings, err error) {
	recording, err := record.Open(dir)
	if err != nil {
		return f, err
	}
	if f.Metrics, err = analysis.Compute(recording); err != nil {
		return f, err
	}
	if f.Failures, f.Failed, err = analysis.Failures(recording, mostFailures); err != nil {
		return f, err
	}
	if err := analysis.WriteMetrics(dir, f.Metrics); err != nil {
		return f, err
	}
	if figures {
		_, err = figure.WriteAll(recording, filepath.Join(dir, "figures"))
	}
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

package main

import (
	"encoding/json"
	"io/fs"
	"os"
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
	Metrics analysis.Metrics
	Outputs []string // paths of all files
}

// finish computes the metrics of a recording and adds them to it, as
// metrics.json, and its figures if wanted.
func finish(dir string, figures bool) (analysis.Metrics, error) {
	recording, err := record.Open(dir)
	if err != nil {
		return nil, err
	}
	metrics, err := analysis.Compute(recording)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(metrics, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "metrics.json"), append(text, '\n'), 0o666); err != nil {
		return nil, err
	}
	if figures {
		_, err = figure.WriteAll(recording, filepath.Join(dir, "figures"))
	}
	return metrics, err
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

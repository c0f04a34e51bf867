// Package seeds puts together what runs achieved that differ in nothing but
// their seeds, and compares two such sets of runs.
package seeds

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/internal/nearest"
	"github.com/wtsim/wtsim/sim/record"
)

// Set is runs of one scenario with one set of overrides.
type Set struct {
	Name      string          // of the scenario
	Overrides []string        // "path=value", in the order given
	Manner    record.Manner   // how the runs came about
	Runs      []Run           // in order of their seeds, of which no two are equal
	Versions  record.Versions // what made the runs

	scenario map[string]string // as resolved, by path
	inputs   []record.Input
}

// Run is what one run achieved.
type Run struct {
	Dir         string // of the recording, if it was read from one
	Seed        uint64
	Fingerprint string // of all its packets
	Metrics     analysis.Metrics
}

const runFile = "run.json"

// Read reads the folder of a recording, or one whose folders are recordings
// that differ in their seeds, such as results/runs/NAME/OVERRIDES. Of each
// recording it needs run.json and metrics.json. It refuses recordings that
// differ in more than their seeds, such as those that are left of an earlier
// state of the scenario. Folders whose names start with
// a dot are left out: they hold unfinished recordings.
func Read(dir string) (Set, error) {
	if _, err := os.Stat(dir); err != nil {
		return Set{}, unreadable(dir, err)
	}
	folders, sets, err := recordings(dir)
	if err != nil {
		return Set{}, err
	}
	if len(sets) > 0 {
		return Set{}, fmt.Errorf("%s holds no recordings, but folders of them; expected one of %s", dir, strings.Join(sets, ", "))
	}
	var set Set
	bySeed := map[uint64]string{}
	for i, folder := range folders {
		info, err := record.ReadRun(folder)
		if err != nil {
			return Set{}, err
		}
		scenario, err := resolved(info)
		if err != nil {
			return Set{}, fmt.Errorf("%s: %w", folder, err)
		}
		if i == 0 {
			set = Set{Name: info.Name, Overrides: info.Overrides, Manner: info.Manner(), Versions: info.Versions, scenario: scenario, inputs: info.Inputs}
		}
		if what := set.sameBut(info, scenario); what != "" {
			return Set{}, fmt.Errorf("%s and %s differ in more than their seeds: %s; run the scenario again with all seeds, or into another folder", folders[0], folder, what)
		}
		if other, ok := bySeed[info.Seed]; ok {
			return Set{}, fmt.Errorf("%s and %s have the same seed %d", other, folder, info.Seed)
		}
		bySeed[info.Seed] = folder
		metrics, err := analysis.ReadMetrics(folder, info)
		if err != nil {
			return Set{}, err
		}
		set.Runs = append(set.Runs, Run{folder, info.Seed, info.Fingerprint, metrics})
	}
	set.sort()
	return set, nil
}

// sort puts the runs in the order of their seeds.
func (s *Set) sort() {
	slices.SortFunc(s.Runs, func(a, b Run) int { return cmp.Compare(a.Seed, b.Seed) })
}

// recordings returns the folder itself if it is a recording, the recordings in
// it, which must then be all that is in it, or else the folders in it that hold
// recordings.
func recordings(dir string) (folders, sets []string, err error) {
	if isRecording(dir) {
		return []string{dir}, nil, nil
	}
	if folders, err = subfolders(dir); err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(folders, isRecording) {
		return folders, nil, nil
	}
	for _, folder := range folders {
		if inner, err := subfolders(folder); err == nil && slices.ContainsFunc(inner, isRecording) {
			sets = append(sets, folder)
		}
	}
	if len(sets) == 0 {
		return nil, nil, fmt.Errorf("%s is neither a recording nor a folder of recordings: it has no %s, nor has a folder in it", dir, runFile)
	}
	return nil, sets, nil
}

func subfolders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			folders = append(folders, filepath.Join(dir, e.Name()))
		}
	}
	return folders, nil
}

// unreadable says why a folder cannot be read, and which one may have been meant.
func unreadable(dir string, err error) error {
	if near := nearest.Folder(dir); near != "" && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no recordings at %s; did you mean %s?", dir, near)
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err // the message names the folder
	}
	return fmt.Errorf("no recordings at %s: %w", dir, err)
}

func isRecording(dir string) bool { return exists(filepath.Join(dir, runFile)) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Describe returns the scenario and the overrides in words.
func (s Set) Describe() string { return describe(s.Name, s.Overrides) }

func describe(name string, overrides []string) string {
	if len(overrides) == 0 {
		return name
	}
	return name + " with " + strings.Join(overrides, ", ")
}

// Metric is a metric over the seeds that have it.
type Metric struct {
	Name string `json:"metric"`
	Unit string `json:"unit"`
	stat.Summary
}

// Summarize describes the metrics that are selected in
// the order of the first run that has them. A metric that some runs do not have,
// such as the completion time of a flow that did not complete, rests on those
// that have it: its N says how many.
func (s Set) Summarize(o Options) ([]Metric, error) {
	o = o.withDefaults()
	columns := s.columns(o.Select)
	metrics := make([]Metric, len(columns))
	for i, c := range columns {
		summary, err := stat.Summarize(c.values, o.Confidence, o.Method)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		metrics[i] = Metric{c.name, c.unit, summary}
	}
	return metrics, nil
}

// column is a metric of several runs.
type column struct {
	name, unit string
	seeds      []uint64
	values     []float64
}

// columns returns the metrics that are selected, in the order of the first run
// that has them.
func (s Set) columns(selected func(analysis.Metric) bool) []*column {
	var order []*column
	byName := map[string]*column{}
	for _, run := range s.Runs {
		for _, m := range run.Metrics {
			if selected != nil && !selected(m) {
				continue
			}
			c := byName[m.Name]
			if c == nil {
				c = &column{name: m.Name, unit: m.Unit}
				byName[m.Name] = c
				order = append(order, c)
			}
			c.seeds = append(c.seeds, run.Seed)
			c.values = append(c.values, m.Value)
		}
	}
	return order
}

package sweep

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/sim/record"
)

// Confidence is that of the intervals of means over seeds.
const Confidence = 0.95

// Summary is how far a study is and what its runs achieved.
type Summary struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Axes  []Axis `json:"axes"`
	Seeds int    `json:"seeds"` // of each cell

	Done     int         `json:"done"`
	Failed   int         `json:"failed"`
	Missing  int         `json:"missing"`
	Failures []FailedRun `json:"failures,omitempty"` // at most [MostFailures]

	Metrics      []Quantity    `json:"metrics"`                // of the means, in order
	LeftOut      []string      `json:"left_out,omitempty"`     // further metrics by which a change is judged
	Unmatched    []string      `json:"unmatched,omitempty"`    // metrics of the study that no run has
	Cells        []CellSummary `json:"cells"`                  // in the order of the study
	Correlations []Correlation `json:"correlations,omitempty"` // of each metric with each axis of quantities

	Versions  []record.Versions `json:"versions"`           // that made the runs, each once
	Unsealed  int               `json:"unsealed,omitempty"` // runs of processes that were not sealed
	Unended   int               `json:"unended,omitempty"`  // runs that did not end with every task finished
	Virtual   time.Duration     `json:"virtual_ns"`         // of all runs together
	Wall      time.Duration     `json:"wall_ns"`            // of all runs, one after the other
	Datagrams uint64            `json:"datagrams"`          // of all runs
}

// FailedRun is a run that ended in an error, or whose result cannot be read.
type FailedRun struct {
	Cell    int      `json:"cell"`
	Seed    uint64   `json:"seed"`
	Values  []string `json:"values"` // of the axes
	Why     string   `json:"why"`
	Command string   `json:"command"` // that repeats it alone
}

// MostFailures bounds the failures of a [Summary]; the table of runs has all.
const MostFailures = 50

// Quantity is a metric of a [Summary].
type Quantity struct {
	Name   string `json:"name"`
	Entity string `json:"entity,omitempty"`
	Unit   string `json:"unit"`
}

// CellSummary is what the runs of a cell achieved.
type CellSummary struct {
	Cell   int             `json:"cell"`
	Values []string        `json:"values"` // of the axes
	Done   int             `json:"done"`   // runs that have a result
	Means  []stat.Estimate `json:"means"`  // of each metric over the seeds that have it; n is 0 if none has
}

// Correlation says how a metric goes along with an axis: Spearman's rank correlation of
// the cells' means, from −1 to 1.
type Correlation struct {
	Metric string  `json:"metric"`
	Axis   string  `json:"axis"`
	Value  float64 `json:"value"`
	Cells  int     `json:"cells"`
}

// Summarize reads the results that there are.
func (s *Store) Summarize(ctx context.Context) (*Summary, error) {
	c := newCollector(s.Study)
	if err := s.visit(ctx, c.add); err != nil {
		return nil, err
	}
	return c.summary()
}

// collector takes what a summary and figures need from one run after the other.
type collector struct {
	study      *Study
	out        Summary
	done       []int // of each cell
	candidates candidates
	chosen     []*candidate // once all runs are seen
}

func newCollector(study *Study) *collector {
	return &collector{
		study: study, done: make([]int, len(study.Cells)),
		out:        Summary{Name: study.Name, Path: study.Path, Axes: study.Axes, Seeds: len(study.Seeds)},
		candidates: newCandidates(study),
	}
}

func (c *collector) add(v visited) error {
	switch v.state {
	case missing:
		c.out.Missing++
	case failed:
		c.out.Failed++
	}
	if v.why != "" && len(c.out.Failures) < MostFailures {
		c.out.Failures = append(c.out.Failures, FailedRun{Cell: v.Cell, Seed: v.Seed, Values: c.study.Cells[v.Cell].Values, Why: v.why, Command: c.study.Command(v.Run)})
	}
	if v.state != done {
		return nil
	}
	info := v.result.Info
	c.out.Done++
	c.done[v.Cell]++
	c.out.Virtual += info.Virtual
	c.out.Wall += info.Wall
	c.out.Datagrams += info.Datagrams
	if !slices.Contains(c.out.Versions, info.Versions) {
		c.out.Versions = append(c.out.Versions, info.Versions)
	}
	if info.Determinism != record.Sealed {
		c.out.Unsealed++
	}
	if info.Ended != record.Complete {
		c.out.Unended++
	}
	return c.candidates.add(v.Cell*len(c.study.Seeds)+v.place, v.result.Metrics)
}

func (c *collector) summary() (*Summary, error) {
	out := &c.out
	c.chosen, out.LeftOut, out.Unmatched = c.candidates.choose()
	for _, m := range c.chosen {
		out.Metrics = append(out.Metrics, m.quantity)
	}
	for i, cell := range c.study.Cells {
		row := CellSummary{Cell: i, Values: cell.Values, Done: c.done[i], Means: make([]stat.Estimate, len(c.chosen))}
		for k, m := range c.chosen {
			values := slices.DeleteFunc(slices.Clone(m.of(i, len(c.study.Seeds))), math.IsNaN)
			if len(values) == 0 {
				continue
			}
			var err error
			if row.Means[k], err = stat.Mean(values, Confidence); err != nil {
				return nil, err
			}
		}
		out.Cells = append(out.Cells, row)
	}
	out.Correlations = correlations(out)
	return out, nil
}

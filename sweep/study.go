package sweep

import "github.com/wtsim/wtsim/sim/run"

// Study is what is to be run: each cell with each seed.
type Study struct {
	Name      string   `json:"name"`                // the scenario's name
	Path      string   `json:"path"`                // the scenario's file, for messages and for the files that it names
	Source    []byte   `json:"source"`              // the scenario's text
	Overrides []string `json:"overrides,omitempty"` // "path=value", of every cell, in order
	Axes      []Axis   `json:"axes"`                // what varies
	Cells     []Cell   `json:"cells"`               // in the order of the report
	Seeds     []uint64 `json:"seeds"`               // of every cell
	Metrics   []string `json:"metrics,omitempty"`   // what the figures show, in order; empty: what a change is judged by

	Limits run.Limits `json:"limits"` // of a single run
}

// Axis is a key of the scenario that differs from cell to cell.
type Axis struct {
	Path   string   `json:"path"`          // as overrides name it, such as "links.access.rate"
	Values []string `json:"values"`        // the different ones, as overrides write them, in the order of first use
	Log    bool     `json:"log,omitempty"` // steps are factors, and so are those of figures
}

// Cell is one variant of the scenario.
type Cell struct {
	Values []string `json:"values"` // of each axis
	// Digest is the SHA-256 of the scenario as resolved without its seed, and of the
	// files that it names, in hexadecimal digits.
	Digest string `json:"digest"`
}

// Run is one of a study's runs.
type Run struct {
	Cell int    // index of its cell
	Seed uint64 // one of the study's
}

// Runs returns how many runs the study has.
func (s *Study) Runs() int { return len(s.Cells) * len(s.Seeds) }

// Run returns the run with an index from 0. Those with the first seed come first: of a
// study that is stopped half way each cell has been run.
func (s *Study) Run(i int) Run {
	return Run{Cell: i % len(s.Cells), Seed: s.Seeds[i/len(s.Cells)]}
}

// Of returns the overrides of a cell: those of the study, then its own.
func (s *Study) Of(cell int) []string {
	all := append([]string(nil), s.Overrides...)
	for i, value := range s.Cells[cell].Values {
		all = append(all, s.Axes[i].Path+"="+value)
	}
	return all
}

// All returns all runs.
func (s *Study) All() []Run {
	runs := make([]Run, s.Runs())
	for i := range runs {
		runs[i] = s.Run(i)
	}
	return runs
}

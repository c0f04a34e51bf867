package expect

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// stored is a run as JSON. The window of the whole run is the zero one.
type stored struct {
	Seed    uint64       `json:"seed"`
	Windows []storedPart `json:"windows"`
}

type storedPart struct {
	Window  analysis.Window `json:"window"`
	Metrics json.RawMessage `json:"metrics"`
	Misfit  string          `json:"misfit,omitempty"`
}

// MarshalJSON writes the run for [Restore].
func (r Run) MarshalJSON() ([]byte, error) {
	s := stored{Seed: r.Seed}
	add := func(w analysis.Window, p part) error {
		text, err := json.Marshal(p.metrics)
		misfit := ""
		if p.misfit != nil {
			misfit = p.misfit.Error()
		}
		s.Windows = append(s.Windows, storedPart{w, text, misfit})
		return err
	}
	if err := add(analysis.Window{}, part{metrics: r.Whole}); err != nil {
		return nil, err
	}
	windows := slices.SortedFunc(maps.Keys(r.parts), func(a, b analysis.Window) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, w := range windows {
		if w == (analysis.Window{}) {
			continue
		}
		if err := add(w, r.parts[w]); err != nil {
			return nil, err
		}
	}
	return json.Marshal(s)
}

// Restore reads what json.Marshal made of a run that info describes.
func Restore(info record.Run, text []byte) (Run, error) {
	var s stored
	if err := json.Unmarshal(text, &s); err != nil {
		return Run{}, err
	}
	r := Run{Seed: s.Seed, parts: make(map[analysis.Window]part)}
	for _, w := range s.Windows {
		metrics, err := analysis.ParseMetrics(w.Metrics, info)
		if err != nil {
			return Run{}, err
		}
		p := part{metrics: metrics}
		if w.Misfit != "" {
			p.misfit = errors.New(w.Misfit)
		}
		r.parts[w.Window] = p
	}
	r.Whole = r.parts[analysis.Window{}].metrics
	return r, nil
}

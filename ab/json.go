package ab

import (
	"encoding/json"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/check"
	"github.com/wtsim/wtsim/sim/record"
)

// MarshalJSON writes the report for programs.
func (r *Report) MarshalJSON() ([]byte, error) {
	type side struct {
		Name     string          `json:"name"`
		Versions record.Versions `json:"versions"`
	}
	type one struct {
		File         string               `json:"file"`
		Suite        string               `json:"suite"`
		Scenario     string               `json:"scenario"`
		Seeds        []uint64             `json:"seeds"`
		Worse        bool                 `json:"worse"`
		Failures     []string             `json:"failures,omitempty"`
		Expectations []Expectation        `json:"expectations_that_differ,omitempty"`
		Comparison   *baseline.Comparison `json:"comparison,omitempty"`
	}
	all := make([]one, len(r.Scenarios))
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		all[i] = one{File: s.Path, Suite: s.Suite, Scenario: s.Name, Seeds: s.Base.Seeds, Worse: s.Worse(),
			Failures: r.Failures(s), Expectations: s.Expectations(), Comparison: s.Comparison}
	}
	return json.Marshal(struct {
		Base        side    `json:"base"`
		Head        side    `json:"head"`
		Tolerance   float64 `json:"tolerance"`
		Totals      Totals  `json:"totals"`
		WallSeconds float64 `json:"wall_seconds"`
		Scenarios   []one   `json:"scenarios"`
	}{
		side{r.Base.Name, versions(r, func(s *Scenario) *check.Scenario { return s.Base })},
		side{r.Head.Name, versions(r, func(s *Scenario) *check.Scenario { return s.Head })},
		r.Tolerance, r.Totals(), r.Wall.Seconds(), all,
	})
}

package check

import "github.com/wtsim/wtsim/analysis/baseline"

// Update is what became of a scenario's baseline.
type Update string

// The updates.
const (
	Written   Update = "written"   // there was none
	Rewritten Update = "rewritten" // it was another
	Kept      Update = "kept"      // it says the same of all runs, and of others maybe
	Refused   Update = "refused"   // the scenario is not as expected
)

// Update writes the baselines of a report's scenarios to a folder, and returns what
// became of each. What does not do as the scenario expects is no baseline. A
// baseline that has all seeds of the runs, with their packets and metrics, is kept as
// it is, so that fewer seeds take nothing from it.
func (r *Report) Update(folder string) ([]Update, error) {
	updates := make([]Update, len(r.Scenarios))
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if !s.Expected() {
			updates[i] = Refused
			continue
		}
		switch {
		case s.before == nil:
			updates[i] = Written
		case s.Baseline.Identical && s.Baseline.Common == len(s.now.Runs):
			updates[i] = Kept
			continue
		default:
			updates[i] = Rewritten
		}
		if err := s.now.Write(baseline.Path(folder, s.Suite, s.Name)); err != nil {
			return nil, err
		}
	}
	return updates, nil
}

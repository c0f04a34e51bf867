package ab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/quantity"
)

// Headline says in a sentence what differs.
func (r *Report) Headline() string {
	t := r.Totals()
	if t.Different == 0 && t.Failed == 0 {
		return fmt.Sprintf("%s makes no real difference to %s in %s", r.Head.Name, r.Base.Name, quantity.Count(t.Scenarios, "scenario"))
	}
	s := fmt.Sprintf("%s differs from %s in %d of %s", r.Head.Name, r.Base.Name, t.Different, quantity.Count(t.Scenarios, "scenario"))
	if t.Failed > 0 {
		s += fmt.Sprintf("; runs failed in %d", t.Failed)
	}
	return s
}

// Totals counts what a report has.
type Totals struct {
	Scenarios int `json:"scenarios"`
	Different int `json:"different"` // with a metric that became worse or better
	Identical int `json:"identical"` // with the same packets
	Failed    int `json:"failed"`    // of which a run failed
	Worse     int `json:"worse"`     // metrics
	Better    int `json:"better"`
	Unsure    int `json:"unsure"`
}

// Totals counts.
func (r *Report) Totals() Totals {
	t := Totals{Scenarios: len(r.Scenarios)}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if fails(s.Base)+fails(s.Head) > 0 {
			t.Failed++
		}
		if s.Comparison == nil {
			continue
		}
		if s.Comparison.Identical {
			t.Identical++
		}
		if len(s.Real()) > 0 {
			t.Different++
		}
		for _, c := range s.Comparison.Changes {
			switch c.Verdict {
			case baseline.Worse:
				t.Worse++
			case baseline.Better:
				t.Better++
			case baseline.Unsure:
				t.Unsure++
			}
		}
	}
	return t
}

// String counts in words.
func (t Totals) String() string {
	return fmt.Sprintf("%s, %d identical, %d with a real difference; metrics: %d worse, %d better, %d unsure",
		quantity.Count(t.Scenarios, "scenario"), t.Identical, t.Different, t.Worse, t.Better, t.Unsure)
}

// Outcome says in a few words what came of the scenario.
func (s *Scenario) Outcome() string {
	var parts []string
	if s.Comparison != nil {
		parts = append(parts, s.Comparison.String())
	}
	if n := fails(s.Base); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d runs of the base failed", n, len(s.Base.Runs)))
	}
	if n := fails(s.Head); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d runs of the head failed", n, len(s.Head.Runs)))
	}
	return strings.Join(parts, "; ")
}

// Notes says what there is to say of a scenario besides its metrics: runs that failed,
// metrics of one side alone, and expectations that came out differently.
func (r *Report) Notes(s *Scenario) []string {
	notes := r.Failures(s)
	if c := s.Comparison; c != nil && c.Common == 0 {
		notes = append(notes, "no seed ended well on both sides")
	} else if c != nil {
		for _, name := range c.Missing {
			notes = append(notes, fmt.Sprintf("only %s has %s", r.Base.Name, name))
		}
		for _, name := range c.New {
			notes = append(notes, fmt.Sprintf("only %s has %s", r.Head.Name, name))
		}
	}
	for _, e := range s.Expectations() {
		notes = append(notes, fmt.Sprintf("expected %s: %s → %s", e.What, e.Base, e.Head))
	}
	return notes
}

// Shown returns the metrics of a scenario that a report lists: what became worse or
// better, or all.
func (s *Scenario) Shown(all bool) []baseline.Change {
	if !all || s.Comparison == nil {
		return s.Real()
	}
	return slices.Concat(s.Comparison.Changes, s.Comparison.Same)
}

func seedsOf(s *Scenario) string { return fmt.Sprint(len(s.Base.Seeds)) }

// Interval is the title of the intervals of differences.
var Interval = fmt.Sprintf("%.4g %% interval", 100*baseline.Confidence)

// Note says what the verdicts mean.
func (r *Report) Note() string {
	return fmt.Sprintf("Differences are %s − %s over runs of the same seed. A metric became worse or better if the\ninterval (%.4g %%, for all metrics of a scenario together) says so and it is more than %.4g %%.",
		r.Head.Name, r.Base.Name, 100*baseline.Confidence, 100*r.Tolerance)
}

func wall(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }

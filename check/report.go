package check

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/internal/shell"
	"github.com/wtsim/wtsim/sim/record"
)

// Report is what became of the scenarios.
type Report struct {
	Scenarios []Scenario // in the order in which they were found
	LeftOut   []string   // the paths of scenarios that take long, in a short check
	Short     bool
	Versions  record.Versions // of what was checked
	Wall      time.Duration
}

// Scenario is what became of a scenario.
type Scenario struct {
	Case
	Seeds    []uint64
	Runs     []Outcome        // parallel to Seeds
	Verdicts []expect.Verdict // none if a run failed

	// Baseline compares with the baseline; nil if there is none, or a run failed.
	Baseline *baseline.Comparison

	before *baseline.File // the baseline; nil if there is none
	now    baseline.File  // what the runs that did not fail would be as one
}

// Outcome is what came of a run with one seed.
type Outcome struct {
	Info   record.Run
	Cached bool  // whether it was found in the cache
	Err    error // why there is nothing else

	judged expect.Run // until the scenario is
}

// Err returns the error of the first run that failed, and its seed.
func (s *Scenario) Err() (uint64, error) {
	for i, r := range s.Runs {
		if r.Err != nil {
			return s.Seeds[i], r.Err
		}
	}
	return 0, nil
}

// Expected reports whether every run ended and every expectation came out as the
// scenario says.
func (s *Scenario) Expected() bool {
	if _, err := s.Err(); err != nil {
		return false
	}
	for _, v := range s.Verdicts {
		if !v.OK() {
			return false
		}
	}
	return true
}

// OK reports whether all is as expected and the baseline has nothing against it.
func (s *Scenario) OK() bool { return s.Expected() && (s.Baseline == nil || s.Baseline.OK()) }

// Command returns the command that repeats the run with a seed.
func (s *Scenario) Command(seed uint64) string {
	command := fmt.Sprintf("wtsim run %s --seed %d", shell.Quote(s.Path), seed)
	for _, o := range s.Overrides {
		command += " --set " + shell.Quote(o)
	}
	return command
}

// CommandFor returns the command that repeats what a verdict is about: one run, or
// those with all seeds.
func (s *Scenario) CommandFor(v expect.Verdict) string {
	if v.OfOne() {
		return s.Command(v.Seed)
	}
	return fmt.Sprintf("%s --seeds %d", s.Command(s.Seeds[0]), len(s.Seeds))
}

// Explain describes a verdict, in several lines: what was expected and measured, and
// the command that repeats it.
func (s *Scenario) Explain(v expect.Verdict) string {
	w := v.Words()
	var b strings.Builder
	fmt.Fprintf(&b, "  %s: %s\n", w.What, w.Status)
	if w.Measured == "" {
		fmt.Fprintf(&b, "    expected %s: %s\n", w.Expected, w.Note)
	} else {
		fmt.Fprintf(&b, "    expected %s, measured %s, margin %s, seed %d", w.Expected, w.Measured, w.Margin, v.Seed)
		if v.N > 1 {
			fmt.Fprintf(&b, " of %d", v.N)
		}
		fmt.Fprintf(&b, "\n    that is %s\n", v.Bounds())
		if w.Note != "" {
			fmt.Fprintf(&b, "    known: %s\n", w.Note)
		}
	}
	fmt.Fprintf(&b, "    %s\n", s.CommandFor(v))
	return b.String()
}

// OK reports whether every scenario is.
func (r *Report) OK() bool { return len(r.Failed()) == 0 }

// Failed returns the scenarios that are not OK.
func (r *Report) Failed() []*Scenario {
	var failed []*Scenario
	for i := range r.Scenarios {
		if s := &r.Scenarios[i]; !s.OK() {
			failed = append(failed, s)
		}
	}
	return failed
}

// Totals counts what a report has.
type Totals struct {
	Scenarios, Failed, LeftOut  int // Failed: scenarios that are not OK
	Runs, Cached, Broken        int // Broken: scenarios of which a run failed
	Expectations                map[expect.Status]int
	Identical, Changed, Without int // by what their baselines say; Without: those without a baseline
}

// Totals counts.
func (r *Report) Totals() Totals {
	t := Totals{Scenarios: len(r.Scenarios), LeftOut: len(r.LeftOut), Failed: len(r.Failed()), Expectations: map[expect.Status]int{}}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for _, o := range s.Runs {
			t.Runs++
			if o.Cached {
				t.Cached++
			}
		}
		if _, err := s.Err(); err != nil {
			t.Broken++
			continue
		}
		for _, v := range s.Verdicts {
			t.Expectations[v.Status]++
		}
		switch b := s.Baseline; {
		case b == nil || b.Absent:
			t.Without++
		case b.Identical:
			t.Identical++
		default:
			t.Changed++
		}
	}
	return t
}

// MarshalJSON writes the report for programs.
func (r *Report) MarshalJSON() ([]byte, error) {
	type one struct {
		File         string               `json:"file"`
		Suite        string               `json:"suite"`
		Scenario     string               `json:"scenario"`
		OK           bool                 `json:"ok"`
		Error        string               `json:"error,omitempty"`
		Seeds        []uint64             `json:"seeds"`
		Fingerprints []string             `json:"fingerprints,omitempty"`
		Expectations []json.RawMessage    `json:"expectations,omitempty"`
		Baseline     *baseline.Comparison `json:"baseline,omitempty"`
	}
	all := make([]one, len(r.Scenarios))
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		all[i] = one{File: s.Path, Suite: s.Suite, Scenario: s.Name, OK: s.OK(), Seeds: s.Seeds, Baseline: s.Baseline}
		if seed, err := s.Err(); err != nil {
			all[i].Error = fmt.Sprintf("seed %d: %v", seed, err)
			continue
		}
		for _, o := range s.Runs {
			all[i].Fingerprints = append(all[i].Fingerprints, o.Info.Fingerprint)
		}
		for _, v := range s.Verdicts {
			text, err := s.encode(v)
			if err != nil {
				return nil, err
			}
			all[i].Expectations = append(all[i].Expectations, text)
		}
	}
	return json.Marshal(struct {
		OK          bool            `json:"ok"`
		Short       bool            `json:"short,omitempty"`
		LeftOut     []string        `json:"left_out,omitempty"`
		Versions    record.Versions `json:"versions"`
		WallSeconds float64         `json:"wall_seconds"`
		Scenarios   []one           `json:"scenarios"`
	}{r.OK(), r.Short, r.LeftOut, r.Versions, r.Wall.Seconds(), all})
}

// encode writes a verdict with the command that repeats it.
func (s *Scenario) encode(v expect.Verdict) (json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	command, err := json.Marshal(s.CommandFor(v))
	if err != nil {
		return nil, err
	}
	return json.RawMessage(strings.TrimSuffix(string(text), "}") + `,"command":` + string(command) + "}"), nil
}

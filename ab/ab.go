package ab

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/check"
	"github.com/wtsim/wtsim/sim/record"
)

// Side is one of the two builds that are compared.
type Side struct {
	Name    string // what it is called, such as "v0.64.0"
	Program string // the file; empty: this program
}

// Options says how scenarios are run. The zero value runs each with as many seeds as
// its expectations ask for, five at least, on all cores.
type Options struct {
	Seeds     int     // with how many seeds; 0: as many as a check takes
	Jobs      int     // runs at once; 0: one for each core
	Tolerance float64 // the share of a metric's value by which it may differ
	Cache     string  // see check.Options
	// Progress, if not nil, returns what hears of the progress of a side's runs.
	Progress func(Side) check.Progress
}

// Report is what two builds achieved.
type Report struct {
	Base, Head Side
	Tolerance  float64
	Scenarios  []Scenario // in the order of the cases
	Wall       time.Duration
}

// Scenario is what two builds achieved in a scenario.
type Scenario struct {
	check.Case
	Base, Head *check.Scenario

	// Comparison compares the runs with seeds with which both builds ended well; nil if one
	// has no run that did.
	Comparison *baseline.Comparison
}

// Run runs scenarios with two builds and compares them. The error says why that could
// not be done; runs that fail are in the report.
func Run(ctx context.Context, cases []check.Case, base, head Side, o Options) (*Report, error) {
	begin := time.Now()
	before, err := o.run(ctx, cases, base)
	if err != nil {
		return nil, err
	}
	after, err := o.run(ctx, cases, head)
	if err != nil {
		return nil, err
	}
	r, err := compare(base, before, head, after, o.Tolerance)
	if err != nil {
		return nil, err
	}
	r.Wall = time.Since(begin)
	return r, nil
}

// run runs the scenarios with one build.
func (o Options) run(ctx context.Context, cases []check.Case, s Side) (*check.Report, error) {
	c := check.Options{Seeds: o.Seeds, Jobs: o.Jobs, Cache: o.Cache, Program: s.Program}
	if o.Progress != nil {
		c.Progress = o.Progress(s)
	}
	return check.Run(ctx, cases, c)
}

// compare compares what two builds achieved in the same scenarios.
func compare(base Side, before *check.Report, head Side, after *check.Report, tolerance float64) (*Report, error) {
	r := &Report{Base: base, Head: head, Tolerance: tolerance}
	for i := range before.Scenarios {
		s := Scenario{Case: before.Scenarios[i].Case, Base: &before.Scenarios[i], Head: &after.Scenarios[i]}
		a, b := s.Base.Achieved(), s.Head.Achieved()
		if len(a.Runs) > 0 && len(b.Runs) > 0 {
			c, err := baseline.Compare(a, b, tolerance)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.Path, err)
			}
			s.Comparison = c
		}
		r.Scenarios = append(r.Scenarios, s)
	}
	return r, nil
}

// ID names the scenario with its suite.
func (s *Scenario) ID() string { return s.Suite + "/" + s.Name }

// Real returns the metrics that became worse or better.
func (s *Scenario) Real() []baseline.Change {
	return s.changes(func(v baseline.Verdict) bool { return v == baseline.Worse || v == baseline.Better })
}

// changes returns the metrics with some verdicts.
func (s *Scenario) changes(wanted func(baseline.Verdict) bool) []baseline.Change {
	if s.Comparison == nil {
		return nil
	}
	var out []baseline.Change
	for _, c := range slices.Concat(s.Comparison.Changes, s.Comparison.Same) {
		if wanted(c.Verdict) {
			out = append(out, c)
		}
	}
	return out
}

// Worse reports whether the head is worse: in a metric, or because runs fail that did
// not, or a metric is no more there.
func (s *Scenario) Worse() bool {
	if fails(s.Head) > fails(s.Base) {
		return true
	}
	return s.Comparison != nil && !s.Comparison.OK()
}

// Worse returns the scenarios in which the head is worse.
func (r *Report) Worse() []*Scenario {
	var all []*Scenario
	for i := range r.Scenarios {
		if r.Scenarios[i].Worse() {
			all = append(all, &r.Scenarios[i])
		}
	}
	return all
}

// fails counts the runs that failed.
func fails(s *check.Scenario) int {
	n := 0
	for _, run := range s.Runs {
		if run.Err != nil {
			n++
		}
	}
	return n
}

// Failures says of each side how many runs of the scenario failed, and the first one's
// reason.
func (r *Report) Failures(s *Scenario) []string {
	var all []string
	for _, side := range []struct {
		name string
		of   *check.Scenario
	}{{r.Base.Name, s.Base}, {r.Head.Name, s.Head}} {
		if seed, err := side.of.Err(); err != nil {
			all = append(all, fmt.Sprintf("%s: %d of %d runs failed; seed %d: %v", side.name, fails(side.of), len(side.of.Runs), seed, err))
		}
	}
	return all
}

// Expectation is one that came out differently.
type Expectation struct {
	What string `json:"expectation"`
	Base string `json:"base"` // such as "passed"
	Head string `json:"head"`
}

// Expectations returns those that came out differently.
func (s *Scenario) Expectations() []Expectation {
	var all []Expectation
	for i := range min(len(s.Base.Verdicts), len(s.Head.Verdicts)) {
		a, b := s.Base.Verdicts[i].Words(), s.Head.Verdicts[i].Words()
		if a.Status != b.Status {
			all = append(all, Expectation{fmt.Sprintf("%s %s", b.What, b.Expected), a.Status + ", " + a.Measured, b.Status + ", " + b.Measured})
		}
	}
	return all
}

// versions returns what a side was built from and ran on, from its first run that ended
// well.
func versions(r *Report, of func(*Scenario) *check.Scenario) record.Versions {
	for i := range r.Scenarios {
		if f := of(&r.Scenarios[i]).Achieved(); len(f.Runs) > 0 {
			return f.Versions
		}
	}
	return record.Versions{}
}

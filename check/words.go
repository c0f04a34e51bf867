package check

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/internal/shell"
)

// headline says in one sentence what came of the check.
func (r *Report) headline() string {
	n := len(r.Scenarios)
	switch failed := len(r.Failed()); {
	case n == 0:
		return "No scenario was checked"
	case failed > 0:
		return fmt.Sprintf("%d of %s failed", failed, quantity.Count(n, "scenario"))
	case n == 1:
		return "The scenario passed"
	}
	return fmt.Sprintf("All %d scenarios passed", n)
}

// judged returns how many expectations there are.
func (t Totals) judged() int {
	n := 0
	for _, k := range t.Expectations {
		n += k
	}
	return n
}

// expectations says how many expectations came out how.
func (t Totals) expectations() string {
	if len(t.Expectations) == 0 {
		return "no expectations"
	}
	return counts(
		counted{t.Expectations[expect.Passed], "passed"},
		counted{t.Expectations[expect.Failed], "failed"},
		counted{t.Expectations[expect.Known], "known to fail"},
		counted{t.Expectations[expect.Gone], "known to fail but passed"})
}

// baselines says how many scenarios are to their baselines how.
func (t Totals) baselines() string {
	if t.Identical+t.Changed == 0 {
		return "none"
	}
	return counts(
		counted{t.Identical, "identical"},
		counted{t.Changed, "changed"},
		counted{t.Without, "without"})
}

// runs says how many runs there were, and how long they took.
func (r *Report) runs(t Totals) string {
	s := quantity.Count(t.Runs, "run") + " in " + wall(r.Wall)
	if t.Cached > 0 {
		s += fmt.Sprintf(", %d of them kept from before", t.Cached)
	}
	return s
}

// result says what came of the scenario, in a word.
func (s *Scenario) result() string {
	_, err := s.Err()
	switch {
	case err != nil:
		return "error"
	case !s.OK():
		return "failed"
	case s.deviates():
		return "known deviation"
	}
	return "passed"
}

// deviates reports whether an expectation is known not to be met.
func (s *Scenario) deviates() bool {
	return slices.ContainsFunc(s.Verdicts, func(v expect.Verdict) bool { return v.Status == expect.Known })
}

// judged says how many of the scenario's expectations came out how.
func (s *Scenario) judged() string {
	t := Totals{Expectations: map[expect.Status]int{}}
	for _, v := range s.Verdicts {
		t.Expectations[v.Status]++
	}
	if _, err := s.Err(); err != nil {
		return "not judged"
	}
	return t.expectations()
}

// compared says how the runs are to the baseline.
func (s *Scenario) compared() string {
	c := s.Baseline
	if c == nil {
		return "none"
	}
	return c.String()
}

// complaints says what is wrong with the runs against the baseline, besides the
// metrics that changed.
func (s *Scenario) complaints() []string {
	c := s.Baseline
	if c == nil {
		return nil
	}
	var out []string
	say := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	if c.Absent {
		return []string{"There is no baseline."}
	}
	say(c.Scenario, "The scenario, or a file that it names, is not that of the baseline.")
	say(c.Common == 0, "The baseline has none of the seeds.")
	say(len(c.Missing) > 0, "Only the baseline has %s.", some(c.Missing))
	say(len(c.New) > 0, "Only the runs have %s.", some(c.New))
	return out
}

// firstLine returns the first line of an error: a panic has many.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// Again returns the command that compares the scenario with its baseline once more.
func (s *Scenario) Again() string {
	return fmt.Sprintf("wtsim check %s --seeds %d", shell.Quote(s.Path), len(s.Seeds))
}

// commands returns the commands that repeat what failed, or else the first run.
func (s *Scenario) commands() []string {
	var all []string
	add := func(command string) {
		if !slices.Contains(all, command) {
			all = append(all, command)
		}
	}
	if seed, err := s.Err(); err != nil {
		add(s.Command(seed))
	}
	for _, v := range s.Verdicts {
		if !v.OK() {
			add(s.CommandFor(v))
		}
	}
	if s.Baseline != nil && !s.Baseline.OK() {
		add(s.Again())
	}
	if len(all) == 0 {
		add(s.Command(s.Seeds[0]))
	}
	return all
}

// notable reports whether there is more to say about the comparison with the
// baseline than that changes are negligible.
func (s *Scenario) notable() bool {
	return len(s.complaints()) > 0 ||
		s.Baseline != nil && slices.ContainsFunc(s.Baseline.Changes, func(c baseline.Change) bool { return c.Verdict != baseline.Negligible })
}

// interval is the title of intervals of differences.
var interval = fmt.Sprintf("%.4g %% interval", 100*baseline.Confidence)

// wall writes how long something took.
func wall(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }

// suite is the scenarios of one folder.
type suite struct {
	Name      string
	Scenarios []*Scenario
	LeftOut   []string // names of files
}

// suites returns the scenarios by their suites, in the order in which they were found.
func (r *Report) suites() []*suite {
	var all []*suite
	find := func(name string) *suite {
		if i := slices.IndexFunc(all, func(s *suite) bool { return s.Name == name }); i >= 0 {
			return all[i]
		}
		all = append(all, &suite{Name: name})
		return all[len(all)-1]
	}
	for i := range r.Scenarios {
		s := find(r.Scenarios[i].Suite)
		s.Scenarios = append(s.Scenarios, &r.Scenarios[i])
	}
	for _, path := range r.LeftOut {
		s := find(suiteOf(path))
		s.LeftOut = append(s.LeftOut, strings.TrimSuffix(filepath.Base(path), ".toml"))
	}
	return all
}

// suiteOf returns the suite of a scenario file.
func suiteOf(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	return filepath.Base(filepath.Dir(path))
}

// versions names the software that was checked.
func (r *Report) versions() string {
	v := r.Versions
	return fmt.Sprintf("wtsim %s, quic-go %s, %s, %s/%s", v.Wtsim, v.QUICGo, v.Go, v.OS, v.Arch)
}

// counted is how many there are of a kind.
type counted struct {
	n    int
	kind string
}

// counts lists the kinds of which there are some.
func counts(all ...counted) string {
	var parts []string
	for _, c := range all {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.kind))
		}
	}
	return strings.Join(parts, ", ")
}

// some lists the first of several names.
func some(names []string) string {
	const most = 5
	s := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

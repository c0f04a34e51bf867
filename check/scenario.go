package check

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/expect"
)

// readBaseline reads the scenario's baseline, if there is one in the folder.
func (s *Scenario) readBaseline(folder string) error {
	if folder == "" {
		return nil
	}
	f, err := baseline.Read(baseline.Path(folder, s.Suite, s.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s.before = &f
	return nil
}

// wantMore adds the seeds of the baseline if the runs differ from it in a way that a
// comparison cannot ignore, and reports whether there are any to add.
func (s *Scenario) wantMore() bool {
	if _, err := s.Err(); err != nil || s.before == nil {
		return false
	}
	same := true
	for i, o := range s.Runs {
		at := slices.IndexFunc(s.before.Runs, func(r baseline.Run) bool { return r.Seed == s.Seeds[i] })
		same = same && at >= 0 && s.before.Runs[at].Fingerprint == o.Info.Fingerprint
	}
	if same {
		return false
	}
	n := len(s.Seeds)
	for _, r := range s.before.Runs {
		if !slices.Contains(s.Seeds, r.Seed) {
			s.Seeds = append(s.Seeds, r.Seed)
		}
	}
	return len(s.Seeds) > n
}

// judge judges the runs, if there are all: against the scenario's expectations, and
// against its baseline.
func (s *Scenario) judge(o Options) error {
	if _, err := s.Err(); err != nil {
		return nil
	}
	runs := make([]expect.Run, len(s.Runs))
	for i, r := range s.Runs {
		runs[i] = r.Judged
	}
	var err error
	if s.Verdicts, err = expect.Judge(&s.Runs[0].Info, runs); err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	if s.before == nil {
		if o.Identical {
			s.Baseline = &baseline.Comparison{Absent: true}
		}
		return nil
	}
	now, err := s.achieved()
	if err != nil {
		return err
	}
	if s.Baseline, err = baseline.Compare(*s.before, now, o.Tolerance); err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	s.Baseline.Strict = o.Identical
	return nil
}

// achieved is what the runs would be as a baseline.
func (s *Scenario) achieved() (baseline.File, error) {
	runs := make([]baseline.Achieved, len(s.Runs))
	for i := range s.Runs {
		o := &s.Runs[i]
		runs[i] = baseline.Achieved{Info: &o.Info, Metrics: o.Judged.Whole}
	}
	f, err := baseline.From(s.Suite, runs)
	if err != nil {
		return f, fmt.Errorf("%s: %w", s.Path, err)
	}
	return f, nil
}

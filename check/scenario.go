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

// settle judges the scenario, whose runs have all ended, unless it takes more of them.
func (s *Scenario) settle(o Options) error {
	if o.Short && o.Seeds == 0 && s.wantMore() {
		return nil
	}
	if err := s.judge(o); err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	return nil
}

// Achieved returns what the runs that did not fail achieved, which may be none.
func (s *Scenario) Achieved() baseline.File { return s.now }

// judge judges the runs, if none failed: against the scenario's expectations, and
// against its baseline. It lets go of their metrics, which many scenarios have many of.
func (s *Scenario) judge(o Options) error {
	var runs []expect.Run
	var achieved []baseline.Achieved
	for i := range s.Runs {
		r := &s.Runs[i]
		if r.Err == nil {
			runs, achieved = append(runs, r.judged), append(achieved, baseline.Achieved{Info: &r.Info, Metrics: r.judged.Whole})
		}
		r.judged = expect.Run{}
	}
	var err error
	if len(achieved) > 0 {
		if s.now, err = baseline.From(s.Suite, achieved); err != nil {
			return err
		}
	}
	if _, failed := s.Err(); failed != nil {
		return nil
	}
	if s.Verdicts, err = expect.Judge(&s.Runs[0].Info, runs); err != nil {
		return err
	}
	if s.before == nil {
		if o.Identical {
			s.Baseline = &baseline.Comparison{Absent: true}
		}
		return nil
	}
	if s.Baseline, err = baseline.Compare(*s.before, s.now, o.Tolerance); err != nil {
		return err
	}
	s.Baseline.Strict = o.Identical
	return nil
}

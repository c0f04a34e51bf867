package ab

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/wtsim/wtsim/analysis/baseline"
)

// Step is a version that a bisection looked at.
type Step struct {
	Version string
	Err     error                      // why it cannot be tried, such as that it does not compile
	Changes map[string]baseline.Change // what became of the metric, by "suite/scenario metric"; nil with an error
}

// Changed reports whether the version differs really from the base.
func (s Step) Changed() bool {
	for _, v := range s.Changes {
		if v.Verdict == baseline.Worse || v.Verdict == baseline.Better {
			return true
		}
	}
	return false
}

// Bisection is where a metric changed.
type Bisection struct {
	Steps       []Step
	Last, First string   // the last version that is as the base, and the first that is not
	Skipped     []string // versions between these, which cannot be tried
}

// Bisect finds where a difference from the first of several versions, in order, came
// about: between two neighbours of which one is as the first version and one is not. Try
// says what a version is like; of one that cannot be tried it returns a step with an
// error, and its neighbour is tried instead. It hears of each step. The last version must
// differ from the first, and if the difference came and went, one of the places is found.
func Bisect(ctx context.Context, versions []string, try func(context.Context, string) (Step, error), say func(Step)) (*Bisection, error) {
	if len(versions) < 2 {
		return nil, fmt.Errorf("there are %d versions; expected two at least", len(versions))
	}
	b := &Bisection{}
	look := func(version string) (Step, error) {
		step, err := try(ctx, version)
		if err != nil {
			return step, err
		}
		b.Steps = append(b.Steps, step)
		if say != nil {
			say(step)
		}
		return step, nil
	}
	low, high := 0, len(versions)-1
	last, err := look(versions[high])
	switch {
	case err != nil:
		return nil, err
	case last.Err != nil:
		return nil, last.Err
	case !last.Changed():
		return nil, fmt.Errorf("%s makes no real difference to %s", versions[high], versions[low])
	}
	broken := make(map[int]bool)
	for {
		middle, ok := between(low, high, broken)
		if !ok {
			break
		}
		step, err := look(versions[middle])
		switch {
		case err != nil:
			return nil, err
		case step.Err != nil:
			broken[middle] = true
		case step.Changed():
			high = middle
		default:
			low = middle
		}
	}
	b.Last, b.First, b.Skipped = versions[low], versions[high], slices.Clone(versions[low+1:high])
	return b, nil
}

// between returns what is nearest to the middle between two numbers and not broken.
func between(low, high int, broken map[int]bool) (int, bool) {
	middle := (low + high) / 2
	for off := range high - low {
		for _, i := range []int{middle + off, middle - off} {
			if low < i && i < high && !broken[i] {
				return i, true
			}
		}
	}
	return 0, false
}

// Matching returns what became of the metrics whose names match a pattern as of
// [path.Match], such as "flows.*.goodput", by "suite/scenario metric".
func (r *Report) Matching(pattern string) map[string]baseline.Change {
	all := make(map[string]baseline.Change)
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for _, c := range s.changes(func(baseline.Verdict) bool { return true }) {
			if ok, err := path.Match(pattern, c.Metric); ok && err == nil {
				all[s.ID()+" "+c.Metric] = c
			}
		}
	}
	return all
}

package run

import (
	"context"
	"os"
	"slices"

	"github.com/wtsim/wtsim/internal/scratch"
	"github.com/wtsim/wtsim/sim/record"
)

// Verification is what came of running one request again and again.
type Verification struct {
	Name         string             // the scenario's name
	Seed         uint64             // its seed
	Determinism  record.Determinism // Unsealed if any run was
	Runs         int                // how often it ran
	Fingerprints []string           // the distinct fingerprints, in order of their first run
}

// Reproducible reports whether all runs were the same.
func (v Verification) Reproducible() bool { return len(v.Fingerprints) == 1 }

// Verify runs each request n times without a recording, jobs runs at once, and
// compares fingerprints. The runs of different requests alternate. It calls
// onDone, if not nil, after each run.
func Verify(ctx context.Context, requests []Request, n, jobs int, onDone func()) ([]Verification, error) {
	var all []Request
	for range n {
		for _, r := range requests {
			r.Unwritten = true
			all = append(all, r)
		}
	}
	results, err := Many(ctx, all, jobs, func(_ int, _ Progress, done bool) {
		if done && onDone != nil {
			onDone()
		}
	})
	if err != nil {
		return nil, err
	}
	found := make([]Verification, len(requests))
	for i, result := range results {
		v := &found[i%len(requests)]
		v.Name, v.Seed = result.Name, result.Seed
		if v.Runs == 0 || result.Determinism == record.Unsealed {
			v.Determinism = result.Determinism
		}
		v.Runs++
		if !slices.Contains(v.Fingerprints, result.Fingerprint) {
			v.Fingerprints = append(v.Fingerprints, result.Fingerprint)
		}
	}
	return found, nil
}

// FirstDifference runs a request up to n times, jobs runs at once, with
// recordings that it then removes, and returns the first packet record in which
// two of them differ. It returns false if all were the same.
func FirstDifference(ctx context.Context, r Request, n, jobs int) (record.Difference, bool, error) {
	none := record.Difference{}
	root, err := scratch.Make("", "wtsim-verify-")
	if err != nil {
		return none, false, fail(Input, "cannot record runs to compare them: %w", err)
	}
	defer root.Remove()
	requests := make([]Request, n)
	for i := range requests {
		requests[i] = r
		requests[i].Unwritten, requests[i].Complete = false, nil
		requests[i].Without = []record.Table{record.TableSeries, record.TableEvents}
		if requests[i].Out, err = os.MkdirTemp(root.Path, ""); err != nil {
			return none, false, fail(Input, "cannot record runs to compare them: %w", err)
		}
	}
	results, err := Many(ctx, requests, jobs, nil)
	if err != nil {
		return none, false, err
	}
	first := results[0]
	for _, other := range results[1:] {
		if other.Fingerprint == first.Fingerprint {
			continue
		}
		a, err := record.Open(first.Dir)
		if err != nil {
			return none, false, err
		}
		b, err := record.Open(other.Dir)
		if err != nil {
			return none, false, err
		}
		return record.FirstDifference(a, b)
	}
	return none, false, nil
}

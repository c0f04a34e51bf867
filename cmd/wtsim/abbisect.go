package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/ab"
	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/check"
	"github.com/wtsim/wtsim/internal/variant"
)

// bisectReleases finds which release between two changed a metric.
func (f *abFlags) bisectReleases(ctx context.Context, out io.Writer, cases []check.Case, base, head variant.Spec) error {
	versions, err := f.releases(ctx, base, head)
	if err != nil {
		return err
	}
	first, err := f.build(ctx, variant.Spec{Version: versions[0]})
	if err != nil {
		return err
	}
	try := func(ctx context.Context, version string) (ab.Step, error) {
		step := ab.Step{Version: version}
		side, err := f.build(ctx, variant.Spec{Version: version})
		if failed, ok := errors.AsType[*variant.CompileError](err); ok {
			step.Err = failed
			return step, nil
		}
		if err != nil {
			return step, err
		}
		report, err := f.runBoth(ctx, cases, first, side)
		if err != nil {
			return step, err
		}
		if step.Changes = report.Matching(f.bisect); len(step.Changes) == 0 {
			return step, fmt.Errorf("no metric by which these scenarios are judged matches %s in both %s and %s; see 'wtsim check --json'", f.bisect, versions[0], version)
		}
		return step, nil
	}
	say := func(s ab.Step) {
		if !f.json {
			printStep(out, s)
		}
	}
	if !f.json {
		fmt.Fprintf(out, "%s from %s to %s, %d versions\n", f.bisect, versions[0], versions[len(versions)-1], len(versions))
	}
	b, err := ab.Bisect(ctx, versions, try, say)
	if err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(out).Encode(b)
	}
	if len(b.Skipped) > 0 {
		fmt.Fprintf(out, "between them, not tried as they do not compile: %s\n", strings.Join(b.Skipped, ", "))
	}
	_, err = fmt.Fprintf(out, "%s changed after %s, in %s\n", f.bisect, b.Last, b.First)
	return err
}

// releases returns the released versions from one to another.
func (f *abFlags) releases(ctx context.Context, base, head variant.Spec) ([]string, error) {
	all, err := f.builder.Versions(ctx)
	if err != nil {
		return nil, err
	}
	place := func(flag string, s variant.Spec) (int, error) {
		version, err := f.builder.Of(ctx, s)
		if err != nil {
			return 0, err
		}
		i := slices.Index(all, version)
		if i < 0 {
			return 0, fmt.Errorf("--%s is %s; expected a released version, between which --bisect looks", flag, s)
		}
		return i, nil
	}
	low, err := place("base", base)
	if err != nil {
		return nil, err
	}
	high, err := place("head", head)
	if err != nil {
		return nil, err
	}
	if low >= high {
		return nil, fmt.Errorf("--base is %s and --head is %s; expected an earlier and a later version", all[low], all[high])
	}
	return all[low : high+1], nil
}

// printStep writes what came of a version.
func printStep(out io.Writer, s ab.Step) {
	if s.Err != nil {
		fmt.Fprintf(out, "%s: passed over: %s\n", s.Version, beginning(s.Err.Error(), 4))
		return
	}
	status := "as the base"
	if s.Changed() {
		status = "changed"
	}
	fmt.Fprintf(out, "%s: %s\n", s.Version, status)
	for _, name := range slices.Sorted(maps.Keys(s.Changes)) {
		c := s.Changes[name]
		if c.Verdict == baseline.Same {
			continue
		}
		w := c.Words()
		fmt.Fprintf(out, "    %s: %s → %s, %s: %s\n", name, w.Base, w.Now, w.Relative, c.Verdict)
	}
}

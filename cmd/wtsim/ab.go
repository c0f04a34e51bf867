package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/ab"
	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/check"
	"github.com/wtsim/wtsim/internal/variant"
	"github.com/wtsim/wtsim/sim/scenario"
)

// abFlags are the flags of the command ab.
type abFlags struct {
	ab.Options
	files                                        abFiles
	base, head, source, bisect                   string
	short, cached, all, failOnWorse, json, quiet bool

	builder  *variant.Builder
	progress io.Writer
}

func newAB() *cobra.Command {
	var f abFlags
	cmd := &cobra.Command{
		Use:   "ab PATH...",
		Short: "Compare two versions of quic-go: run scenarios with both, and tell what differs",
		Long: `Ab builds wtsim against two versions of quic-go, runs scenarios, files or all
*.toml below folders, with both, with the same seeds, and prints for each metric by
which a scenario is judged the difference, seed by seed, with its interval, and whether
it is real and beyond the tolerance, as 'wtsim check' decides. Both sides are measured
by this program.

BASE and HEAD are each one of

  v0.65.0             a version of quic-go from the module proxy
  ../quic-go          the folder of a checkout
  my.patch            a unified diff, applied to the version that go.mod names
  v0.65.0+my.patch    the same, applied to another version
  current             the version that go.mod names, the default

The source of wtsim is needed to build it: this folder, or one above it, has to be a
checkout, unless --source names one. It should be that of this program. What was built
is kept, named by all that it is made of: the 20 programs used last, in the cache folder
of the user. The tools go, and for patches git, are needed.
A version against which wtsim does not compile is an error that has the compiler's
message; those before v0.64.0 lack what wtsim uses.
v0.64.0 and v0.64.1 do not tell probes of the MTU from other packets, so they count among
those sent and lost.

--bisect finds which release changed a metric: of the released versions between BASE and
HEAD it tries the one in the middle, and goes on in the half where the metric begins to
differ really from BASE. Versions between these that do not compile are passed over.

Exit status: 0 whatever differs, with --fail-on-worse 1 if anything became worse; 2 if
there is nothing to compare.`,
		Example: `  wtsim ab --head ../quic-go scenarios/quiche
  wtsim ab --head results/ab/cubic.patch scenarios/aqm --seeds 10 --out figures
  wtsim ab --base ../quic-go --head ../quic-go-mine scenarios/deviations --markdown summary.md
  wtsim ab --base v0.64.0 --head v0.65.0 --bisect 'flows.*.goodput' scenarios/deviations/small-datagrams.toml`,
		Args:              arguments(somePaths),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd); err != nil {
				return &usageError{cmd, err}
			}
			return f.run(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.base, "base", variant.Current, "the `quic-go` to compare with")
	flags.StringVar(&f.head, "head", variant.Current, "the `quic-go` that is compared")
	flags.StringVar(&f.source, "source", "", "`folder` of wtsim's source (default: where this folder is in)")
	flags.StringVar(&f.bisect, "bisect", "", "find the release that changed the metrics whose names match a `glob`")
	flags.IntVar(&f.Seeds, "seeds", 0, "run each scenario with `N` seeds (default: as many as its expectations ask for,\nfive at least)")
	flags.IntVar(&f.Jobs, "jobs", 0, "runs at once (default: as many as there are cores)")
	flags.BoolVar(&f.short, "short", false, "leave out long scenarios")
	flags.Float64Var(&f.Tolerance, "tolerance", baseline.DefaultTolerance, "`share` by which a metric may differ")
	flags.BoolVar(&f.cached, "cached", false, "do not run again what was run with the same program, scenario and seed")
	flags.BoolVar(&f.all, "all", false, "show also what did not change, or not surely")
	flags.BoolVar(&f.failOnWorse, "fail-on-worse", false, "exit with status 1 if anything became worse")
	flags.BoolVar(&f.json, "json", false, "print one JSON object, and no progress")
	flags.BoolVar(&f.quiet, "quiet", false, "print no progress")
	f.files.register(cmd)
	cmd.MarkFlagDirname("source")
	return cmd
}

// check finds mistakes in the flags.
func (f *abFlags) check(cmd *cobra.Command) error {
	switch {
	case f.Seeds < 0 || f.Seeds == 0 && cmd.Flags().Changed("seeds"):
		return fmt.Errorf("--seeds is %d; expected at least 1", f.Seeds)
	case f.Jobs < 0:
		return fmt.Errorf("--jobs is %d; expected at least 1", f.Jobs)
	case !(f.Tolerance >= 0 && f.Tolerance < 1):
		return fmt.Errorf("--tolerance is %v; expected a share, from 0 up to 1", f.Tolerance)
	case f.bisect == "" && cmd.Flags().Changed("bisect"):
		return errors.New("--bisect is empty; expected the name of a metric, or a glob")
	case f.bisect != "" && f.files.any(cmd):
		return errors.New("--bisect prints its steps and writes no files")
	case f.bisect != "" && f.failOnWorse:
		return errors.New("--bisect and --fail-on-worse exclude each other")
	}
	if _, err := path.Match(f.bisect, ""); err != nil {
		return fmt.Errorf("--bisect %q: %w", f.bisect, err)
	}
	return f.files.check(cmd)
}

func (f *abFlags) run(cmd *cobra.Command, paths []string) error {
	ctx := cmd.Context()
	err := f.compare(ctx, cmd, paths)
	var failed *checkError
	var mistake *scenario.Error
	var usage *usageError
	if err == nil || ctx.Err() != nil || errors.As(err, &failed) || errors.As(err, &mistake) || errors.As(err, &usage) {
		return err
	}
	return &inputError{err}
}

// compare does what the command does. An error is one of input unless it says otherwise.
func (f *abFlags) compare(ctx context.Context, cmd *cobra.Command, paths []string) error {
	base, err := variant.Parse(f.base)
	if err != nil {
		return fmt.Errorf("--base: %w", err)
	}
	head, err := variant.Parse(f.head)
	if err != nil {
		return fmt.Errorf("--head: %w", err)
	}
	if base == head {
		return &usageError{cmd, fmt.Errorf("--base and --head are both %s; expected two of them", base)}
	}
	cases, err := check.Find(paths...)
	if err != nil {
		return err
	}
	if f.short {
		if cases = slices.DeleteFunc(cases, func(c check.Case) bool { return c.Long }); len(cases) == 0 {
			return errors.New("all of the scenarios are long, which --short leaves out")
		}
	}
	source, err := variant.Source(f.source)
	if err != nil {
		if f.source == "" {
			return fmt.Errorf("%w; --source names one", err)
		}
		return fmt.Errorf("--source: %w", err)
	}
	caches, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("built programs need a folder: %w", err)
	}
	f.builder = &variant.Builder{Source: source, Cache: filepath.Join(caches, "wtsim", "ab")}
	if f.cached {
		f.Cache = filepath.Join(caches, "wtsim", "check")
	}
	f.progress = cmd.ErrOrStderr()
	if f.json || f.quiet {
		f.progress = io.Discard
	}
	if f.bisect != "" {
		return f.bisectReleases(ctx, cmd.OutOrStdout(), cases, base, head)
	}
	a, err := f.build(ctx, base)
	if err != nil {
		return err
	}
	b, err := f.build(ctx, head)
	if err != nil {
		return err
	}
	a.Name, b.Name = variant.Names(base, head)
	report, err := f.runBoth(ctx, cases, a, b)
	if err != nil {
		return err
	}
	return f.show(cmd, report)
}

// build builds a side.
func (f *abFlags) build(ctx context.Context, s variant.Spec) (ab.Side, error) {
	fmt.Fprintf(f.progress, "building wtsim against quic-go %s\n", s)
	program, err := f.builder.Build(ctx, s)
	return ab.Side{Name: s.String(), Program: program}, err
}

// runBoth runs both sides, and shows how far they are.
func (f *abFlags) runBoth(ctx context.Context, cases []check.Case, base, head ab.Side) (*ab.Report, error) {
	var shown *checkProgress
	end := func() {
		if shown != nil {
			shown.end()
		}
	}
	o := f.Options
	o.Progress = func(s ab.Side) check.Progress {
		end()
		fmt.Fprintf(f.progress, "running %s with quic-go %s\n", quantity.Count(len(cases), "scenario"), s.Name)
		shown = &checkProgress{out: f.progress, quiet: f.progress == io.Discard}
		return shown
	}
	report, err := ab.Run(ctx, cases, base, head, o)
	end()
	return report, err
}

// show prints the report and writes the files. Its error says what became worse, if that
// is to fail.
func (f *abFlags) show(cmd *cobra.Command, report *ab.Report) error {
	var err error
	if f.json {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(report)
	} else {
		err = printAB(cmd.OutOrStdout(), report, f.all)
	}
	if unwritten := writeFiles(f.files.files(cmd, f.all), report); err == nil {
		err = unwritten
	}
	if err == nil {
		err = f.files.draw(cmd.Context(), f.progress, report)
	}
	if n := len(report.Worse()); err == nil && f.failOnWorse && n > 0 {
		err = &checkError{fmt.Sprintf("%s is worse in %s", report.Head.Name, quantity.Count(n, "scenario"))}
	}
	return err
}

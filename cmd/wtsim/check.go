package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/check"
	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sim/scenario"
)

// baselinesFolder is where baselines are, below the current folder.
const baselinesFolder = "results/baselines"

// checkFlags are the flags of the command check.
type checkFlags struct {
	check.Options
	files                       checkFiles
	update, cached, json, quiet bool
}

func newCheck() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check PATH...",
		Short: "Run suites of scenarios and tell what they break, and what changed",
		Long: `Check runs scenarios, files or all *.toml below folders, with several seeds
each, and judges them:

- against what they expect, the tables [[expect]]. A deviation that is known to be
  there is no failure; that it is gone is one.
- against the baselines in ` + baselinesFolder + `/SUITE/SCENARIO.json, where SUITE is the
  scenario's folder. If the packets are the same, all is identical. Else each
  metric by which a scenario is judged is compared seed by seed. It became worse, or
  better, only if the confidence interval of the differences says so (99 %, for all
  metrics of the scenario together), and they exceed the tolerance.

Exit status 1 if a run failed, an expectation is not met, or a metric became worse.
Every failure comes with the command that repeats it.

A short check leaves out the scenarios that say that they are long, and runs no
more seeds than the expectations ask for; but where packets differ from the
baseline's, with all of its seeds.

Where all has to stay as it is, --identical makes any difference a failure.

Update writes baselines, of scenarios that do as they expect; what became worse is
then no failure.`,
		Example: `  wtsim check scenarios/laws
  wtsim check --short --cached scenarios
  wtsim check scenarios/aqm/codel.toml --seeds 20
  wtsim check --update scenarios/webtransport`,
		Args:              arguments(somePaths),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.Seeds < 0 || f.Seeds == 0 && cmd.Flags().Changed("seeds"):
				return &usageError{cmd, fmt.Errorf("--seeds is %d; expected at least 1", f.Seeds)}
			case f.Jobs < 0:
				return &usageError{cmd, fmt.Errorf("--jobs is %d; expected at least 1", f.Jobs)}
			case !(f.Tolerance >= 0 && f.Tolerance < 1):
				return &usageError{cmd, fmt.Errorf("--tolerance is %v; expected a share, from 0 up to 1", f.Tolerance)}
			case f.Baselines == "":
				return &usageError{cmd, errors.New("--baselines is empty; expected a folder")}
			case f.update && f.Identical:
				return &usageError{cmd, errors.New("--update writes what --identical compares with; expected one of them")}
			}
			if err := checkFilePaths(f.files.files(cmd)); err != nil {
				return &usageError{cmd, err}
			}
			return f.run(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.Seeds, "seeds", 0, "run each scenario with `N` seeds (default: as many as its expectations ask for,\nfive at least unless --short)")
	flags.IntVar(&f.Jobs, "jobs", 0, "runs at once (default: as many as there are cores)")
	flags.BoolVar(&f.Short, "short", false, "leave out long scenarios, and seeds that nothing needs")
	flags.Float64Var(&f.Tolerance, "tolerance", baseline.DefaultTolerance, "`share` by which a metric may become worse")
	flags.StringVar(&f.Baselines, "baselines", baselinesFolder, "`folder` of baselines")
	flags.BoolVar(&f.Identical, "identical", false, "fail where a baseline is missing or anything differs from it")
	flags.BoolVar(&f.update, "update", false, "write the baselines")
	flags.BoolVar(&f.cached, "cached", false, "do not run again what this program has run with the same scenario and seed")
	flags.BoolVar(&f.json, "json", false, "print one JSON object, and no progress")
	flags.BoolVar(&f.quiet, "quiet", false, "print failures only, and no progress")
	f.files.register(cmd)
	cmd.MarkFlagDirname("baselines")
	return cmd
}

// somePaths checks that there is at least one path.
func somePaths(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("expected at least one scenario file or folder")
	}
	return nil
}

func (f *checkFlags) run(cmd *cobra.Command, paths []string) error {
	cases, err := check.Find(paths...)
	var mistake *scenario.Error
	if err != nil && !errors.As(err, &mistake) {
		err = &inputError{err}
	}
	if err != nil {
		return err
	}
	if f.cached {
		folder, err := os.UserCacheDir()
		if err != nil {
			return &inputError{fmt.Errorf("--cached needs a folder: %w", err)}
		}
		f.Cache = filepath.Join(folder, "wtsim", "check")
	}
	if f.update {
		if err := writable(f.Baselines); err != nil {
			return &inputError{fmt.Errorf("--update cannot write into %s: %w", f.Baselines, err)}
		}
	}
	shown := &checkProgress{out: cmd.ErrOrStderr(), quiet: f.json || f.quiet}
	f.Progress = shown
	report, err := check.Run(cmd.Context(), cases, f.Options)
	shown.end()
	if err != nil {
		if cmd.Context().Err() == nil {
			err = &inputError{err}
		}
		return err
	}
	err = f.show(cmd, report)
	if unwritten := writeFiles(f.files.files(cmd), report); unwritten != nil {
		return unwritten
	}
	return err
}

// writable makes a folder, and finds what would keep files from being written there
// before anything runs.
func writable(folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, ".writable-*")
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// show prints the report, and writes the baselines. Its error says what failed.
func (f *checkFlags) show(cmd *cobra.Command, report *check.Report) error {
	out := cmd.OutOrStdout()
	var updates []check.Update
	if f.update {
		var err error
		if updates, err = report.Update(f.Baselines); err != nil {
			return &inputError{err}
		}
	}
	var err error
	switch {
	case f.json:
		err = json.NewEncoder(out).Encode(report)
	case f.update:
		err = printUpdates(out, report, updates, f.quiet)
	default:
		err = printCheck(out, report, f.quiet)
	}
	if err != nil {
		return err
	}
	refused := 0
	for _, u := range updates {
		if u == check.Refused {
			refused++
		}
	}
	failed := len(report.Failed())
	switch {
	case refused > 0:
		return &checkError{fmt.Sprintf("%s got no baseline: what is not as expected is none", quantity.Count(refused, "scenario"))}
	case !f.update && failed > 0:
		return &checkError{fmt.Sprintf("%s failed", quantity.Count(failed, "scenario"))}
	}
	return nil
}

// checkProgress shows the progress of a check.
type checkProgress struct {
	out   io.Writer
	quiet bool
	*progress
}

func (p *checkProgress) Plan(limits []time.Duration) {
	p.end()
	p.progress = newProgress(p.out, p.quiet, limits)
}

func (p *checkProgress) Report(i int, at run.Progress, done bool) { p.report(i, at, done) }

func (p *checkProgress) end() {
	if p.progress != nil {
		p.progress.end()
	}
}

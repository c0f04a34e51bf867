package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sim/scenario"
	"github.com/wtsim/wtsim/sweep"
)

// sweepsFolder is where results of sweeps are, below the current folder.
const sweepsFolder = "results/sweeps"

// sweepFlags are the flags of the command sweep.
type sweepFlags struct {
	sweep.Options
	taskFlags
	clusterFlags
	set                      []string
	out                      string
	jobs                     int
	json, quiet, bare, plain bool // bare: without figures; plain: print the plan only
}

func newSweep() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep study.toml",
		Short: "Run a scenario in many variants, and draw what follows from what",
		Long: `Sweep runs a scenario in many variants, its cells, with several seeds each, in
processes of their own on all cores. The table [sweep] of the scenario says what
varies, or flags do: --sweep gives a key's values, and several of them make a
grid; lists that are given with --zip go together; --sample draws from ranges.
Ranges are FIRST..LAST:linN, N values at equal distances, FIRST..LAST:logN, at
equal ratios, and FIRST..LAST:stepX.

Results are kept in OUT/<scenario>/ as they come, a file for each run, under a
name that covers all that they depend on: this program, the cell and the seed. The
same command goes on where it was stopped, by Ctrl-C or a crash; a study that has
been extended runs only what is new. A run that failed is reported, with the
command that repeats it, and run again by the next sweep only.

All metrics of all runs are in results.parquet and results.csv, a row for each cell,
seed and metric; runs.csv has a row for each run. Figures show the metrics of
[sweep] or --metric against what varies, with 95 % confidence intervals of the mean
over seeds; report.html has all of it.

On a cluster, --tasks prints in how many tasks the study is divided, --task runs one,
on any machine that shares the folder and has the same program, and --merge collects
the results and says what is missing. --submit slurm submits what is missing as a
job array, with the limits of --wall and --memory, follows it and collects;
interrupted, it leaves the job running. --submit kubernetes prints the manifest of an
indexed job, whose pods have the study's files on the volume, or in the image.

Exit status 1 if runs failed or are missing.`,
		Example: `  wtsim sweep scenarios/studies/buffer-sizing.toml
  wtsim sweep scenarios/quickstart.toml --sweep links.access.rate=5Mbit/s,10Mbit/s,20Mbit/s --seeds 5
  wtsim sweep scenarios/quickstart.toml --sweep links.access.loss.p=0.0001..0.1:log7 --metric flows.bulk.goodput
  wtsim sweep study.toml --dry-run
  wtsim sweep study.toml --submit slurm --parallel 200`,
		Args:              arguments(oneScenario),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.Limits.Wall < 0:
				return &usageError{cmd, fmt.Errorf("--wall is %v; expected a time, or 0 for no limit", f.Limits.Wall)}
			case f.jobs < 0:
				return &usageError{cmd, fmt.Errorf("--jobs is %d; expected at least 1", f.jobs)}
			case f.out == "":
				return &usageError{cmd, errors.New("--out is empty; expected a folder")}
			}
			err := cmp.Or(exclusive(cmd, "submit", "tasks", "task", "merge"), exclusive(cmd, "dry-run", "tasks", "task", "merge"), f.clusterFlags.check(cmd))
			if err != nil {
				return &usageError{cmd, err}
			}
			return f.run(cmd, args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.Grid, "sweep", nil, "`PATH=VALUES`: values of a key, separated by commas, or a range; may be repeated")
	flags.StringArrayVar(&f.Zip, "zip", nil, "`PATH=VALUES`: values that go together with those of the other --zip")
	flags.StringArrayVar(&f.Sample, "sample", nil, "`PATH=RANGE`: FIRST..LAST or FIRST..LAST:log, to draw from")
	flags.IntVar(&f.Samples, "samples", 0, "`number` of cells to draw")
	flags.StringVar(&f.Method, "method", "", "`method` by which they are drawn: random or latin-hypercube (default)")
	flags.Uint64Var(&f.SampleSeed, "sample-seed", 0, "`seed` of the drawing")
	flags.IntVar(&f.Seeds, "seeds", 0, "run each cell with `N` seeds (default: as [sweep] says, or 1)")
	flags.StringArrayVar(&f.Metrics, "metric", nil, "`metric` that figures show; may be repeated")
	flagSet(cmd, &f.set)
	flags.IntVar(&f.jobs, "jobs", 0, "runs at once (default: as many as there are cores)")
	flags.DurationVar(&f.Limits.Wall, "wall", 0, "stop a run after this wall-clock `time`; it counts as failed")
	flags.TextVar(&f.Limits.Memory, "memory", netem.Bytes(0), "stop a run whose process has more memory than this `size`, such as 2GB")
	flags.StringVar(&f.out, "out", sweepsFolder, "`folder` of results")
	flags.BoolVar(&f.Yes, "yes", false, "also run a study of more than 10,000 runs")
	flags.BoolVar(&f.plain, "dry-run", false, "print what would be run, and run nothing")
	flags.BoolVar(&f.bare, "no-figures", false, "draw no figures")
	flags.BoolVar(&f.json, "json", false, "print one JSON object, and no progress")
	flags.BoolVar(&f.quiet, "quiet", false, "print nothing but errors")
	f.taskFlags.register(cmd)
	f.clusterFlags.register(cmd)
	cmd.MarkFlagDirname("out")
	return cmd
}

// exclusive returns an error if more than one of some flags were given.
func exclusive(cmd *cobra.Command, names ...string) error {
	first := ""
	for _, name := range names {
		switch {
		case !cmd.Flags().Changed(name):
		case first != "":
			return fmt.Errorf("--%s and --%s exclude each other", first, name)
		default:
			first = name
		}
	}
	return nil
}

// plan makes the study that the command line asks for, and opens its folder.
func (f *sweepFlags) plan(path string) (*sweep.Study, error) {
	study, err := sweep.Plan(path, f.set, f.Options)
	var mistake *scenario.Error
	if err != nil && !errors.As(err, &mistake) {
		err = &inputError{err}
	}
	return study, err
}

// store opens the folder of a study.
func (f *sweepFlags) store(study *sweep.Study) (*sweep.Store, error) {
	store, err := sweep.Open(filepath.Join(f.out, run.Slug(study.Name)), study)
	if err != nil {
		return nil, &inputError{err}
	}
	return store, nil
}

func (f *sweepFlags) run(cmd *cobra.Command, path string) error {
	study, err := f.plan(path)
	if err != nil {
		return err
	}
	switch {
	case f.submit == kubernetes:
		return f.printManifest(cmd, study, path)
	case f.plain && f.submit == "":
		return f.printPlan(cmd.OutOrStdout(), study)
	case f.count:
		_, err := fmt.Fprintln(cmd.OutOrStdout(), study.Tasks())
		return err
	}
	store, err := f.store(study)
	switch {
	case err != nil:
		return err
	case f.submit == slurm:
		return f.submitSlurm(cmd, store, path)
	case f.merge:
		return f.mergeTasks(cmd, store)
	case cmd.Flags().Changed("task"):
		return f.runTask(cmd, store)
	}
	if _, missing := store.Missing(); missing < study.Runs() && !f.json && !f.quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d of %s %s a result already\n", study.Runs()-missing, quantity.Count(study.Runs(), "run"), hasHave(study.Runs()-missing))
	}
	outcome, err := f.do(cmd, store, study.All())
	if err != nil {
		return err
	}
	if err := f.collect(cmd, store); err != nil {
		return err
	}
	if n := len(outcome.Failed); n > 0 {
		return &checkError{fmt.Sprintf("%s failed", quantity.Count(n, "run"))}
	}
	return nil
}

// do does runs of a study and shows how that goes.
func (f *sweepFlags) do(cmd *cobra.Command, store *sweep.Store, runs []sweep.Run) (sweep.Outcome, error) {
	shown := &sweepProgress{out: cmd.ErrOrStderr(), quiet: f.json || f.quiet}
	outcome, err := store.Do(cmd.Context(), runs, f.jobs, shown)
	shown.end()
	if cmd.Context().Err() != nil {
		kept := outcome.Found + outcome.Done
		return outcome, &interruption{fmt.Sprintf("interrupted; %d of %s %s a result, and the same command goes on with the rest",
			kept, quantity.Count(len(runs), "run"), hasHave(kept))}
	}
	if err != nil {
		return outcome, &inputError{fmt.Errorf("stopped after %s, whose results are kept: %w", quantity.Count(outcome.Done, "run"), err)}
	}
	return outcome, nil
}

func hasHave(n int) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

// collect writes the files of a study, and prints what came of it.
func (f *sweepFlags) collect(cmd *cobra.Command, store *sweep.Store) error {
	summary, files, err := store.Write(cmd.Context(), !f.bare)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch {
	case f.json:
		return encodeSweep(out, summary, files)
	case f.quiet:
		return nil
	}
	if err := printSweep(out, summary); err != nil {
		return err
	}
	what := "the table of all metrics, results.parquet and results.csv"
	if !f.bare {
		what = "the report, report.html, and " + what
	}
	_, err = fmt.Fprintf(out, "\nFiles  %s%c: %s\n", store.Folder(), filepath.Separator, what)
	return err
}

// printPlan writes what a study would run.
func (f *sweepFlags) printPlan(out io.Writer, study *sweep.Study) error {
	if f.json {
		return json.NewEncoder(out).Encode(study)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s with %s each: %s\n\n", study.Name, quantity.Count(len(study.Cells), "cell"),
		quantity.Count(len(study.Seeds), "seed"), quantity.Count(study.Runs(), "run"))
	columns := []string{"cell"}
	for _, a := range study.Axes {
		columns = append(columns, a.Path)
	}
	t := newTable(columns...)
	for i, c := range study.Cells[:min(len(study.Cells), mostRows)] {
		row := []any{i}
		for _, v := range c.Values {
			row = append(row, v)
		}
		t.AppendRow(row)
	}
	fmt.Fprintln(&b, t.Render())
	if more := len(study.Cells) - mostRows; more > 0 {
		fmt.Fprintf(&b, "… and %d more\n", more)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// sweepProgress shows the progress of a sweep, and failures when they happen.
type sweepProgress struct {
	out   io.Writer
	quiet bool
	*progress
}

// Plan implements sweep.Progress. Nothing is known of the runs' virtual times yet.
func (p *sweepProgress) Plan(runs int) {
	p.progress = newProgress(p.out, p.quiet, slices.Repeat([]time.Duration{time.Second}, runs))
}

// Report implements sweep.Progress.
func (p *sweepProgress) Report(i int, at run.Progress, done bool, err error) {
	if err != nil {
		p.failed++
	}
	p.report(i, at, done)
}

func (p *sweepProgress) end() {
	if p.progress != nil {
		p.progress.end()
	}
}

package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/internal/nearest"
	"github.com/wtsim/wtsim/sim/record"
)

// metricsFlags are the flags of the command metrics.
type metricsFlags struct {
	window    analysis.Window
	warmUp    bool // the window begins after it
	globs     []string
	csv, json bool
}

func newMetrics() *cobra.Command {
	var f metricsFlags
	cmd := &cobra.Command{
		Use:   "metrics RUN",
		Short: "Print the metrics of a run, or of a part of it",
		Long: `Metrics computes the metrics of a recording, such as results/runs/NAME/OVERRIDES/SEED,
from its tables, and prints them. For groups of equal sessions it prints those of
the group; --metric also selects those of their members. 'wtsim list metrics' has the definitions.

With --from mser5 the window begins where what all flows deliver together is
steady: MSER-5 (White 1997) cuts off the bins of goodput, as in the throughput
figure, that leave the mean of the others known best, five at a time. What was
cut is printed. A goodput that falls when flows end is not steady: set --to
before that. It is an error if more than half would be cut.

` + windowRules,
		Example: `  wtsim metrics results/runs/quickstart/default/1
  wtsim metrics results/runs/quickstart/default/1 --from 1s --to 5s --metric 'links.*.utilisation'
  wtsim metrics results/runs/two-flows/default/1 --from mser5 --to 30s
  wtsim metrics results/runs/quickstart/default/1 --csv > metrics.csv`,
		Args: arguments(func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("expected one recording, got %d arguments", len(args))
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.csv && f.json {
				return &usageError{cmd, errors.New("--csv and --json exclude each other")}
			}
			if err := checkGlobs(f.globs); err != nil {
				return &usageError{cmd, err}
			}
			return f.print(cmd, args[0])
		},
	}
	flags := cmd.Flags()
	flags.Var((*windowBegin)(&f), "from", "begin of the window, in virtual `time`, or mser5: the end of the warm-up (default: the start of the run)")
	cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions([]string{mser5}, cobra.ShellCompDirectiveNoFileComp))
	flags.DurationVar(&f.window.To, "to", 0, "end of the window, in virtual `time` (default: the end of the run)")
	flags.StringArrayVar(&f.globs, "metric", nil, "print the metrics whose names match a `glob`, such as 'links.*.loss_ratio'; may be repeated")
	flags.BoolVar(&f.csv, "csv", false, "print CSV: metric, value, unit")
	flags.BoolVar(&f.json, "json", false, "print one JSON object, as in metrics.json")
	return cmd
}

// windowRules says what a window means.
const windowRules = `In a window, --from and --to, instants count where from <= t < to, and durations in the
window in which they end; rates and means over time are over what the window and the
life of the flow, connection, traffic or link have in common; levels are those at its end;
loss ratios are of what was sent in it. What only run.json counts has a value for the whole
run alone: the packets that cross traffic sent, and ratios to them.`

// mser5 is the value of --from for the end of the warm-up.
const mser5 = "mser5"

// windowBegin is the value of the flag --from.
type windowBegin metricsFlags

func (b *windowBegin) Set(text string) (err error) {
	if b.warmUp = text == mser5; b.warmUp {
		return nil
	}
	if b.window.From, err = time.ParseDuration(text); err != nil {
		return fmt.Errorf("expected a time, such as 1.5s, or %s: %w", mser5, err)
	}
	return nil
}

func (b *windowBegin) String() string {
	switch {
	case b.warmUp:
		return mser5
	case b.window.From == 0:
		return ""
	}
	return b.window.From.String()
}

func (b *windowBegin) Type() string { return "time" }

// cutWarmUp begins the window after the warm-up, and says so.
func (f *metricsFlags) cutWarmUp(out io.Writer, rec *record.Recording) error {
	w, err := analysis.FindWarmUp(rec, f.window.To)
	if err != nil {
		return err
	}
	if !w.Settled {
		return fmt.Errorf("the goodput is not steady in time: MSER-5 would cut off %s, %d of %d bins of %s, more than half; set --from to a time, or --to to one before flows end",
			w.End, w.Cut, w.Bins, w.Bin)
	}
	f.window.From = w.End
	fmt.Fprintf(out, "The warm-up ends at %s: MSER-5 cuts off %d of %d bins of %s of the flows' goodput.\n", w.End, w.Cut, w.Bins, w.Bin)
	return nil
}

func (f *metricsFlags) print(cmd *cobra.Command, dir string) error {
	out := cmd.OutOrStdout()
	rec, err := record.Open(dir)
	if err != nil {
		return &inputError{err}
	}
	if f.warmUp {
		said := out
		if f.csv || f.json {
			said = cmd.ErrOrStderr()
		}
		if err := f.cutWarmUp(said, rec); err != nil {
			return &inputError{fmt.Errorf("the warm-up of %s: %w", dir, err)}
		}
	}
	selected, err := f.compute(rec)
	if err != nil {
		return &inputError{fmt.Errorf("metrics of %s: %w", dir, err)}
	}
	switch {
	case f.json:
		return json.NewEncoder(out).Encode(selected)
	case f.csv:
		return writeMetricsCSV(out, selected)
	}
	t := newTable("metric", "value")
	for _, m := range selected {
		t.AppendRow(table.Row{m.Name, quantity.Format(m.Name, m.Value, m.Unit)})
	}
	_, err = fmt.Fprintln(out, t.Render())
	return err
}

// compute returns the metrics that were asked for. It refuses a glob that
// matches none.
func (f *metricsFlags) compute(rec *record.Recording) (analysis.Metrics, error) {
	all, err := analysis.ComputeWindows(rec, f.window)
	if err != nil {
		return nil, err
	}
	metrics := all[0]
	for _, glob := range f.globs {
		if slices.ContainsFunc(metrics, matches(glob)) {
			continue
		}
		whole, err := analysis.Compute(rec)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(whole, matches(glob)) {
			return nil, fmt.Errorf("%s has no value %s", glob, f.window)
		}
		return nil, unknownMetric(glob, whole)
	}
	return slices.DeleteFunc(metrics, func(m analysis.Metric) bool {
		if len(f.globs) == 0 {
			return m.Member
		}
		return !matchesAny(f.globs, m)
	}), nil
}

// matches returns whether a metric's name matches a glob.
func matches(glob string) func(analysis.Metric) bool {
	return func(m analysis.Metric) bool {
		ok, err := path.Match(glob, m.Name)
		return ok && err == nil
	}
}

// matchesAny reports whether a metric's name matches one of the globs.
func matchesAny(globs []string, m analysis.Metric) bool {
	return slices.ContainsFunc(globs, func(glob string) bool { return matches(glob)(m) })
}

// checkGlobs finds the first of the values of --metric that is no glob.
func checkGlobs(globs []string) error {
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("--metric %q: %w", glob, err)
		}
	}
	return nil
}

func unknownMetric(glob string, metrics analysis.Metrics) error {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = m.Name
	}
	message := "no metric matches " + strconv.Quote(glob)
	if near := nearest.Word(glob, names); near != "" && !strings.ContainsAny(glob, `*?[\`) {
		return fmt.Errorf("%s; did you mean %q?", message, near)
	}
	return fmt.Errorf("%s; see 'wtsim list metrics'", message)
}

func writeMetricsCSV(out io.Writer, metrics analysis.Metrics) error {
	w := csv.NewWriter(out)
	w.Write([]string{"metric", "value", "unit"}) // a csv.Writer keeps its error
	for _, m := range metrics {
		w.Write([]string{m.Name, strconv.FormatFloat(m.Value, 'g', -1, 64), m.Unit})
	}
	w.Flush()
	return w.Error()
}

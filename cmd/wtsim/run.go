package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sim/scenario"
)

// runFlags are the flags of the command run.
type runFlags struct {
	seed                         uint64
	seeds, jobs                  int
	set, capture, record         []string
	without                      []record.Table
	out                          string
	json, quiet, qlog, csv, bare bool
	plain                        bool // without graphs
	realTime                     bool
	method                       string
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run scenario.toml",
		Short: "Run a scenario, with one seed or many",
		Long: `Run simulates a scenario in a process of its own, writes a recording with
metrics and figures to OUT/<scenario>/<overrides>/<seed>/, and prints what the
run achieved, with a graph of the goodput and one of the RTT; of several seeds,
the mean of each metric with its confidence interval, its quartiles, and of how
many seeds. A recording that is there already is replaced when the new one is
complete. On a terminal graphs are as wide as it is, up to 120 characters, and
in colour, unless NO_COLOR is set.

What the scenario expects of the run, or of its seeds together, is judged and
printed; an expectation that is not met does not change the exit status.

With --real-time nothing is simulated but the network: sessions and flows run by
the wall clock over UDP sockets on loopback, through the same links, as emulate
runs them between other programs. Such runs are at OUT/<scenario>/<overrides>,real-time/<seed>/,
so that compare can show them beside simulated ones; no two of them are the
same, and other programs on the machine make it late, which is measured and
printed. Several seeds run one after the other.

What is recorded does not change the packets of a run, nor its fingerprint.
Without a table the metrics and figures that need it are left out; what links
delivered and dropped is known from run.json, too.

Ctrl-C stops the run, removes what it had written, and exits with status 130.`,
		Example: `  wtsim run scenarios/quickstart.toml
  wtsim run scenarios/quickstart.toml --set links.access.loss.p=0.02 --seed 7
  wtsim run scenarios/quickstart.toml --capture links.access
  wtsim run scenarios/quickstart.toml --seeds 20 --no-figures --json > seeds.json
  wtsim run scenarios/quickstart.toml --seeds 100 --record series,events`,
		Args:              arguments(oneScenario),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.seeds < 1:
				return &usageError{cmd, fmt.Errorf("--seeds is %d; expected at least 1", f.seeds)}
			case f.jobs < 0:
				return &usageError{cmd, fmt.Errorf("--jobs is %d; expected at least 1", f.jobs)}
			case f.method != "student" && f.method != "bootstrap":
				return &usageError{cmd, fmt.Errorf("--method is %q; expected student or bootstrap", f.method)}
			case f.out == "":
				return &usageError{cmd, errors.New("--out is empty; expected a folder")}
			}
			var err error
			if f.without, err = unrecorded(f.record); err != nil {
				return &usageError{cmd, err}
			}
			return f.run(cmd, args[0])
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&f.seed, "seed", 0, "`seed` of the run, or of the first of several (default: the scenario's)")
	flags.IntVar(&f.seeds, "seeds", 1, "run with `N` seeds, one after the other from the first, on all cores")
	flags.IntVar(&f.jobs, "jobs", 0, "runs at once (default: as many as there are cores; one in real time)")
	flagSet(cmd, &f.set)
	flags.StringVar(&f.out, "out", run.DefaultOut, "`folder` of results")
	flags.BoolVar(&f.realTime, "real-time", false, "run in real time, over sockets on loopback, not simulated")
	flags.BoolVar(&f.json, "json", false, "print one JSON object, and no progress")
	flags.BoolVar(&f.quiet, "quiet", false, "print nothing but errors")
	addRecord(cmd, &f.record)
	flags.BoolVar(&f.qlog, "qlog", false, "also write qlog files")
	addCapture(cmd, &f.capture, "the packets at `WHERE` with the keys to decrypt them")
	flags.BoolVar(&f.csv, "csv", false, "also write the tables as CSV")
	flags.BoolVar(&f.bare, "no-figures", false, "draw no figures")
	flags.StringVar(&f.method, "method", "student", "`method` for the confidence intervals over several seeds: student or bootstrap (BCa)")
	cmd.RegisterFlagCompletionFunc("method", cobra.FixedCompletions([]string{"student", "bootstrap"}, cobra.ShellCompDirectiveNoFileComp))
	flags.BoolVar(&f.plain, "no-graph", false, "print no graphs")
	cmd.MarkFlagDirname("out")
	return cmd
}

// addRecord adds the flag --record.
func addRecord(cmd *cobra.Command, tables *[]string) {
	cmd.Flags().StringSliceVar(tables, "record", tableNames(), "`tables` to record: packets, series and events, or none")
	cmd.RegisterFlagCompletionFunc("record", cobra.FixedCompletions(append(tableNames(), "none"), cobra.ShellCompDirectiveNoFileComp))
}

// addCapture adds the flag --capture, which writes what of the packets.
func addCapture(cmd *cobra.Command, where *[]string, what string) {
	cmd.Flags().StringArrayVar(where, "capture", nil, "also write capture.pcapng, "+what+",\nfor Wireshark; WHERE is links.NAME, links.NAME.forward, links.NAME.reverse or\nhosts.NAME; may be repeated: then each has a file, capture-WHERE.pcapng")
	cmd.RegisterFlagCompletionFunc("capture", cobra.NoFileCompletions)
}

func tableNames() []string {
	var names []string
	for _, t := range record.Tables() {
		names = append(names, string(t))
	}
	return names
}

// unrecorded returns the tables that are not among the names.
func unrecorded(names []string) ([]record.Table, error) {
	switch {
	case len(names) == 0:
		return nil, errors.New("--record is empty; expected some of the tables, or none")
	case slices.Equal(names, []string{"none"}):
		names = nil
	}
	for _, name := range names {
		if !slices.Contains(tableNames(), name) {
			return nil, fmt.Errorf("--record has %q; expected some of %s, separated by commas, or none", name, strings.Join(tableNames(), ", "))
		}
	}
	return slices.DeleteFunc(record.Tables(), func(t record.Table) bool { return slices.Contains(names, string(t)) }), nil
}

func (f *runFlags) run(cmd *cobra.Command, path string) error {
	s, err := scenario.Load(path, f.set...)
	if err != nil {
		return err
	}
	if err := expect.Check(string(scenario.Explain(s))); err != nil {
		return &inputError{fmt.Errorf("%s: %w", path, err)}
	}
	if !cmd.Flags().Changed("seed") {
		f.seed = s.Seed
	}
	if f.seed > math.MaxUint64-uint64(f.seeds-1) {
		return &usageError{cmd, fmt.Errorf("there are no %d seeds from %d on", f.seeds, f.seed)}
	}
	found := make([]findings, f.seeds)
	requests := make([]run.Request, f.seeds)
	graphs := f.seeds == 1 && !f.json && !f.quiet && !f.plain
	for i := range requests {
		seed := f.seed + uint64(i)
		requests[i] = run.Request{
			Scenario: path, Overrides: f.set, Seed: &seed, Out: f.out, Without: f.without, QLog: f.qlog, CSV: f.csv, Capture: f.capture, RealTime: f.realTime,
			Complete: func(dir string) (err error) {
				found[i], err = finish(dir, !f.bare, graphs)
				return err
			},
		}
	}
	progress := newProgress(cmd.ErrOrStderr(), f.json || f.quiet, slices.Repeat([]time.Duration{s.TimeLimit}, len(requests)))
	progress.realTime = f.realTime
	jobs := f.jobs
	if jobs == 0 && f.realTime {
		jobs = 1 // others would make it late
	}
	results, err := run.Many(cmd.Context(), requests, jobs, progress.report)
	progress.end()
	if err != nil {
		return err
	}
	outcomes := make([]outcome, len(results))
	for i, r := range results {
		outcomes[i] = outcome{Result: r, findings: found[i]}
		if outcomes[i].Outputs, err = outputs(r.Dir); err != nil {
			return err
		}
	}
	verdicts, err := judge(outcomes)
	if err != nil {
		return err
	}
	if len(outcomes) == 1 {
		outcomes[0].Verdicts = verdicts
	}
	return f.print(cmd.OutOrStdout(), outcomes, verdicts)
}

func (f *runFlags) print(out io.Writer, outcomes []outcome, verdicts []expect.Verdict) error {
	switch {
	case f.json && len(outcomes) == 1:
		return json.NewEncoder(out).Encode(outcomes[0])
	case f.json:
		return encodeSeeds(out, outcomes, verdicts, methods[f.method])
	case f.quiet:
		return nil
	case len(outcomes) == 1:
		return printRun(out, outcomes[0])
	}
	return printSeeds(out, outcomes, verdicts, methods[f.method])
}

// failure is a failure as programs read it.
type failure struct {
	Entity string  `json:"entity"`
	At     float64 `json:"at_seconds"`
	Why    string  `json:"why"`
}

// MarshalJSON writes the run for programs.
func (o outcome) MarshalJSON() ([]byte, error) {
	failures := make([]failure, len(o.Failures))
	for i, f := range o.Failures {
		failures[i] = failure{f.Entity, f.At.Seconds(), f.Why}
	}
	return json.Marshal(struct {
		Scenario       string           `json:"scenario"`
		Seed           uint64           `json:"seed"`
		Overrides      []string         `json:"overrides,omitempty"`
		Fingerprint    string           `json:"fingerprint"`
		Determinism    string           `json:"determinism"`
		Unsealed       string           `json:"unsealed,omitempty"`
		Ended          string           `json:"ended"`
		Unfinished     []string         `json:"unfinished,omitempty"`
		Failed         int              `json:"failed,omitempty"`
		Failures       []failure        `json:"failures,omitempty"`
		VirtualSeconds float64          `json:"virtual_seconds"`
		WallSeconds    float64          `json:"wall_seconds"`
		Datagrams      uint64           `json:"datagrams"`
		Metrics        analysis.Metrics `json:"metrics"`
		Expectations   []expect.Verdict `json:"expectations,omitempty"`
		RealTime       *record.RealTime `json:"real_time,omitempty"`
		Outputs        []string         `json:"outputs"`
	}{
		o.Name, o.Seed, o.Overrides, o.Fingerprint, string(o.Determinism), o.Unsealed, string(o.Ended), o.Unfinished, o.Failed, failures,
		o.Virtual.Seconds(), o.Wall.Seconds(), o.Datagrams, o.Metrics, o.Verdicts, o.RealTime, o.Outputs,
	})
}

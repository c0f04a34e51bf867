package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
)

// verifyFlags are the flags of the command verify.
type verifyFlags struct {
	n, jobs           int
	load, json, quiet bool
	seed              uint64
	set               []string
}

func newVerify() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify scenario.toml...",
		Short: "Check that scenarios give the same packets every time",
		Long: `Verify runs each scenario several times, each time in a fresh process, and
compares the fingerprints of all packets. Where two runs differ, it runs again
with recordings and prints the first packet record that differs. It writes no
results. Exit status 1 if any two runs of a scenario differ.`,
		Example: `  wtsim verify scenarios/quickstart.toml
  wtsim verify -n 100 --jobs 4 --load scenarios/*.toml`,
		Args:              arguments(someScenarios),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.n < 2:
				return &usageError{cmd, fmt.Errorf("-n is %d; expected at least 2 runs to compare", f.n)}
			case f.jobs < 0:
				return &usageError{cmd, errors.New("--jobs is negative; expected at least 1")}
			}
			return f.verify(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&f.n, "runs", "n", 10, "runs of each scenario")
	flags.IntVar(&f.jobs, "jobs", 0, "runs at once (default: as many as there are cores)")
	flags.BoolVar(&f.load, "load", false, "keep every core busy meanwhile")
	flags.Uint64Var(&f.seed, "seed", 0, "`seed` of the runs (default: each scenario's)")
	flagSet(cmd, &f.set)
	flags.BoolVar(&f.json, "json", false, "print a JSON array, and no progress")
	flags.BoolVar(&f.quiet, "quiet", false, "print nothing but differences and errors")
	return cmd
}

func (f *verifyFlags) verify(cmd *cobra.Command, paths []string) error {
	requests := make([]run.Request, len(paths))
	for i, path := range paths {
		requests[i] = run.Request{Scenario: path, Overrides: f.set}
		if cmd.Flags().Changed("seed") {
			requests[i].Seed = &f.seed
		}
	}
	if f.load {
		stop, err := keepBusy()
		if err != nil {
			return err
		}
		defer stop()
	}
	done, total, said := 0, f.n*len(paths), time.Now()
	found, err := run.Verify(cmd.Context(), requests, f.n, f.jobs, func() {
		done++
		if !f.quiet && !f.json && time.Since(said) >= 5*time.Second {
			said = time.Now()
			fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d runs\n", done, total)
		}
	})
	if err != nil {
		return err
	}
	differences := make([]string, len(found))
	var differ []string
	for i, v := range found {
		if v.Reproducible() {
			continue
		}
		differ = append(differ, paths[i])
		if differences[i], err = f.difference(cmd, requests[i]); err != nil {
			return err
		}
	}
	if err := f.print(cmd.OutOrStdout(), paths, found, differences); err != nil {
		return err
	}
	if len(differ) > 0 {
		return &checkError{fmt.Sprintf("runs of %s differ", strings.Join(differ, ", "))}
	}
	return nil
}

// difference describes where two runs of a request differ.
func (f *verifyFlags) difference(cmd *cobra.Command, r run.Request) (string, error) {
	d, differ, err := run.FirstDifference(cmd.Context(), r, f.n, f.jobs)
	if err != nil {
		return "", err
	}
	if !differ {
		return fmt.Sprintf("%d more runs, with recordings, did not differ", f.n), nil
	}
	return d.String(), nil
}

func (f *verifyFlags) print(out io.Writer, paths []string, found []run.Verification, differences []string) error {
	if f.json {
		type object struct {
			File         string             `json:"file"`
			Scenario     string             `json:"scenario"`
			Seed         uint64             `json:"seed"`
			Runs         int                `json:"runs"`
			Determinism  record.Determinism `json:"determinism"`
			Fingerprints []string           `json:"fingerprints"`
			Difference   string             `json:"difference,omitempty"`
		}
		objects := make([]object, len(found))
		for i, v := range found {
			objects[i] = object{paths[i], v.Name, v.Seed, v.Runs, v.Determinism, v.Fingerprints, differences[i]}
		}
		return json.NewEncoder(out).Encode(objects)
	}
	if !f.quiet {
		t := newTable("scenario", "seed", "runs", "determinism", "distinct", "fingerprint")
		for _, v := range found {
			t.AppendRow(table.Row{v.Name, v.Seed, v.Runs, v.Determinism, len(v.Fingerprints), v.Fingerprints[0]})
		}
		if _, err := fmt.Fprintln(out, t.Render()); err != nil {
			return err
		}
	}
	for i, d := range differences {
		if d != "" {
			if _, err := fmt.Fprintf(out, "\n%s: %s\n", paths[i], d); err != nil {
				return err
			}
		}
	}
	return nil
}

// Command sidebyside runs scenarios simulated and in real time, and writes what they
// achieve side by side, with ratios.
//
//	go run ./internal/sidebyside [-o results/real-time.md] [-n 10] [scenario.toml ...]
//
// Runs in real time take as long as they say, one after the other; other programs
// on the machine make them late.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
)

// compared are the scenarios unless others are named.
var compared = []string{"plain", "lossy", "small-queue", "variable-rate", "codel", "teardown"}

func main() {
	if len(os.Args) == 2 && os.Args[1] == run.WorkerArgument {
		os.Exit(run.Worker())
	}
	out := flag.String("o", "results/real-time.md", "`file` to write")
	n := flag.Int("n", 10, "`number` of seeds")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := compare(ctx, *out, flag.Args(), *n); err != nil {
		fmt.Fprintln(os.Stderr, "sidebyside:", err)
		os.Exit(1)
	}
}

// pair is a scenario with its runs, simulated and in real time.
type pair struct {
	path            string
	simulated, real []measured
}

// measured is a run with its metrics.
type measured struct {
	record.Run
	metrics analysis.Metrics
}

func compare(ctx context.Context, out string, paths []string, n int) error {
	if n < 2 {
		return fmt.Errorf("-n is %d; expected at least 2, because one says nothing of chance", n)
	}
	if len(paths) == 0 {
		for _, name := range compared {
			paths = append(paths, filepath.Join("scenarios", "emulate", name+".toml"))
		}
	}
	scratch, err := os.MkdirTemp("", "sidebyside")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	var pairs []pair
	for _, path := range paths {
		p := pair{path: path}
		for seed := range uint64(n) {
			fmt.Fprintf(os.Stderr, "%s, %d of %d\n", path, seed+1, n)
			for _, one := range []struct {
				realTime bool
				runs     *[]measured
			}{{false, &p.simulated}, {true, &p.real}} {
				m, err := measure(ctx, path, seed+1, one.realTime, scratch)
				if err != nil {
					return fmt.Errorf("%s, seed %d: %w", path, seed+1, err)
				}
				*one.runs = append(*one.runs, m)
			}
		}
		pairs = append(pairs, p)
	}
	_, err = wholefile.Write(out, func(w io.Writer) error { return write(w, pairs, n) })
	return err
}

func measure(ctx context.Context, path string, seed uint64, realTime bool, scratch string) (m measured, err error) {
	// The machine comes to rest, so that a run does not begin in the work after another one.
	time.Sleep(200 * time.Millisecond)
	result, err := run.Do(ctx, run.Request{
		Scenario: path, Seed: &seed, RealTime: realTime, Out: scratch,
		Complete: func(dir string) error {
			recording, err := record.Open(dir)
			if err == nil {
				m.metrics, err = analysis.Compute(recording)
			}
			return err
		},
	}, nil)
	if err != nil {
		return m, err
	}
	m.Run = result.Run
	return m, os.RemoveAll(result.Dir)
}

// values returns a metric of runs that have it.
func values(runs []measured, name string) (all []float64, unit string) {
	for _, r := range runs {
		if m, ok := r.metrics.Get(name); ok {
			all, unit = append(all, m.Value), m.Unit
		}
	}
	return all, unit
}

// worst returns the largest of a quantity of runs in real time.
func worst(runs []measured, of func(*record.RealTime) time.Duration) time.Duration {
	var all []time.Duration
	for _, r := range runs {
		all = append(all, of(r.RealTime))
	}
	return slices.Max(all)
}

// Command bench measures package wt and webtransport-go side by side, each
// with both ends in one process and a connection over loopback:
//
//	go run ./bench [-rounds 5] [-flow]
//
// The programs run in turn, so that both see the machine in the same state. For
// each measurement the table has the medians of the rates, and of what a unit
// costs both ends together; and the median of the rounds' ratios, more than 1
// where wt is ahead. Rates depend on what else the machine does, CPU times hardly.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/wtsim/wtsim/interop"
	"github.com/wtsim/wtsim/interop/peer"
)

const ours, theirs = "wt", "webtransport-go"

func main() {
	rounds := flag.Int("rounds", 5, "how often each measurement runs")
	flow := flag.Bool("flow", false, "with flow control of sessions on both sides; webtransport-go has none by default")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, max(1, *rounds), *flow); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, flow bool) error {
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	for _, name := range []string{ours, theirs} {
		if err := interop.Build(ctx, name, filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	names, units := peer.Measurements()
	rows := make([]row, len(names))
	for round := range rounds {
		for k, name := range names {
			fmt.Fprintf(os.Stderr, "\rround %d of %d, %-30s", round+1, rounds, name)
			a, err := measure(ctx, filepath.Join(folder, ours), name, flow)
			if err != nil {
				return fmt.Errorf("%s: %w", ours, err)
			}
			b, err := measure(ctx, filepath.Join(folder, theirs), name, flow)
			if err != nil {
				return fmt.Errorf("%s: %w", theirs, err)
			}
			rows[k].add(a, b)
		}
	}
	fmt.Fprintln(os.Stderr)
	return printTable(os.Stdout, names, units, rows)
}

// figures are the figures of one run: units a second, and what a unit costs.
type figures struct{ rate, cpu, allocations, bytes float64 }

func measure(ctx context.Context, program, name string, flow bool) (figures, error) {
	args := []string{"measure", name}
	if flow {
		args = append(args, "flow")
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return figures{}, err
	}
	var m peer.Measurement
	if err := json.Unmarshal(output, &m); err != nil {
		return figures{}, err
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return figures{
		rate:        m.Units / m.Seconds,
		cpu:         cpu.Seconds() * 1e6 / m.Units,
		allocations: float64(m.Allocations) / m.Units,
		bytes:       float64(m.Bytes) / m.Units,
	}, nil
}

// row collects the figures of one measurement over the rounds.
type row struct{ rate, cpu, allocations, bytes column }

type column struct{ ours, theirs, ahead []float64 }

func (r *row) add(a, b figures) {
	r.rate.add(a.rate, b.rate, a.rate/b.rate)
	r.cpu.add(a.cpu, b.cpu, b.cpu/a.cpu)
	r.allocations.add(a.allocations, b.allocations, b.allocations/a.allocations)
	r.bytes.add(a.bytes, b.bytes, b.bytes/a.bytes)
}

func (c *column) add(ours, theirs, ahead float64) {
	c.ours, c.theirs, c.ahead = append(c.ours, ours), append(c.theirs, theirs), append(c.ahead, ahead)
}

func printTable(w io.Writer, names, units []string, rows []row) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "measurement\tfigure\t%s\t%s\tahead\n", ours, theirs)
	for k, r := range rows {
		for _, c := range []struct {
			figure string
			column
		}{
			{units[k] + " a second", r.rate},
			{"CPU time a unit, µs", r.cpu},
			{"allocations a unit", r.allocations},
			{"bytes allocated a unit", r.bytes},
		} {
			fmt.Fprintf(table, "%s\t%s\t%.4g\t%.4g\t%.2f\n", names[k], c.figure, median(c.ours), median(c.theirs), median(c.ahead))
			names[k] = ""
		}
	}
	return table.Flush()
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[n/2] + values[(n-1)/2]) / 2
}

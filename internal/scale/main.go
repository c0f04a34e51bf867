//go:build linux

// Command scale measures what a simulation costs by the number of its sessions:
// CPU time for each datagram, and memory for each session.
//
//	go run ./internal/scale [-o results] [-sessions 10,100,1000,10000] [-scenario FILE]
//
// It writes scale.md and figures to the folder. Each number of sessions is measured in
// processes of its own: once as a simulation that records nothing, which tells
// its live memory, and once as wtsim run, with the recording and the metrics.
// Times and memory are those that the system reports (getrusage), so that they hold
// for this machine; other programs that run on it make them worse.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/wtsim/wtsim/sim/run"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == run.WorkerArgument {
		os.Exit(run.Worker())
	}
	out := flag.String("o", "results", "`folder` of results")
	list := flag.String("sessions", "10,100,1000,10000", "`numbers` of sessions")
	file := flag.String("scenario", "scenarios/scale/ten-thousand-sessions.toml", "scenario `file`, with hosts.client and sessions.main")
	alone := flag.Int("simulate", 0, "only simulate so `many` sessions, and print what it took")
	flag.Parse()
	if err := start(*out, *file, *list, *alone); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func start(out, file, list string, alone int) error {
	if alone > 0 {
		return simulate(file, alone)
	}
	var counts []int
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > hosts && n%hosts != 0 {
			return fmt.Errorf("-sessions has %q; expected numbers up to %d, and multiples of %d", word, hosts, hosts)
		}
		counts = append(counts, n)
	}
	return measureAll(out, file, counts)
}

// measureAll measures and reports.
func measureAll(out, file string, counts []int) error {
	scratch, err := os.MkdirTemp("", "scale")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	wtsim := filepath.Join(scratch, "wtsim")
	if text, err := exec.Command("go", "build", "-o", wtsim, "github.com/wtsim/wtsim/cmd/wtsim").CombinedOutput(); err != nil {
		return fmt.Errorf("building wtsim: %w\n%s", err, text)
	}
	started, err := startOfWorker(context.Background())
	if err != nil {
		return err
	}
	var rows []row
	for _, n := range counts {
		fmt.Fprintf(os.Stderr, "%d sessions\n", n)
		r, err := measure(wtsim, scratch, file, n)
		if err != nil {
			return fmt.Errorf("%d sessions: %w", n, err)
		}
		rows = append(rows, r)
	}
	return report(out, file, rows, started)
}

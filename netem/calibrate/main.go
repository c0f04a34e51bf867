// Command calibrate compares links of package netem with the Linux kernel.
//
// For each case it joins two network namespaces by a veth pair with queueing
// disciplines of tc(8), runs quic-go over real UDP sockets through them in real
// time, runs the same code in the simulator over the elements that stand for
// those disciplines, and prints goodput, round-trip time and loss side by side.
// It needs Linux, iproute2 (ip, tc), chrt(1) and root, and removes its namespaces in the
// end, also when it is interrupted:
//
//	go build ./netem/calibrate && sudo ./calibrate
//
// Where the kernel lacks a discipline, the script in-uml runs it in User-Mode Linux.
//
// A transfer is one QUIC stream with all data in packets of 1280 bytes, 1322
// for the kernel, which counts the Ethernet header: path MTU discovery is off,
// ECN is on, and so that no super-packet of 64 KB meets a queue of bytes, quic-go
// sends without GSO (QUIC_GO_DISABLE_GSO) and asks for no GRO. Round-trip times
// and losses are those of quic-go's ConnectionStats at the sender, in a window
// that begins two seconds after the handshake. Hosts take no time in the
// simulator, so it adds half of what a datagram and its answer take between two
// bare sockets through the pair, measured at the start, to each direction. Real
// hosts pause when other programs run, and a queue that is shorter than the pause
// runs empty; so both ends have real-time priority (SCHED_FIFO).
//
// The exit status is 0 if all cases ran and agree, 1 if one is outside its
// tolerance, 2 after bad input, 3 if a transfer or a tool failed, 4 if the kernel
// lacks a discipline that some case needs and all others agree, 5 if nothing can be
// measured here (no Linux, no such tools, no right to make namespaces), and 130 when
// interrupted. (go run makes 1 of all but 0.)
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs the command, or a role of it in a namespace, and returns the exit
// status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var status int
	var err error
	if len(args) > 0 && strings.HasPrefix(args[0], rolePrefix) {
		err = play(ctx, args[0], args[1:])
	} else {
		cmd := newCommand(&status)
		cmd.SetArgs(args)
		cmd.SetOut(stdout)
		cmd.SetErr(stderr)
		err = cmd.ExecuteContext(ctx)
	}
	if err == nil {
		return status
	}
	if status = failure(ctx, err); status == statusInterrupted {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(stderr, "calibrate:", err)
	return status
}

// inputError is a mistake in the command line.
type inputError struct{ error }

// failure returns the exit status of an error.
func failure(ctx context.Context, err error) int {
	var input inputError
	var unavailable *unavailableError
	switch {
	case ctx.Err() != nil:
		return statusInterrupted
	case errors.As(err, &input):
		return statusInput
	case errors.As(err, &unavailable):
		return statusUnavailable
	}
	return statusFailed
}

// options are the flags.
type options struct {
	cases    []string
	duration time.Duration
	rounds   int
	json     bool
	output   string
}

// newCommand returns the command, which sets the exit status.
func newCommand(status *int) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "calibrate",
		Short: "Compare links of package netem with the Linux kernel",
		Long: `Compare links of package netem with the Linux kernel: quic-go over real UDP sockets
through two network namespaces with tc qdiscs, in real time, beside the same code in the
simulator. Needs Linux, ip, tc, chrt and root. Cases whose qdiscs the kernel does not have are
skipped and named.

Ratios are wtsim over Linux, of medians, and in brackets over the largest and the least
of Linux's rounds: how much the machine's noise alone makes.

Exit status: 0 all cases ran and agree, 1 a case is outside its tolerance, 2 bad input,
3 a transfer or a tool failed, 4 a case was skipped and all others agree, 5 nothing can be
measured here (no ip, tc or chrt, no right to make namespaces), 130 interrupted.

Cases: ` + strings.Join(caseNames(), ", "),
		Example:       "  calibrate --rounds 5 -o results/calibrate/linux.md\n  calibrate --cases rate-20,queue-5 --duration 5s --rounds 1",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.NoArgs(cmd, args); err != nil {
				return inputError{err}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows, err := calibrate(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
			*status = judge(rows)
			return err
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return inputError{err} })
	flags := cmd.Flags()
	flags.StringSliceVar(&o.cases, "cases", nil, "the cases to run (all)")
	flags.DurationVar(&o.duration, "duration", 10*time.Second, "how long each transfer is measured; six times as long with random loss")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each case runs; medians are compared")
	flags.BoolVar(&o.json, "json", false, "print one JSON object, with every round")
	flags.StringVarP(&o.output, "output", "o", "", "also write the table to this file, in Markdown")
	return cmd
}

// calibrate runs the cases, first all in the kernel, round by round, so that a
// disturbance of the machine does not meet all rounds of a case.
func calibrate(ctx context.Context, o options, stdout, stderr io.Writer) ([]row, error) {
	chosen, err := chooseCases(o.cases)
	switch {
	case err != nil:
		return nil, inputError{err}
	case o.duration < time.Second || o.duration > time.Hour:
		return nil, inputError{errors.New("--duration is not between 1s and 1h")}
	case o.rounds < 1 || o.rounds > 1000:
		return nil, inputError{errors.New("--rounds is not between 1 and 1000")}
	}
	file, err := newFile(o.output)
	if err != nil {
		return nil, inputError{err}
	}
	defer file.discard()

	r := newReport()
	r.Rounds, r.Window = o.rounds, o.duration.Seconds()
	base, err := r.measureLinux(ctx, chosen, o.duration, stderr)
	if err != nil {
		return nil, err
	}
	for i, c := range chosen {
		for seed := range uint64(o.rounds) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			m, err := simulate(c, c.period(o.duration), base, seed+1)
			if err != nil {
				return nil, err
			}
			r.Rows[i].Wtsim = append(r.Rows[i].Wtsim, m)
		}
	}
	if o.json {
		err = json.NewEncoder(stdout).Encode(r)
	} else {
		_, err = io.WriteString(stdout, r.text())
	}
	return r.Rows, cmp.Or(err, file.publish(r.markdown()))
}

// measureLinux fills in what the kernel does, and returns the round-trip time of
// the hosts alone.
func (r *report) measureLinux(ctx context.Context, chosen []testCase, window time.Duration, stderr io.Writer) (base time.Duration, err error) {
	l, err := newLab(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if base, err = l.base(ctx); err != nil {
		return 0, err
	}
	r.HostDelay = base.Seconds()
	for _, c := range chosen {
		missing, err := l.missing(ctx, c)
		if err != nil {
			return 0, err
		}
		line := row{Case: c.Name, Path: c.String(), tolerance: c.Tolerance}
		if len(missing) > 0 {
			line.Skipped = "the kernel has no sch_" + strings.Join(missing, " and no sch_")
			fmt.Fprintf(stderr, "%s is skipped: %s\n", c.Name, line.Skipped)
		}
		r.Rows = append(r.Rows, line)
	}
	for round := range r.Rounds {
		for i, c := range chosen {
			if r.Rows[i].Skipped != "" {
				continue
			}
			m, err := l.real(ctx, c, c.period(window))
			if err != nil {
				return 0, fmt.Errorf("%s in Linux: %w", c.Name, err)
			}
			r.Rows[i].Linux = append(r.Rows[i].Linux, m)
			fmt.Fprintf(stderr, "round %d of %d: %s: %.2f Mbit/s\n", round+1, r.Rounds, c.Name, m.Goodput/1e6)
		}
	}
	return base, nil
}

// file is written under another name until it is complete. The zero value is
// none.
type file struct {
	path string
	temp *os.File
}

func newFile(path string) (*file, error) {
	if path == "" {
		return &file{}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".calibrate-*")
	return &file{path, temp}, err
}

func (f *file) publish(content string) error {
	if f.temp == nil {
		return nil
	}
	_, err := f.temp.WriteString(content)
	err = errors.Join(err, f.temp.Chmod(0o644), f.temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.temp.Name(), f.path)
}

// discard removes what was not published.
func (f *file) discard() {
	if f.temp != nil {
		f.temp.Close()
		os.Remove(f.temp.Name())
	}
}

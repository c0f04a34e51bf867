// Command wtsim runs WebTransport sessions over simulated networks, so that
// the same scenario and seed give the same packets every time.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/internal/scratch"
	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sim/scenario"
)

// The exit statuses.
const (
	statusDone        = 0
	statusFailed      = 1   // a check failed, or a run could not make progress
	statusInput       = 2   // bad input: a scenario, an override, a flag, an unwritable folder
	statusInternal    = 3   // a defect
	statusInterrupted = 130 // SIGINT, SIGTERM or SIGHUP
)

func main() {
	if len(os.Args) == 2 {
		switch os.Args[1] {
		case run.WorkerArgument:
			os.Exit(run.Worker())
		case busyArgument:
			beBusy()
			return
		}
	}
	ctx := untilInterrupted()
	root := newRoot()
	root.SetArgs(os.Args[1:])
	err := root.ExecuteContext(ctx)
	code := status(err)
	if ctx.Err() != nil && err != nil {
		code = statusInterrupted
		if told := new(interruption); !errors.As(err, &told) {
			err = errors.New("interrupted; nothing was kept of the runs that were under way")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "wtsim:", err)
	}
	os.Exit(code)
}

// echoTime is in which one interruption may come several times: timeout(1) sends its signal
// to the program and to the group of processes that this is in.
const echoTime = 200 * time.Millisecond

// untilInterrupted returns a context that ends with the first signal to stop. With
// the second the program ends at once, and leaves nothing half-written.
func untilInterrupted() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // by nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		twice(signals, cancel)
		scratch.RemoveAll()
		fmt.Fprintln(os.Stderr, "wtsim: interrupted twice; ended at once")
		os.Exit(statusInterrupted)
	}()
	return ctx
}

// twice calls once with the first signal, and returns with the second.
func twice(signals <-chan os.Signal, once func()) {
	<-signals
	first := time.Now()
	once()
	for range signals {
		if time.Since(first) >= echoTime {
			return
		}
	}
}

// usageError is a mistake in the command line.
type usageError struct {
	cmd *cobra.Command
	err error
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%v; see '%s --help'", e.err, e.cmd.CommandPath())
}

// interruption is the error of a command that was interrupted, where something was kept.
type interruption struct{ message string }

func (e *interruption) Error() string { return e.message }

// inputError is a mistake in what the program was given to work with: a file, an address.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }
func (e *inputError) Unwrap() error { return e.err }

// checkError says that something is not as it should be, although all went
// well otherwise.
type checkError struct{ message string }

func (e *checkError) Error() string { return e.message }

// status returns the exit status for an error.
func status(err error) int {
	var (
		usage   *usageError
		input   *inputError
		mistake *scenario.Error
		check   *checkError
		failed  *run.Error
	)
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &usage), errors.As(err, &input), errors.As(err, &mistake):
		return statusInput
	case errors.As(err, &check):
		return statusFailed
	case errors.As(err, &failed) && failed.Kind == run.Input:
		return statusInput
	case errors.As(err, &failed) && (failed.Kind == run.Stalled || failed.Kind == run.Limit):
		return statusFailed
	}
	return statusInternal
}

package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Submit gives a job script to sbatch, and returns the identifier of the job.
func Submit(ctx context.Context, script string) (id string, err error) {
	out, err := output(ctx, "sbatch", "--parsable", script)
	if err != nil {
		return "", err
	}
	id, _, _ = strings.Cut(strings.TrimSpace(out), ";") // a name of the cluster may follow
	if _, err := strconv.ParseUint(id, 10, 64); err != nil {
		return "", fmt.Errorf("sbatch printed %q; expected the number of a job", out)
	}
	return id, nil
}

// State is how many tasks of a job Slurm knows of that have not ended.
type State struct {
	Waiting, Running int
	Restarted        int // of these, how many it has started again, as their node failed
}

// Left returns how many tasks have not ended.
func (s State) Left() int { return s.Waiting + s.Running }

// patience is after how many failures of squeue in a row following ends.
const patience = 60

// Follow asks squeue for a job, ever more seldom up to every interval, and reports
// what it says until no task is left. It ends with the error of the context, while the
// job goes on, or of squeue, if that fails for long.
func Follow(ctx context.Context, id string, interval time.Duration, report func(State)) error {
	failed := 0
	for wait := min(interval, 250*time.Millisecond); ; wait = min(interval, wait*3/2) {
		state, err := Queue(ctx, id)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if failed++; failed == patience {
				return err
			}
		default:
			failed = 0
			report(state)
			if state.Left() == 0 {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// Queue returns the state of a job. One that Slurm has forgotten has ended.
func Queue(ctx context.Context, id string) (State, error) {
	out, err := output(ctx, "squeue", "--noheader", "--array", "--jobs="+id, "--Format=ArrayTaskID:12,State:20,RestartCnt:12")
	var failed *commandError
	if errors.As(err, &failed) && strings.Contains(failed.printed, "Invalid job id") {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	return parseQueue(out)
}

// parseQueue reads lines with the index, state and number of restarts of tasks.
func parseQueue(text string) (s State, err error) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) != 3 {
			return s, fmt.Errorf("squeue printed %q; expected the index, state and restarts of a task", strings.TrimSpace(line))
		}
		switch words[1] {
		case "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT", "REVOKED":
			continue // ended, but not forgotten
		case "PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT":
			s.Waiting++
		default:
			s.Running++
		}
		if words[2] != "0" {
			s.Restarted++
		}
	}
	return s, nil
}

// commandError is the failure of a program of Slurm.
type commandError struct {
	name, printed string
	err           error
}

func (e *commandError) Error() string {
	if e.printed == "" {
		return fmt.Sprintf("%s: %v", e.name, e.err)
	}
	return fmt.Sprintf("%s: %s", e.name, e.printed)
}

func (e *commandError) Unwrap() error { return e.err }

func output(ctx context.Context, name string, args ...string) (string, error) {
	var printed, said bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &printed, &said
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%s is not installed here; expected a machine from which Slurm takes jobs", name)
	}
	if err != nil {
		return "", &commandError{name, strings.TrimSpace(said.String()), err}
	}
	return printed.String(), nil
}

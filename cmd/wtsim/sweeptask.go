package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/sweep"
)

// taskVariables are the environment variables in which job arrays tell a task its
// index: of Slurm, of indexed jobs of Kubernetes, and of AWS Batch.
var taskVariables = []string{"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX"}

// taskAuto is the index that stands for the one that the environment tells.
const taskAuto = "auto"

// taskFlags are the flags with which a sweep is done in parts.
type taskFlags struct {
	count, merge bool
	task         string
}

func (f *taskFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.count, "tasks", false, "print in how many tasks the study is divided, and run nothing")
	flags.StringVar(&f.task, "task", "", "run one task: its `index` from 0, or auto, which takes it from the environment\n("+strings.Join(taskVariables, ", ")+")")
	flags.BoolVar(&f.merge, "merge", false, "run nothing, but collect what tasks have left in the folder, and say what is missing")
}

// index returns the index of the task that is asked for.
func (f *taskFlags) index() (int, error) {
	text, source := f.task, "--task"
	if text == taskAuto {
		text = ""
		for _, name := range taskVariables {
			if value := os.Getenv(name); value != "" {
				text, source = value, name
				break
			}
		}
		if text == "" {
			return 0, fmt.Errorf("--task auto found no index; expected one in %s", strings.Join(taskVariables, ", "))
		}
	}
	i, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s is %q; expected the index of a task", source, text)
	}
	return i, nil
}

// runTask does one task of a study. That its results are there already is as good.
func (f *sweepFlags) runTask(cmd *cobra.Command, store *sweep.Store) error {
	i, err := f.index()
	if err != nil {
		return &usageError{cmd, err}
	}
	runs, err := store.Study.Task(i)
	if err != nil {
		return &usageError{cmd, err}
	}
	if f.jobs == 0 {
		f.jobs = 1 // a job array has a task for each core
	}
	outcome, err := f.do(cmd, store, runs)
	if err != nil {
		return err
	}
	for _, failed := range outcome.Failed {
		fmt.Fprintf(cmd.ErrOrStderr(), "%v\n  %s\n", failed.Err, store.Study.Command(failed.Run))
	}
	if n := len(outcome.Failed); n > 0 {
		return &checkError{fmt.Sprintf("%s of task %d failed", quantity.Count(n, "run"), i)}
	}
	if !f.quiet {
		fmt.Fprintf(cmd.OutOrStdout(), "task %d of %d: %s done, %d had results before\n", i, store.Study.Tasks(), quantity.Count(outcome.Done, "run"), outcome.Found)
	}
	return nil
}

// mergeTasks collects what there is of a study, and says what is missing.
func (f *sweepFlags) mergeTasks(cmd *cobra.Command, store *sweep.Store) error {
	tasks, runs := store.Missing()
	if runs == store.Study.Runs() {
		return &inputError{errors.New(store.Folder() + " has no result of this study, made by this program; expected some of its tasks to have run")}
	}
	if err := f.collect(cmd, store); err != nil {
		return err
	}
	if runs == 0 {
		return nil
	}
	return &checkError{fmt.Sprintf("%s of %d %s missing, of these tasks: %s", quantity.Count(runs, "run"), store.Study.Runs(), isAre(runs), sweep.Ranges(tasks))}
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

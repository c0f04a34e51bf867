// Package cluster hands the tasks of a study to the engines of clusters: job arrays of
// Slurm, which it also submits and follows, and indexed jobs of Kubernetes.
package cluster

import (
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Job is an array of tasks, all started by one command that finds its index in the
// environment.
type Job struct {
	Name     string        // of the study
	Command  []string      // the program and its arguments
	Tasks    []int         // the indices, increasing
	Parallel int           // how many of them at once; 0: as many as the cluster lets
	Wall     time.Duration // of the runs of a task together; 0: no limit
	Memory   netem.Bytes   // of a run; 0: no limit
}

// What a task needs besides its runs, which are one after the other in processes of their own.
const (
	taskMemory = 256_000_000 // bytes: the process that starts the runs and computes metrics
	taskTime   = time.Minute // start from a shared folder, planning, computing metrics
)

// memory is how much memory a task may have, in bytes.
func (j *Job) memory() int64 { return int64(j.Memory) + taskMemory }

// wall is how long a task may take.
func (j *Job) wall() time.Duration { return j.Wall + taskTime }

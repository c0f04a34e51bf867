package cluster

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/wtsim/wtsim/internal/shell"
	"github.com/wtsim/wtsim/sweep"
)

// Slurm is a job as an array of Slurm.
type Slurm struct {
	Job
	Directory string   // in which tasks start
	Logs      string   // the folder of what tasks print
	Options   []string // more options of sbatch, such as "--partition=long"
}

// Script returns the job script (sbatch(1)). A task whose node failed is put in the
// queue again by Slurm; no other is.
func (s *Slurm) Script() (string, error) {
	if len(s.Tasks) == 0 {
		return "", errors.New("no task is left to submit")
	}
	array := sweep.Ranges(s.Tasks)
	if s.Parallel > 0 {
		array += fmt.Sprintf("%%%d", s.Parallel)
	}
	options := []string{
		"--job-name=wtsim-" + s.Name,
		"--array=" + array,
		"--chdir=" + s.Directory,
		"--output=" + filepath.Join(strings.ReplaceAll(s.Logs, "%", "%%"), "%A_%a.log"),
		"--open-mode=append",
		"--requeue",
		"--ntasks=1",
		"--cpus-per-task=1",
	}
	if s.Wall > 0 {
		options = append(options, "--time="+slurmTime(s.wall()))
	}
	if s.Memory > 0 {
		options = append(options, fmt.Sprintf("--mem=%dM", (s.memory()+(1<<20)-1)>>20))
	}
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, o := range append(options, s.Options...) {
		if strings.ContainsAny(o, "\n'\"\\") {
			return "", fmt.Errorf("%q cannot be an option in a job script; expected no quotes, backslashes and line ends", o)
		}
		if strings.ContainsAny(o, " \t#") {
			o = `"` + o + `"`
		}
		b.WriteString("#SBATCH " + o + "\n")
	}
	b.WriteString("exec")
	for _, word := range s.Command {
		b.WriteString(" " + shell.Quote(word))
	}
	b.WriteString("\n")
	return b.String(), nil
}

// slurmTime writes a time in whole minutes, rounded up, as days-hours:minutes.
func slurmTime(d time.Duration) string {
	minutes := int((d + time.Minute - 1) / time.Minute)
	return fmt.Sprintf("%d-%02d:%02d", minutes/(24*60), minutes/60%24, minutes%60)
}

package sweep

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// scratchName is how the names of folders for recordings begin; the process and a
// random number follow.
const scratchName = "wtsim-sweep-"

// makeScratch makes a folder for the recordings of runs under way, on this machine's own
// disk, and removes those that processes left which were killed.
func makeScratch() (string, error) {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), scratchName+"*"))
	for _, folder := range left {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(folder), scratchName+"%d-", &pid); err == nil && gone(pid) {
			os.RemoveAll(folder)
		}
	}
	folder, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", scratchName, os.Getpid()))
	if err != nil {
		return "", fmt.Errorf("make a folder for recordings: %w", err)
	}
	return folder, nil
}

// gone reports whether no process of this machine has the number.
func gone(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	defer process.Release()
	err = process.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}

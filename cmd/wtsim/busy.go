package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
)

// busyArgument makes this program keep a core busy for as long as its standard
// input is open.
const busyArgument = "__busy"

// keepBusy starts a process for each core that keeps it busy, and returns what
// ends them. They also end when this process does.
func keepBusy() (stop func(), err error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program to load the machine: %w", err)
	}
	var started []*exec.Cmd
	stop = func() {
		for _, cmd := range started {
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	for range runtime.NumCPU() {
		cmd := exec.Command(executable, busyArgument)
		if _, err = cmd.StdinPipe(); err == nil {
			err = cmd.Start()
		}
		if err != nil {
			stop()
			return nil, fmt.Errorf("loading the machine: %w", err)
		}
		started = append(started, cmd)
	}
	return stop, nil
}

// beBusy keeps a core busy until standard input ends.
func beBusy() {
	go func() {
		for n := uint64(0); ; n++ {
		}
	}()
	io.Copy(io.Discard, os.Stdin)
}

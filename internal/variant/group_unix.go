//go:build unix

package variant

import (
	"os/exec"
	"syscall"
)

// grouped makes a tool and its children a group of their own, that is interrupted as a
// whole: the tool go would else wait for its compilers.
func grouped(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
}

// killGroup ends what is left of the group of a tool that was interrupted.
func killGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}

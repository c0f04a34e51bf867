//go:build !unix

package variant

import "os/exec"

// grouped leaves a tool to be killed: there are no groups and no interrupts here.
func grouped(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}

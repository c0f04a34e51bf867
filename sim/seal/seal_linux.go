//go:build linux && (amd64 || arm64)

package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Supported returns nil if processes can be sealed here, and otherwise the
// reason why not, such as a ptrace that the system refuses. It finds out once,
// with a process that it kills before its first instruction.
func Supported() error { return supported() }

var supported = sync.OnceValue(func() error {
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("no program to try ptrace with: %w", err)
	}
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		result <- probe(exec.Command(executable))
	}()
	return <-result
})

// probe takes cmd to its exec stop, does there all that sealing does, and
// kills it.
func probe(cmd *exec.Cmd) error {
	cmd.SysProcAttr = attributes(nil, true)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("ptrace is refused: %w", err)
	}
	defer cmd.Wait() // its error is that of the kill
	defer cmd.Process.Kill()
	pid := cmd.Process.Pid
	change, err := nextChange(pid)
	if err != nil {
		return err
	}
	if change.exited() {
		return errors.New("ptrace is refused: the traced process did not survive it")
	}
	if err := prepare(pid, 0); err != nil {
		return err
	}
	_, err = syscallInfo(pid)
	return err
}

// start starts the command from a goroutine that keeps its OS thread until the
// process has ended, for two reasons: only the thread that forked may trace
// the child, and the child's parent-death signal comes when that thread ends.
func (p *Process) start(seed uint64, sealed bool) error {
	p.cmd.SysProcAttr = attributes(p.cmd.SysProcAttr, sealed)
	running := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := p.cmd.Start(); err != nil {
			running <- err
			return
		}
		defer close(p.ended)
		t := newTracer(p.cmd.Process.Pid, seed)
		if sealed {
			if err := t.seal(); err != nil {
				p.cmd.Process.Kill()
				t.awaitEnd()
				p.cmd.Wait() // its error is that of the kill
				running <- fmt.Errorf("sealing process %d: %w", t.pid, err)
				return
			}
			p.reason = t.unsealed
		}
		running <- nil
		t.awaitEnd()
	}()
	return <-running
}

// attributes returns a copy of a with what every process of this package has.
// The group of its own also lets waitid tell its threads from those of other
// traced processes.
func attributes(a *syscall.SysProcAttr, traced bool) *syscall.SysProcAttr {
	var b syscall.SysProcAttr
	if a != nil {
		b = *a
	}
	b.Ptrace = traced
	b.Pdeathsig = syscall.SIGKILL
	b.Setpgid, b.Pgid = true, 0
	return &b
}

// prepare seeds the process at its exec stop and asks to be told of its clones
// and system calls. The kernel kills a traced thread, and with it the process,
// when the tracer ends.
func prepare(pid int, seed uint64) error {
	const atRandom = 25 // AT_RANDOM, getauxval(3)
	auxv, err := os.ReadFile(fmt.Sprintf("/proc/%d/auxv", pid))
	if err != nil {
		return fmt.Errorf("finding AT_RANDOM: %w", err)
	}
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if binary.LittleEndian.Uint64(auxv) != atRandom {
			continue
		}
		address := uintptr(binary.LittleEndian.Uint64(auxv[8:]))
		if _, err := syscall.PtracePokeData(pid, address, randomBytes(seed)); err != nil {
			return fmt.Errorf("writing AT_RANDOM: %w", err)
		}
		options := unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL
		return wrap("setting ptrace options", syscall.PtraceSetOptions(pid, options))
	}
	return errors.New("the kernel passed no AT_RANDOM")
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

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
	return prepare(pid, 0)
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
		t := tracer{pid: p.cmd.Process.Pid, seed: seed}
		if sealed {
			done, err := t.seal()
			if err != nil {
				p.cmd.Process.Kill()
				t.awaitEnd()
				p.cmd.Wait() // its error is that of the kill
				running <- fmt.Errorf("sealing process %d: %w", t.pid, err)
				return
			}
			if !done {
				p.reason = "the program ended before its runtime had started"
			}
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

// tracer follows one process and the threads of it that are traced.
type tracer struct {
	pid      int
	seed     uint64
	prepared bool // the exec stop is behind
}

// seal takes the process through its exec stop to its first clone, which
// starts sysmon. That thread is born stopped and stays so; the process goes on
// untraced. It returns false if the process ended before.
func (t *tracer) seal() (bool, error) {
	for {
		change, err := nextChange(t.pid)
		switch {
		case err != nil:
			return false, err
		case change.exited() && change.pid == t.pid:
			return false, nil
		}
		stop, stopped, err := change.take()
		if err != nil {
			return false, err
		}
		if !stopped || stop.pid != t.pid {
			continue
		}
		done, err := t.resume(stop)
		if errors.Is(err, syscall.ESRCH) { // killed meanwhile: its end is the next change
			continue
		}
		if done || err != nil {
			return done, err
		}
	}
}

// resume lets the stopped process run on, and reports whether that sealed it.
func (t *tracer) resume(stop change) (bool, error) {
	signal, event := stop.stop()
	switch {
	case event == unix.PTRACE_EVENT_CLONE:
		return true, wrap("detaching", syscall.PtraceDetach(t.pid))
	case signal == syscall.SIGTRAP && !t.prepared:
		if err := prepare(t.pid, t.seed); err != nil {
			return false, err
		}
		t.prepared, signal = true, 0
	case signal == syscall.SIGTRAP:
		signal = 0
	}
	return false, wrap("continuing", syscall.PtraceCont(t.pid, int(signal)))
}

// awaitEnd returns when the process has ended, and leaves it to be reaped by
// os/exec. The stopped thread is reaped here: until then the kernel reports no
// end of the process.
func (t *tracer) awaitEnd() {
	for {
		change, err := nextChange(t.pid)
		if err != nil || change.exited() && change.pid == t.pid {
			return
		}
		if _, _, err := change.take(); err != nil {
			return
		}
	}
}

// prepare seeds the process at its exec stop and asks for its first clone.
// The kernel kills the traced thread, and with it the process, when the tracer
// ends.
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
		options := unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
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

// change is a change of state of a process or of one of its traced threads,
// as waitid(2) tells it.
type change struct {
	pid    int
	code   int32 // si_code: one of the CLD constants
	status int32 // si_status: exit status, signal, or signal and ptrace event
}

// The si_code values of an end, sigaction(2).
const (
	cldExited = 1
	cldKilled = 2
	cldDumped = 3
)

func (c change) exited() bool {
	return c.code == cldExited || c.code == cldKilled || c.code == cldDumped
}

// stop returns the signal and the ptrace event of a stop.
func (c change) stop() (syscall.Signal, int) {
	return syscall.Signal(c.status & 0xff), int(c.status >> 8)
}

// nextChange waits for the next change in a process group and leaves it
// pending.
func nextChange(group int) (change, error) {
	return waitid(unix.P_PGID, group, unix.WEXITED|unix.WNOWAIT|unix.WALL)
}

// take consumes a change that nextChange returned: it reaps a thread that
// ended, and returns a stop. There is none if the thread was killed since.
func (c change) take() (change, bool, error) {
	if c.exited() {
		_, err := waitid(unix.P_PID, c.pid, unix.WEXITED|unix.WALL)
		return change{}, false, err
	}
	stop, err := waitid(unix.P_PID, c.pid, unix.WSTOPPED|unix.WALL|unix.WNOHANG)
	if errors.Is(err, syscall.ECHILD) {
		return change{}, false, nil
	}
	return stop, stop.pid != 0, err
}

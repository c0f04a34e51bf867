// Package seal starts Go programs whose runtime behaves the same every time.
//
// The Go runtime draws the order of select cases, map iteration and timers due
// at one instant from generators that it seeds from the sixteen random bytes
// that the kernel passes as AT_RANDOM, and its monitor thread (sysmon) acts on
// wall-clock time. A sealed process is started under ptrace: its random bytes
// come from a seed, and its monitor thread never runs. With one P, no
// collection of garbage but the program's own and no asynchronous preemption,
// nothing is left that differs from one start to the next, as long as the
// program itself depends on nothing outside.
//
// Without a monitor thread, a system call that blocks keeps the whole program
// waiting, so a sealed program should block only on what its parent supplies.
package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"os/exec"
	"strings"
)

// variable tells a program that it runs sealed.
const variable = "WTSIM_SEALED"

// Inside reports whether this process was started sealed.
func Inside() bool { return os.Getenv(variable) == "1" }

// Process is a program started by [Start].
type Process struct {
	cmd    *exec.Cmd
	reason string        // why it is not sealed; empty if it is
	ended  chan struct{} // closed when the process has ended and waits to be reaped
}

// Start starts cmd, a Go program, with its runtime seeded from seed. The
// process leads a process group of its own, so that a terminal's Ctrl-C
// reaches its parent alone, and it is killed when the parent ends. cmd may have
// a context; cancelling it kills the process, also while Start is at work.
//
// Where the system cannot seal (see [Supported]), the program is started with
// the same environment but unsealed, and [Process.Sealed] says why. Errors are
// those of [exec.Cmd.Start] and of a ptrace request that failed although the
// system supports it; no process is left then.
func Start(cmd *exec.Cmd, seed uint64) (*Process, error) {
	refusal := Supported()
	cmd.Env = environment(cmd.Environ(), refusal == nil)
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	if refusal != nil {
		p.reason = refusal.Error()
	}
	if err := p.start(seed, refusal == nil); err != nil {
		return nil, err
	}
	return p, nil
}

// StartUnsealed starts cmd as Start does, but as an ordinary program, which [Process.Sealed]
// gives the reason for.
func StartUnsealed(cmd *exec.Cmd, reason string) (*Process, error) {
	p := &Process{cmd: cmd, ended: make(chan struct{}), reason: reason}
	if err := p.start(0, false); err != nil {
		return nil, err
	}
	return p, nil
}

// Sealed reports whether the process runs sealed, and why not otherwise.
func (p *Process) Sealed() (bool, string) { return p.reason == "", p.reason }

// Pid returns the process ID.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Kill ends the process at once. It returns [os.ErrProcessDone] if it has
// ended already.
func (p *Process) Kill() error { return p.cmd.Process.Kill() }

// Wait waits for the process to end and for its output to be copied. It
// returns the errors of [exec.Cmd.Wait], which must not be called itself.
func (p *Process) Wait() error {
	<-p.ended
	return p.cmd.Wait()
}

// environment returns env with the settings that a repeatable Go runtime
// needs. A GODEBUG of the caller is kept, but for the setting that they need.
func environment(env []string, sealed bool) []string {
	var debug []string
	for _, entry := range env {
		value, found := strings.CutPrefix(entry, "GODEBUG=")
		if !found {
			continue
		}
		debug = nil // the last entry of a variable counts
		for setting := range strings.SplitSeq(value, ",") {
			if setting != "" && !strings.HasPrefix(setting, "asyncpreemptoff=") {
				debug = append(debug, setting)
			}
		}
	}
	debug = append(debug, "asyncpreemptoff=1")
	told := "0"
	if sealed {
		told = "1"
	}
	return append(env[:len(env):len(env)],
		"GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=off", // a memory limit would collect garbage at its own times
		"GODEBUG="+strings.Join(debug, ","),
		variable+"="+told)
}

// randomBytes derives the sixteen bytes that AT_RANDOM points at.
func randomBytes(seed uint64) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("wtsim AT_RANDOM"), seed))
	return sum[:16]
}

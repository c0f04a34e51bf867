//go:build linux && (amd64 || arm64)

package seal

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

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
func (c change) stop() (signal syscall.Signal, event int) {
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

// siginfo is siginfo_t as waitid(2) fills it on 64-bit systems. x/sys keeps
// the part after si_code opaque.
type siginfo struct {
	signo, errno, code, _ int32
	pid, uid, status      int32
	_                     [128 - 7*4]byte
}

// waitid is waitid(2), repeated when a signal interrupts it. The result is zero
// if WNOHANG is set and there is no change.
func waitid(idType, id, options int) (change, error) {
	for {
		var info siginfo
		err := unix.Waitid(idType, id, (*unix.Siginfo)(unsafe.Pointer(&info)), options, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return change{}, fmt.Errorf("waiting for process %d: %w", id, err)
		}
		return change{pid: int(info.pid), code: info.code, status: info.status}, nil
	}
}

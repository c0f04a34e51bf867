//go:build linux && (amd64 || arm64)

package seal

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

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

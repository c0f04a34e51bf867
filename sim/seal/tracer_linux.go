//go:build linux && (amd64 || arm64)

package seal

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tracer takes a process from its exec stop to the point where package seal is
// initialised in it, one thread at a time.
//
// While a Go runtime starts, its main goroutine is bound to the main thread, and
// hands its P to another thread whenever it blocks. Whether it finds an idle
// thread or creates one depends on how fast that thread went to sleep, and each
// creation draws from the random generator. So a thread runs here until it
// waits for another one; only then does the next run.
type tracer struct {
	pid      int
	seed     uint64
	unsealed string // why the process is not sealed after all

	prepared bool         // the exec stop is behind
	sysmon   int          // the first thread that the runtime created: it never runs
	newborn  map[int]bool // threads that have stopped before the clone event that announces them
	running  int          // the thread that may run; 0 if all wait
	ready    []int        // stopped threads that wait for their turn
	atMark   bool         // the main thread has reached the mark, and waits for the others to wait
}

func newTracer(pid int, seed uint64) *tracer {
	return &tracer{pid: pid, seed: seed, running: pid, newborn: map[int]bool{}}
}

// mark is an option that prctl(2) does not know. A sealed program passes it to
// tell its tracer that it has started.
const mark = 0x7365616c

func init() {
	if Inside() {
		syscall.RawSyscall(unix.SYS_PRCTL, mark, 0, 0)
	}
}

// seal returns when the process runs sealed, or has ended.
func (t *tracer) seal() error {
	for {
		change, err := nextChange(t.pid)
		if err != nil {
			return err
		}
		if change.exited() && change.pid == t.pid {
			t.unsealed = "the program ended before it was sealed"
			return nil
		}
		stop, stopped, err := change.take()
		if err != nil {
			return err
		}
		switch {
		case stopped:
			err = t.handle(stop)
		case change.pid == t.running:
			t.running = 0
		}
		if err == nil {
			err = t.schedule()
		}
		if err != nil && !errors.Is(err, syscall.ESRCH) { // killed meanwhile: the end is the next change
			return err
		}
		if t.atMark && t.running == 0 && err == nil {
			return wrap("detaching", syscall.PtraceDetach(t.pid))
		}
	}
}

// schedule lets the next thread run if none does.
func (t *tracer) schedule() error {
	if t.running != 0 || len(t.ready) == 0 {
		return nil
	}
	t.running = t.ready[0]
	t.ready = t.ready[1:]
	return resume(t.running, 0)
}

// handle decides what a stop means: whether the thread goes on, or another's
// turn has come.
func (t *tracer) handle(stop change) error {
	const syscallStop = syscall.SIGTRAP | 0x80 // PTRACE_O_TRACESYSGOOD
	signal, event := stop.stop()
	switch {
	case stop.pid == t.sysmon:
		return nil
	case stop.pid == t.pid && !t.prepared:
		t.prepared = true
		if err := prepare(t.pid, t.seed); err != nil {
			return err
		}
		return resume(t.pid, 0)
	case event == unix.PTRACE_EVENT_CLONE:
		return t.cloned(stop.pid)
	case signal == syscallStop:
		return t.systemCall(stop.pid)
	case signal == syscall.SIGSTOP && stop.pid != t.running:
		t.newborn[stop.pid] = true
		return nil
	case signal == syscall.SIGTRAP:
		signal = 0
	}
	return resume(stop.pid, signal)
}

// cloned welcomes the thread that parent has created, and lets parent go on.
func (t *tracer) cloned(parent int) error {
	message, err := syscall.PtraceGetEventMsg(parent)
	if err != nil {
		return fmt.Errorf("asking for the new thread: %w", err)
	}
	thread := int(message)
	if t.sysmon == 0 {
		t.sysmon = thread
		return resume(parent, 0)
	}
	if !t.newborn[thread] {
		birth, err := waitid(unix.P_PID, thread, unix.WSTOPPED|unix.WEXITED|unix.WALL)
		if err != nil || birth.exited() {
			return err
		}
	}
	delete(t.newborn, thread)
	t.ready = append(t.ready, thread)
	return resume(parent, 0)
}

// systemCall handles a thread that enters or leaves the kernel.
func (t *tracer) systemCall(thread int) error {
	info, err := syscallInfo(thread)
	if err != nil {
		return err
	}
	switch {
	case info.entry() && info.number == unix.SYS_PRCTL && info.args[0] == mark:
		t.atMark = true
		t.running = 0
		return nil
	case info.entry() && info.waits():
		t.running = 0
	case !info.entry() && thread != t.running:
		t.ready = append(t.ready, thread)
		return nil
	}
	return resume(thread, 0)
}

// awaitEnd returns when the process has ended, and leaves it to be reaped by
// os/exec. Threads that were waiting when the process was sealed are released
// when they next stop. The end of sysmon is awaited here: until then the kernel
// reports no end of the process.
func (t *tracer) awaitEnd() {
	for _, thread := range t.ready {
		syscall.PtraceDetach(thread) // fails if it was killed: then it is reaped below
	}
	for {
		change, err := nextChange(t.pid)
		if err != nil || change.exited() && change.pid == t.pid {
			return
		}
		stop, stopped, err := change.take()
		if err != nil {
			return
		}
		if stopped && stop.pid != t.sysmon {
			syscall.PtraceDetach(stop.pid) // as above
		}
	}
}

// resume lets a stopped thread run until it enters or leaves the kernel.
func resume(thread int, signal syscall.Signal) error {
	return wrap("resuming a thread", syscall.PtraceSyscall(thread, int(signal)))
}

// callInfo is struct ptrace_syscall_info of ptrace(2), as far as it is used.
type callInfo struct {
	op     uint8
	_      [23]byte // pad, arch, instruction_pointer, stack_pointer
	number uint64   // at entry only, as are the arguments
	args   [6]uint64
	_      uint64
}

// syscallInfo asks where in a system call a stopped thread is. It needs Linux
// 5.3.
func syscallInfo(thread int) (callInfo, error) {
	const getSyscallInfo = 0x420e // PTRACE_GET_SYSCALL_INFO
	var info callInfo
	_, _, errno := syscall.Syscall6(unix.SYS_PTRACE, getSyscallInfo, uintptr(thread),
		unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 {
		return info, fmt.Errorf("asking for the system call (Linux 5.3 or later is needed): %w", errno)
	}
	return info, nil
}

// entry reports whether the thread is about to enter the kernel
// (PTRACE_SYSCALL_INFO_ENTRY).
func (i callInfo) entry() bool { return i.op == 1 }

// waits reports whether the system call gives way to other threads.
func (i callInfo) waits() bool {
	const futexCommands = 0x7f // without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME
	const futexWait, futexWaitBitset = 0, 9
	switch i.number {
	case unix.SYS_FUTEX:
		command := i.args[1] & futexCommands
		return command == futexWait || command == futexWaitBitset
	case unix.SYS_SCHED_YIELD, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP:
		return true
	}
	return false
}

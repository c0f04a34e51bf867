//go:build !portable

package realtime

import (
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// poller waits for sockets by epoll, with a timer of its own: the timeout of epoll is in
// milliseconds.
type poller struct {
	epoll, timer, event int
	sockets             map[int32]*socket // by file descriptor
	events              [64]unix.EpollEvent
	found               []*socket
}

func newPoller() (*poller, error) {
	p := &poller{epoll: -1, timer: -1, event: -1, sockets: make(map[int32]*socket)}
	var err error
	if p.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if p.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		p.close()
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	if p.event, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		p.close()
		return nil, os.NewSyscallError("eventfd", err)
	}
	for _, fd := range []int{p.timer, p.event} {
		if err := p.watch(fd); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *poller) watch(fd int) error {
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &e))
}

// prefer asks the system to run the calling thread before all others that are not
// of real time, where that leaves a processor for them, and to wake it up in time.
// It reports whether the system does.
func (*poller) prefer() bool {
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	own := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
	if runtime.NumCPU() > 1 && unix.SchedSetAttr(0, &own, 0) == nil {
		return true
	}
	own.Policy, own.Priority, own.Nice = unix.SCHED_NORMAL, 0, -20
	return unix.SchedSetAttr(0, &own, 0) == nil
}

// add watches a socket, and has it receive what the system knows of datagrams.
func (p *poller) add(s *socket) error {
	if err := s.setUp(); err != nil {
		return err
	}
	p.sockets[int32(s.fd)] = s
	return p.watch(s.fd)
}

func (p *poller) remove(s *socket) {
	delete(p.sockets, int32(s.fd))
	unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, s.fd, nil)
}

// ready returns the sockets that can be read. The slice is valid until the next
// call.
func (p *poller) ready() ([]*socket, error) {
	p.found = p.found[:0]
	n, err := unix.EpollWait(p.epoll, p.events[:], 0)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return nil, os.NewSyscallError("epoll_wait", err)
	}
	for _, e := range p.events[:max(n, 0)] {
		if s := p.sockets[e.Fd]; s != nil {
			p.found = append(p.found, s)
			continue
		}
		var b [8]byte
		unix.Read(int(e.Fd), b[:]) // the timer or the event: what is read is of no use
	}
	return p.found, nil
}

// wait returns after a time, or when a socket can be read, or after a wake;
// without a time if that is negative.
func (p *poller) wait(d time.Duration) error {
	var when unix.ItimerSpec // zero disarms
	if d >= 0 {
		when.Value = unix.NsecToTimespec(max(1, int64(d)))
	}
	if err := unix.TimerfdSettime(p.timer, 0, &when, nil); err != nil {
		return os.NewSyscallError("timerfd_settime", err)
	}
	if _, err := unix.EpollWait(p.epoll, p.events[:1], -1); err != nil && !errors.Is(err, unix.EINTR) {
		return os.NewSyscallError("epoll_wait", err)
	}
	return nil
}

// wake ends a wait, or the next one. Any goroutine may call it.
func (p *poller) wake() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	unix.Write(p.event, one[:])
}

func (p *poller) close() error {
	var errs []error
	for _, fd := range []int{p.epoll, p.timer, p.event} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}

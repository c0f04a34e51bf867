package realtime

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wtsim/wtsim/internal/events"
	"github.com/wtsim/wtsim/netem"
)

// Loop drives a network by the wall clock. It implements [netem.Driver]. Its
// methods run on the goroutine that calls Run, except those that say otherwise;
// before Run, on that which made it.
type Loop struct {
	poller   *poller
	network  *netem.Network
	sockets  map[*socket]bool
	writing  []*socket // that have something to send
	arrivals []arrival // of this turn
	data     []byte    // their payloads

	events events.Heap
	seq    uint64
	now    time.Duration // of the model; never after the wall clock
	last   time.Duration // since epoch: when anything last happened

	epoch  time.Time    // when the loop was made
	origin atomic.Int64 // when the clock starts, in nanoseconds since epoch; waiting until that is known

	mu     sync.Mutex
	posted []posted
	over   bool
	notes  []string // what the system does not allow

	sent     atomic.Bool // a host of the network has something in its outbox
	roused   atomic.Bool // since the beginning of this turn
	asleep   atomic.Bool
	lateness histogram
	refused  map[string]uint64
}

// waiting is no time of a start.
const waiting = -1 << 63

// posted is a function that another goroutine wants to run on the loop's.
type posted struct {
	at time.Duration // -1: at once, whether the clock has started or not
	f  func()
}

// New returns a loop. [Loop.Close] gives its resources back.
func New() (*Loop, error) {
	p, err := newPoller()
	if err != nil {
		return nil, fmt.Errorf("realtime: %w", err)
	}
	l := &Loop{poller: p, sockets: make(map[*socket]bool), refused: make(map[string]uint64), epoch: time.Now()}
	l.origin.Store(waiting)
	return l, nil
}

// Start has the clock start at an instant, which may be one to come: datagrams
// that arrive before are refused. Without Start the clock starts with the
// arrival of the first datagram. Any goroutine may call it, once.
func (l *Loop) Start(at time.Time) {
	l.origin.Store(int64(at.Sub(l.epoch)))
	l.Rouse()
}

// Started returns the instant at which the clock starts, or the zero time while
// it waits for the first datagram. Any goroutine may call it.
func (l *Loop) Started() time.Time {
	if o := l.origin.Load(); o != waiting {
		return l.epoch.Add(time.Duration(o))
	}
	return time.Time{}
}

// Elapsed returns the wall clock's time since the start, which is negative
// before, and 0 while that is not known. Any goroutine may call it.
func (l *Loop) Elapsed() time.Duration {
	if o := l.origin.Load(); o != waiting {
		return time.Since(l.epoch) - time.Duration(o)
	}
	return 0
}

// Now implements [netem.Clock]: the time of the model, which is that of the call,
// or of the datagram that arrives.
func (l *Loop) Now() time.Duration { return l.now }

// At implements [netem.Clock].
func (l *Loop) At(t time.Duration, f func()) {
	l.seq++
	l.events.Push(events.Event{At: max(t, l.now), Seq: l.seq, Run: f})
}

// AtQuiet implements [netem.Clock].
func (l *Loop) AtQuiet(t time.Duration, f func()) { l.At(t, f) }

// Sent implements [netem.Driver]. Any goroutine may call it.
func (l *Loop) Sent() {
	l.sent.Store(true)
	l.Rouse()
}

// Delivered implements [netem.Driver].
func (l *Loop) Delivered() {}

// ErrOver is the error of what comes after the end of Run.
var ErrOver = errors.New("realtime: the loop has ended")

// Post calls f at a time of the clock. Any goroutine may call it; after the end
// of Run, f is not called.
func (l *Loop) Post(t time.Duration, f func()) error { return l.post(posted{t, f}) }

// Do calls f on the loop's goroutine, and returns when that is done. Any other
// goroutine may call it while Run runs, or before that does.
func (l *Loop) Do(f func()) error {
	done := make(chan struct{})
	err := l.post(posted{-1, func() {
		defer close(done)
		f()
	}})
	if err != nil {
		return err
	}
	<-done
	return nil
}

func (l *Loop) post(p posted) error {
	l.mu.Lock()
	if l.over {
		l.mu.Unlock()
		return ErrOver
	}
	l.posted = append(l.posted, p)
	l.mu.Unlock()
	l.Rouse()
	return nil
}

// Rouse has Run look again at whether it is to end. Any goroutine may call it.
func (l *Loop) Rouse() {
	l.roused.Store(true)
	if l.asleep.CompareAndSwap(true, false) {
		l.poller.wake()
	}
}

// The last moments of a sleep, and those after anything has happened, are spent
// awake: systems wake a thread up tens of microseconds late.
const (
	awakeBefore = 200 * time.Microsecond
	awakeAfter  = 100 * time.Microsecond
)

// Run drives a network until ended reports true or the clock reaches the limit.
// It then does what other goroutines have still asked for, and no more. It
// locks its goroutine to a thread, for which it asks the system for precedence,
// and which the goroutine should not outlive: call it on one of its own.
func (l *Loop) Run(network *netem.Network, limit time.Duration, ended func() bool) error {
	runtime.LockOSThread()
	if !l.poller.prefer() {
		l.Note("the relay has no precedence over other programs, which make it late (on Linux it needs CAP_SYS_NICE)")
	}
	l.network = network
	defer l.end()
	for {
		l.roused.Store(false)
		l.takePosted()
		if ended() || l.now >= limit {
			return nil
		}
		horizon := time.Since(l.epoch)
		if err := l.read(); err != nil {
			return fmt.Errorf("realtime: %w", err)
		}
		l.begin()
		for i := range l.arrivals {
			a := &l.arrivals[i]
			at := l.model(a.at)
			l.advance(at)
			if at < 0 {
				l.refused[notStarted]++
				continue
			}
			a.socket.receive(a.source, l.data[a.from:a.to], a.ecn)
		}
		l.arrivals, l.data = l.arrivals[:0], l.data[:0]
		l.advance(min(l.model(horizon), limit))
		if l.sent.CompareAndSwap(true, false) {
			network.Flush()
		}
		l.write()
		if err := l.sleep(limit); err != nil {
			return fmt.Errorf("realtime: %w", err)
		}
	}
}

// end lets those go on who wait for the loop.
func (l *Loop) end() {
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.takePosted()
}

func (l *Loop) takePosted() {
	l.mu.Lock()
	taken := l.posted
	l.posted = nil
	l.mu.Unlock()
	for _, p := range taken {
		if p.at < 0 {
			p.f()
		} else {
			l.At(p.at, p.f)
		}
	}
}

// begin starts the clock with the first datagram, if nobody has started it.
func (l *Loop) begin() {
	if len(l.arrivals) > 0 {
		l.origin.CompareAndSwap(waiting, int64(l.arrivals[0].at))
	}
}

// model returns the time of the clock at a time since the epoch. It is negative
// before the start.
func (l *Loop) model(at time.Duration) time.Duration {
	if o := l.origin.Load(); o != waiting {
		return at - time.Duration(o)
	}
	return -1
}

// advance moves the model's time on, through what is due.
func (l *Loop) advance(to time.Duration) {
	for len(l.events) > 0 && l.events[0].At <= to {
		l.now = max(l.now, l.events[0].At)
		l.events.Pop().Run()
	}
	l.now = max(l.now, to)
}

// maxTurn bounds what is read in a turn, but for the last socket: the datagrams of
// a turn need little memory, whatever arrives.
const maxTurn = 8 << 20

// read takes what has arrived at the sockets, in the order of the times at which
// the system received it.
func (l *Loop) read() error {
	ready, err := l.poller.ready()
	if err != nil {
		return err
	}
	for _, s := range ready {
		if len(l.data) > maxTurn {
			break // the rest has the next turn
		}
		s.read(l)
	}
	if len(l.arrivals) > 0 {
		l.last = time.Since(l.epoch)
	}
	slices.SortStableFunc(l.arrivals, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	return nil
}

// write sends what has left the network.
func (l *Loop) write() {
	for _, s := range l.writing {
		s.write(l)
	}
	l.writing = slices.DeleteFunc(l.writing, func(s *socket) bool {
		s.queued = s.queued && len(s.out) > 0
		return !s.queued
	})
}

// sleep waits for the next event, or until there is something to read or to do.
func (l *Loop) sleep(limit time.Duration) error {
	now := time.Since(l.epoch)
	if len(l.writing) > 0 || now-l.last < awakeAfter {
		return nil
	}
	wait := time.Duration(-1)
	if o := l.origin.Load(); o != waiting {
		next := limit
		if len(l.events) > 0 {
			next = min(next, l.events[0].At)
		}
		if wait = next - l.model(now) - awakeBefore; wait <= 0 {
			return nil
		}
	}
	l.asleep.Store(true)
	defer l.asleep.Store(false)
	if l.roused.Load() {
		return nil
	}
	return l.poller.wait(wait)
}

// Close gives the loop's sockets and resources back.
func (l *Loop) Close() error {
	var errs []error
	for s := range l.sockets {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(append(errs, l.poller.close())...)
}

// Note keeps what the system, or the program, does not allow, for the report. Any
// goroutine may call it.
func (l *Loop) Note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.notes, text) {
		l.notes = append(l.notes, text)
	}
}

// Report is what a loop did.
type Report struct {
	Precision
	Refused map[string]uint64 // datagrams that did not enter the network, or did not leave it for a real socket, by the reason
	Notes   []string          // what the system does not allow, such as to carry the ECN field
}

// Report returns what the loop did so far. It runs on the loop's goroutine, or
// after the end of Run.
func (l *Loop) Report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Report{l.lateness.precision(), maps.Clone(l.refused), slices.Clone(l.notes)}
}

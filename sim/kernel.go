package sim

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wtsim/wtsim/internal/events"
	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/seal"
)

// kernel owns virtual time and all events of a run. Its methods run on the
// goroutine that calls run, except those that say otherwise.
type kernel struct {
	start   time.Time // virtual
	now     time.Duration
	events  events.Heap // that the kernel wakes for
	quiet   events.Heap // that may wait; see netem.Clock
	seq     uint64
	network *netem.Network

	postedMu sync.Mutex
	posted   []events.Event // events that other goroutines asked for since the last rest

	wake   chan struct{} // one token: look again
	asleep atomic.Bool
	over   atomic.Bool // the network is stopped; only applications go on, to end
	timer  *time.Timer
	armed  time.Duration // when the timer fires; unarmed if it has fired
	woke   bool          // an application may be about to run

	seed     uint64 // of the runtime's decisions
	reseeded atomic.Uint64
	steps    uint64
	instant  uint64 // steps since time last moved
	activity time.Duration
	heap     heapOwner
	resting  []func() // called at every rest, before the network is touched
	atRest   func()   // called before the kernel sleeps; may be nil
}

// maxStepsPerInstant is how often a run may come to rest without time moving.
// A run that passes it would never end.
const maxStepsPerInstant = 10_000_000

func newKernel(seed uint64) *kernel {
	k := &kernel{
		seed:  seed * 0x9e3779b97f4a7c15, // far from the next seed's: odd, and the golden ratio of 2^64
		start: time.Now(),
		wake:  make(chan struct{}, 1),
		armed: unarmed,
		timer: time.NewTimer(time.Hour),
	}
	k.timer.Stop()
	k.reseed() // the world is built under the seed too
	return k
}

// reseed makes what the runtime decides at random next depend on the seed and
// on how often reseed was called, and on nothing that the kernel, the network
// or the recording did in between. Any goroutine of the run may call it.
func (k *kernel) reseed() { seal.Reseed(k.seed + k.reseeded.Add(1)) }

// Now implements [netem.Clock].
func (k *kernel) Now() time.Duration { return k.now }

// At implements [netem.Clock].
func (k *kernel) At(t time.Duration, f func()) {
	k.seq++
	k.events.Push(events.Event{At: max(t, k.now), Seq: k.seq, Run: f})
}

// AtQuiet implements [netem.Clock].
func (k *kernel) AtQuiet(t time.Duration, f func()) {
	k.seq++
	k.quiet.Push(events.Event{At: max(t, k.now), Seq: k.seq, Run: f})
}

// post is At for any goroutine. What runs may wake an application.
func (k *kernel) post(t time.Duration, f func()) {
	k.postedMu.Lock()
	k.posted = append(k.posted, events.Event{At: t, Run: f})
	k.postedMu.Unlock()
	k.rouse()
}

func (k *kernel) takePosted() {
	k.postedMu.Lock()
	defer k.postedMu.Unlock()
	for _, e := range k.posted {
		k.at(e.At, e.Run)
	}
	clear(k.posted)
	k.posted = k.posted[:0]
}

func (k *kernel) at(t time.Duration, f func()) {
	k.At(t, func() {
		f()
		k.woke = true
	})
}

// do is for drivers whose goroutine others can reach: a kernel's would come to rest first.
func (k *kernel) do(f func()) error {
	return errors.New("sim: a world in virtual time has no World.Do")
}
func (k *kernel) eachRest(f func())      { k.resting = append(k.resting, f) }
func (k *kernel) elapsed() time.Duration { return time.Since(k.start) }
func (k *kernel) started() time.Time     { return k.start }
func (k *kernel) ended() bool            { return k.over.Load() }

func (k *kernel) listen(h *Host, link *netem.Link, port uint16, options netem.SocketOptions) (net.PacketConn, error) {
	if link != nil {
		return h.ListenOn(link, port, options)
	}
	return h.Listen(port, options)
}

func (k *kernel) localAddr(conn net.PacketConn) netip.AddrPort {
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func (k *kernel) serverAddr(_ context.Context, server netip.AddrPort) (*net.UDPAddr, error) {
	return net.UDPAddrFromAddrPort(server), nil
}

// Sent implements [netem.Driver], for any goroutine.
func (k *kernel) Sent() { k.rouse() }

// Delivered implements [netem.Driver].
func (k *kernel) Delivered() { k.woke = true }

// rouse ends the kernel's sleep. Any goroutine may call it.
//
// Only the first call of a sleep costs anything, and calls while the kernel
// runs cost nothing: it comes to rest again before it sleeps, and looks then.
func (k *kernel) rouse() {
	if k.asleep.CompareAndSwap(true, false) {
		k.wake <- struct{}{}
	}
}

// runUntil steps until ended reports true at a rest, or until the limit, or
// until time stands still for good. It reports why it returned.
func (k *kernel) runUntil(limit time.Duration, ended func() bool) outcome {
	for {
		k.reseed()
		rest()
		k.catchUp(time.Since(k.start))
		k.steps++
		if k.instant++; k.instant > maxStepsPerInstant {
			return stuck
		}
		k.takePosted()
		over := k.over.Load()
		for _, f := range k.resting {
			f()
		}
		if !over && k.network.Flush() {
			k.activity = k.now
		}
		if ended() {
			return done
		}
		if !over && k.runDue() {
			continue
		}
		if k.now >= limit {
			return limitReached
		}
		k.heap.collect(k.steps, k.network.Datagrams())
		if k.atRest != nil {
			k.atRest()
		}
		k.sleep(limit)
	}
}

type outcome int

const (
	done outcome = iota
	limitReached
	stuck
)

// catchUp moves time on to now, through the quiet events that were put off.
func (k *kernel) catchUp(now time.Duration) {
	if now == k.now {
		return
	}
	for len(k.quiet) > 0 && k.quiet[0].At < now && !k.over.Load() {
		k.now = k.quiet[0].At
		k.activity = k.now
		k.quiet.Pop().Run()
	}
	k.now, k.instant = now, 0
}

// runDue runs due events up to and including the first one after which an
// application may act, and reports whether there was such a one. Events that
// stay within the network need no rest between them: no other goroutine sees
// them.
func (k *kernel) runDue() bool {
	for {
		next := &k.events
		if len(*next) == 0 || len(k.quiet) > 0 && k.quiet[0].Before(&k.events[0]) {
			next = &k.quiet
		}
		if len(*next) == 0 || (*next)[0].At > k.now {
			return false
		}
		k.activity = k.now
		next.Pop().Run()
		if k.woke {
			k.woke = false
			return true
		}
	}
}

// sleep waits for the next event, or the limit, or until somebody sends.
// Applications that wait for the same instant run first: the kernel comes to
// rest before it touches its events.
func (k *kernel) sleep(limit time.Duration) {
	until := limit
	over := k.over.Load()
	if len(k.events) > 0 && !over {
		until = min(until, k.events[0].At)
	}
	if len(k.quiet) > 0 && !over {
		until = min(until, k.quiet[0].At+k.network.Lookahead())
	}
	k.arm(until)
	k.asleep.Store(true)
	k.reseed()
	select {
	case <-k.wake:
	case <-k.timer.C:
		k.armed = unarmed
		if !k.asleep.CompareAndSwap(true, false) {
			<-k.wake // roused at the same instant: take the token back
		}
	}
}

// unarmed is no time of a timer.
const unarmed = time.Duration(-1)

// arm has the timer fire at a time. It never resets a timer that is pending: the
// runtime looks through all timers of the run when one that was reset is due,
// which would be at every step, and there are some for each connection.
func (k *kernel) arm(at time.Duration) {
	switch k.armed {
	case at: // as it is
	case unarmed:
		k.timer.Reset(at - k.now)
	default:
		k.timer = time.NewTimer(at - k.now)
	}
	k.armed = at
}

// stop ends the network: what it holds stays where it is, and what is sent from
// now on goes nowhere.
func (k *kernel) stop() error {
	k.network.Stop()
	k.over.Store(true)
	return k.network.Check()
}

// staysSilent reports whether nobody sends and no task returns for d of virtual
// time after the network was stopped.
func (k *kernel) staysSilent(d time.Duration) bool {
	until := k.now + d
	k.sleep(until)
	rest()
	k.now = time.Since(k.start)
	return k.now >= until
}

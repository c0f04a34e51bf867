package netem

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Fate is what became of a packet on a path.
type Fate uint8

// The fates of a packet.
const (
	Delivered Fate = iota // it left the path at its far end
	Dropped               // an element dropped it
	InTransit             // the path still held it when the network was stopped
)

// Outcome tells an observer the fate of a packet. The packet is only valid
// during the call.
type Outcome struct {
	Packet *Packet
	Path   *Path
	At     time.Duration // when the fate was known
	Fate   Fate
	Reason string // for Dropped: the kind of the element
}

// Path is one direction of a link: a chain of running elements.
type Path struct {
	name     string
	clock    Clock
	stages   []*Env
	deliver  func(*Packet)
	observe  func(Outcome) // may be nil
	taps     []func(*Packet)
	in       Count
	out      Count
	droppedN Count

	duplicated Count // copies that its elements made

	network  *Network // nil if the path belongs to none
	from, to *node    // the ends, in a network
	twin     *Path    // the link's other direction

	// lookahead is the path's bound of [Clock.AtQuiet], and never if the path
	// has had no quiet steps. A packet that enters needs at least entry, and one
	// that leaves at least beyond, to the next step that cannot be put off.
	lookahead, entry, beyond time.Duration

	// sendLimit is the largest UDP payload that the sending host may put on the
	// path, 0 for any: applications read it when they write to a socket.
	sendLimit atomic.Int64
}

// NewPath starts a path. Each element draws from a random stream of its own,
// derived from the seed, the path's name, the element's kind and its rank among
// those of its kind, so that adding an element elsewhere changes nothing here.
// The path calls deliver for each packet that arrives at its end, which then
// belongs to deliver, and, unless it is nil, observe for each packet whose fate
// is known.
func NewPath(clock Clock, name string, seed uint64, elements []Element, deliver func(*Packet), observe func(Outcome)) (*Path, error) {
	p := &Path{name: name, clock: clock, deliver: deliver, observe: observe}
	rank := make(map[string]int)
	for _, element := range elements {
		kind := element.Kind()
		env := &Env{
			Clock:    clock,
			Rand:     NewRand(seed, fmt.Sprintf("%s/%s/%d", name, kind, rank[kind])),
			path:     p,
			counters: Counters{Kind: kind},
		}
		rank[kind]++
		runner, err := element.Start(env)
		if err != nil {
			return nil, fmt.Errorf("netem: path %s: %s: %w", name, kind, err)
		}
		env.runner = runner
		p.stages = append(p.stages, env)
	}
	p.chain()
	p.derive()
	return p, nil
}

// chain lets each stage hand its packets to the next one.
func (p *Path) chain() {
	for i := 1; i < len(p.stages); i++ {
		p.stages[i-1].next = p.stages[i]
	}
}

// derive works out what follows from the configuration of the elements.
func (p *Path) derive() {
	var sendLimit Bytes
	for _, stage := range p.stages {
		if r, ok := stage.runner.(*mtu); ok && r.sendError && r.max > 0 && (sendLimit == 0 || r.max < sendLimit) {
			sendLimit = r.max
		}
	}
	p.sendLimit.Store(int64(sendLimit))
	lookahead, entry := p.lookahead, p.entry
	p.foresee()
	if p.network != nil {
		p.network.lookaheadChanged(p, lookahead, entry)
	}
}

// NewRand returns the random stream that belongs to a name: a PCG whose state
// is the SHA-256 of seed and name.
func NewRand(seed uint64, name string) *rand.Rand {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), name...))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
}

// Name returns the path's name.
func (p *Path) Name() string { return p.name }

// Send puts a packet on the path.
func (p *Path) Send(packet *Packet) {
	packet.Sent = p.clock.Now()
	packet.SentECN = packet.ECN
	packet.QueueDelay = 0
	for _, see := range p.taps {
		see(packet)
	}
	p.in.add(packet)
	if len(p.stages) == 0 {
		p.finish(packet)
		return
	}
	p.stages[0].receive(packet, packet.Sent)
}

// Configure gives the first element of the configuration's type a new
// configuration, from this instant on.
func (p *Path) Configure(element Element) error {
	for _, stage := range p.stages {
		if stage.counters.Kind == element.Kind() {
			if err := stage.runner.Configure(element); err != nil {
				return fmt.Errorf("netem: path %s: %s: %w", p.name, element.Kind(), err)
			}
			p.derive()
			return nil
		}
	}
	return fmt.Errorf("netem: path %s has no element of kind %s", p.name, element.Kind())
}

// Counters returns what each element did so far, in the order of the chain.
func (p *Path) Counters() []Counters {
	counters := make([]Counters, len(p.stages))
	for i, stage := range p.stages {
		counters[i] = stage.counters
	}
	return counters
}

// Totals returns what entered the path, left it at its end, and was dropped on
// the way. What left and was dropped may be copies of what entered: see
// [Path.Duplicated].
func (p *Path) Totals() (in, out, dropped Count) { return p.in, p.out, p.droppedN }

// Duplicated returns the copies that the path's elements made.
func (p *Path) Duplicated() Count { return p.duplicated }

// holds returns how many packets are on the path.
func (p *Path) holds() int64 {
	return p.in.Packets + p.duplicated.Packets - p.out.Packets - p.droppedN.Packets
}

func (p *Path) finish(packet *Packet) {
	p.out.add(packet)
	p.tell(packet, Delivered, "")
	p.deliver(packet)
}

func (p *Path) dropped(packet *Packet, kind string) {
	p.droppedN.add(packet)
	p.tell(packet, Dropped, kind)
	packet.release()
}

func (p *Path) tell(packet *Packet, fate Fate, reason string) {
	if p.observe != nil {
		p.observe(Outcome{Packet: packet, Path: p, At: p.clock.Now(), Fate: fate, Reason: reason})
	}
}

// stop tells the observer of the packets that the path still holds.
func (p *Path) stop() {
	for _, stage := range p.stages {
		stage.runner.Held(func(packet *Packet) { p.tell(packet, InTransit, "") })
	}
}

// check verifies that bytes in + duplicated = out + dropped + held, for every
// element and for the path, and Little's law for every element.
func (p *Path) check() error {
	var errs []error
	var held Count
	for _, stage := range p.stages {
		stage.runner.Held(held.add)
		errs = append(errs, stage.check())
	}
	if !conserved(p.in, p.duplicated, p.out, p.droppedN, held) {
		errs = append(errs, fmt.Errorf("it does not conserve packets: it took in %v, duplicated %v, but handed on %v, dropped %v and holds %v (packets, bytes)", p.in, p.duplicated, p.out, p.droppedN, held))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("netem: path %s: %w", p.name, err)
	}
	return nil
}

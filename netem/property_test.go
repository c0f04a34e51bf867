package netem

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// probe writes down what passes.
type probe struct {
	passed *[]passage
	places map[*Packet]int // in the order of the probe that a packet passed last
}

type passage struct {
	at    time.Duration
	id    uint64
	port  uint16
	size  Bytes
	wire  Bytes // in the queue that it entered last
	place int   // in the order of the probe before, unless it is a copy that was made since
}

func (p passage) onWire() Bytes  { return p.wire }
func (p passage) payload() Bytes { return p.size }

func (probe) Kind() string { return "probe" }

func (p probe) Start(env *Env) (Runner, error) { return &probeRunner{p, env}, nil }

type probeRunner struct {
	probe
	env *Env
}

func (r *probeRunner) Configure(Element) error                    { return nil }
func (r *probeRunner) Held(func(*Packet))                         {}
func (r *probeRunner) lookahead(next time.Duration) time.Duration { return next }
func (r *probeRunner) Receive(p *Packet) {
	*r.passed = append(*r.passed, passage{r.env.Clock.Now(), p.ID, p.Source.Port(), p.Size(), p.wire, r.places[p]})
	r.places[p] = len(*r.passed)
	r.env.Forward(p)
}

// chain is a path whose elements stand between probes, and how they were
// configured.
type chain struct {
	*bench
	settings [][]setting // of each element
	passed   [][]passage // before the first element, and behind each
}

type setting struct {
	from    time.Duration
	element Element
}

func newChain(tb testing.TB, seed uint64, elements []Element) *chain {
	c := &chain{passed: make([][]passage, len(elements)+1)}
	places := map[*Packet]int{}
	all := []Element{probe{&c.passed[0], places}}
	for i, e := range elements {
		c.settings = append(c.settings, []setting{{0, e}})
		all = append(all, e, probe{&c.passed[i+1], places})
	}
	c.bench = newBench(tb, seed, all...)
	return c
}

func (c *chain) configure(i int, e Element) error {
	c.settings[i] = append(c.settings[i], setting{c.clock.now, e})
	return c.path.stages[2*i+1].runner.Configure(e)
}

func (c *chain) at(i int) Element { return c.settings[i][len(c.settings[i])-1].element }

// drain ends every pause and every limit of a rate, and runs until nothing is
// left to do.
func (c *chain) drain() error {
	for i := range c.settings {
		switch e := c.at(i).(type) {
		case Rate:
			e.Rate, e.Paused = 0, false
			if err := c.configure(i, e); err != nil {
				return err
			}
		case Trace:
			e.Paused = false
			if err := c.configure(i, e); err != nil {
				return err
			}
		}
	}
	for len(c.clock.calls) > 0 {
		c.clock.runUntil(c.clock.calls[0].at)
	}
	return c.path.check()
}

// inOrder verifies that an element has kept the order of packets, or that of
// each flow if it is one that serves flows in turn.
func (c *chain) inOrder(i int) error {
	var q Queue
	switch e := c.settings[i][0].element.(type) {
	case Duplicate, Netem: // copies have no place
		return nil
	case Reorder:
		return nil
	case Jitter:
		for _, s := range c.settings[i] {
			if !s.element.(Jitter).InOrder {
				return nil
			}
		}
	case Rate:
		q = e.Queue
	case Trace:
		q = e.Queue
	}
	flows := false
	switch q.(type) {
	case FQCoDel, FQPIE:
		flows = true
	case DualPI2: // a flow may be in both of its queues
		return nil
	}
	last := map[uint16]passage{}
	for _, p := range c.passed[i+1] {
		port := uint16(0)
		if flows {
			port = p.port
		}
		if before, ok := last[port]; ok && p.place < before.place {
			return fmt.Errorf("packet %d overtook packet %d", before.id, p.id)
		}
		last[port] = p
	}
	return nil
}

// capacity returns the most that an element may send from one time to another,
// both included, beyond what it is sending at the first: b + r·t in bits times
// 10^9. It is false if there is no bound.
func (c *chain) capacity(i int, from, to time.Duration) (most int64, bounded bool) {
	bucket, work := Bytes(0), int64(0)
	settings := c.settings[i]
	for _, s := range settings {
		// A packet departs up to a nanosecond after its last bit, or later if
		// the link was paused then.
		if e, ok := s.element.(Rate); ok {
			work = max(work, int64(e.Rate))
		}
	}
	for k, s := range settings {
		end := to
		if k+1 < len(settings) {
			end = min(to, settings[k+1].from)
		}
		begin := max(from, s.from)
		if end < begin {
			continue
		}
		switch e := s.element.(type) {
		case Rate:
			if e.Rate == 0 { // even if it is paused: the bucket is full afterwards
				return 0, false
			}
			if bucket = max(bucket, e.Burst); !e.Paused {
				work += int64(e.Rate) * int64(end-begin)
			}
		case Policer:
			if e.Rate == 0 {
				return 0, false
			}
			bucket = max(bucket, e.Burst)
			work += int64(e.Rate) * int64(end-begin)
		case Trace:
			began := s.from
			for j := k; j > 0 && sameTimes(settings[j-1].element.(Trace), e); j-- {
				began = settings[j-1].from
			}
			bucket += Bytes(opportunities(e, begin-began, end-began)) * e.bytes()
		default:
			return 0, false
		}
	}
	return int64(bucket)*tokensPerByte + work, true
}

func sameTimes(a, b Trace) bool {
	return a.Period == b.Period && a.Once == b.Once && slices.Equal(a.Opportunities, b.Opportunities)
}

// opportunities returns how many a trace has from one time to another, both
// included.
func opportunities(t Trace, from, to time.Duration) (n int) {
	for cycle := time.Duration(0); cycle <= to; cycle += t.Period {
		for _, at := range t.Opportunities {
			if at += cycle; from <= at && at <= to {
				n++
			}
		}
	}
	return n
}

// withinCapacity verifies that an element has exceeded its capacity in no time
// from one departure to another.
func (c *chain) withinCapacity(i int) error {
	passed := c.passed[i+1]
	for first := range passed {
		from, size, sent := passed[first].at, passage.onWire, Bytes(0)
		switch c.settings[i][0].element.(type) {
		case Trace: // a packet may have begun earlier
			sent = -maxDrawnSize - 40
		case Policer: // the first packet counts too
			size = passage.payload
			sent = size(passed[first])
		}
		for _, p := range passed[first+1:] {
			sent += size(p)
			if most, bounded := c.capacity(i, from, p.at); !bounded {
				break
			} else if int64(sent)*tokensPerByte > most {
				return fmt.Errorf("from %d to %d it sent %d bytes of %d", from, p.at, sent, most/tokensPerByte)
			}
		}
	}
	return nil
}

const maxDrawnSize = 300

// anyElement draws an element of any type, and with any queue.
func anyElement(r *rapid.T, unit time.Duration) Element {
	kinds := drawnElements
	for _, q := range queues {
		kinds = append(kinds, Rate{Queue: q}, Trace{Queue: q})
	}
	return loosely(r, anotherWith(r, rapid.SampledFrom(kinds).Draw(r, "kind"), unit))
}

// loosely lets packets overtake each other where that is an option.
func loosely(r *rapid.T, e Element) Element {
	if j, ok := e.(Jitter); ok {
		j.InOrder = rapid.Bool().Draw(r, "in order")
		return j
	}
	return e
}

// Whatever the chain, the traffic and the changes, which may come when queues
// are full: every packet and copy has one fate, every element conserves packets
// and holds to Little's law at all times, none reorders packets unless it is
// there for that, and none sends more than it can.
func TestAnyChainKeepsWhatItsElementsPromise(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		unit := rapid.SampledFrom([]time.Duration{1, byteTime}).Draw(r, "unit")
		var elements []Element
		for range rapid.IntRange(1, 6).Draw(r, "elements") {
			elements = append(elements, anyElement(r, unit))
		}
		seed := rapid.Uint64().Draw(r, "seed")
		c := newChain(t, seed, elements)
		for range rapid.IntRange(1, 60).Draw(r, "packets") {
			at := unit * time.Duration(rapid.IntRange(0, 200).Draw(r, "at"))
			port, size := uint16(rapid.IntRange(1, 3).Draw(r, "port")), rapid.IntRange(0, maxDrawnSize).Draw(r, "size")
			ecn := ECN(rapid.IntRange(0, 3).Draw(r, "ECN"))
			c.clock.At(at, func() { c.sendFrom(port, size, ecn) })
		}
		for range rapid.IntRange(0, 10).Draw(r, "changes") {
			at := unit * time.Duration(rapid.IntRange(0, 250).Draw(r, "at"))
			i := rapid.IntRange(0, len(elements)-1).Draw(r, "which")
			e := loosely(r, anotherWith(r, elements[i], unit))
			c.clock.At(at, func() {
				if err := c.configure(i, e); err != nil {
					r.Fatalf("seed %d: element %d: %v", seed, i, err)
				}
			})
		}
		for at := range time.Duration(300) {
			c.clock.runUntil(at * unit)
			if err := c.path.check(); err != nil {
				r.Fatalf("seed %d: at %d: %v", seed, c.clock.now, err)
			}
		}
		if err := c.drain(); err != nil {
			r.Fatalf("seed %d: %v", seed, err)
		}
		if fates := c.sent + uint64(c.path.Duplicated().Packets); uint64(len(c.seen)) != fates || c.path.holds() != 0 {
			r.Fatalf("seed %d: %d fates, want %d; the path holds %d packets", seed, len(c.seen), fates, c.path.holds())
		}
		for i, e := range elements {
			if err := c.inOrder(i); err != nil {
				r.Fatalf("seed %d: element %d, %T: %v", seed, i, e, err)
			}
			if err := c.withinCapacity(i); err != nil {
				r.Fatalf("seed %d: element %d, %T: %v", seed, i, e, err)
			}
		}
	})
}

// Whatever the chain and its changes, a clock that calls late makes packets late,
// but no element loses, makes or reorders any for that.
func TestAClockThatCallsLateLosesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		anyOrder := rapid.Bool().Draw(r, "any order")
		kinds := elements
		if anyOrder {
			kinds = rapid.OneOf(elements, disorder)
		}
		chain := rapid.SliceOfN(kinds, 1, 6).Draw(r, "chain")
		b := newBench(t, rapid.Uint64().Draw(r, "seed"), chain...)
		b.clock.late = func() time.Duration { return time.Duration(rapid.IntRange(0, 30).Draw(r, "late")) }
		for range rapid.IntRange(1, 60).Draw(r, "packets") {
			b.sendAt(time.Duration(rapid.IntRange(0, 200).Draw(r, "at")), rapid.IntRange(0, 300).Draw(r, "size"))
		}
		for range rapid.IntRange(0, 10).Draw(r, "changes") {
			b.configureAt(time.Duration(rapid.IntRange(0, 250).Draw(r, "at")), aChange(r, chain))
		}
		b.clock.runUntil(300)
		if err := b.path.check(); err != nil {
			r.Fatal(err)
		}
		b.drain()
		if !anyOrder && !slices.IsSorted(b.delivered) {
			r.Fatalf("packets arrived in the order %d", b.delivered)
		}
		if copies := b.path.Duplicated().Packets; b.path.holds() != 0 || int64(len(b.seen)) != int64(b.sent)+copies {
			r.Fatalf("%d packets and %d copies have %d fates, and %d are held", b.sent, copies, len(b.seen), b.path.holds())
		}
	})
}

package netem

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"time"
)

// Start implements [Element].
func (n Netem) Start(env *Env) (Runner, error) {
	draw := env.Rand
	q := &netemQdisc{
		env:    env,
		copies: rand.New(rand.NewPCG(draw.Uint64(), draw.Uint64())),
		slots:  rand.New(rand.NewPCG(draw.Uint64(), draw.Uint64())),
		wakes:  never,
	}
	for _, c := range []*crandom{&q.delay, &q.loss.random.random, &q.duplicate.random, &q.reorder.random, &q.corrupt.random} {
		c.last = draw.Uint32()
	}
	q.tick = q.timer
	return q, q.Configure(n)
}

// netemQdisc is a running Netem.
type netemQdisc struct {
	env    *Env
	config Netem
	copies *rand.Rand // what copies draw from
	slots  *rand.Rand // what slots draw from

	delay     crandom
	loss      netemLoss
	duplicate chance32
	reorder   chance32
	corrupt   chance32
	counter   int // packets delayed since one skipped the queue

	waiting flights       // with the times at which they are due
	latest  time.Duration // the greatest of them, if there is one
	skipped []*Packet     // those that skip the queue, the next one last
	count   uint64        // of packets in waiting so far
	leaving ring[*Packet] // that have left the queue, each for a step

	slotted     bool
	slot        time.Duration // the time of the slot that was set last
	slotPackets int           // that it may still let go
	slotBytes   Bytes

	wakes time.Duration // when the next call of tick is due, never if there is none
	tick  func()        // timer, made once
}

// Configure is netem_change. It changes nothing on an error.
func (q *netemQdisc) Configure(e Element) error {
	c, err := configured[Netem](e)
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	c.Limit = c.limit()
	if c.Header == 0 {
		c.Header = defaultNetemHeader
	}
	if c.Gap == 0 && c.Reorder.P > 0 {
		c.Gap = 1
	}
	q.config = c
	q.counter = 0
	q.delay.rho = scale32(c.Correlation)
	q.loss.configure(c.Loss)
	q.duplicate.configure(c.Duplicate.P, c.Duplicate.Correlation)
	q.reorder.configure(c.Reorder.P, c.Reorder.Correlation)
	q.corrupt.configure(c.Corrupt.P, c.Corrupt.Correlation)
	now := q.env.Clock.Now()
	q.slotted = c.Slot.Min > 0 || c.Slot.Max > 0 || c.Slot.Jitter > 0
	q.fillSlot(now)
	if len(q.waiting) > 0 {
		q.wake(q.waiting[0].due) // there may be no slot any more that it waits for
	}
	return nil
}

// Receive takes a packet in, and lets go those that may leave. It hands on one of
// them if the clock is not about to call for that.
func (q *netemQdisc) Receive(p *Packet) {
	q.enqueue(p, drawNetem(q.env.Rand), true)
	now := q.env.Clock.Now()
	opens := q.letGo(now)
	if q.wakes > now {
		q.handOn(now, opens)
	}
}

// enqueue is netem_enqueue. It draws nothing for the packet itself.
func (q *netemQdisc) enqueue(p *Packet, n netemDraws, original bool) {
	twice := original && q.duplicate.happens(n.duplicate)
	lost := q.loss.happens(&n) && !(q.config.ECN && q.env.Mark(p))
	if lost && !twice {
		q.env.Drop(p)
		return
	}
	corrupts := q.corrupt.happens(n.corrupt)
	if len(q.waiting)+len(q.skipped) >= q.config.Limit {
		q.env.Drop(p)
		return
	}
	if twice && !lost {
		q.enqueue(q.env.Duplicate(p), drawNetem(q.copies), false)
	}
	if corrupts && len(p.Payload) > 0 {
		bit, _ := bits.Mul64(n.bit, 8*uint64(len(p.Payload)))
		p.Payload[bit/8] ^= 1 << (bit % 8)
		q.env.counters.Corrupted.add(p)
	}
	if gap := q.config.Gap; gap > 0 && q.counter >= gap-1 && q.reorder.happens(n.reorder) {
		q.counter = 0
		q.skipped = append(q.skipped, p)
		return
	}
	q.counter++
	q.await(p, q.due(p, n.delay))
}

// farthest is the time that no departure exceeds.
const farthest time.Duration = math.MaxInt64 / 2

// due returns when p leaves.
func (q *netemQdisc) due(p *Packet, random uint32) time.Duration {
	c := &q.config
	now := q.env.Clock.Now()
	due := now + scatter(c.Delay, c.Jitter, q.delay.next(random), c.Distribution)
	if c.Rate.Rate == 0 {
		return due
	}
	if len(q.waiting) > 0 && q.latest > due {
		p.QueueDelay += q.latest - max(due, now)
		due = q.latest
	}
	return min(due+c.transmission(p.Size()), farthest)
}

// transmission returns how long the rate needs for a payload (packet_time_ns).
func (n *Netem) transmission(payload Bytes) time.Duration {
	if n.Rate.Rate == 0 {
		return 0
	}
	bytes := max(0, payload+n.Header+n.Rate.PacketOverhead)
	if cell := n.Rate.CellSize; cell > 0 {
		bytes = (bytes + cell - 1) / cell * (cell + n.Rate.CellOverhead)
	}
	return time.Duration(min(uint64(bytes)*uint64(time.Second)/uint64(n.Rate.Rate/8), uint64(maxDelay)))
}

// await adds p to those that wait (tfifo_enqueue).
func (q *netemQdisc) await(p *Packet, due time.Duration) {
	if len(q.waiting) == 0 || due > q.latest {
		q.latest = due
	}
	q.count++
	q.waiting.push(timedFlight{flight{p, due}, q.count})
}

// letGo takes packets out of the queue for as long as they may leave, and
// returns when the next one may: never if none is held (netem_dequeue, until it
// has no packet).
func (q *netemQdisc) letGo(now time.Duration) time.Duration {
	for {
		opens := q.opens(now)
		if opens > now {
			return opens
		}
		q.leaving.push(q.pop(now))
	}
}

// opens returns when the next packet may leave, and never if none is held. It
// sets the next slot if the packet is due after that of before.
func (q *netemQdisc) opens(now time.Duration) time.Duration {
	switch {
	case len(q.skipped) > 0:
		return now
	case len(q.waiting) == 0:
		return never
	}
	due := q.waiting[0].due
	if !q.slotted {
		return due
	}
	if q.slot < due {
		q.setSlot(now)
	}
	return max(due, q.slot)
}

// handOn hands on one packet that has left the queue, and asks for a call for the
// next one even if that has left too: what a packet sets off comes to rest before
// the next one arrives.
func (q *netemQdisc) handOn(now, opens time.Duration) {
	if q.leaving.len() == 0 {
		q.wake(opens)
		return
	}
	p := q.leaving.pop()
	if q.leaving.len() > 0 {
		opens = now
	}
	q.wake(opens)
	q.env.Forward(p)
}

// pop removes the packet that leaves the queue next.
func (q *netemQdisc) pop(now time.Duration) *Packet {
	if last := len(q.skipped) - 1; last >= 0 {
		p := q.skipped[last]
		q.skipped[last] = nil
		q.skipped = q.skipped[:last]
		return p
	}
	p := q.waiting.pop().packet
	if q.slotted {
		q.slotPackets--
		q.slotBytes -= p.Size() + q.config.Header
		if q.slotPackets <= 0 || q.slotBytes <= 0 {
			q.setSlot(now)
		}
	}
	return p
}

// setSlot sets the next slot, with one random number (get_slot_next).
func (q *netemQdisc) setSlot(now time.Duration) {
	s, random := &q.config.Slot, q.slots.Uint32()
	if s.Jitter > 0 {
		q.fillSlot(now + scatter(s.Delay, s.Jitter, random, s.Distribution))
	} else {
		q.fillSlot(now + between(s.Min, max(s.Min, s.Max), random))
	}
}

// fillSlot begins a slot that lets go all that it may.
func (q *netemQdisc) fillSlot(at time.Duration) {
	q.slot = at
	if q.slotPackets = q.config.Slot.Packets; q.slotPackets == 0 {
		q.slotPackets = math.MaxInt32
	}
	if q.slotBytes = q.config.Slot.Bytes; q.slotBytes == 0 {
		q.slotBytes = math.MaxInt32
	}
}

// wake asks for a call at a time, unless one is due before.
func (q *netemQdisc) wake(at time.Duration) {
	if at < q.wakes {
		q.wakes = max(at, q.env.Clock.Now())
		q.env.at(q.wakes, q.tick)
	}
}

// timer is also called for times that another call has come before.
func (q *netemQdisc) timer() {
	if now := q.env.Clock.Now(); now >= q.wakes {
		q.wakes = never
		q.handOn(now, q.letGo(now))
	}
}

// Held implements [Runner]: those that have left the queue came in before those
// in it, or at this instant.
func (q *netemQdisc) Held(yield func(*Packet)) {
	for i := range q.leaving.len() {
		yield(*q.leaving.at(i))
	}
	q.waiting.held(yield)
}

// lookahead implements prompt, with the least delay of those that do not skip it.
func (q *netemQdisc) lookahead(next time.Duration) time.Duration {
	c := &q.config
	if c.Gap > 0 {
		return next
	}
	return max(0, leastScatter(c.Delay, c.Jitter, c.Distribution)+c.transmission(0)) + next
}

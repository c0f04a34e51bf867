package netem

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is sch_netem.c once more, for decisions that leave nothing to chance, as
// plainly as can be: a list of packets in the order in which they leave, which
// each arrival and each call of the watchdog serve until the device gets no more.
type model struct {
	Netem
	now      time.Duration
	list     []modelPacket
	head     []modelPacket // put at the front of the queue
	counter  int
	slot     time.Duration
	packets  int // that the slot may still let go
	bytes    Bytes
	watchdog time.Duration
	left     []modelPacket
	dropped  int
}

type modelPacket struct {
	id   uint64
	size Bytes
	at   time.Duration // time_to_send, or when it left
}

func (m *model) restartSlot(at time.Duration) {
	m.slot, m.packets, m.bytes = at, m.Slot.Packets, m.Slot.Bytes
	if m.packets == 0 {
		m.packets = math.MaxInt32
	}
	if m.bytes == 0 {
		m.bytes = math.MaxInt32
	}
}

func (m *model) slotted() bool { return m.Slot.Min > 0 || m.Slot.Jitter > 0 }

func (m *model) nextSlot() {
	next := m.Slot.Min
	if m.Slot.Jitter > 0 {
		next = m.Slot.Delay + m.Slot.Jitter
	}
	m.restartSlot(m.now + next)
}

func (m *model) enqueue(p modelPacket, original bool) {
	count := 1
	if original && m.Duplicate.P == 1 {
		count++
	}
	if m.Loss != nil {
		count--
	}
	if count == 0 || len(m.list)+len(m.head) >= m.Limit {
		m.dropped++
		return
	}
	if count > 1 {
		m.enqueue(p, false)
	}
	gap := 0
	if m.Reorder.P == 1 {
		gap = max(1, m.Gap)
	}
	if gap != 0 && m.counter >= gap-1 {
		m.counter = 0
		m.head = slices.Insert(m.head, 0, p)
		return
	}
	delay, from := m.Delay, m.now
	if m.Jitter > 0 {
		delay += m.Jitter * time.Duration(m.Distribution.table[0]) / distScale
	}
	if m.Rate.Rate > 0 {
		if len(m.list) > 0 {
			last := m.list[len(m.list)-1].at
			delay = max(0, delay-(last-m.now))
			from = last
		}
		wire := p.size + 42 + m.Rate.PacketOverhead
		if cell := m.Rate.CellSize; cell > 0 {
			cells := wire / cell
			if wire > cells*cell {
				cells++
			}
			wire = cells * (cell + m.Rate.CellOverhead)
		}
		delay += time.Duration(wire) * time.Second / time.Duration(m.Rate.Rate/8)
	}
	p.at = from + delay
	m.counter++
	behind := slices.IndexFunc(m.list, func(q modelPacket) bool { return q.at > p.at })
	if behind < 0 {
		behind = len(m.list)
	}
	m.list = slices.Insert(m.list, behind, p)
}

// run serves the device.
func (m *model) run() {
	leave := func(p modelPacket) { m.left = append(m.left, modelPacket{p.id, p.size, m.now}) }
	for {
		if len(m.head) > 0 {
			leave(m.head[0])
			m.head = m.head[1:]
			continue
		}
		if len(m.list) == 0 {
			m.watchdog = never
			return
		}
		first := m.list[0]
		if m.slotted() && m.slot < first.at {
			m.nextSlot()
		}
		if first.at > m.now || m.slotted() && m.slot > m.now {
			m.watchdog = first.at
			if m.slotted() {
				m.watchdog = max(first.at, m.slot)
			}
			return
		}
		m.list = m.list[1:]
		if m.slotted() {
			m.packets--
			if m.bytes -= first.size + 42; m.packets <= 0 || m.bytes <= 0 {
				m.nextSlot()
			}
		}
		leave(first)
	}
}

func TestNetemDoesWhatTheKernelDoes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := Netem{
			Limit:     rapid.IntRange(1, 8).Draw(r, "limit"),
			Delay:     time.Duration(rapid.SampledFrom([]int{0, 1, 7, 50}).Draw(r, "delay")),
			Duplicate: NetemChance{P: float64(rapid.IntRange(0, 1).Draw(r, "duplicate"))},
			Loss:      rapid.SampledFrom([]Loss{nil, nil, nil, Bernoulli{P: 1}}).Draw(r, "loss"),
			Rate: NetemRate{
				Rate:           rapid.SampledFrom([]BitRate{0, 8 * GbitPerSecond, 80 * GbitPerSecond, 100 * GbitPerSecond}).Draw(r, "rate"),
				PacketOverhead: Bytes(rapid.IntRange(-42, 40).Draw(r, "overhead")),
				CellSize:       Bytes(rapid.SampledFrom([]int{0, 48}).Draw(r, "cell")),
				CellOverhead:   Bytes(rapid.IntRange(0, 9).Draw(r, "cell overhead")),
			},
			Slot: rapid.SampledFrom([]NetemSlot{
				{}, {}, {Min: 10}, {Min: 25, Packets: 2}, {Min: 10, Bytes: 300}, {Delay: 10, Jitter: 5, Distribution: exactly(1000), Packets: 1},
			}).Draw(r, "slot"),
		}
		if n.Delay > 0 && rapid.Bool().Draw(r, "has jitter") {
			n.Jitter, n.Distribution = 8, exactly(500*rapid.IntRange(-3, 3).Draw(r, "value"))
		}
		if n.Delay > 0 && rapid.Bool().Draw(r, "reorders") {
			n.Reorder.P, n.Gap = 1, rapid.IntRange(0, 3).Draw(r, "gap")
		}
		m := model{Netem: n, watchdog: never}
		m.restartSlot(0)
		b := newBench(t, 1, n)
		sends := make(map[time.Duration][]int)
		for range rapid.IntRange(1, 60).Draw(r, "packets") {
			at := time.Duration(rapid.IntRange(0, 100).Draw(r, "at"))
			sends[at] = append(sends[at], rapid.IntRange(0, 200).Draw(r, "size"))
		}
		id := uint64(0)
		for at := range time.Duration(20_000) {
			m.now = at
			for _, size := range sends[at] { // an arrival comes before the watchdog
				id++
				b.sendAt(at, size)
				m.enqueue(modelPacket{id: id, size: Bytes(size)}, true)
				m.run()
			}
			if m.watchdog <= at {
				m.run()
			}
		}
		if len(m.list) > 0 {
			r.Fatalf("the model holds %v for too long", m.list)
		}
		var left []modelPacket
		dropped := 0
		for _, s := range b.run() {
			if s.fate == Dropped {
				dropped++
			} else {
				left = append(left, modelPacket{s.id, s.size, s.at})
			}
		}
		if !slices.Equal(left, m.left) {
			r.Fatalf("%s: packets left as\n%v\nwant\n%v", n, left, m.left)
		}
		if dropped != m.dropped {
			r.Fatalf("%s: %d packets were dropped, want %d", n, dropped, m.dropped)
		}
	})
}

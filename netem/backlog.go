package netem

import (
	"cmp"
	"slices"
)

// backlog is packets in the order of their arrival, and their bytes on the
// wire.
type backlog struct {
	ring  ring[*Packet]
	bytes Bytes
	sum   *load // of several backlogs, nil if this one is alone
}

// load is what several backlogs hold together.
type load struct {
	packets int
	bytes   Bytes // on the wire
}

func (b *backlog) len() int { return b.ring.len() }

func (b *backlog) push(p *Packet) {
	b.bytes += p.wire
	b.ring.push(p)
	if b.sum != nil {
		b.sum.packets++
		b.sum.bytes += p.wire
	}
}

// pop removes the oldest packet, and returns nil if there is none.
func (b *backlog) pop() *Packet {
	if b.ring.len() == 0 {
		return nil
	}
	p := b.ring.pop()
	b.bytes -= p.wire
	if b.sum != nil {
		b.sum.packets--
		b.sum.bytes -= p.wire
	}
	return p
}

func (b *backlog) held(yield func(*Packet)) {
	for i := range b.ring.len() {
		yield(*b.ring.at(i))
	}
}

// inOrder yields the packets of several backlogs in the order of their arrival,
// and in that of their entry into the network where they arrived at one instant.
func inOrder(packets []*Packet, yield func(*Packet)) {
	slices.SortStableFunc(packets, func(a, b *Packet) int {
		return cmp.Or(cmp.Compare(a.queued, b.queued), cmp.Compare(a.ID, b.ID))
	})
	for _, p := range packets {
		yield(p)
	}
}

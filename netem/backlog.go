package netem

// backlog is packets in the order of their arrival, and their bytes on the
// wire.
type backlog struct {
	ring  ring[*Packet]
	bytes Bytes
}

func (b *backlog) len() int { return b.ring.len() }

func (b *backlog) push(p *Packet) {
	b.bytes += p.wire
	b.ring.push(p)
}

// pop removes the oldest packet, and returns nil if there is none.
func (b *backlog) pop() *Packet {
	if b.ring.len() == 0 {
		return nil
	}
	p := b.ring.pop()
	b.bytes -= p.wire
	return p
}

func (b *backlog) held(yield func(*Packet)) {
	for i := range b.ring.len() {
		yield(*b.ring.at(i))
	}
}

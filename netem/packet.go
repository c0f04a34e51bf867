package netem

import (
	"net/netip"
	"sync"
	"time"
)

// ECN is the two-bit ECN field of the IP header (RFC 3168, section 5).
type ECN uint8

// The ECN codepoints.
const (
	NotECT ECN = 0
	ECT1   ECN = 1
	ECT0   ECN = 2
	CE     ECN = 3
)

// HeaderIPv4 is the size of an IPv4 and a UDP header.
const HeaderIPv4 Bytes = 28

// Packet is one UDP datagram in the network. Whoever holds it owns it: an
// element hands it on with [Env.Forward] or ends it with [Env.Drop], once.
type Packet struct {
	ID         uint64         // counts from 1 in order of entry into the network; a copy has that of its original
	Source     netip.AddrPort // the sender
	Dest       netip.AddrPort // the receiver
	Payload    []byte         // the UDP payload
	ECN        ECN            // the codepoint now
	SentECN    ECN            // the codepoint with which it entered the path that holds it
	Sent       time.Duration  // when it entered the path that holds it
	QueueDelay time.Duration  // how long it has waited in that path's queues

	route   *Path         // that it takes from the host that sent it
	entered time.Duration // when it entered the element that holds it
	wire    Bytes         // its size on the link whose queue it entered last
	queued  time.Duration // when it entered that queue
	lot     uint64        // drawn by that queue if it decides by chance about packets that it holds
}

// Size returns the size of the UDP payload.
func (p *Packet) Size() Bytes { return Bytes(len(p.Payload)) }

// Applications read and write sockets on their own goroutines, so the pool is
// one that goroutines can share.
var packetPool = sync.Pool{New: func() any { return new(Packet) }}

// newPacket returns a packet with a copy of payload.
func newPacket(source, dest netip.AddrPort, payload []byte, ecn ECN) *Packet {
	p := packetPool.Get().(*Packet)
	*p = Packet{Source: source, Dest: dest, ECN: ecn, Payload: append(p.Payload[:0], payload...)}
	return p
}

// clone returns a copy of the packet and of its payload.
func (p *Packet) clone() *Packet {
	c := packetPool.Get().(*Packet)
	payload := append(c.Payload[:0], p.Payload...)
	*c = *p
	c.Payload = payload
	return c
}

func (p *Packet) release() { packetPool.Put(p) }

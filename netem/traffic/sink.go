package traffic

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// Sink takes the packets of one [Source].
type Sink struct {
	clock    netem.Clock
	addr     netip.AddrPort
	arrived  func(Arrival)
	expected uint64         // sequence number after the highest one that arrived
	recent   [window]uint64 // a bit for each of the sequence numbers before expected
	totals   Arrivals
}

// Arrival is a packet that arrives for the first time.
type Arrival struct {
	Seq       uint64      // sequence number, from 0
	Size      netem.Bytes // of the UDP payload
	Sent      time.Duration
	Delay     time.Duration // one way (RFC 7679)
	Reordered bool          // a packet that was sent later arrived before it (RFC 4737, section 3)
}

// Arrivals is what a [Sink] has received.
type Arrivals struct {
	Delivered  netem.Count // packets that arrived intact, each counted once
	Reordered  int64       // of those delivered; see [Arrival]
	Duplicated netem.Count // more copies of packets
	Corrupted  netem.Count // packets whose payload is not what the source sent, which UDP drops

	// Missing is how many packets have not arrived of those that were sent
	// before the last one that did. Exactly this many are lost when no packet is
	// on its way, and none was sent after that one.
	Missing int64

	// Bursts is in how many gaps they were missing, seen as the packet after each
	// arrived: loss periods of RFC 3357 section 4.4, unless packets are reordered.
	Bursts int64

	// Delay is the sum of the one-way delays of the packets delivered, and the
	// least and the largest of them.
	Delay, MinDelay, MaxDelay time.Duration
}

// Copies and late packets are told apart among the last recentBits sequence
// numbers. What is older than that counts as late.
const (
	recentBits = 1 << 16
	window     = recentBits / 64
)

// NewSink makes a sink on a port of a host, or on a free ephemeral port if port
// is 0. It calls arrived, unless that is nil, for each packet that it counts as
// delivered.
func NewSink(clock netem.Clock, host *netem.Host, port uint16, arrived func(Arrival)) (*Sink, error) {
	s := &Sink{clock: clock, arrived: arrived}
	at, err := host.Bind(port, s.receive)
	if err != nil {
		return nil, fmt.Errorf("traffic to %s: %w", host.Name(), err)
	}
	s.addr = at.Addr()
	return s, nil
}

// Addr returns the address to which the source sends.
func (s *Sink) Addr() netip.AddrPort { return s.addr }

// Totals returns what has arrived so far.
func (s *Sink) Totals() Arrivals {
	t := s.totals
	t.Missing = int64(s.expected) - t.Delivered.Packets
	return t
}

func (s *Sink) receive(p *netem.Packet) {
	now, expected := s.clock.Now(), s.expected
	seq, sent, ok := parse(p.Payload)
	switch {
	case !ok:
		add(&s.totals.Corrupted, p)
		return
	case !s.isNew(seq):
		add(&s.totals.Duplicated, p)
		return
	}
	delay := time.Duration((uint64(now) - sent) & timeMask)
	a := Arrival{Seq: seq, Size: p.Size(), Sent: now - delay, Delay: delay, Reordered: seq+1 < s.expected}
	if a.Reordered {
		s.totals.Reordered++
	}
	if seq > expected {
		s.totals.Bursts++
	}
	t := &s.totals
	if t.Delivered.Packets == 0 {
		t.MinDelay = delay
	}
	add(&t.Delivered, p)
	t.Delay += delay
	t.MinDelay, t.MaxDelay = min(t.MinDelay, delay), max(t.MaxDelay, delay)
	if s.arrived != nil {
		s.arrived(a)
	}
}

// isNew notes a sequence number, and reports whether it is the first time.
func (s *Sink) isNew(seq uint64) bool {
	word, mask := &s.recent[seq/64%window], uint64(1)<<(seq%64)
	switch {
	case seq >= s.expected:
		for n := s.expected; n < seq+1 && n < s.expected+recentBits; n++ {
			s.recent[n/64%window] &^= 1 << (n % 64)
		}
		s.expected = seq + 1
	case s.expected-seq > recentBits:
		return true
	case *word&mask != 0:
		return false
	}
	*word |= mask
	return true
}

func add(c *netem.Count, p *netem.Packet) {
	c.Packets++
	c.Bytes += p.Size()
}

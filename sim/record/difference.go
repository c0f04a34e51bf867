package record

import (
	"fmt"
	"iter"
)

// Difference is the first place where the packets of two recordings differ.
type Difference struct {
	Index int     // the row, from 0
	A, B  *Packet // that row of each recording; nil where the recording has ended
}

// FirstDifference compares the packets of two recordings row by row, in
// everything that the fingerprint covers, and reports the first difference
// and whether there is one. It reads both as streams.
func FirstDifference(a, b *Recording) (Difference, bool, error) {
	for _, r := range []*Recording{a, b} {
		if !r.Run.Has(TablePackets) {
			return Difference{}, false, fmt.Errorf("compare recordings: %s was recorded without packets", r.dir)
		}
	}
	nextA, stopA := iter.Pull2(a.Packets())
	defer stopA()
	nextB, stopB := iter.Pull2(b.Packets())
	defer stopB()
	for i := 0; ; i++ {
		p, errA, okA := nextA()
		q, errB, okB := nextB()
		if err := firstError(errA, errB); err != nil {
			return Difference{}, false, fmt.Errorf("compare recordings: %w", err)
		}
		d := Difference{Index: i}
		if okA {
			d.A = &p
		}
		if okB {
			d.B = &q
		}
		switch {
		case !okA && !okB:
			return Difference{}, false, nil
		case okA != okB || fingerprinted(p) != fingerprinted(q):
			return d, true, nil
		}
	}
}

// fingerprinted returns the packet without what the fingerprint leaves out.
func fingerprinted(p Packet) Packet {
	p.ID, p.QueueDelay = 0, 0
	return p
}

// String says in three lines where and how the recordings differ.
func (d Difference) String() string {
	line := func(p *Packet) string {
		if p == nil {
			return "no more packets"
		}
		return p.String()
	}
	return fmt.Sprintf("packet record %d differs:\n  a: %s\n  b: %s", d.Index, line(d.A), line(d.B))
}

// String describes the packet record in one line.
func (p *Packet) String() string {
	s := fmt.Sprintf("#%d %v → %v on links.%s.%v, %d B, ecn %d → %d, sent %v, %v %v",
		p.ID, p.Source, p.Dest, p.Link, p.Direction, int64(p.Size), p.SentECN, p.ECN, p.Sent, p.Fate, p.Done)
	if p.Reason != "" {
		s += " by " + p.Reason
	}
	return s
}

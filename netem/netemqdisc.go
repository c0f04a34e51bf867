package netem

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Netem is the queueing discipline of Linux of that name, as one element:
// net/sched/sch_netem.c of Linux 6.18, whose options [ParseNetem] reads as tc
// does. A chain of [Jitter], [Bernoulli], [Duplicate] and others does much of
// the same, but not what follows from the order of the decisions:
//
//  1. A packet may be duplicated and may be lost. One that is to be both goes on
//     once. With ECN, an ECN-capable one is set to CE instead of lost.
//  2. A packet that finds Limit packets held is dropped, and so is its copy.
//  3. The copy is taken in before its original, and by itself: it may be lost,
//     corrupted and delayed otherwise, but is not duplicated again. The limit does
//     not hold the original back then, and can be exceeded by one.
//  4. A payload may be corrupted, as by [Corrupt].
//  5. A packet may skip the queue. Those that may not before Gap−1 others were
//     delayed.
//  6. The others get a time at which they leave: the delay from now, but not
//     before the last packet that is held leaves, plus the transmission at Rate.
//     The rate thus begins where the delay ends, and a packet that waits for
//     others has spent its delay meanwhile.
//  7. Packets leave in the order of these times, and of their arrival where the
//     times are the same, so that jitter reorders them if there is no rate. With
//     Slot they wait for the next slot too.
//
// Probabilities and correlations are numbers of 32 bits, rounded as tc does. A
// correlated number is (1−ρ)·u + ρ·r′ for a uniform number u and the number r′
// before it (get_crandom; see [Bernoulli] for what that does to a probability).
// Other than for [Jitter], the remainder of such a number picks the place in a
// distribution, in which little of the correlation is left (tabledist).
//
// A change replaces all of the configuration at once, for packets that come
// from then on, and begins the gap, the states of the loss model and the slots
// again, like "tc qdisc change".
//
// Other than in Linux, time has no granularity, the device behind the
// discipline takes packets at once, and random numbers come from the element's
// stream: a copy and a slot draw from streams of their own, and a packet draws
// the same number of them whatever the configuration. As in Linux, the time of a
// transmission is rounded down to a nanosecond and the rest of it is forgotten;
// [Rate] is exact.
type Netem struct {
	Limit int // packets held, up to 4294967295; 0 is 1000, tc's default

	// Header is what Rate and Slot count of a packet beside its UDP payload, 0 to
	// 1000 bytes. 0 is 42, as on an Ethernet device: 14 for Ethernet, 20 for IPv4
	// and 8 for UDP.
	Header Bytes

	Delay        time.Duration // 0 to 24 hours
	Jitter       time.Duration // unit of the distribution, 0 to 24 hours; Linux takes at most 2.147483647s, and more as that
	Correlation  float64       // of the delays, 0 to 1
	Distribution *Distribution // nil is uniform: Delay ± Jitter; another needs a Delay and a Jitter

	Loss Loss // nil, Bernoulli, GilbertElliott or Markov
	ECN  bool // mark instead of lose; needs a Loss

	Corrupt   NetemChance
	Duplicate NetemChance
	Reorder   NetemChance // that a packet skips the queue; needs a Delay
	Gap       int         // in packets, up to 4294967295; 0 is 1; needs a Reorder

	Rate NetemRate
	Slot NetemSlot
}

// NetemChance is a probability with the correlation of [Bernoulli].
type NetemChance struct {
	P           float64 // 0 to 1
	Correlation float64 // 0 to 1
}

// NetemRate is the rate of a [Netem], with what the link adds to packets. With
// cells, a packet takes as many whole cells as its bytes and PacketOverhead fill.
// It takes at most 24 hours.
type NetemRate struct {
	Rate           BitRate // whole bytes per second; 0 is unlimited, at most 1 Tbit/s
	PacketOverhead Bytes   // ±65535; -14 leaves the Ethernet header out
	CellSize       Bytes   // 0 to 65535; 0 is no cells
	CellOverhead   Bytes   // to each cell, -CellSize to 65535
}

// NetemSlot makes packets that are due wait for slots. The slots are a random
// time from Min to Max apart, or, with a Jitter, one of the Distribution around
// Delay. Without any of them there are no slots.
//
// A packet that is due after the time of the slot that was set last sets the
// next one, at the time of the first arrival or departure since. When a slot has
// let go as many packets or bytes as it may, it sets the next one (netem_dequeue
// and get_slot_next).
type NetemSlot struct {
	Min, Max time.Duration // 0 to 24 hours; a Max of 0 is Min

	Delay        time.Duration // 0 to 24 hours
	Jitter       time.Duration // as that of [Netem]
	Distribution *Distribution // nil is uniform

	Packets int   // that a slot lets go, up to 2147483647; 0 is any number
	Bytes   Bytes // with headers, with which a slot is over once it has let them go, up to 2147483647; 0 is any number
}

const (
	defaultNetemLimit  = 1000
	ethernetHeader     = 14
	maxNetemOverhead   = math.MaxUint16
	defaultNetemHeader = ethernetHeader + HeaderIPv4
)

// Kind implements [Element].
func (Netem) Kind() string { return "netem" }

func (n Netem) limit() int {
	if n.Limit == 0 {
		return defaultNetemLimit
	}
	return n.Limit
}

// check finds what is wrong with a configuration, in the words of tc.
func (n Netem) check() error {
	slot := n.Slot
	switch {
	case n.Limit < 0 || n.Limit > math.MaxUint32:
		return fmt.Errorf("the limit is not between 0 and %d packets", uint32(math.MaxUint32))
	case n.Gap < 0 || n.Gap > math.MaxUint32:
		return fmt.Errorf("the gap is not between 0 and %d packets", uint32(math.MaxUint32))
	case slot.Max != 0 && slot.Max < slot.Min:
		return errors.New("the greatest delay of a slot is less than the least")
	case slot.Packets < 0 || slot.Packets > math.MaxInt32 || slot.Bytes < 0 || slot.Bytes > math.MaxInt32:
		return fmt.Errorf("the packets or bytes of a slot are not between 0 and %d", math.MaxInt32)
	case n.Distribution != nil && len(n.Distribution.table) == 0 || slot.Distribution != nil && len(slot.Distribution.table) == 0:
		return errors.New("a distribution without values")
	case n.Distribution != nil && (n.Delay == 0 || n.Jitter == 0):
		return errors.New("a distribution needs a delay and a jitter")
	case slot.Distribution != nil && slot.Jitter == 0:
		return errors.New("a distribution of slots needs a jitter")
	case n.Reorder.P > 0 && n.Delay == 0:
		return errors.New("reordering needs a delay that packets can skip")
	case n.Gap > 0 && n.Reorder.P == 0:
		return errors.New("a gap needs a probability of reordering")
	}
	for _, d := range []struct {
		name string
		time time.Duration
	}{
		{"delay", n.Delay},
		{"jitter", n.Jitter},
		{"least delay of a slot", slot.Min},
		{"greatest delay of a slot", slot.Max},
		{"delay of a slot", slot.Delay},
		{"jitter of a slot", slot.Jitter},
	} {
		if d.time < 0 || d.time > maxDelay {
			return fmt.Errorf("the %s is not between 0 and %s", d.name, maxDelay)
		}
	}
	if err := n.Rate.check(n.Header); err != nil {
		return err
	}
	return n.checkChances()
}

func (r NetemRate) check(header Bytes) error {
	if err := checkRate(r.Rate, header); err != nil {
		return err
	}
	switch {
	case r.Rate > 0 && r.Rate < 8*BitPerSecond:
		return errors.New("the rate is less than a byte per second")
	case r.PacketOverhead < -maxNetemOverhead || r.PacketOverhead > maxNetemOverhead:
		return fmt.Errorf("the packet overhead is not between -%d and %[1]d bytes", maxNetemOverhead)
	case r.CellSize < 0 || r.CellSize > maxNetemOverhead:
		return fmt.Errorf("the cell size is not between 0 and %d bytes", maxNetemOverhead)
	case r.CellOverhead < -r.CellSize || r.CellOverhead > maxNetemOverhead:
		return fmt.Errorf("the cell overhead is not between -%d, the cell size, and %d bytes", r.CellSize, maxNetemOverhead)
	}
	return nil
}

// checkChances checks probabilities and correlations.
func (n Netem) checkChances() error {
	lost := 0.0
	switch l := n.Loss.(type) {
	case nil:
	case Bernoulli:
		lost = l.P
	case GilbertElliott, Markov:
		lost = 1
	default:
		return fmt.Errorf("netem has no loss of the kind %s", l.Kind())
	}
	if n.Loss != nil {
		if err := n.Loss.model().Configure(n.Loss); err != nil {
			return fmt.Errorf("loss: %w", err)
		}
	}
	if n.ECN && lost == 0 {
		return errors.New("ecn needs a loss")
	}
	for _, c := range []struct {
		name   string
		chance NetemChance
	}{
		{"delay", NetemChance{Correlation: n.Correlation}},
		{"corrupt", n.Corrupt},
		{"duplicate", n.Duplicate},
		{"reorder", n.Reorder},
	} {
		if err := new(correlated).configure(c.chance.P, c.chance.Correlation); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

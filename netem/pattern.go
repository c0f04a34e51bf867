package netem

import (
	"errors"
	"math/rand/v2"
	"slices"
)

// Periodic loses every k-th packet: those whose number is a multiple of Every.
// Packets count from 1 in the order in which they come to the element, whatever
// its configuration at the time.
type Periodic struct {
	Every uint64 // in packets; 0 loses none
}

// Kind implements [Element].
func (Periodic) Kind() string { return "periodic_loss" }

// Start implements [Element].
func (p Periodic) Start(env *Env) (Runner, error) { return startLoss(p, env) }

func (Periodic) model() lossModel { return new(periodic) }

type periodic struct{ every, packets uint64 }

func (p *periodic) Configure(e Element) error {
	c, err := configured[Periodic](e)
	if err != nil {
		return err
	}
	p.every = c.Every
	return nil
}

func (p *periodic) lose(*rand.Rand) bool {
	p.packets++
	return p.every > 0 && p.packets%p.every == 0
}

// ListedLoss loses the packets with the given numbers, which count as those of
// [Periodic] do.
type ListedLoss struct {
	Packets []uint64 // numbers from 1, in any order
}

// Kind implements [Element].
func (ListedLoss) Kind() string { return "listed_loss" }

// Start implements [Element].
func (l ListedLoss) Start(env *Env) (Runner, error) { return startLoss(l, env) }

func (ListedLoss) model() lossModel { return new(listedLoss) }

type listedLoss struct {
	numbers []uint64 // sorted
	packets uint64
}

func (l *listedLoss) Configure(e Element) error {
	c, err := configured[ListedLoss](e)
	if err != nil {
		return err
	}
	if slices.Contains(c.Packets, 0) {
		return errors.New("packets count from 1")
	}
	l.numbers = slices.Sorted(slices.Values(c.Packets))
	return nil
}

func (l *listedLoss) lose(*rand.Rand) bool {
	l.packets++
	_, listed := slices.BinarySearch(l.numbers, l.packets)
	return listed
}

// LossMask loses packets by a pattern of 64, which repeats: packet n is lost if
// bit (n−1) mod 64 is set, the least significant bit being bit 0. Packets count
// as those of [Periodic] do.
type LossMask struct {
	Mask uint64
}

// Kind implements [Element].
func (LossMask) Kind() string { return "loss_mask" }

// Start implements [Element].
func (l LossMask) Start(env *Env) (Runner, error) { return startLoss(l, env) }

func (LossMask) model() lossModel { return new(lossMask) }

type lossMask struct{ mask, packets uint64 }

func (l *lossMask) Configure(e Element) error {
	c, err := configured[LossMask](e)
	if err != nil {
		return err
	}
	l.mask = c.Mask
	return nil
}

func (l *lossMask) lose(*rand.Rand) bool {
	lost := l.mask>>(l.packets%64)&1 == 1
	l.packets++
	return lost
}

package netem

import (
	"errors"
	"math/rand/v2"
)

// Markov loses packets by a chain of four states, like "loss state" of
// tc-netem(8), known as the GI model (S. Salsano et al., Definition of a general
// and intuitive loss model for packet networks and its implementation in the
// Netem module in the Linux kernel, 2012). For each packet the chain takes a
// step, and the state that it comes to decides (loss_4state in
// net/sched/sch_netem.c):
//
//	1  in a gap, delivered: where the chain starts
//	2  in a burst, delivered
//	3  in a burst, lost
//	4  in a gap, lost, alone: always followed by 1
//
// With D = P23·P31 + P13·P32 + P13·P23 + P14·P23·P31, the share of packets that
// is lost is (P13·P23 + P14·P23·P31) / D.
//
// "loss state p13 p31 p32 p23 p14" writes them in the order of the fields, and
// tc takes P31 = 1−P13, P32 = 0, P23 = 1 and P14 = 0 where they are left out.
// Other than in the kernel, a change of the configuration keeps the state.
type Markov struct {
	P13 float64 // from a gap to a burst, 0 to 1−P14
	P31 float64 // from a burst to a gap, 0 to 1−P32
	P32 float64 // to deliveries within a burst, 0 to 1−P31
	P23 float64 // back to losses of the burst, 0 to 1
	P14 float64 // of a loss within a gap, 0 to 1−P13
}

// Kind implements [Element].
func (Markov) Kind() string { return "markov_loss" }

// Start implements [Element].
func (m Markov) Start(env *Env) (Runner, error) { return startLoss(m, env) }

func (Markov) model() lossModel { return new(markov) }

type markov struct {
	state                   markovState
	p13, p31, p32, p23, p14 chance
}

type markovState uint8

const (
	gapDelivered markovState = iota
	burstDelivered
	burstLost
	gapLost
)

func (m *markov) Configure(e Element) error {
	c, err := configured[Markov](e)
	if err != nil {
		return err
	}
	next := markov{state: m.state}
	if err := newChances(
		namedChance{"p13", c.P13, &next.p13},
		namedChance{"p31", c.P31, &next.p31},
		namedChance{"p32", c.P32, &next.p32},
		namedChance{"p23", c.P23, &next.p23},
		namedChance{"p14", c.P14, &next.p14},
	); err != nil {
		return err
	}
	switch {
	case c.P13+c.P14 > 1:
		return errors.New("p13 and p14 are together above 1")
	case c.P31+c.P32 > 1:
		return errors.New("p31 and p32 are together above 1")
	}
	*m = next
	return nil
}

func (m *markov) lose(r *rand.Rand) bool { return m.loses(draw(r)) }

// loses takes a step by a uniform number, of which the chances are those of being
// below them.
func (m *markov) loses(uniform chance) bool {
	m.state = m.step(uniform)
	return m.state == burstLost || m.state == gapLost
}

func (m *markov) step(x chance) markovState {
	switch m.state {
	case gapDelivered:
		switch {
		case x < m.p14:
			return gapLost
		case x < m.p14+m.p13:
			return burstLost
		}
	case burstDelivered:
		if x >= m.p23 {
			return burstDelivered
		}
		return burstLost
	case burstLost:
		switch {
		case x < m.p32:
			return burstDelivered
		case x >= m.p32+m.p31:
			return burstLost
		}
	}
	return gapDelivered
}

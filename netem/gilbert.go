package netem

import "math/rand/v2"

// GilbertElliott loses packets in bursts, like "loss gemodel" of tc-netem(8). A
// chain is in a good or a bad state, and starts in the good one. A packet is
// lost with the probability of the state that it meets; then the state changes
// with probability P or R (loss_gilb_ell in net/sched/sch_netem.c; E. O.
// Elliott, Estimates of error rates for codes on burst-noise channels, 1963).
//
// The share of packets that is lost is (Bad·P + Good·R) / (P+R), and the mean
// stay in the bad state is 1/R packets. With Bad 1 and Good 0, E. N. Gilbert's
// simple case, that is the mean length of a burst.
//
// "loss gemodel p r 1-h 1-k" writes P, R, Bad and Good, and tc takes R = 1−P,
// Bad = 1 and Good = 0 where they are left out. Other than in the kernel, a
// change of the configuration keeps the state.
type GilbertElliott struct {
	P    float64 // from good to bad, 0 to 1
	R    float64 // from bad to good, 0 to 1; after P with R 0 the state stays bad
	Bad  float64 // of loss in the bad state, 0 to 1
	Good float64 // of loss in the good state, 0 to 1
}

// Kind implements [Element].
func (GilbertElliott) Kind() string { return "gilbert_elliott" }

// Start implements [Element].
func (g GilbertElliott) Start(env *Env) (Runner, error) { return startLoss(g, env) }

func (GilbertElliott) model() lossModel { return new(gilbertElliott) }

type gilbertElliott struct {
	bad               bool // the state
	p, r              chance
	badLoss, goodLoss chance
}

func (g *gilbertElliott) Configure(e Element) error {
	c, err := configured[GilbertElliott](e)
	if err != nil {
		return err
	}
	return newChances(
		namedChance{"p", c.P, &g.p},
		namedChance{"r", c.R, &g.r},
		namedChance{"loss in the bad state", c.Bad, &g.badLoss},
		namedChance{"loss in the good state", c.Good, &g.goodLoss},
	)
}

func (g *gilbertElliott) lose(r *rand.Rand) bool {
	change, lost := draw(r), draw(r)
	if g.bad {
		g.bad = change >= g.r
		return lost < g.badLoss
	}
	g.bad = change < g.p
	return lost < g.goodLoss
}

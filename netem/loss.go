package netem

import (
	"math/rand/v2"
	"time"
)

// Loss is an [Element] that decides of one packet after another whether it is
// lost. It neither delays nor reorders packets.
type Loss interface {
	Element

	// model returns a model that Configure has not set up yet.
	model() lossModel
}

// lossModel is the state of a running [Loss].
type lossModel interface {
	// Configure takes a configuration of the type that made the model.
	Configure(Element) error

	// lose reports whether the next packet is lost. It draws the same number of
	// times whatever the configuration, so that a change of the configuration
	// does not shift the stream.
	lose(*rand.Rand) bool
}

// startLoss starts a loss on all packets.
func startLoss(l Loss, env *Env) (Runner, error) {
	r := &loss{lossModel: l.model(), env: env}
	return r, r.Configure(l)
}

type loss struct {
	lossModel
	env *Env
}

func (l *loss) Receive(p *Packet) {
	if l.lose(l.env.Rand) {
		l.env.Drop(p)
		return
	}
	l.env.Forward(p)
}

func (l *loss) Held(func(*Packet)) {}

func (l *loss) lookahead(next time.Duration) time.Duration { return next }

// Bernoulli loses each packet with probability P, like "loss random" of
// tc-netem(8): independently of the others, unless there is a correlation.
//
// The correlation is that of the Linux kernel (get_crandom in
// net/sched/sch_netem.c): a packet is lost if x' = (1−ρ)·u + ρ·x is below P,
// with u uniform and x the number of the packet before. Such numbers correlate
// by ρ but are not uniform: their mean is 1/2 and their variance
// (1−ρ)/(1+ρ)/12, so that small ones are rare. The share of packets that is lost
// is (P−ρ/2)/(1−ρ) for P from ρ to 1−ρ. For smaller P it falls off fast:
//
//	P      ρ = 10 %   ρ = 25 %    ρ = 50 %
//	1 %    0.0196 %   0.00024 %   4e-9 %
//	3 %    0.390 %    0.0297 %    0.00004 %
//	10 %   5.56 %     1.75 %      0.108 %
//	30 %   27.8 %     23.3 %      12.9 %
//	50 %   50 %       50 %        50 %
//
// To lose packets in bursts at a known rate, use [GilbertElliott]. Other than in
// the kernel, the first packet's number is uniform, and a change of the
// configuration does not begin a new sequence.
type Bernoulli struct {
	P           float64 // 0 to 1
	Correlation float64 // ρ, 0 to 1
}

// Kind implements [Element].
func (Bernoulli) Kind() string { return "loss" }

// Start implements [Element].
func (b Bernoulli) Start(env *Env) (Runner, error) { return startLoss(b, env) }

func (Bernoulli) model() lossModel { return new(bernoulli) }

type bernoulli struct{ chance correlated }

func (b *bernoulli) Configure(e Element) error {
	c, err := configured[Bernoulli](e)
	if err != nil {
		return err
	}
	return b.chance.configure(c.P, c.Correlation)
}

func (b *bernoulli) lose(r *rand.Rand) bool { return b.chance.happens(r) }

package netem

import "time"

// Duplicate copies each packet with probability P, like "duplicate" of
// tc-netem(8), with the correlation of [Bernoulli]. A copy follows its original
// at the same instant, and before any packet that comes later.
//
// A copy has the ID of its original, and so a datagram can have several fates.
// An element behind this one deals with each by itself. In that a chain differs
// from one qdisc of the kernel (netem_enqueue in net/sched/sch_netem.c), which
// sends a packet on once if it is both to be lost and to be duplicated, and
// draws anew for a copy.
type Duplicate struct {
	P           float64 // 0 to 1
	Correlation float64 // 0 to 1
}

// Kind implements [Element].
func (Duplicate) Kind() string { return "duplicate" }

// Start implements [Element].
func (d Duplicate) Start(env *Env) (Runner, error) {
	r := &duplicate{env: env}
	r.depart = r.departed
	return r, r.Configure(d)
}

type duplicate struct {
	env     *Env
	chance  correlated
	waiting ring[*Packet] // copies, and what came since, each for a call of depart
	depart  func()        // departed, made once
}

func (d *duplicate) Configure(e Element) error {
	c, err := configured[Duplicate](e)
	if err != nil {
		return err
	}
	return d.chance.configure(c.P, c.Correlation)
}

// Receive hands on what it can at once. A copy takes a call of its own, so that
// what its original sets off comes to rest first.
func (d *duplicate) Receive(p *Packet) {
	var second *Packet
	if d.chance.happens(d.env.Rand) {
		second = d.env.Duplicate(p)
	}
	if d.waiting.len() > 0 {
		d.wait(p)
		p = nil
	}
	if second != nil {
		d.wait(second)
	}
	if p != nil {
		d.env.Forward(p)
	}
}

func (d *duplicate) wait(p *Packet) {
	d.waiting.push(p)
	if d.waiting.len() == 1 {
		d.env.at(d.env.Clock.Now(), d.depart)
	}
}

func (d *duplicate) departed() {
	p := d.waiting.pop()
	if d.waiting.len() > 0 {
		d.env.at(d.env.Clock.Now(), d.depart)
	}
	d.env.Forward(p)
}

func (d *duplicate) Held(yield func(*Packet)) {
	for i := range d.waiting.len() {
		yield(*d.waiting.at(i))
	}
}

func (d *duplicate) lookahead(next time.Duration) time.Duration { return next }

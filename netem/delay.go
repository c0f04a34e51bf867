package netem

import (
	"fmt"
	"time"
)

// Delay is the propagation delay of a path. Packets leave in the order in
// which they came: when the delay shrinks, those on their way are not
// overtaken.
type Delay struct {
	Delay time.Duration // 0 to 24 hours
}

// maxDelay bounds delays, so that sums of times stay far from overflow.
const maxDelay = 24 * time.Hour

// Kind implements [Element].
func (Delay) Kind() string { return "delay" }

// Start implements [Element].
func (d Delay) Start(env *Env) (Runner, error) {
	r := &delay{env: env}
	r.depart = r.departed
	return r, r.Configure(d)
}

type delay struct {
	env    *Env
	delay  time.Duration
	flying ring[flight]
	depart func() // departed, made once
}

type flight struct {
	packet *Packet
	due    time.Duration
}

func (d *delay) Configure(e Element) error {
	c, err := configured[Delay](e)
	if err != nil {
		return err
	}
	if c.Delay < 0 || c.Delay > maxDelay {
		return fmt.Errorf("the delay is not between 0 and %s", maxDelay)
	}
	d.delay = c.Delay
	return nil
}

func (d *delay) Receive(p *Packet) {
	due := d.env.Clock.Now() + d.delay
	if n := d.flying.len(); n > 0 {
		due = max(due, d.flying.at(n-1).due)
	} else if d.delay == 0 {
		d.env.Forward(p)
		return
	}
	d.flying.push(flight{p, due})
	if d.flying.len() == 1 {
		d.env.at(due, d.depart)
	}
}

// departed hands on one packet, and the clock calls again for the next one even
// if it is due at the same time: what a packet sets off comes to rest before
// the next one arrives.
func (d *delay) departed() {
	p := d.flying.pop().packet
	if d.flying.len() > 0 {
		d.env.at(d.flying.at(0).due, d.depart)
	}
	d.env.Forward(p)
}

func (d *delay) Held(yield func(*Packet)) {
	for i := range d.flying.len() {
		yield(d.flying.at(i).packet)
	}
}

func (d *delay) lookahead(next time.Duration) time.Duration { return d.delay + next }

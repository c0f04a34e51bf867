package netem

import "time"

// Outage drops every packet that comes while the link is down. What is on its
// way behind this element arrives. For an outage that holds packets instead,
// see Paused of [Rate].
type Outage struct {
	Down bool
}

// Kind implements [Element].
func (Outage) Kind() string { return "outage" }

// Start implements [Element].
func (o Outage) Start(env *Env) (Runner, error) { return &outage{env, o.Down}, nil }

type outage struct {
	env  *Env
	down bool
}

func (o *outage) Configure(e Element) error {
	c, err := configured[Outage](e)
	if err != nil {
		return err
	}
	o.down = c.Down
	return nil
}

func (o *outage) Receive(p *Packet) {
	if o.down {
		o.env.Drop(p)
		return
	}
	o.env.Forward(p)
}

func (o *outage) Held(func(*Packet)) {}

func (o *outage) lookahead(next time.Duration) time.Duration { return next }

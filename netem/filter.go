package netem

import (
	"errors"
	"time"
)

// Filter is a loss that can become one of another type while it runs, and that
// can be shown some packets only. The others pass, and do not count for the
// model: neither do they have a number, nor does the state of a chain change or
// the random stream advance.
//
// Its kind is "loss" whatever the model, so that with a [Bernoulli] it loses
// the same packets as that alone. A model of another type starts afresh, and the
// random stream goes on.
type Filter struct {
	Loss  Loss          // nil loses none
	Above Bytes         // only datagrams with a UDP payload larger than that; 0 is any
	From  time.Duration // only packets that come at this time of the clock or later
	Until time.Duration // and earlier than that; 0 is no end
	Burst uint64        // the most that are lost in a row, of those that it is shown: the next one passes whatever the model says; 0 is any number
}

// Kind implements [Element].
func (Filter) Kind() string { return "loss" }

// Start implements [Element].
func (f Filter) Start(env *Env) (Runner, error) {
	r := &filter{env: env}
	return r, r.Configure(f)
}

type filter struct {
	env         *Env
	model       lossModel // nil if there is none
	kind        string    // of the model
	above       Bytes
	from, until time.Duration
	lost        inARow
}

func (f *filter) Configure(e Element) error {
	c, err := configured[Filter](e)
	switch {
	case err != nil:
		return err
	case c.Above < 0:
		return errors.New("the size is negative")
	case c.From < 0 || c.Until < 0:
		return errors.New("the time window has a negative bound")
	case c.Until != 0 && c.Until <= c.From:
		return errors.New("the time window ends before it begins")
	}
	next := filter{env: f.env, above: c.Above, from: c.From, until: c.Until, lost: inARow{c.Burst, f.lost.now}}
	if c.Loss != nil {
		next.model, next.kind = f.model, c.Loss.Kind()
		if f.kind != next.kind {
			next.model = c.Loss.model()
		}
		if err := next.model.Configure(c.Loss); err != nil {
			return err
		}
	}
	*f = next
	return nil
}

func (f *filter) Receive(p *Packet) {
	if f.model != nil && f.sees(p) && f.lost.allows(f.model.lose(f.env.Rand)) {
		f.env.Drop(p)
		return
	}
	f.env.Forward(p)
}

func (f *filter) sees(p *Packet) bool {
	now := f.env.Clock.Now()
	return (f.above == 0 || p.Size() > f.above) && now >= f.from && (f.until == 0 || now < f.until)
}

func (f *filter) Held(func(*Packet)) {}

func (f *filter) lookahead(next time.Duration) time.Duration { return next }

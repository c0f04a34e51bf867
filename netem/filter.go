package netem

import (
	"errors"
	"time"
)

// Filter shows a [Loss] some packets only. The others pass, and do not count
// for the model: neither do they have a number, nor does the state of a chain
// change or the random stream advance.
//
// Its kind is "filtered_" and that of the loss, or "filter" if there is none.
type Filter struct {
	Loss  Loss          // of the same type whenever the element is configured; nil loses none
	Above Bytes         // only datagrams with a UDP payload larger than that; 0 is any
	From  time.Duration // only packets that come at this time of the clock or later
	Until time.Duration // and earlier than that; 0 is no end
}

// Kind implements [Element].
func (f Filter) Kind() string {
	if f.Loss == nil {
		return "filter"
	}
	return "filtered_" + f.Loss.Kind()
}

// Start implements [Element].
func (f Filter) Start(env *Env) (Runner, error) {
	r := &filter{env: env}
	if f.Loss != nil {
		r.model = f.Loss.model()
	}
	return r, r.Configure(f)
}

type filter struct {
	env         *Env
	model       lossModel // nil if there is none
	above       Bytes
	from, until time.Duration
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
	if f.model != nil {
		if err := f.model.Configure(c.Loss); err != nil {
			return err
		}
	}
	f.above, f.from, f.until = c.Above, c.From, c.Until
	return nil
}

func (f *filter) Receive(p *Packet) {
	if f.model != nil && f.sees(p) && f.model.lose(f.env.Rand) {
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

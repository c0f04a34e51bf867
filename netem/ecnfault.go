package netem

import (
	"errors"
	"time"
)

// ECNFault is a path that treats the ECN field wrongly (RFC 3168, section 18),
// for which an endpoint validates the use of ECN (RFC 9000, sections 13.4.2 and
// A.4). To each packet it does, in this order and each with a probability of
// its own:
//
//   - drop it if its field is not Not-ECT, as some firewalls do;
//   - bleach it, which clears the field, as routers do that still treat its
//     bits as part of the type of service (RFC 3168, section 22);
//   - mangle it: give it the codepoint To if it has the codepoint From.
type ECNFault struct {
	Drop   float64 // 0 to 1
	Bleach float64 // 0 to 1
	Mangle float64 // 0 to 1

	From, To ECN
}

// Kind implements [Element].
func (ECNFault) Kind() string { return "ecn" }

// Start implements [Element].
func (c ECNFault) Start(env *Env) (Runner, error) {
	r := &ecnFault{env: env}
	return r, r.Configure(c)
}

type ecnFault struct {
	env                  *Env
	drop, bleach, mangle chance
	from, to             ECN
}

func (r *ecnFault) Configure(e Element) error {
	c, err := configured[ECNFault](e)
	if err != nil {
		return err
	}
	if c.From > CE || c.To > CE {
		return errors.New("an ECN codepoint is above 3")
	}
	if err := newChances(
		namedChance{"drop", c.Drop, &r.drop},
		namedChance{"bleach", c.Bleach, &r.bleach},
		namedChance{"mangle", c.Mangle, &r.mangle},
	); err != nil {
		return err
	}
	r.from, r.to = c.From, c.To
	return nil
}

// Receive draws three numbers for each packet, so that neither the field nor a
// change of a probability shifts the stream.
func (r *ecnFault) Receive(p *Packet) {
	drop := draw(r.env.Rand) < r.drop
	bleach := draw(r.env.Rand) < r.bleach
	mangle := draw(r.env.Rand) < r.mangle
	if drop && p.ECN != NotECT {
		r.env.Drop(p)
		return
	}
	if bleach {
		p.ECN = NotECT
	}
	if mangle && p.ECN == r.from {
		if r.to == CE && p.ECN != CE {
			r.env.counters.Marked.add(p)
		}
		p.ECN = r.to
	}
	r.env.Forward(p)
}

func (r *ecnFault) Held(func(*Packet)) {}

func (r *ecnFault) lookahead(next time.Duration) time.Duration { return next }

package netem

import (
	"errors"
	"time"
)

// Policer drops the packets that exceed a token bucket, and delays none, as
// tc-police(8) does with "conform-exceed drop": in any time t it lets at most
// Burst plus Rate·t pass. A packet that it drops takes no tokens.
//
// All arithmetic is in integers and exact. The bucket is full at the start, and
// when the rate was unlimited. After a change it holds what it held, but at
// most the new burst.
type Policer struct {
	Rate     BitRate // 0 is unlimited; at most 1 Tbit/s
	Burst    Bytes   // size of the bucket, 1 B to 1 GB; larger packets never pass
	Overhead Bytes   // added to each UDP payload, at most 1000; see [HeaderIPv4]
}

// Kind implements [Element].
func (Policer) Kind() string { return "policer" }

// Start implements [Element].
func (c Policer) Start(env *Env) (Runner, error) {
	r := &policer{env: env}
	return r, r.Configure(c)
}

// policer is a running Policer. Tokens are measured in bits times 10^9, of
// which it gets rate a nanosecond.
type policer struct {
	env      *Env
	rate     int64
	overhead Bytes
	depth    int64         // of the bucket: 8·10^18 at most
	tokens   int64         // at the time since
	since    time.Duration // 0 or later
}

const tokensPerByte = 8 * int64(time.Second)

func (r *policer) Configure(e Element) error {
	c, err := configured[Policer](e)
	if err != nil {
		return err
	}
	if err := checkRate(c.Rate, c.Overhead); err != nil {
		return err
	}
	if c.Rate > 0 && (c.Burst < 1 || c.Burst > GB) {
		return errors.New("the burst is not between 1B and 1GB")
	}
	r.refill()
	unlimited := r.rate == 0
	r.rate, r.overhead = int64(c.Rate), c.Overhead
	if r.depth = 0; r.rate > 0 {
		r.depth = int64(c.Burst) * tokensPerByte
	}
	if r.tokens = min(r.tokens, r.depth); unlimited {
		r.tokens = r.depth
	}
	return nil
}

// refill adds the tokens of the time since it did so last.
func (r *policer) refill() {
	now := r.env.Clock.Now()
	elapsed := int64(now - r.since)
	r.since = now
	switch missing := r.depth - r.tokens; {
	case r.rate == 0:
	case elapsed > missing/r.rate: // or the product could overflow
		r.tokens = r.depth
	default:
		r.tokens += elapsed * r.rate
	}
}

func (r *policer) Receive(p *Packet) {
	if r.rate == 0 {
		r.env.Forward(p)
		return
	}
	r.refill()
	need := int64(p.Size()+r.overhead) * tokensPerByte
	if need > r.tokens {
		r.env.Drop(p)
		return
	}
	r.tokens -= need
	r.env.Forward(p)
}

func (r *policer) Held(func(*Packet)) {}

func (r *policer) lookahead(next time.Duration) time.Duration { return next }

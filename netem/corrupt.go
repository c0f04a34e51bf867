package netem

import (
	"math/bits"
	"time"
)

// Corrupt flips one bit of the UDP payload with probability P, like "corrupt"
// of tc-netem(8), with the correlation of [Bernoulli]. All bits are as likely;
// an empty payload stays as it is. The sender's buffer does not change.
//
// The receiver gets the datagram, as if the UDP checksum were right; behind the
// kernel's netem, which also flips bits of headers, UDP drops it instead, and so
// [Bernoulli] is what applications see there. A QUIC packet with a flipped bit
// fails authentication and is discarded (RFC 9001, section 5.5), which its
// sender takes for a loss; other packets of the datagram remain readable (RFC
// 9000, section 12.2). Where the bit is in the connection ID, the packet belongs
// to no connection and may bring about a stateless reset (RFC 9000, section
// 10.3). Endpoints close a connection with too many such packets (RFC 9001,
// section 6.6).
type Corrupt struct {
	P           float64 // 0 to 1
	Correlation float64 // 0 to 1
	Burst       uint64  // the most that are corrupted in a row: the next one stays as it is; 0 is any number
}

// Kind implements [Element].
func (Corrupt) Kind() string { return "corrupt" }

// Start implements [Element].
func (c Corrupt) Start(env *Env) (Runner, error) {
	r := &corrupt{env: env}
	return r, r.Configure(c)
}

type corrupt struct {
	env    *Env
	chance correlated
	inARow inARow
}

func (c *corrupt) Configure(e Element) error {
	config, err := configured[Corrupt](e)
	if err != nil {
		return err
	}
	c.inARow.most = config.Burst
	return c.chance.configure(config.P, config.Correlation)
}

// Receive draws a place even for a packet that stays as it is.
func (c *corrupt) Receive(p *Packet) {
	corrupts := c.inARow.allows(c.chance.happens(c.env.Rand))
	bit, _ := bits.Mul64(c.env.Rand.Uint64(), 8*uint64(len(p.Payload)))
	if corrupts && len(p.Payload) > 0 {
		p.Payload[bit/8] ^= 1 << (bit % 8)
		c.env.counters.Corrupted.add(p)
	}
	c.env.Forward(p)
}

func (c *corrupt) Held(func(*Packet)) {}

func (c *corrupt) lookahead(next time.Duration) time.Duration { return next }

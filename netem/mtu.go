package netem

import (
	"errors"
	"time"
)

// MTU loses packets that are larger than Size.
type MTU struct {
	Size Bytes // largest IP packet, IP and UDP headers included; 0 is any

	// SendError makes the host refuse datagrams above Size with EMSGSIZE, as
	// Linux does when DF is set and the MTU is that of the interface or a known
	// path MTU (RFC 1191, section 3; ip(7), IP_MTU_DISCOVER). It does so on the
	// link by which the host sends. Without it, and on links beyond a router, large
	// packets vanish, as where ICMP is filtered (RFC 8899, section 1.1).
	SendError bool
}

// Kind implements [Element].
func (MTU) Kind() string { return "mtu" }

// Start implements [Element].
func (m MTU) Start(env *Env) (Runner, error) {
	r := &mtu{env: env}
	return r, r.Configure(m)
}

type mtu struct {
	env       *Env
	max       Bytes // largest UDP payload, 0 for any
	sendError bool
}

func (m *mtu) Configure(e Element) error {
	c, err := configured[MTU](e)
	if err != nil {
		return err
	}
	if c.Size != 0 && c.Size <= HeaderIPv4 {
		return errors.New("the MTU leaves no room for a payload")
	}
	m.max = max(0, c.Size-HeaderIPv4)
	m.sendError = c.SendError
	return nil
}

func (m *mtu) Receive(p *Packet) {
	if m.max > 0 && p.Size() > m.max {
		m.env.Drop(p)
		return
	}
	m.env.Forward(p)
}

func (m *mtu) Held(func(*Packet)) {}

func (m *mtu) lookahead(next time.Duration) time.Duration { return next }

package netem

import "errors"

// MTU loses packets that are larger than Size.
type MTU struct {
	Size Bytes // largest IP packet, IP and UDP headers included; 0 is any

	// SendError makes the host refuse datagrams above Size with EMSGSIZE, as
	// Linux does when the path's first link has this MTU. It needs the element
	// to be on a path that starts at a host.
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
	env *Env
	max Bytes // largest UDP payload, 0 for any
}

func (m *mtu) Configure(e Element) error {
	c, err := configured[MTU](e)
	if err != nil {
		return err
	}
	if c.Size != 0 && c.Size <= HeaderIPv4 {
		return errors.New("the MTU leaves no room for a payload")
	}
	m.max = 0
	if c.Size > 0 {
		m.max = c.Size - HeaderIPv4
	}
	m.env.path.sendLimit.Store(0)
	if c.SendError {
		m.env.path.sendLimit.Store(int64(m.max))
	}
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

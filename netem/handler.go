package netem

import "net/netip"

// Handle calls receive for each datagram that arrives for a port, or for a free
// ephemeral port if port is 0, and returns the port. It is for models that live
// on the clock, as [Host.Send] is: receive runs on the goroutine that owns the
// clock, and the packet is only valid during the call. The error is EADDRINUSE,
// as that of [Host.Listen] is.
func (h *Host) Handle(port uint16, receive func(*Packet)) (uint16, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, err := h.bind(h.addr, port)
	if err != nil {
		return 0, err
	}
	h.handlers[at] = receive
	return at.Port(), nil
}

// Send sends a copy of payload at this instant, without a wait for
// [Network.Flush]. Only the goroutine that owns the clock calls it, and not from
// Flush. It does not look at who has bound the port from. The error is
// ENETUNREACH or EMSGSIZE; see [Host.Listen].
func (h *Host) Send(from uint16, dest netip.AddrPort, payload []byte, ecn ECN) error {
	path, err := h.route(routeKey{to: dest.Addr()}, len(payload))
	if err != nil {
		return err
	}
	p := newPacket(netip.AddrPortFrom(h.addr, from), dest, payload, ecn)
	p.route = path
	h.network.flushing = true // what crosses in no time arrives in a call of its own
	h.network.enter(h, p)
	h.network.flushing = false
	return nil
}

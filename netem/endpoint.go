package netem

import "net/netip"

// Endpoint is a port of a host for a model that lives on the clock. Only the
// goroutine that owns the clock calls its methods.
type Endpoint struct {
	host *Host
	addr netip.AddrPort
	by   *Path // by which everything leaves; nil for the host's routes
}

// Bind calls receive for each datagram that arrives for a port of the host's
// address, or for a free ephemeral port if port is 0. It runs on the goroutine
// that owns the clock, and the packet is only valid during the call. The error
// is EADDRINUSE, as that of [Host.Listen] is.
func (h *Host) Bind(port uint16, receive func(*Packet)) (*Endpoint, error) {
	return h.bindEndpoint(h.addr, nil, port, receive)
}

// BindOn is Bind on the address that the host has on one of its links. What is
// sent from there leaves by that link, whatever the host's routes.
func (h *Host) BindOn(l *Link, port uint16, receive func(*Packet)) (*Endpoint, error) {
	addr, err := h.AddrOn(l)
	if err != nil {
		return nil, err
	}
	return h.bindEndpoint(addr, l.from(&h.node), port, receive)
}

func (h *Host) bindEndpoint(addr netip.Addr, by *Path, port uint16, receive func(*Packet)) (*Endpoint, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, err := h.bind(addr, port)
	if err != nil {
		return nil, err
	}
	h.handlers[at] = receive
	return &Endpoint{h, at, by}, nil
}

// Addr returns the address and port.
func (e *Endpoint) Addr() netip.AddrPort { return e.addr }

// Host returns the host.
func (e *Endpoint) Host() *Host { return e.host }

// Close gives the port back. What arrives for it from now on nobody reads.
func (e *Endpoint) Close() {
	e.host.mu.Lock()
	defer e.host.mu.Unlock()
	delete(e.host.handlers, e.addr)
}

// Send sends a copy of payload at this instant, as [Host.Send] does.
func (e *Endpoint) Send(dest netip.AddrPort, payload []byte, ecn ECN) error {
	return e.host.sendNow(e.addr, e.by, dest, payload, ecn)
}

// Send sends a copy of payload at this instant, without a wait for
// [Network.Flush]. Only the goroutine that owns the clock calls it, and not from
// Flush. It does not look at who has bound the port from. The error is
// ENETUNREACH or EMSGSIZE; see [Host.Listen].
func (h *Host) Send(from uint16, dest netip.AddrPort, payload []byte, ecn ECN) error {
	return h.sendNow(netip.AddrPortFrom(h.addr, from), nil, dest, payload, ecn)
}

func (h *Host) sendNow(from netip.AddrPort, by *Path, dest netip.AddrPort, payload []byte, ecn ECN) error {
	path, err := h.route(routeKey{dest.Addr(), by}, len(payload))
	if err != nil {
		return err
	}
	p := newPacket(from, dest, payload, ecn)
	p.route = path
	h.network.flushing = true // what crosses in no time arrives in a call of its own
	h.network.enter(h, p)
	h.network.flushing = false
	return nil
}

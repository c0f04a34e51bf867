package netem

import "time"

// Tap has see called for each packet that the host sends, as it enters the
// network, and for each that arrives there, whether or not an application reads
// it. It is called with the time, on the goroutine that owns the clock, and the
// packet is only valid during the call. It is for the time before anything is
// sent; a host may have several taps.
func (h *Host) Tap(see func(p *Packet, at time.Duration, sent bool)) { h.taps = append(h.taps, see) }

// see shows a packet to the host's taps.
func (h *Host) see(p *Packet, sent bool) {
	for _, see := range h.taps {
		see(p, h.network.driver.Now(), sent)
	}
}

// Tap has see called for each packet that enters the path, at its time Sent, on
// the goroutine that owns the clock. The packet is valid until its outcome has been
// observed, and changes on the way. Copies that the path makes do not enter it. It
// is for the time before anything is sent; a path may have several taps.
func (p *Path) Tap(see func(*Packet)) { p.taps = append(p.taps, see) }

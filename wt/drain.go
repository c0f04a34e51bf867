package wt

import "fmt"

// Drain tells the peer, with a DRAIN_SESSION capsule, that the session is to
// be wound down (draft-ietf-webtrans-http3-16, section 4.7). The session stays
// as usable as it was: what is left to do, and when to close it, is up to
// the applications of both ends. Drain never blocks; of a session that has
// ended, or is draining because of an earlier call, nothing is sent.
func (s *Session) Drain() {
	s.mu.Lock()
	first := !s.drainSent && s.end == nil
	s.drainSent = true
	s.mu.Unlock()
	if first {
		s.out.send(sendDrain, 0)
	}
	s.noteDraining()
}

// Draining returns a channel that is closed when one of the ends wants the
// session to be wound down: the peer sent DRAIN_SESSION, the server sent GOAWAY
// or began its [Server.Shutdown], or Drain was called.
func (s *Session) Draining() <-chan struct{} { return s.draining }

// noteDraining closes the channel of Draining.
func (s *Session) noteDraining() {
	s.drainOnce.Do(func() {
		close(s.draining)
		if s.events != nil {
			s.events.drain()
		}
	})
}

// drainedByPeer takes a DRAIN_SESSION capsule of the given length, which must be 0.
func (s *Session) drainedByPeer(length uint64) error {
	if length != 0 {
		return fmt.Errorf("%w: DRAIN_SESSION of %d bytes", errCapsule, length)
	}
	s.noteDraining()
	return nil
}

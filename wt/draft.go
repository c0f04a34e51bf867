package wt

import "fmt"

// Draft is a version of draft-ietf-webtrans-http3. Its number is that of one of the
// drafts that share a setting; the setting is all that tells drafts apart on the wire
// (draft-ietf-webtrans-http3-16, section 7.1).
type Draft int

// The drafts that this package speaks.
const (
	// Draft02 stands for drafts 02 to 06, which browsers speak.
	Draft02 Draft = 2
	// Draft07 stands for drafts 07 to 12.
	Draft07 Draft = 7
	// Draft13 stands for drafts 13 and 14.
	Draft13 Draft = 13
	// Draft16 stands for drafts 15 and 16.
	Draft16 Draft = 16
)

// String returns the name of the draft, such as "draft-16".
func (d Draft) String() string {
	if d == 0 {
		return "unknown draft"
	}
	return fmt.Sprintf("draft-%02d", int(d))
}

// token returns the :protocol of requests of the draft.
func (d Draft) token() string {
	if d == Draft16 {
		return protocolH3
	}
	return protocolLegacy
}

// draft returns the highest draft that the peer speaks, 0 if its settings name none.
func (s *peerSettings) draft() Draft {
	if s.webTransport > 0 {
		return Draft16
	}
	return s.legacyDraft()
}

// legacyDraft returns the highest draft before 15 that the peer speaks.
func (s *peerSettings) legacyDraft() Draft {
	switch {
	case s.maxSessions13 > 0:
		return Draft13
	case s.maxSessions07 > 0:
		return Draft07
	case s.enableDraft02 == 1:
		return Draft02
	}
	return 0
}

// offeredDraft returns the draft of the sessions that the server offers.
func (c *conn) offeredDraft() (Draft, error) {
	d := c.settings.draft()
	if d == 0 || d != Draft16 && c.legacyDisabled {
		return 0, fmt.Errorf("%w: no setting enables it", ErrRequirements)
	}
	return d, c.checkRequirements(d)
}

// requestedDraft returns the draft of a session that a client asks for with the given
// :protocol. Clients of the older drafts that say in no setting which one they speak
// are served too. A client that announces draft 15 or 16 is to meet its requirements
// even if it makes a request of an older one.
func (c *conn) requestedDraft(token string) (Draft, error) {
	d := c.settings.draft()
	if token == protocolH3 && d != Draft16 {
		return 0, fmt.Errorf("%w: WT_ENABLED was not sent", ErrRequirements)
	}
	if err := c.checkRequirements(d); err != nil {
		return 0, err
	}
	if token == protocolLegacy {
		d = c.settings.legacyDraft()
	}
	return d, nil
}

// checkRequirements reports what the peer lacks for sessions of a draft. Only
// drafts 15 and later insist on H3_DATAGRAM and RESET_STREAM_AT.
func (c *conn) checkRequirements(d Draft) error {
	state := c.quic.ConnectionState()
	resets := state.SupportsStreamResetPartialDelivery
	switch {
	case !state.SupportsDatagrams.Local || !state.SupportsDatagrams.Remote:
		return fmt.Errorf("%w: QUIC datagrams are not enabled", ErrRequirements)
	case !c.server && !c.settings.enableConnect:
		return fmt.Errorf("%w: extended CONNECT is not enabled", ErrRequirements)
	case d == Draft16 && !c.settings.h3Datagram:
		return fmt.Errorf("%w: H3_DATAGRAM is not enabled", ErrRequirements)
	case d == Draft16 && !(resets.Local && resets.Remote):
		return fmt.Errorf("%w: RESET_STREAM_AT is not enabled", ErrRequirements)
	}
	return nil
}

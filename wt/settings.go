package wt

import (
	"errors"
	"fmt"

	"github.com/quic-go/quic-go/quicvarint"
)

// Setting identifiers (RFC 9220, RFC 9297 and the drafts of WebTransport over
// HTTP/3; each range of drafts has an enabling setting of its own).
const (
	settingEnableConnect = 0x08
	settingH3Datagram    = 0x33
	settingEnableDraft02 = 0x2b603742 // drafts 02 to 06: 1
	settingMaxSessions07 = 0xc671706a // drafts 07 to 12: number of sessions
	settingMaxSessions13 = 0x14e9cd29 // drafts 13 and 14: number of sessions
	settingWebTransport  = 0x2c7cf000 // drafts 15 and 16: 1

	// Drafts 12 and later: what each session may send without further credit.
	settingInitialMaxData       = 0x2b61
	settingInitialMaxUniStreams = 0x2b64
	settingInitialMaxStreams    = 0x2b65

	maxSettingsFrame        = 8 << 10
	maxPriorityUpdateLength = 4 << 10
)

// Tokens of :protocol. The first is that of drafts 15 and later.
const (
	protocolH3     = "webtransport-h3"
	protocolLegacy = "webtransport"
)

// Header fields that tell drafts apart in draft 02 itself, and their values.
const (
	headerDraft02Request  = "Sec-Webtransport-Http3-Draft02"
	headerDraft02Response = "Sec-Webtransport-Http3-Draft"
	valueDraft02Request   = "1"
	valueDraft02Response  = "draft02"
)

// announcedSettings are the settings both ends send beside those that http3
// sends by itself (H3_DATAGRAM, and at the server ENABLE_CONNECT_PROTOCOL).
// Those of drafts before 15 may be left out. Safari refuses a number of sessions
// other than 1 without flow control.
func (c *conn) announcedSettings() map[uint64]uint64 {
	settings := map[uint64]uint64{settingWebTransport: 1}
	if !c.legacyDisabled {
		settings[settingMaxSessions13] = 1
		settings[settingMaxSessions07] = 1
		settings[settingEnableDraft02] = 1
	}
	c.flow.settings(settings)
	return settings
}

// peerSettings is what the peer's SETTINGS say about WebTransport.
type peerSettings struct {
	enableConnect bool
	h3Datagram    bool
	webTransport  uint64
	maxSessions13 uint64
	maxSessions07 uint64
	enableDraft02 uint64
	maxData       uint64
	maxStreams    [numDirections]uint64
	all           []Setting // the first maxSettingsKept
}

// errSettings is wrapped by errors of SETTINGS that are to be answered with H3_SETTINGS_ERROR.
var errSettings = errors.New("invalid SETTINGS")

// parseSettings parses the payload of a SETTINGS frame (RFC 9114, section 7.2.4).
func parseSettings(b []byte) (peerSettings, error) {
	var s peerSettings
	seen := make(map[uint64]struct{})
	for len(b) > 0 {
		id, n, err := quicvarint.Parse(b)
		if err != nil {
			return s, fmt.Errorf("truncated SETTINGS: %w", err)
		}
		b = b[n:]
		value, n, err := quicvarint.Parse(b)
		if err != nil {
			return s, fmt.Errorf("truncated SETTINGS: %w", err)
		}
		b = b[n:]
		if _, ok := seen[id]; ok {
			return s, fmt.Errorf("%w: setting %#x appears twice", errSettings, id)
		}
		seen[id] = struct{}{}
		if len(s.all) < maxSettingsKept {
			s.all = append(s.all, Setting{id, value})
		}
		switch id {
		case 0x02, 0x03, 0x04, 0x05: // those of HTTP/2 are reserved (RFC 9114, section 7.2.4.1)
			return s, fmt.Errorf("%w: reserved setting %#x", errSettings, id)
		case settingEnableConnect, settingH3Datagram:
			if value > 1 {
				return s, fmt.Errorf("%w: setting %#x is %d, neither 0 nor 1", errSettings, id, value)
			}
			if id == settingEnableConnect {
				s.enableConnect = value == 1
			} else {
				s.h3Datagram = value == 1
			}
		case settingWebTransport:
			s.webTransport = value
		case settingMaxSessions13:
			s.maxSessions13 = value
		case settingMaxSessions07:
			s.maxSessions07 = value
		case settingEnableDraft02:
			s.enableDraft02 = value
		case settingInitialMaxData:
			s.maxData = value
		case settingInitialMaxStreams:
			s.maxStreams[bidirectional] = value
		case settingInitialMaxUniStreams:
			s.maxStreams[unidirectional] = value
		}
	}
	return s, nil
}

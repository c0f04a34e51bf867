package wt

import "fmt"

// maxSettingsKept is how many of the peer's settings are kept to be looked at.
const maxSettingsKept = 64

// Setting is an identifier of SETTINGS and its value (RFC 9114, section 7.2.4).
type Setting struct{ ID, Value uint64 }

// Name returns the name of a setting, or its identifier in hexadecimal. Drafts
// of WebTransport have had several settings of one name, which are told apart
// by the first draft that had it.
func (s Setting) Name() string {
	switch s.ID {
	case 0x01:
		return "QPACK_MAX_TABLE_CAPACITY"
	case 0x06:
		return "MAX_FIELD_SECTION_SIZE"
	case 0x07:
		return "QPACK_BLOCKED_STREAMS"
	case settingEnableConnect:
		return "ENABLE_CONNECT_PROTOCOL"
	case settingH3Datagram:
		return "H3_DATAGRAM"
	case 0xffd277:
		return "H3_DATAGRAM (draft-04 of RFC 9297)"
	case settingWebTransport:
		return "WT_ENABLED (draft-15)"
	case settingMaxSessions13:
		return "WT_MAX_SESSIONS (draft-13)"
	case settingMaxSessions07:
		return "WEBTRANSPORT_MAX_SESSIONS (draft-07)"
	case settingEnableDraft02:
		return "ENABLE_WEBTRANSPORT (draft-02)"
	case settingInitialMaxData:
		return "WT_INITIAL_MAX_DATA"
	case settingInitialMaxStreams:
		return "WT_INITIAL_MAX_STREAMS_BIDI"
	case settingInitialMaxUniStreams:
		return "WT_INITIAL_MAX_STREAMS_UNI"
	}
	return fmt.Sprintf("%#x", s.ID)
}

// PeerSettings returns the settings that the server sent, in their order and at most
// 64 of them, and nil as long as they have not arrived.
func (c *ClientConn) PeerSettings() []Setting { return c.conn.peerSettings() }

// PeerSettings returns the settings that the peer sent, in their order and at
// most 64 of them.
func (s *Session) PeerSettings() []Setting { return s.conn.peerSettings() }

func (c *conn) peerSettings() []Setting {
	select {
	case <-c.gotSettings:
		return c.settings.all
	default:
		return nil
	}
}

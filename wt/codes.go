package wt

import "github.com/quic-go/quic-go"

// HTTP/3 error codes used for streams and connections (RFC 9114, section 8.1).
const (
	h3NoError              = 0x100
	h3StreamCreationError  = 0x103
	h3ClosedCriticalStream = 0x104
	h3FrameUnexpected      = 0x105
	h3FrameError           = 0x106
	h3ExcessiveLoad        = 0x107
	h3IDError              = 0x108
	h3SettingsError        = 0x109
	h3MissingSettings      = 0x10a
	h3RequestRejected      = 0x10b
	h3RequestCancelled     = 0x10c
	h3MessageError         = 0x10e
	h3VersionFallback      = 0x110
	h3DatagramError        = 0x33
)

// WebTransport error codes (draft-ietf-webtrans-http3-16, section 9.5).
const (
	codeBufferedStreamRejected = 0x3994bd84
	codeSessionGone            = 0x170d7b68
	codeRequirementsNotMet     = 0x212c0d48
	codeALPNError              = 0x0817b3dd
	codeFlowControlError       = 0x045d4487

	firstApplicationCode = 0x52e4a40fa8db
	lastApplicationCode  = 0x52e5ac983162
)

// wireCode maps a 32-bit application error code into the range reserved for
// WebTransport applications, leaving out the code points that HTTP/3 reserves
// for greasing (draft-ietf-webtrans-http3-16, section 4.4).
func wireCode(code uint32) quic.StreamErrorCode {
	n := uint64(code)
	return quic.StreamErrorCode(firstApplicationCode + n + n/0x1e)
}

// applicationCode is the inverse of wireCode. It reports false for codes
// outside the range and for the reserved code points inside it.
func applicationCode(wire uint64) (uint32, bool) {
	if wire < firstApplicationCode || wire > lastApplicationCode || (wire-0x21)%0x1f == 0 {
		return 0, false
	}
	shifted := wire - firstApplicationCode
	return uint32(shifted - shifted/0x1f), true
}

// isHTTP3Code reports whether an application error code of a QUIC connection
// is one that HTTP/3 itself or its datagrams define.
func isHTTP3Code(code uint64) bool {
	return code >= h3NoError && code <= h3VersionFallback || code == h3DatagramError
}

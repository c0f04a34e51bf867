package wt

import (
	"encoding/binary"
	"fmt"

	"github.com/quic-go/quic-go"
)

// exporterLabel is the label of TLS's exporter for all sessions. What tells
// them apart is the context (draft-ietf-webtrans-http3-16, section 4.8).
const exporterLabel = "EXPORTER-WebTransport"

// maxExport is what HKDF can derive at once, in bytes, with the shortest hash
// of TLS 1.3 (RFC 5869, section 2.3).
const maxExport = 255 * 32

// ExportKeyingMaterial derives length bytes that only the two ends of the
// session know (RFC 8446, section 7.5, and draft-ietf-webtrans-http3-16, section 4.8).
// They differ for every session, label and context. The label has 1 to 255
// bytes, the context 0 to 255, and length is at most 8160; all else is an error.
func (s *Session) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	exported, err := exporterContext(s.id, label, context)
	if err != nil {
		return nil, err
	}
	if length < 0 || length > maxExport {
		return nil, fmt.Errorf("wt: exporting %d bytes, 0 to %d are allowed", length, maxExport)
	}
	state := s.conn.quic.ConnectionState().TLS
	material, err := state.ExportKeyingMaterial(exporterLabel, exported, length)
	if err != nil {
		return nil, fmt.Errorf("wt: exporting keying material: %w", err)
	}
	return material, nil
}

// exporterContext is the context given to TLS: the session ID in 64 bits, then
// the application's label and context, each with its length in a byte.
func exporterContext(id quic.StreamID, label string, context []byte) ([]byte, error) {
	if len(label) < 1 || len(label) > 255 {
		return nil, fmt.Errorf("wt: exporter label of %d bytes, 1 to 255 are allowed", len(label))
	}
	if len(context) > 255 {
		return nil, fmt.Errorf("wt: exporter context of %d bytes, at most 255 are allowed", len(context))
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(id))
	b = append(append(b, byte(len(label))), label...)
	return append(append(b, byte(len(context))), context...), nil
}

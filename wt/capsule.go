package wt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/quic-go/quic-go/quicvarint"
)

// Capsule types (RFC 9297, section 3.5, and draft-ietf-webtrans-http3-16, section 9.6).
const (
	capsuleDatagram          = 0x00
	capsuleClose             = 0x2843
	capsuleDrain             = 0x78ae
	capsuleMaxData           = 0x190b4d3d
	capsuleMaxStreamData     = 0x190b4d3e // of WebTransport over HTTP/2
	capsuleMaxStreams        = 0x190b4d3f
	capsuleMaxUniStreams     = 0x190b4d40
	capsuleDataBlocked       = 0x190b4d41
	capsuleStreamDataBlocked = 0x190b4d42 // of WebTransport over HTTP/2
	capsuleStreamsBlocked    = 0x190b4d43
	capsuleUniStreamsBlocked = 0x190b4d44
)

// maxDatagramCapsule bounds the datagrams accepted inside a capsule, in
// bytes. No QUIC datagram can be larger; larger capsules are skipped.
const maxDatagramCapsule = 1<<16 - 1

// errCapsule is wrapped by the errors of malformed capsules. The CONNECT
// stream is then reset with H3_MESSAGE_ERROR (RFC 9297, section 3.3).
var errCapsule = errors.New("malformed capsule")

// capsuleReader takes a sequence of capsules apart. It never holds more than
// one capsule of a known type; every other capsule is skipped as it arrives.
type capsuleReader struct {
	r       *bufio.Reader
	pending uint64 // bytes of the current capsule's value not yet read
}

func newCapsuleReader(r io.Reader) *capsuleReader {
	return &capsuleReader{r: bufio.NewReaderSize(patientReader{r}, 512)}
}

// patientReader reads on when there was nothing to read, as in a DATA frame
// that is empty: a bufio.Reader gives up when there are many of them.
type patientReader struct{ io.Reader }

func (p patientReader) Read(b []byte) (n int, err error) {
	for n == 0 && err == nil && len(b) > 0 {
		n, err = p.Reader.Read(b)
	}
	return n, err
}

// next returns the type and length of the next capsule, skipping what is left
// of the one before. The error is io.EOF only between capsules.
func (c *capsuleReader) next() (typ, length uint64, err error) {
	if err := c.skip(); err != nil {
		return 0, 0, err
	}
	if _, err := c.r.Peek(1); err != nil {
		return 0, 0, err
	}
	if typ, err = quicvarint.Read(c.r); err == nil {
		length, err = quicvarint.Read(c.r)
	}
	c.pending = length
	return typ, length, truncated(err)
}

func (c *capsuleReader) skip() error {
	for c.pending > 0 {
		n, err := c.r.Discard(int(min(c.pending, 1<<30)))
		c.pending -= uint64(n)
		if err != nil {
			return truncated(err)
		}
	}
	return nil
}

// value reads the whole value of the current capsule, whose length the caller has bounded.
func (c *capsuleReader) value() ([]byte, error) {
	b := make([]byte, c.pending)
	n, err := io.ReadFull(c.r, b)
	c.pending -= uint64(n)
	return b, truncated(err)
}

// expectEnd waits for the end of the stream, which alone may follow a
// CLOSE_SESSION (draft-ietf-webtrans-http3-16, section 6).
func (c *capsuleReader) expectEnd() error {
	if _, err := c.r.Peek(1); err != nil {
		return err
	}
	return fmt.Errorf("%w: data after CLOSE_SESSION", errCapsule)
}

// truncated turns the end of the stream inside a capsule into a malformed capsule.
func truncated(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: stream ended inside it", errCapsule)
	}
	return err
}

// parseVarint reads the value of a capsule of the given length that is one varint.
func (c *capsuleReader) parseVarint(length uint64) (uint64, error) {
	if length > 8 {
		return 0, fmt.Errorf("%w: %d bytes where one integer is expected", errCapsule, length)
	}
	b, err := c.value()
	if err != nil {
		return 0, err
	}
	v, n, err := quicvarint.Parse(b)
	if err != nil || n != len(b) {
		return 0, fmt.Errorf("%w: %d bytes are not one integer", errCapsule, len(b))
	}
	return v, nil
}

// parseClose reads the value of a CLOSE_SESSION capsule of the given length.
func (c *capsuleReader) parseClose(length uint64) (code uint32, reason string, err error) {
	if length < 4 || length > 4+maxReason {
		return 0, "", fmt.Errorf("%w: CLOSE_SESSION of %d bytes", errCapsule, length)
	}
	b, err := c.value()
	if err != nil {
		return 0, "", err
	}
	if !utf8.Valid(b[4:]) {
		return 0, "", fmt.Errorf("%w: CLOSE_SESSION with a reason that is not UTF-8", errCapsule)
	}
	return binary.BigEndian.Uint32(b), string(b[4:]), nil
}

// appendClose appends a CLOSE_SESSION capsule.
func appendClose(b []byte, code uint32, reason string) []byte {
	b = quicvarint.Append(b, capsuleClose)
	b = quicvarint.Append(b, uint64(4+len(reason)))
	b = binary.BigEndian.AppendUint32(b, code)
	return append(b, reason...)
}

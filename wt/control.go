package wt

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// Frame types on the control stream (RFC 9114, section 7.2, and RFC 9218, section 7.2).
const (
	frameData               = 0x00
	frameHeaders            = 0x01
	frameSettings           = 0x04
	framePushPromise        = 0x05
	frameGoAway             = 0x07
	frameMaxPushID          = 0x0d
	frameWebTransport       = 0x41
	framePriorityUpdate     = 0xf0700
	framePriorityUpdatePush = 0xf0701
	streamTypeControl       = 0x00
	streamTypeWebTransport  = 0x54
	maxVarintFrame          = 8
)

// connError closes the connection with an HTTP/3 error code.
type connError struct {
	code   uint64
	reason string
}

func (e *connError) Error() string { return fmt.Sprintf("%s (%#x)", e.reason, e.code) }

func connErrorf(code uint64, format string, args ...any) error {
	return &connError{code: code, reason: fmt.Sprintf(format, args...)}
}

// controlHandler receives the frames of the peer's control stream.
type controlHandler interface {
	handleSettings(peerSettings) error
	handleGoAway(id uint64) error
	handlePriorityUpdate(quic.StreamID, priority) error
}

// readControl reads the peer's control stream, after its type, until it ends,
// which is always an error. server says which end reads.
func readControl(stream io.Reader, server bool, h controlHandler) error {
	r := bufio.NewReaderSize(stream, 512)
	gotSettings := false
	for {
		typ, err := quicvarint.Read(r)
		var length uint64
		if err == nil {
			length, err = quicvarint.Read(r)
		}
		if err != nil {
			return controlError(err)
		}
		if !gotSettings && typ != frameSettings {
			return connErrorf(h3MissingSettings, "first frame on the control stream is of type %#x", typ)
		}
		switch typ {
		case frameSettings:
			if gotSettings {
				return connErrorf(h3FrameUnexpected, "second SETTINGS frame")
			}
			gotSettings = true
			err = readSettings(r, length, h)
		case frameGoAway:
			err = readGoAway(r, length, h)
		case framePriorityUpdate:
			if !server {
				return connErrorf(h3FrameUnexpected, "PRIORITY_UPDATE from a server")
			}
			err = readPriorityUpdate(r, length, h)
		case framePriorityUpdatePush:
			if !server {
				return connErrorf(h3FrameUnexpected, "PRIORITY_UPDATE from a server")
			}
			return connErrorf(h3IDError, "PRIORITY_UPDATE for a push that was never promised")
		case frameWebTransport:
			return connErrorf(h3FrameError, "WebTransport stream header on the control stream")
		case frameData, frameHeaders, framePushPromise, 0x02, 0x06, 0x08, 0x09:
			return connErrorf(h3FrameUnexpected, "frame of type %#x on the control stream", typ)
		case frameMaxPushID:
			if !server {
				return connErrorf(h3FrameUnexpected, "MAX_PUSH_ID from a server")
			}
			err = discard(r, length)
		default: // unknown types, and CANCEL_PUSH, as nothing is ever pushed
			err = discard(r, length)
		}
		if err != nil {
			return controlError(err)
		}
	}
}

// controlError turns the end of the control stream into the connection error it is.
func controlError(err error) error {
	_, reset := errors.AsType[*quic.StreamError](err)
	if reset || err == io.EOF || err == io.ErrUnexpectedEOF {
		return connErrorf(h3ClosedCriticalStream, "control stream ended")
	}
	return err
}

func discard(r io.Reader, n uint64) error {
	_, err := io.CopyN(io.Discard, r, int64(n)) // a varint fits into an int64
	return err
}

// readPayload reads a frame of at most limit bytes.
func readPayload(r io.Reader, length, limit uint64) ([]byte, error) {
	if length > limit {
		return nil, connErrorf(h3FrameError, "frame of %d bytes, at most %d are accepted", length, limit)
	}
	b := make([]byte, length)
	_, err := io.ReadFull(r, b)
	return b, err
}

func readSettings(r io.Reader, length uint64, h controlHandler) error {
	b, err := readPayload(r, length, maxSettingsFrame)
	if err != nil {
		return err
	}
	s, err := parseSettings(b)
	if errors.Is(err, errSettings) {
		return connErrorf(h3SettingsError, "%v", err)
	} else if err != nil {
		return connErrorf(h3FrameError, "%v", err)
	}
	return h.handleSettings(s)
}

func readGoAway(r io.Reader, length uint64, h controlHandler) error {
	b, err := readPayload(r, length, maxVarintFrame)
	if err != nil {
		return err
	}
	id, n, err := quicvarint.Parse(b)
	if err != nil || n != len(b) {
		return connErrorf(h3FrameError, "malformed GOAWAY")
	}
	return h.handleGoAway(id)
}

func readPriorityUpdate(r io.Reader, length uint64, h controlHandler) error {
	b, err := readPayload(r, length, maxPriorityUpdateLength)
	if err != nil {
		return err
	}
	id, n, err := quicvarint.Parse(b)
	if err != nil {
		return connErrorf(h3FrameError, "malformed PRIORITY_UPDATE")
	}
	if id%4 != 0 {
		return connErrorf(h3IDError, "PRIORITY_UPDATE for stream %d", id)
	}
	return h.handlePriorityUpdate(quic.StreamID(id), parsePriority(string(b[n:])))
}

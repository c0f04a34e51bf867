package baton

import (
	"errors"

	"github.com/quic-go/quic-go/quicvarint"
)

// errTooLong is that something follows the message.
var errTooLong = errors.New("data after the baton")

// message is what arrived of a message: the length of the padding as a
// varint, the padding, and the baton. Padding is not kept.
type message struct {
	length  []byte // what there is of the varint
	padding uint64 // what is still to come, once the varint is complete
	state   messageState
	baton   byte
}

type messageState int

const (
	inLength messageState = iota
	inPadding
	complete
)

// add takes the next bytes of the message. It fails if they go on after its end.
func (m *message) add(p []byte) error {
	for len(p) > 0 {
		switch m.state {
		case inLength:
			m.length, p = append(m.length, p[0]), p[1:]
			if len(m.length) < 1<<(m.length[0]>>6) {
				continue
			}
			m.padding, _, _ = quicvarint.Parse(m.length) // it is all there
			m.state = inPadding
		case inPadding:
			if m.padding >= uint64(len(p)) {
				m.padding -= uint64(len(p))
				return nil
			}
			m.baton = p[m.padding]
			p = p[m.padding+1:]
			m.padding, m.state = 0, complete
		default:
			return errTooLong
		}
	}
	return nil
}

// parseMessage parses the message of a datagram, which it must fill.
func parseMessage(p []byte) (baton byte, err error) {
	var m message
	if err := m.add(p); err != nil {
		return 0, err
	}
	if m.state != complete {
		return 0, errors.New("datagram ended inside a message")
	}
	return m.baton, nil
}

// appendMessage appends a message.
func appendMessage(b []byte, padding int, baton byte) []byte {
	b = quicvarint.Append(b, uint64(padding))
	return append(append(b, make([]byte, padding)...), baton)
}

// outgoing is what is still to be sent of a message.
type outgoing struct {
	length  []byte
	padding int
	baton   []byte // one, or none when all was sent
}

func newOutgoing(padding int, baton byte) *outgoing {
	return &outgoing{length: quicvarint.Append(nil, uint64(padding)), padding: padding, baton: []byte{baton}}
}

// read fills p as far as it can, and reports whether the message ends there.
func (o *outgoing) read(p []byte) (n int, end bool) {
	n = copy(p, o.length)
	o.length = o.length[n:]
	padding := min(o.padding, len(p)-n)
	clear(p[n : n+padding])
	o.padding -= padding
	n += padding
	if o.padding == 0 {
		m := copy(p[n:], o.baton)
		o.baton = o.baton[m:]
		n += m
	}
	return n, len(o.baton) == 0
}

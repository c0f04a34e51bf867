package workload

import (
	"encoding/binary"
	"time"
)

// message is the header of a message or frame: 16 bytes, the flow's index (2
// bytes), a sequence number (6 bytes) and the virtual time at which the scenario
// has it sent (8 bytes, nanoseconds).
type message struct {
	flow int
	seq  int64
	sent time.Duration
}

const messageHeader = 16

// put writes the header to the start of b.
func (m message) put(b []byte) {
	binary.BigEndian.PutUint64(b, uint64(m.flow)<<48|uint64(m.seq))
	binary.BigEndian.PutUint64(b[8:], uint64(m.sent))
}

// parseMessage reads a header.
func parseMessage(b []byte) (message, bool) {
	if len(b) < messageHeader {
		return message{}, false
	}
	v := binary.BigEndian.Uint64(b)
	return message{
		flow: int(v >> 48),
		seq:  int64(v & (1<<48 - 1)),
		sent: time.Duration(binary.BigEndian.Uint64(b[8:])),
	}, true
}

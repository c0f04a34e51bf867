package traffic

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"time"
)

// The payload of a packet is the sequence number, which counts from 0, in 40
// bits, the time at which it was sent in nanoseconds, modulo 2^48, a check of
// the two in 8 bits, and zeros. It fits into the smallest packet of simple IMIX,
// and takes the place of the UDP checksum, which netem does not have.
const headerSize = 12

var zeros [maxPayload]byte

// put writes the header to a payload of zeros.
func put(payload []byte, seq uint64, sent time.Duration) {
	binary.BigEndian.PutUint64(payload[4:], uint64(sent)<<8)
	payload[4] = byte(seq)
	binary.BigEndian.PutUint32(payload, uint32(seq>>8))
	payload[11] = check(payload)
}

func check(payload []byte) byte { return byte(crc32.ChecksumIEEE(payload[:headerSize-1])) }

// parse reads what put has written, and reports whether the payload is intact.
func parse(payload []byte) (seq, sent uint64, ok bool) {
	if len(payload) < headerSize || payload[11] != check(payload) || !bytes.Equal(payload[headerSize:], zeros[:len(payload)-headerSize]) {
		return 0, 0, false
	}
	seq = uint64(binary.BigEndian.Uint32(payload))<<8 | uint64(payload[4])
	return seq, binary.BigEndian.Uint64(payload[4:]) >> 8 & timeMask, true
}

const timeMask = 1<<48 - 1

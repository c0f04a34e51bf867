package capture

import (
	"encoding/binary"

	"github.com/wtsim/wtsim/netem"
)

// The types of blocks and the codes of options that this package writes itself
// (draft-ietf-opsawg-pcapng, sections 4.3, 4.5 and 3.5).
const (
	nameBlock   = 4
	packetBlock = 6

	endOfOptions   = 0
	optionComment  = 1
	optionFlags    = 2
	optionPacketID = 5
)

// blockRoom is more than what a packet block has besides the payload of the packet
// and a comment.
const blockRoom = 128

// appendBlock appends an enhanced packet block (draft-ietf-opsawg-pcapng, section
// 4.3) with the packet of a sighting. gopacket's writer takes each packet in eight
// pieces, which doubles the cost of a capture.
func appendBlock(b []byte, s *sighting, p *netem.Packet, comment string) []byte {
	start := len(b)
	b = appendWords(b, packetBlock, 0, uint32(s.point), uint32(uint64(s.at)>>32), uint32(s.at), 0, 0)
	data := len(b)
	b = appendIPv4(b, p.Source, p.Dest, p.ECN, p.Payload)
	length := uint32(len(b) - data)
	b = pad(b, data)
	if s.flags != 0 {
		b = appendOption(b, optionFlags, 4)
		b = binary.LittleEndian.AppendUint32(b, s.flags)
	}
	b = appendOption(b, optionPacketID, 8)
	b = binary.LittleEndian.AppendUint64(b, p.ID)
	if comment != "" {
		b = appendOption(b, optionComment, len(comment))
		text := len(b)
		b = pad(append(b, comment...), text)
	}
	b = appendOption(b, endOfOptions, 0)
	block := b[start:]
	binary.LittleEndian.PutUint32(block[20:], length) // captured
	binary.LittleEndian.PutUint32(block[24:], length) // of the packet
	return closeBlock(b, start)
}

// closeBlock ends a block that began at start with its length.
func closeBlock(b []byte, start int) []byte {
	length := uint32(len(b) - start + 4)
	binary.LittleEndian.PutUint32(b[start+4:], length)
	return binary.LittleEndian.AppendUint32(b, length)
}

func appendWords(b []byte, words ...uint32) []byte {
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// appendOption appends the head of an option of so many bytes.
func appendOption(b []byte, code uint16, length int) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	return binary.LittleEndian.AppendUint16(b, uint16(length))
}

// pad adds bytes until those from start on are whole words.
func pad(b []byte, start int) []byte {
	var zeros [3]byte
	return append(b, zeros[:-(len(b)-start)&3]...)
}

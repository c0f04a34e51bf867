package capture

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"github.com/wtsim/wtsim/netem"
)

const (
	ipHeader  = 20
	udpHeader = 8
	protocol  = 17 // UDP
)

// appendIPv4 appends a datagram as an IPv4 packet (RFC 791, RFC 768). It has no
// identification, as it is never a fragment (RFC 6864, section 4.1).
func appendIPv4(b []byte, source, dest netip.AddrPort, ecn netem.ECN, payload []byte) []byte {
	start := len(b)
	from, to := source.Addr().As4(), dest.Addr().As4()
	udpLength := udpHeader + len(payload)
	b = append(b, 4<<4|ipHeader/4, byte(ecn))
	b = binary.BigEndian.AppendUint16(b, uint16(ipHeader+udpLength))
	b = append(b, 0, 0, 1<<6, 0, 64, protocol, 0, 0) // don't fragment, TTL
	b = append(b, from[:]...)
	b = append(b, to[:]...)
	ip := b[start:]
	binary.BigEndian.PutUint16(ip[10:], ^fold(sum(ip)))

	b = binary.BigEndian.AppendUint16(b, source.Port())
	b = binary.BigEndian.AppendUint16(b, dest.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(udpLength))
	b = append(b, 0, 0)
	b = append(b, payload...)
	udp := b[start+ipHeader:]
	pseudo := sum(from[:]) + sum(to[:]) + protocol + uint64(udpLength)
	checksum := ^fold(pseudo + sum(udp))
	if checksum == 0 {
		checksum = 0xffff // 0 is for none
	}
	binary.BigEndian.PutUint16(udp[6:], checksum)
	return b
}

// sum adds up a text as words of 64 bits in ones' complement, which folds to the
// same as words of 16 bits do (RFC 1071, section 2). The sum has 34 bits.
func sum(b []byte) uint64 {
	const low = 1<<32 - 1
	var s, carry uint64
	for ; len(b) >= 32; b = b[32:] {
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b), carry)
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b[8:]), carry)
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b[16:]), carry)
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b[24:]), carry)
	}
	for ; len(b) >= 8; b = b[8:] {
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b), carry)
	}
	var rest [8]byte
	copy(rest[:], b)
	s, carry = bits.Add64(s, binary.BigEndian.Uint64(rest[:]), carry)
	return s>>32 + s&low + carry
}

// fold returns a sum of 16-bit words as one of them, in ones' complement.
func fold(s uint64) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

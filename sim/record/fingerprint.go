package record

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"net/netip"
)

// Fingerprint is a running SHA-256 over the packet records of a run, in their
// order. Two runs with the same fingerprint sent the same datagrams at the
// same virtual times and met the same fate on every link. The zero value is
// the fingerprint of no packet. It needs no files.
//
// What is hashed is a sequence of blocks of 64 bytes, numbers little endian:
//
//	header      the text "wtsim fingerprint 1", padded with zeros; first, and
//	            changed with every change of this layout
//	name        before the first packet that uses a link's name or a drop's
//	            reason: 2 (link) or 3 (reason), the name's index as uint16 counted
//	            from 0 within its kind, its length as uint32, and the name,
//	            padded with zeros to whole blocks
//	packet      offset  size
//	            0       1     1
//	            1       1     Direction
//	            2       1     Fate
//	            3       1     ECN, and SentECN in the high four bits
//	            4       4     Size, uint32
//	            8       2     Link, index of its name
//	            10      2     Reason, index of its name ("" counts as a name)
//	            12      8     Sent, ns, int64
//	            20      8     Done, ns, int64
//	            28      16+2  Source, as IPv6 or IPv4-mapped IPv6, and port
//	            46      16+2  Dest, likewise
//
// Address zones, ID and QueueDelay do not count.
type Fingerprint struct {
	sum     hash.Hash
	links   index
	reasons index
	used    int // bytes of buffer
	buffer  [32 * fingerprintBlock]byte
}

const (
	fingerprintHeader = "wtsim fingerprint 1"
	fingerprintBlock  = 64
)

// The first byte of a block.
const (
	packetBlock = 1
	linkBlock   = 2
	reasonBlock = 3
)

// Packet adds one packet record.
func (f *Fingerprint) Packet(p *Packet) {
	link := f.name(&f.links, linkBlock, p.Link)
	reason := f.name(&f.reasons, reasonBlock, p.Reason)
	b := f.block()
	b[0] = packetBlock
	b[1] = byte(p.Direction)
	b[2] = byte(p.Fate)
	b[3] = p.ECN&0xf | p.SentECN<<4
	binary.LittleEndian.PutUint32(b[4:], uint32(p.Size))
	binary.LittleEndian.PutUint16(b[8:], uint16(link))
	binary.LittleEndian.PutUint16(b[10:], uint16(reason))
	binary.LittleEndian.PutUint64(b[12:], uint64(p.Sent))
	binary.LittleEndian.PutUint64(b[20:], uint64(p.Done))
	putAddrPort(b[28:46], p.Source)
	putAddrPort(b[46:64], p.Dest)
}

// Sum returns the fingerprint so far, in hexadecimal.
func (f *Fingerprint) Sum() string {
	f.start()
	f.flush()
	return hex.EncodeToString(f.sum.Sum(nil))
}

// name returns the index of a name, and hashes the name when it is new.
func (f *Fingerprint) name(names *index, kind byte, name string) int32 {
	i, isNew := names.of(name)
	if isNew {
		head := [7]byte{0: kind}
		binary.LittleEndian.PutUint16(head[1:], uint16(i))
		binary.LittleEndian.PutUint32(head[3:], uint32(len(name)))
		f.text(string(head[:]) + name)
	}
	return i
}

// text adds a text as whole blocks.
func (f *Fingerprint) text(s string) {
	for len(s) > 0 {
		b := f.block()
		n := copy(b, s)
		clear(b[n:])
		s = s[n:]
	}
}

// block returns the next block of the buffer, to be overwritten whole.
func (f *Fingerprint) block() []byte {
	f.start()
	if f.used == len(f.buffer) {
		f.flush()
	}
	b := f.buffer[f.used : f.used+fingerprintBlock : f.used+fingerprintBlock]
	f.used += fingerprintBlock
	return b
}

func (f *Fingerprint) start() {
	if f.sum == nil {
		f.sum = sha256.New()
		f.text(fingerprintHeader)
	}
}

func (f *Fingerprint) flush() {
	f.sum.Write(f.buffer[:f.used]) // a hash never fails
	f.used = 0
}

func putAddrPort(b []byte, a netip.AddrPort) {
	if !a.Addr().IsValid() {
		clear(b[:16]) // As16 of no address is the same, said here for the layout
	} else {
		*(*[16]byte)(b) = a.Addr().As16()
	}
	binary.LittleEndian.PutUint16(b[16:], a.Port())
}

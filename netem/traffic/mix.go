package traffic

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/wtsim/wtsim/netem"
)

// Mix is the sizes of packets.
type Mix []Share

// Share is one size of a [Mix]. Of all packets, Weight divided by the sum of the
// weights have it.
type Share struct {
	Size   netem.Bytes // on the link: the overhead, at least 12 bytes of payload, and at most 65507
	Weight int         // 1 to a million
}

// IMIX returns the mix known as simple IMIX: of twelve packets, seven have 40
// bytes, four 576 and one 1500, headers included (Agilent, The Journal of
// Internet Test Methodologies, 2007; RFC 6985 describes such mixes).
func IMIX() Mix { return Mix{{40, 7}, {576, 4}, {1500, 1}} }

const (
	maxShares  = 1 << 16
	maxWeight  = 1_000_000
	maxPayload = 65507 // in an IPv4 packet
)

// sizes returns the mix that nil stands for.
func (m Mix) sizes() Mix {
	if m == nil {
		return Mix{{1500, 1}}
	}
	return m
}

func (m Mix) check(overhead netem.Bytes) error {
	m = m.sizes()
	if len(m) == 0 || len(m) > maxShares {
		return fmt.Errorf("the number of sizes is not between 1 and %d", maxShares)
	}
	for _, s := range m {
		if least, most := overhead+headerSize, overhead+maxPayload; s.Size < least || s.Size > most {
			return fmt.Errorf("the size %s is not between %s and %s", s.Size, least, most)
		}
		if s.Weight < 1 || s.Weight > maxWeight {
			return errors.New("a weight is not between 1 and a million")
		}
	}
	return nil
}

// sizer draws sizes from a mix.
type sizer struct {
	sizes      []netem.Bytes
	cumulative []uint64 // the weights up to and including each size's
	total      uint64   // of the weights
	bytes      uint64   // sum of sizes times weights
}

func newSizer(m Mix) *sizer {
	s := &sizer{}
	for _, share := range m.sizes() {
		s.total += uint64(share.Weight)
		s.bytes += uint64(share.Weight) * uint64(share.Size)
		s.sizes = append(s.sizes, share.Size)
		s.cumulative = append(s.cumulative, s.total)
	}
	return s
}

// of returns the size that belongs to one of 2^64 equally likely numbers.
func (s *sizer) of(r uint64) netem.Bytes {
	place, _ := bits.Mul64(r, s.total)
	i, _ := slices.BinarySearch(s.cumulative, place+1)
	return s.sizes[i]
}

// mean returns n times the mean size, rounded down.
func (s *sizer) mean(n uint64) uint64 {
	hi, lo := bits.Mul64(s.bytes, n)
	mean, _ := bits.Div64(hi, lo, s.total)
	return mean
}

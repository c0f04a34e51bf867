package tracegen

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"sync"
)

// fixed is a number in units of 2^-32.
type fixed int64

const (
	one    fixed = 1 << 32
	log2e  fixed = 6196328019 // log2 of e
	octave       = one        // a factor of two, as a logarithm
)

// newFixed is exact but for what is below the unit, which it cuts.
func newFixed(x float64) fixed { return fixed(x * float64(one)) }

// times returns x·y rounded towards 0.
func (x fixed) times(y fixed) fixed {
	hi, lo := bits.Mul64(magnitude(x), magnitude(y))
	product := fixed(hi<<32 | lo>>32)
	if (x < 0) != (y < 0) {
		return -product
	}
	return product
}

func magnitude(x fixed) uint64 {
	if x < 0 {
		return uint64(-x)
	}
	return uint64(x)
}

// ratio returns x/y of times or amounts that are not negative, at most limit.
func ratio(x, y int64, limit fixed) fixed {
	hi, lo := bits.Mul64(uint64(x), uint64(one))
	if hi >= uint64(y) {
		return limit
	}
	q, _ := bits.Div64(hi, lo, uint64(y))
	return fixed(min(q, uint64(limit)))
}

// root returns √x rounded down, for x in units of 2^-64.
func root(x uint64) fixed {
	n := new(big.Int).SetUint64(x)
	return fixed(n.Sqrt(n).Int64())
}

// roots are 2^(1/2), 2^(1/4) and so on, in units of 2^-62.
var roots = sync.OnceValue(func() (table [32]uint64) {
	n := new(big.Int).Lsh(big.NewInt(1), 63) // 2
	for i := range table {
		n.Sqrt(n.Lsh(n, 62))
		table[i] = n.Uint64()
	}
	return table
})

// exp2 returns 2^x. x is cut to ±20.
func exp2(x fixed) fixed {
	x = max(-20*octave, min(x, 20*octave))
	y := uint64(1) << 62
	for i, r := range roots() {
		if x>>(31-i)&1 == 1 {
			hi, lo := bits.Mul64(y, r)
			y = hi<<2 | lo>>62
		}
	}
	return fixed(y >> (30 - x>>32))
}

// stream returns a random stream of its own for a seed and a name.
func stream(seed uint64, name string) *rand.Rand {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("wtsim tracegen "+name+" "), seed))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
}

// normal draws a number that is nearly normal, with mean 0 and deviation 1: the
// sum of twelve uniform numbers between -1/2 and 1/2.
func normal(r *rand.Rand) fixed {
	sum := -6 * (one - 1)
	for range 12 {
		sum += fixed(r.Uint32())
	}
	return sum
}

// between draws a number from low to high, both included.
func between(r *rand.Rand, low, high int64) int64 {
	offset, _ := bits.Mul64(r.Uint64(), uint64(high-low)+1)
	return low + int64(offset)
}

// Package variate makes random variates from uniform ones by inversion, in
// integers, so that they are the same on every processor: lengths of time in
// nanoseconds, sizes in bytes. The uniform number that belongs to one of 2^64
// equally likely r is (r + 1/2)/2^64.
//
// Logarithms are off by at most 2^-40, and powers by a share of 2^-39: that is
// less than 0.1 ns of an exponential time whose mean is 100 s. The least Pareto
// variate, and with it all, is off by at most 2^-16.
package variate

import (
	"math"
	"math/bits"
)

// point is the number of binary digits that logarithms have after the point.
const point = 40

// ln2 is the natural logarithm of 2, in units of 2^-64.
const ln2 = 0xb17217f7d1cf79ab

// negLog2 returns −log2 of the uniform number that belongs to r, at most 2^-40
// too large: from 2^-40 to 65.
//
// Each squaring of the mantissa brings out one binary digit of its logarithm,
// and halves what roundings before it have done to the digits that follow.
func negLog2(r uint64) uint64 {
	n := bits.LeadingZeros64(r)
	m := r << n // from 1 up to 2, in units of 2^-63
	if n > 0 {
		m |= 1 << (n - 1)
	}
	log := uint64(0)
	for range point {
		hi, lo := bits.Mul64(m, m)
		carry := hi >> 63 // 1 if the square is 2 or more
		m = hi<<(1-carry) | lo>>63&^carry
		log = log<<1 | carry
	}
	return uint64(n+1)<<point - log
}

// exponential returns a variate with the mean 1, in units of 2^-40.
func exponential(r uint64) uint64 {
	x, _ := bits.Mul64(negLog2(r), ln2)
	return x
}

// exp2 returns 2^f for a fraction f in units of 2^-40, in units of 2^-62, by the
// power series of exp.
func exp2(f uint64) uint64 {
	const one, terms = 1 << 62, 20
	x, _ := bits.Mul64(f<<(64-point), ln2)
	y := uint64(one)
	for n := uint64(terms); n > 0; n-- {
		term, _ := bits.Mul64(x, y)
		y = one + term/n
	}
	return y
}

// Most is the largest variate, as a time 146 years.
const Most int64 = 1 << 62

// Variate is a distribution of whole numbers. The zero value is always 0.
type Variate struct {
	mean  uint64
	shape uint64 // of a Pareto distribution in units of 2^-32, or 0
	least uint64 // its least variate, in units of 2^-16
}

// Exponential returns the distribution with a mean, which is not negative.
func Exponential(mean int64) Variate { return Variate{mean: uint64(mean)} }

// Pareto returns the distribution with a mean, from 0 to 2^47, and a shape, more
// than 1 and at most 1000. Its least variate is mean·(shape−1)/shape, and its
// variance is infinite up to the shape 2.
func Pareto(mean int64, shape float64) Variate {
	v := Variate{mean: uint64(mean), shape: max(uint64(math.Round(shape*(1<<32))), 1<<32+1)}
	hi, lo := bits.Mul64(v.mean<<16, v.shape-1<<32)
	v.least, _ = bits.Div64(hi, lo, v.shape)
	return v
}

// Of returns the variate that belongs to r, rounded to the nearest number: the
// larger r, the smaller it is.
func (v Variate) Of(r uint64) int64 {
	if v.shape == 0 {
		hi, lo := bits.Mul64(v.mean, exponential(r))
		return shiftRight(hi, lo, point)
	}
	// u^(−1/shape) = 2^(−log2(u)/shape)
	log := negLog2(r)
	power, _ := bits.Div64(log>>32, log<<32, v.shape)
	hi, lo := bits.Mul64(v.least, exp2(power&(1<<point-1)))
	return shiftRight(hi, lo, 16+62-uint(power>>point))
}

// shiftRight divides by 2^n, for n from 2 to 127, and rounds. It returns Most
// where the quotient is more than that.
func shiftRight(hi, lo uint64, n uint) int64 {
	if n > 64 {
		hi, carry := bits.Add64(hi, 1<<(n-65), 0)
		return int64(carry<<(128-n) | hi>>(n-64))
	}
	lo, carry := bits.Add64(lo, 1<<(n-1), 0)
	if hi += carry; hi >= 1<<(n-2) {
		return Most
	}
	return int64(hi<<(64-n) | lo>>n)
}

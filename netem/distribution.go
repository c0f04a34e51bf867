package netem

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Distribution is the shape of the random part of a delay: a table of
// equally likely values in units of 1/8192 of the deviation, as the Linux
// kernel has them (NETEM_DIST_SCALE). A nil Distribution is uniform between
// plus and minus the deviation.
//
// The tables that have names are those that iproute2 makes when it is built
// (netem/normal.c, pareto.c, paretonormal.c), computed here in integers, so that
// they are the same on every machine: its own sums of floating-point numbers
// differ from them by at most 1. They have 4096 entries, the k-th of which
// stands for the probability 4k/16384.
type Distribution struct {
	table []int16
	least int16
	name  string // by which [ParseNetem] knows it, "" if it has none
}

// distScale is the table value of one deviation.
const distScale = 8192

// maxDistribution is the largest table that tc reads.
const maxDistribution = 16384

func newDistribution(table []int16) *Distribution {
	return &Distribution{table: table, least: slices.Min(table)}
}

// ParseDistribution reads a table as tc does from a file NAME.dist: decimal
// numbers between -32768 and 32767, at most 16384 of them, separated by white
// space, and lines that start with # as comments. Unlike tc it refuses
// everything else.
func ParseDistribution(text string) (*Distribution, error) {
	var table []int16
	number := 0
	for line := range strings.Lines(text) {
		number++
		if strings.HasPrefix(line, "#") {
			continue
		}
		for field := range strings.FieldsSeq(line) {
			v, err := strconv.ParseInt(field, 10, 16)
			if err != nil {
				return nil, fmt.Errorf("line %d of a distribution: %w", number, err)
			}
			if len(table) == maxDistribution {
				return nil, fmt.Errorf("line %d of a distribution: more than %d values", number, maxDistribution)
			}
			table = append(table, int16(v))
		}
	}
	if len(table) == 0 {
		return nil, errors.New("a distribution without values")
	}
	return newDistribution(table), nil
}

// Normal is the normal distribution whose standard deviation is one
// deviation, cut off at four of them.
func Normal() *Distribution { return normalTable() }

// Pareto is the Pareto distribution with the exponent 3, moved and scaled to
// the mean 0 and the standard deviation 2/√3, and cut off at 4 deviations,
// which leaves a mean of -0.033 and a standard deviation of 0.820.
func Pareto() *Distribution { return paretoTable() }

// ParetoNormal adds three quarters of a Pareto to one quarter of a normal
// value of the same probability, and cuts off at 4 deviations. Its mean is
// -0.025 and its standard deviation 0.834.
func ParetoNormal() *Distribution { return paretoNormalTable() }

var (
	normalTable = sync.OnceValue(func() *Distribution { return distribution(normalValues()).named("normal") })
	paretoTable = sync.OnceValue(func() *Distribution { return distribution(paretoValues()).named("pareto") })

	paretoNormalTable = sync.OnceValue(func() *Distribution {
		values, pareto := normalValues(), paretoValues()
		for k := range values {
			values[k] = (values[k] + 3*pareto[k]) / 4
		}
		return distribution(values).named("paretonormal")
	})
)

// named returns the same distribution with a name.
func (d *Distribution) named(name string) *Distribution {
	if d == nil || d.name == name {
		return d
	}
	return &Distribution{d.table, d.least, name}
}

const entries = 4096

func distribution(values [entries]int) *Distribution {
	table := make([]int16, entries)
	for k, v := range values {
		table[k] = int16(min(max(v, math.MinInt16), math.MaxInt16))
	}
	return newDistribution(table)
}

// normalValues returns the quantiles of (4k + 1/2)/16384, rounded: iproute2
// takes for a probability the largest value that rounds to it.
//
// The rounded quantile is the least v whose cell, of values that round to it,
// ends at that probability or above. With h = 1/8192, the density at jh is
// that at (j−1)h times exp(−(j−1/2)h²), which itself shrinks by exp(−h²) from
// step to step; both powers are exact to 2^-63 as 1 − y + y²/2.
func normalValues() (values [entries]int) {
	const (
		one  = 1 << 63
		root = 88194141903004              // √(2π) · 2^45: 1/32768 of probability, in the unit of sum
		q    = one - 1<<37 + 1<<10         // exp(−h²), h² = 2^-26
		r0   = one - 1<<36 + 1<<8          // exp(−h²/2)
		last = 2*(maxDistribution/2-1) + 1 // of the probabilities above 1/2, in units of 1/32768
	)
	var half [maxDistribution / 2]int // half[j] is the quantile of 1/2 + (2j+1)/32768
	density, ratio := uint64(one), uint64(r0)
	sum, v := density>>17, 0 // the middle cell, from 0 on
	for p := 1; p <= last; p += 2 {
		for sum < uint64(p)*root {
			density, ratio = mul63(density, ratio), mul63(ratio, q)
			sum += density >> 16
			v++
		}
		half[p/2] = v
	}
	for k := range values {
		if i := 4 * k; i < len(half) {
			values[k] = -half[len(half)-1-i]
		} else {
			values[k] = half[i-len(half)]
		}
	}
	return values
}

// paretoValues returns (u^(−1/3) − 3/2)·4/3 in units of 1/8192 for u = 1 − k/4096,
// rounded. With w the value plus 16384, that is w³ = 2^61/27i for u = i/65536,
// and w is rounded up where (2w−1)³·27i is at most 2^64.
func paretoValues() (values [entries]int) {
	const most = math.MaxInt16 + 16384
	w := uint64(0)
	for k := range values {
		i := uint64(65536 - 16*k)
		for limit := math.MaxUint64 / (27 * i); w < most && cube(2*w+1) <= limit; {
			w++
		}
		values[k] = int(w) - 16384
	}
	return values
}

func cube(x uint64) uint64 { return x * x * x }

// mul63 returns a·b for fractions of 2^63, rounded down.
func mul63(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi<<1 | lo>>63
}

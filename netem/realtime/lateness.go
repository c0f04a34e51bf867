package realtime

import (
	"math/bits"
	"time"
)

// OnTime is how much later than the model's time a datagram may leave for a
// real socket and still count as on time.
const OnTime = 100 * time.Microsecond

// Precision says how much later than the model's time datagrams left the
// network for real sockets: how much later the call returned that handed them
// to the system. Quantiles are of all of them, at most 1/32 too large.
type Precision struct {
	Departed uint64 // all
	Late     uint64 // later than OnTime

	P50, P99, P999, Max time.Duration
}

// histogram counts times: those below 32 ns exactly, and others in 32 classes
// for each power of two.
type histogram struct {
	counts [64 * classes]uint64
	total  uint64
	late   uint64
	max    time.Duration
}

const (
	classBits = 5
	classes   = 1 << classBits
)

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.counts[class(d)]++
	h.total++
	h.max = max(h.max, d)
	if d > OnTime {
		h.late++
	}
}

func class(d time.Duration) int {
	exponent := max(0, bits.Len64(uint64(d))-classBits-1)
	return exponent<<classBits + int(d>>exponent)
}

// most returns the largest time of a class.
func most(class int) time.Duration {
	if class < classes {
		return time.Duration(class)
	}
	exponent := class>>classBits - 1
	return time.Duration(class-exponent<<classBits+1)<<exponent - 1
}

// quantile returns the time that n of 1000 do not exceed.
func (h *histogram) quantile(n uint64) time.Duration {
	rank := (h.total*n + 999) / 1000
	for class, count := range h.counts {
		if rank <= count {
			return min(most(class), h.max)
		}
		rank -= count
	}
	return h.max
}

func (h *histogram) precision() Precision {
	return Precision{h.total, h.late, h.quantile(500), h.quantile(990), h.quantile(999), h.max}
}

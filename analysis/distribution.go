package analysis

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// distribution collects whole numbers, such as nanoseconds, in bounded memory.
// Count, mean and extremes are exact. Percentiles are exact for up to
// exactValues values; beyond, values are counted in buckets whose width is at
// most 1/bucketsPerOctave of the value.
type distribution struct {
	count    int64
	sum      float64
	min, max int64
	exact    []int64
	sorted   bool
	octaves  map[int]*[bucketsPerOctave]int64 // by the value's bit length; nil while exact
	negative int64                            // values below zero, all in one bucket
}

const (
	exactValues      = 4096
	octaveBits       = 10
	bucketsPerOctave = 1 << octaveBits
)

func (d *distribution) add(v int64) {
	if d.count == 0 || v < d.min {
		d.min = v
	}
	if d.count == 0 || v > d.max {
		d.max = v
	}
	d.count++
	d.sum += float64(v)
	if d.octaves == nil {
		d.exact = append(d.exact, v)
		d.sorted = false
		if len(d.exact) > exactValues {
			d.octaves = map[int]*[bucketsPerOctave]int64{}
			for _, v := range d.exact {
				d.bucket(v)
			}
			d.exact = nil
		}
		return
	}
	d.bucket(v)
}

// addSeconds adds a number of seconds as nanoseconds.
func (d *distribution) addSeconds(s float64) { d.add(int64(math.Round(s * nano))) }

func (d *distribution) addDuration(t time.Duration) { d.add(int64(t)) }

func (d *distribution) bucket(v int64) {
	if v < 0 {
		d.negative++
		return
	}
	octave := bits.Len64(uint64(v))
	o := d.octaves[octave]
	if o == nil {
		o = new([bucketsPerOctave]int64)
		d.octaves[octave] = o
	}
	o[bucketOf(v, octave)]++
}

// bucketOf returns the bits of v below its highest one, at most octaveBits of
// them.
func bucketOf(v int64, octave int) int {
	if octave == 0 {
		return 0
	}
	below := v &^ (1 << (octave - 1))
	if extra := octave - 1 - octaveBits; extra > 0 {
		below >>= extra
	}
	return int(below)
}

func (d *distribution) mean() float64 {
	if d.count == 0 {
		return math.NaN()
	}
	return d.sum / float64(d.count)
}

// percentile returns the smallest value that at least p percent of the values
// do not exceed (the nearest-rank definition), 0 without values.
func (d *distribution) percentile(p int64) int64 {
	if d.count == 0 {
		return 0
	}
	rank := nearestRank(d.count, p)
	if d.octaves == nil {
		d.sort()
		return d.exact[rank-1]
	}
	if rank -= d.negative; rank <= 0 {
		return d.min
	}
	for octave := range 65 {
		o := d.octaves[octave]
		if o == nil {
			continue
		}
		for i, n := range o {
			if rank -= n; rank <= 0 {
				return min(max(bucketMiddle(octave, i), d.min), d.max)
			}
		}
	}
	return d.max
}

// sort puts the exact values in order.
func (d *distribution) sort() {
	if !d.sorted {
		slices.Sort(d.exact)
		d.sorted = true
	}
}

// nearestRank returns the place, from 1, of the p-th percentile among n sorted
// values: the least rank that is at least p percent of n.
func nearestRank[T int | int64](n, p T) T { return max((n*p+99)/100, 1) }

// bucketMiddle returns the middle of the values of a bucket.
func bucketMiddle(octave, i int) int64 {
	if octave == 0 {
		return 0
	}
	v := int64(1)<<(octave-1) | int64(i)
	if extra := octave - 1 - octaveBits; extra > 0 {
		v = int64(1)<<(octave-1) | int64(i)<<extra | 1<<(extra-1)
	}
	return v
}

// average collects a quantity that keeps its value until the next sample, for
// its mean over time.
type average struct {
	samples         int64
	start, last     time.Duration
	value, integral float64
	max             float64
}

func (a *average) add(at time.Duration, v float64) {
	if a.samples == 0 {
		a.start, a.max = at, v
	} else {
		a.integral += a.value * (at - a.last).Seconds()
	}
	a.samples++
	a.last, a.value = at, v
	a.max = max(a.max, v)
}

// from adds a value that came up in a window or before it. What holds when the
// window begins counts from there.
func (a *average) from(w *span, at time.Duration, v float64) {
	if at <= w.from && w.from > 0 {
		at, *a = w.from, average{}
	}
	a.add(at, v)
}

// mean returns the mean from the first sample until end, over which the last
// value lasts.
func (a *average) mean(end time.Duration) float64 {
	end = max(end, a.last)
	if end == a.start {
		return a.value
	}
	return (a.integral + a.value*(end-a.last).Seconds()) / (end - a.start).Seconds()
}

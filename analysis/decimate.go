package analysis

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// line collects the points of a series, and thins them out as they become too
// many: the run is divided into stretches of equal length, each of which keeps
// its first, smallest, largest and last point, and neighbours are merged when
// the last stretch allowed is used up.
type line struct {
	set       *seriesSet
	width     time.Duration // of a stretch; a power of two times firstStretch
	stretches []stretch
}

const firstStretch = time.Microsecond

// stretch holds the points that one stretch of time keeps.
type stretch struct {
	index                    int64 // its start divided by the width
	first, least, most, last Point
}

func (l *line) add(p Point) {
	if l.width == 0 {
		l.width = firstStretch
	}
	index := int64(p.T / l.width)
	n := len(l.stretches)
	if n > 0 && l.stretches[n-1].index >= index {
		// A point may be earlier than the one before it, such as a datagram
		// that another overtook; its own stretch is found then.
		for n > 0 && l.stretches[n-1].index > index {
			n--
		}
		if n > 0 && l.stretches[n-1].index == index {
			l.stretches[n-1].merge(stretch{index, p, p, p, p})
			return
		}
	}
	l.stretches = slices.Insert(l.stretches, n, stretch{index, p, p, p, p})
	for len(l.stretches) > l.set.cap {
		l.halve()
	}
}

// merge adds the points of a stretch of the same index.
func (s *stretch) merge(o stretch) {
	if o.first.T < s.first.T {
		s.first = o.first
	}
	if o.last.T >= s.last.T {
		s.last = o.last
	}
	if o.least.V < s.least.V {
		s.least = o.least
	}
	if o.most.V > s.most.V {
		s.most = o.most
	}
}

// halve doubles the width of the stretches.
func (l *line) halve() {
	l.width *= 2
	kept := l.stretches[:0]
	for _, s := range l.stretches {
		s.index /= 2
		if n := len(kept); n > 0 && kept[n-1].index == s.index {
			kept[n-1].merge(s)
		} else {
			kept = append(kept, s)
		}
	}
	l.stretches = kept
}

// points returns the points that were kept, in order of time.
func (l *line) points() []Point {
	for len(l.stretches) > l.set.cap {
		l.halve()
	}
	points := make([]Point, 0, 4*len(l.stretches))
	for _, s := range l.stretches {
		points = append(points, s.first)
		between := []Point{s.least, s.most}
		slices.SortStableFunc(between, func(a, b Point) int { return cmp.Compare(a.T, b.T) })
		for _, p := range between {
			if p != s.first && p != s.last {
				points = append(points, p)
			}
		}
		if s.last != s.first {
			points = append(points, s.last)
		}
	}
	return slices.Clip(points)
}

// bins sums amounts over bins of equal width, the last of which ends with the
// run.
type bins struct {
	width, end time.Duration
	sums       []float64
}

// add adds an amount at a time; what is outside the run counts in its first or
// last bin.
func (b *bins) add(at time.Duration, amount float64) {
	i := int(max(0, min(at, b.end-1)) / b.width)
	for len(b.sums) <= i {
		b.sums = append(b.sums, 0)
	}
	b.sums[i] += amount
}

// duration returns how much of the run bin i covers.
func (b *bins) duration(i int) time.Duration {
	rest := b.end - time.Duration(i)*b.width
	if rest <= 0 {
		return b.width
	}
	return min(b.width, rest)
}

// max returns the largest amount per second of a bin that lies in a window. It
// is not a number if none does.
func (b *bins) max(w *span) float64 {
	most := math.NaN()
	for i, sum := range b.sums {
		begin := time.Duration(i) * b.width
		if rate := sum / b.duration(i).Seconds(); w.covers(begin, begin+b.width) && !(rate <= most) {
			most = rate
		}
	}
	return most
}

// points returns the amount per second of each bin, at the middle of the bin.
func (b *bins) points() []Point {
	points := make([]Point, 0, len(b.sums))
	for i, sum := range b.sums {
		d := b.duration(i)
		points = append(points, Point{time.Duration(i)*b.width + d/2, sum / d.Seconds()})
	}
	return points
}

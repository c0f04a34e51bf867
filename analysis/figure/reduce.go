package figure

import (
	"slices"
	"time"
)

// buckets is how many parts of the time axis a line is reduced to. A part
// keeps two points at most, so a line never has more than twice as many.
const buckets = 400

// thin reduces a line for drawing: of every part of the time axis it keeps the
// smallest and the largest value, in the order in which they came, and it keeps the line's
// first and last point. Peaks survive whatever the length of the run.
func thin(points []Point, end time.Duration) []Point {
	if len(points) <= 2*buckets || end <= 0 {
		return points
	}
	var out []Point
	for i := 0; i < len(points); {
		part := bucketOf(points[i].T, end)
		low, high := i, i
		j := i
		for ; j < len(points) && bucketOf(points[j].T, end) == part; j++ {
			if points[j].V < points[low].V {
				low = j
			}
			if points[j].V > points[high].V {
				high = j
			}
		}
		first, second := min(low, high), max(low, high)
		out = append(out, points[first])
		if second != first {
			out = append(out, points[second])
		}
		i = j
	}
	if first := points[0]; out[0] != first {
		out = slices.Insert(out, 0, first)
	}
	if last := points[len(points)-1]; out[len(out)-1] != last {
		out = append(out, last)
	}
	return out
}

// thinMoments keeps one of the moments that fall into the same part of the
// time axis.
func thinMoments(moments []time.Duration, end time.Duration) []time.Duration {
	if len(moments) <= buckets || end <= 0 {
		return moments
	}
	var out []time.Duration
	for i, t := range moments {
		if i == 0 || bucketOf(t, end) != bucketOf(moments[i-1], end) {
			out = append(out, t)
		}
	}
	return out
}

// bucketOf returns the part of the time axis that holds t.
func bucketOf(t, end time.Duration) int {
	return min(max(int(float64(t)/float64(end)*buckets), 0), buckets-1)
}

// binWidth returns the width of the bins in which goodput is counted: the
// longest of 1, 2 and 5 times a power of ten that cuts the run into at least
// 100 bins, but no less than 1 ms.
func binWidth(end time.Duration) time.Duration {
	width := time.Millisecond
	for decade := time.Millisecond; ; decade *= 10 {
		for _, w := range []time.Duration{decade, 2 * decade, 5 * decade} {
			if w > end/100 {
				return width
			}
			width = w
		}
	}
}

// rates turns a cumulative count of bytes into the mean rate in bit/s in each
// bin from the start of the run to its end. A bin's point is at its centre; the
// last bin may be short.
func rates(delivered []Point, width, end time.Duration) []Point {
	var out []Point
	var before float64
	next := 0
	for from := time.Duration(0); from < end; from += width {
		to := min(from+width, end)
		after := before
		for ; next < len(delivered) && (delivered[next].T < to || to == end && delivered[next].T <= to); next++ {
			after = delivered[next].V
		}
		out = append(out, Point{from + (to-from)/2, 8 * (after - before) / (to - from).Seconds()})
		before = after
	}
	return out
}

// held samples a line at n moments spread evenly from the start of the run to
// its end; between two points the line keeps the value of the earlier one. The
// result has no points before the line's first one.
func held(points []Point, n int, end time.Duration) []Point {
	var out []Point
	next := 0
	for i := range n {
		t := end * time.Duration(i) / time.Duration(max(n-1, 1))
		for next < len(points) && points[next].T <= t {
			next++
		}
		if next > 0 {
			out = append(out, Point{t, points[next-1].V})
		}
	}
	return out
}

// spread is what many lines are reduced to.
type spread struct {
	low, median, high, sum []Point
}

// spreadOf reduces lines that were sampled at common moments. A moment counts
// the lines that have a value there.
func spreadOf(lines [][]Point) spread {
	var moments []time.Duration
	for _, l := range lines {
		for _, p := range l {
			moments = append(moments, p.T)
		}
	}
	slices.Sort(moments)
	moments = slices.Compact(moments)

	var s spread
	next := make([]int, len(lines))
	values := make([]float64, 0, len(lines))
	for _, t := range moments {
		values = values[:0]
		var sum float64
		for i, l := range lines {
			if next[i] < len(l) && l[next[i]].T == t {
				values = append(values, l[next[i]].V)
				sum += l[next[i]].V
				next[i]++
			}
		}
		slices.Sort(values)
		n := len(values)
		s.low = append(s.low, Point{t, values[0]})
		s.median = append(s.median, Point{t, (values[(n-1)/2] + values[n/2]) / 2})
		s.high = append(s.high, Point{t, values[n-1]})
		s.sum = append(s.sum, Point{t, sum})
	}
	return s
}

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
	if end <= 0 {
		return 0
	}
	return min(max(int(float64(t)/float64(end)*buckets), 0), buckets-1)
}

// spread is what many lines are reduced to.
type spread struct {
	low, median, high, sum []Point
}

// add appends the values that the lines have at a moment; it sorts them.
func (s *spread) add(t time.Duration, values []float64) {
	n := len(values)
	if n == 0 {
		return
	}
	slices.Sort(values)
	var sum float64
	for _, v := range values {
		sum += v
	}
	s.low = append(s.low, Point{t, values[0]})
	s.median = append(s.median, Point{t, (values[(n-1)/2] + values[n/2]) / 2})
	s.high = append(s.high, Point{t, values[n-1]})
	s.sum = append(s.sum, Point{t, sum})
}

// spreadOfBins reduces series that were counted in common bins.
func spreadOfBins(series []Series) spread {
	var moments []time.Duration
	for _, s := range series {
		for _, p := range s.Points {
			moments = append(moments, p.T)
		}
		slices.Sort(moments)
		moments = slices.Compact(moments)
	}
	var s spread
	next := make([]int, len(series))
	values := make([]float64, 0, len(series))
	for _, t := range moments {
		values = values[:0]
		for i, line := range series {
			if next[i] < len(line.Points) && line.Points[next[i]].T == t {
				values = append(values, line.Points[next[i]].V)
				next[i]++
			}
		}
		s.add(t, values)
	}
	return s
}

// spreadOfLines reduces series of which a value holds until the next one. It
// samples them at moments spread evenly over the run. A series counts from its first to its last point.
func spreadOfLines(series []Series, end time.Duration) spread {
	var s spread
	next := make([]int, len(series))
	values := make([]float64, 0, len(series))
	for i := range buckets + 1 {
		t := time.Duration(float64(end) * float64(i) / buckets)
		values = values[:0]
		for j, line := range series {
			for next[j] < len(line.Points) && line.Points[next[j]].T <= t {
				next[j]++
			}
			if n := next[j]; n > 0 && (n < len(line.Points) || line.Points[n-1].T == t) {
				values = append(values, line.Points[n-1].V)
			}
		}
		s.add(t, values)
	}
	return s
}

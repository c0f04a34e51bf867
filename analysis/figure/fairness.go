package figure

import (
	"fmt"
	"time"
)

// fairness shows Jain's index of each second, and the share that each flow has.
func fairness(d Data) Figure {
	f := Figure{Name: "fairness", Title: titled("Fairness in each second", d), header: timeHeader}
	if !d.compete() {
		return f
	}
	index := d.newGraph("Jain's index", shares)
	index.y.high = 1
	index.curves = []curve{lineOf(fmt.Sprintf("of %d flows", len(d.Shares)), lineLook(0), d.Fairness, d.End)}

	each := d.newGraph("share of goodput", shares)
	if len(d.Shares) <= maxLines {
		even := curve{label: "equal shares", look: limitLook(0), points: overTime(evenShares(d.Fairness, d.Shares)), step: true}
		each.curves = append(each.curves, even)
	}
	each.addLines(d.Shares, "flows")
	f.stack([]*graph{index, each})
	return f
}

// compete reports whether flows ran together for three seconds and for most of the time
// in between: short flows that meet now and then say nothing about fairness.
func (d Data) compete() bool {
	n := len(d.Fairness)
	if n < 3 {
		return false
	}
	span := d.Fairness[n-1].T - d.Fairness[0].T
	return n >= buckets || span < 2*time.Duration(n)*time.Second
}

// evenShares returns the share that each flow would have in each second if all had
// the same. The points of shares are in the middle of their seconds.
func evenShares(seconds []Point, shares []Series) []Point {
	flows := map[time.Duration]int{}
	for _, s := range shares {
		for _, p := range s.Points {
			flows[p.T]++
		}
	}
	var out []Point
	for i, p := range seconds {
		n := flows[p.T]
		if n == 0 {
			continue // thinned out of a long run
		}
		out = append(out, Point{p.T - time.Second/2, 1 / float64(n)})
		if i == len(seconds)-1 {
			out = append(out, Point{p.T + time.Second/2, 1 / float64(n)})
		}
	}
	return out
}

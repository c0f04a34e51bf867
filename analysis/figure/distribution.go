package figure

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Distribution is how the values of a quantity are distributed.
type Distribution struct {
	Name   string // of what, such as "voice: one-way delay"
	Count  int64  // values
	Points []XY   // X: a value in seconds, in order; Y: the share of the values that are at most X
}

// fewestValues is how many values a distribution needs to be drawn.
const fewestValues = 20

// shareHeader is the header of the CSV file of a figure of distributions.
var shareHeader = []string{"panel", "quantity", "series", "time_s", "value", "unit"}

// delayCDF shows the distributions of the delays of messages and connections, and of
// queueing.
func delayCDF(d Data) Figure {
	return distributions(d, "delay-cdf", "Distribution of delays", false)
}

// delayCCDF shows the tails of the same distributions.
func delayCCDF(d Data) Figure {
	return distributions(d, "delay-ccdf", "Tail of the distribution of delays", true)
}

func distributions(d Data, name, title string, tail bool) Figure {
	f := Figure{Name: name, Title: titled(title, d), header: shareHeader}
	var graphs []*graph
	for _, part := range []struct {
		quantity, what string
		of             []Distribution
	}{
		{"delay", "flows", d.Latencies},
		{"queueing delay", "link directions", d.Queueing},
	} {
		enough := slices.DeleteFunc(slices.Clone(part.of), func(x Distribution) bool { return x.Count < fewestValues })
		if len(enough) == 0 {
			continue
		}
		large := leaveOutSmall(enough)
		g := distributionGraph(part.quantity, part.what, large, tail)
		if n := len(enough) - len(large); n > 0 {
			g.name = fmt.Sprintf("%d of %d %s; the others have at most a tenth of the largest", len(large), len(enough), part.what)
		}
		graphs = append(graphs, g)
	}
	f.stackApart(graphs)
	return f
}

// leaveOutSmall leaves out, of many, those whose largest values are small beside that
// of all, so that the others can be told apart.
func leaveOutSmall(of []Distribution) []Distribution {
	if len(of) <= maxLines {
		return of
	}
	largest := func(x Distribution) float64 { return x.Points[len(x.Points)-1].X }
	var most float64
	for _, x := range of {
		most = max(most, largest(x))
	}
	return slices.DeleteFunc(slices.Clone(of), func(x Distribution) bool { return largest(x) <= most/nextToNothing })
}

// fewestSessions is how many sessions have to end for their teardowns to be a
// distribution.
const fewestSessions = 5

// teardownCDF shows how long the teardowns of sessions took. The share is of all
// sessions of which close was called: of those that never came to their end it stays
// below 1.
func teardownCDF(d Data) Figure {
	f := Figure{Name: "teardown-cdf", header: shareHeader}
	enough := slices.DeleteFunc(slices.Clone(d.Teardowns), func(x Distribution) bool { return x.Count < fewestSessions })
	f.Title = titled("Time from the call of close, of the sessions that were closed", d)
	if len(enough) > 0 {
		f.stackApart([]*graph{distributionGraph("time since close", "parts of teardowns", enough, false)})
	}
	return f
}

// distributionGraph returns the graph of cumulative distributions, or of their
// tails: the share of values above X, on a logarithmic axis.
func distributionGraph(quantity, what string, of []Distribution, tail bool) *graph {
	g := &graph{
		x: measure{quantity: quantity, scales: times, tight: true},
		y: measure{quantity: "cumulative share", scales: shares, high: 1},
	}
	if tail {
		g.y = measure{quantity: "share above", scales: shares, high: 1, log: true}
	} else {
		g.crop(of)
	}
	if len(of) > maxLines {
		g.addRange(of, what, tail)
		return g
	}
	for i, x := range of {
		g.curves = append(g.curves, curve{label: fmt.Sprintf("%s (n = %d)", x.Name, x.Count), look: lineLook(i), points: x.steps(tail), step: true})
	}
	return g
}

// steps returns the corners of a cumulative distribution, or of its tail. A logarithmic
// axis has no zero: a tail ends at its largest value.
func (x Distribution) steps(tail bool) []XY {
	out := make([]XY, 0, len(x.Points)+1)
	if !tail {
		out = append(out, XY{x.Points[0].X, 0})
		return append(out, x.Points...)
	}
	out = append(out, XY{x.Points[0].X, 1})
	for _, p := range x.Points {
		above := 1 - p.Y
		if above <= 0 {
			above = out[len(out)-1].Y
		}
		out = append(out, XY{p.X, above})
	}
	return out
}

// most values of a distribution are left of this share; the rest may be beyond the
// axis.
const cropShare = 0.995

// crop ends the axis before the few values that would squeeze all others, and says so.
func (g *graph) crop(of []Distribution) {
	var most, all float64
	for _, x := range of {
		i := sort.Search(len(x.Points)-1, func(i int) bool { return x.Points[i].Y >= cropShare })
		most = max(most, x.Points[i].X)
		all = max(all, x.Points[len(x.Points)-1].X)
	}
	if most > 0 && all > 2*most {
		g.x.high = 1.05 * most
		g.name = fmt.Sprintf("up to %s; the largest is %s", inWords(times, g.x.high, g.x.high), inWords(times, all, all))
	}
}

// at returns the share of the values that are at most v.
func (x Distribution) at(v float64) float64 {
	i := sort.Search(len(x.Points), func(i int) bool { return x.Points[i].X > v })
	if i == 0 {
		return 0
	}
	return x.Points[i-1].Y
}

// addRange adds the median and the range of many distributions: of the shares that
// they have at each value.
func (g *graph) addRange(of []Distribution, what string, tail bool) {
	low, high := math.Inf(1), 0.0
	for _, x := range of {
		low, high = min(low, x.Points[0].X), max(high, x.Points[len(x.Points)-1].X)
	}
	if g.x.high != 0 {
		high = g.x.high
	}
	var s struct{ low, median, high []XY }
	shares := make([]float64, len(of))
	floor := 1.0 // the smallest share that is not zero
	for i := range buckets/2 + 1 {
		v := low + (high-low)*float64(i)/(buckets/2)
		for j, x := range of {
			shares[j] = x.at(v)
			if tail {
				shares[j] = 1 - shares[j]
			}
			if shares[j] > 0 {
				floor = min(floor, shares[j])
			}
		}
		slices.Sort(shares)
		n := len(shares)
		s.low = append(s.low, XY{v, shares[0]})
		s.median = append(s.median, XY{v, (shares[(n-1)/2] + shares[n/2]) / 2})
		s.high = append(s.high, XY{v, shares[n-1]})
	}
	if tail {
		for _, line := range [][]XY{s.low, s.median, s.high} {
			for i := range line {
				line[i].Y = max(line[i].Y, floor)
			}
		}
	}
	g.areas = append(g.areas, area{label: fmt.Sprintf("range of %d %s", len(of), what), look: rangeLook, low: s.low, high: s.high})
	g.curves = append(g.curves, curve{label: "median", look: medianLook, points: s.median})
}

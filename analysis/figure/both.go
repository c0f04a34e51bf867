package figure

import (
	"slices"
	"time"
)

// Both draws two runs of a scenario above each other: the goodput of their flows, and the
// congestion windows of those that send. Name begins the names of the figures.
func Both(name string, a, b Data, nameA, nameB string) []Figure {
	var out []Figure
	for _, f := range []Figure{bothThroughputs(a, b, nameA, nameB), bothWindows(a, b, nameA, nameB)} {
		if len(f.panels) > 0 {
			f.Name = name + "-" + f.Name
			out = append(out, f)
		}
	}
	return out
}

// mostBoth is how many flows of a side are drawn one by one.
const mostBoth = 2

func bothThroughputs(a, b Data, nameA, nameB string) Figure {
	f := Figure{Name: "throughput", header: timeHeader, Title: titled("Goodput with "+nameA+" and with "+nameB, a)}
	var graphs []*graph
	for _, dir := range a.Directions {
		i := slices.IndexFunc(b.Directions, func(other Direction) bool { return other.Name == dir.Name })
		if i < 0 || len(withPoints(dir.Goodput)) == 0 {
			continue
		}
		before, after := together(dir.Goodput), together(b.Directions[i].Goodput)
		g := bothGraph(a, b, "goodput", bitRates)
		g.name = dir.Name
		g.addRates(dir, max(highest(before), highest(after)))
		g.addBoth(before, after, false, nameA, nameB)
		graphs = append(graphs, g)
	}
	f.stack(graphs)
	return f
}

// together returns the series, or their sum if there are many.
func together(all []Series) []Series {
	all = withPoints(all)
	if len(all) <= mostBoth {
		return all
	}
	return []Series{{Name: "all flows", Points: spreadOfBins(all).sum}}
}

func bothWindows(a, b Data, nameA, nameB string) Figure {
	f := Figure{Name: "cwnd", header: timeHeader, Title: titled("Congestion window with "+nameA+" and with "+nameB, a)}
	var graphs []*graph
	for _, s := range a.Senders {
		i := slices.IndexFunc(b.Senders, func(other Sender) bool { return other.Name == s.Name })
		if i < 0 || len(s.Window) == 0 || len(graphs) == maxSenders {
			continue
		}
		g := bothGraph(a, b, "congestion window", amounts)
		g.name = s.Name
		g.addBoth([]Series{{Points: s.Window}}, []Series{{Points: b.Senders[i].Window}}, true, nameA, nameB)
		graphs = append(graphs, g)
	}
	f.stack(graphs)
	return f
}

// bothGraph returns a graph over the time of both runs.
func bothGraph(a, b Data, quantity string, scales []scale) *graph {
	a.End = max(a.End, b.End)
	return a.newGraph(quantity, scales)
}

// addBoth adds the lines of both sides; of steps if a value holds until the next one.
func (g *graph) addBoth(before, after []Series, step bool, nameA, nameB string) {
	for i, side := range []struct {
		name string
		all  []Series
	}{{nameA, before}, {nameB, after}} {
		for k, s := range side.all {
			l := lineLook(i)
			if l.phase = i; k > 0 {
				l.Width, l.marker = 0.7, nil
			}
			label := side.name
			if s.Name != "" && len(side.all) > 1 {
				label += ": " + s.Name
			}
			c := lineOf(label, l, s.Points, max(g.end, time.Microsecond))
			c.step = step
			g.curves = append(g.curves, c)
		}
	}
}

package figure

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// delay shows the round-trip times of connections, the queueing delay of links
// and the delays of messages and of cross traffic, a panel each.
func delay(d Data) Figure {
	f := Figure{Name: "delay", header: timeHeader}
	var graphs []*graph
	var shown []string
	add := func(g *graph, what string) {
		if len(g.curves)+len(g.areas) > 0 {
			graphs = append(graphs, g)
			shown = append(shown, what)
		}
	}

	rtt := d.newGraph("RTT", times)
	var smoothed []Series
	for _, r := range d.RTTs {
		if len(r.Smoothed) > 0 {
			smoothed = append(smoothed, Series{r.Name, r.Smoothed})
		}
	}
	if len(smoothed) <= maxLatest {
		for i, r := range slices.DeleteFunc(slices.Clone(d.RTTs), func(r RTT) bool { return len(r.Smoothed) == 0 }) {
			if len(r.Latest) > 0 {
				rtt.curves = append(rtt.curves, lineOf(r.Name+": latest", thinLook(i), r.Latest, d.End))
			}
		}
	}
	for i := range smoothed {
		smoothed[i].Name += ": smoothed"
	}
	rtt.addLines(smoothed, "connection ends")
	add(rtt, "round-trip time")

	queue := d.newGraph("queueing delay", times)
	queue.addLines(queue.leaveOut(d.Queues), "link directions")
	add(queue, "queueing delay")

	message := d.newGraph("message delay", times)
	message.addLines(d.Delays, "flows")
	add(message, "message delay")

	traffic := d.newGraph("traffic delay", times)
	traffic.addLines(d.TrafficDelays, "kinds of cross traffic")
	add(traffic, "delay of cross traffic")

	f.Title = titled(listed(shown), d)
	f.stack(graphs)
	return f
}

// listed writes words as the beginning of a sentence: "A, b and c".
func listed(words []string) string {
	if len(words) == 0 {
		return ""
	}
	text := strings.ToUpper(words[0][:1]) + words[0][1:]
	for i, w := range words[1:] {
		if i == len(words)-2 {
			text += " and " + w
		} else {
			text += ", " + w
		}
	}
	return text
}

// maxLatest is for how many connection ends the single RTT samples are shown
// behind the smoothed RTT.
const maxLatest = 3

// newGraph returns an empty graph over the time of the run.
func (d Data) newGraph(quantity string, scales []scale) *graph {
	g := &graph{
		x:   measure{quantity: "time", scales: times, high: max(d.End, time.Microsecond).Seconds()},
		y:   measure{quantity: quantity, scales: scales},
		end: d.End,
	}
	for _, i := range []instants{{"link changed", changeLook, d.Changes}, {"client migrated", moveLook, d.Moves}} {
		if len(i.at) > 0 {
			g.instants = append(g.instants, i)
		}
	}
	return g
}

// leaveOut leaves out the queues of many that are next to empty all the time,
// and says so, so that the others can be told apart.
func (g *graph) leaveOut(queues []Series) []Series {
	if len(queues) <= maxLines {
		return queues
	}
	most := highest(queues) / nextToNothing
	long := slices.DeleteFunc(slices.Clone(queues), func(s Series) bool { return highest([]Series{s}) <= most })
	if n := len(queues) - len(long); n > 0 {
		g.name = fmt.Sprintf("%d link directions with at most %s are not shown", n, inWords(times, most, most))
	}
	return long
}

// nextToNothing is how many times less than the largest makes a quantity small.
const nextToNothing = 10

// addLines adds one line a series, or their median and range if they are many.
// What names them in the plural.
func (g *graph) addLines(series []Series, what string) {
	series = slices.DeleteFunc(slices.Clone(series), func(s Series) bool { return len(s.Points) == 0 })
	if len(series) <= maxLines {
		for i, s := range series {
			g.curves = append(g.curves, lineOf(s.Name, lineLook(i), s.Points, g.end))
		}
		return
	}
	s := spreadOfLines(series, g.end)
	g.areas = append(g.areas, area{label: fmt.Sprintf("range of %d %s", len(series), what), look: rangeLook, low: overTime(s.low), high: overTime(s.high)})
	g.curves = append(g.curves, curve{label: "median", look: medianLook, points: overTime(s.median)})
}

package figure

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// timeHeader is the header of the CSV file of a figure of graphs.
var timeHeader = []string{"panel", "quantity", "series", "time_s", "value", "unit"}

// throughput shows the goodput of each flow, what cross traffic takes, and the
// capacity of their bottleneck, for each direction that carries something.
func throughput(d Data) Figure {
	f := Figure{Name: "throughput", header: timeHeader}
	var graphs []*graph
	traffic, capacity := false, false
	for _, dir := range d.Directions {
		flows, others := withPoints(dir.Goodput), withPoints(dir.Traffic)
		if len(flows)+len(others) == 0 {
			continue
		}
		traffic = traffic || len(others) > 0
		capacity = capacity || len(dir.Rates) > 0
		if len(flows) > maxLines {
			graphs = append(graphs, d.manyFlows(dir, flows, others)...)
			continue
		}
		g := d.newGraph("goodput", bitRates)
		g.name = dir.Name
		g.addRates(dir, max(highest(flows), highest(others)))
		g.addTraffic(others, len(flows))
		for i, s := range flows {
			g.curves = append(g.curves, lineOf(s.Name, lineLook(i), s.Points, d.End))
		}
		graphs = append(graphs, g)
	}
	what := "Goodput of each flow"
	switch {
	case traffic && capacity:
		what += ", cross traffic and rate of the link"
	case traffic:
		what += " and cross traffic"
	case capacity:
		what += " and rate of the link"
	}
	if d.Bin > 0 {
		what += fmt.Sprintf(", in bins of %s", inWords(times, d.Bin.Seconds(), d.Bin.Seconds()))
	}
	f.Title = titled(what, d)
	f.stack(graphs)
	return f
}

// withPoints returns the series that have points.
func withPoints(series []Series) []Series {
	return slices.DeleteFunc(slices.Clone(series), func(s Series) bool { return len(s.Points) == 0 })
}

// manyFlows shows the flows together beside the rate of the links, and on a
// scale of their own how unequal they are.
func (d Data) manyFlows(dir Direction, flows, traffic []Series) []*graph {
	s := spreadOfBins(flows)
	together := d.newGraph("goodput", bitRates)
	together.name = fmt.Sprintf("%s: %d flows together", dir.Name, len(flows))
	together.addRates(dir, max(highest([]Series{{Points: s.sum}}), highest(traffic)))
	together.addTraffic(traffic, 1)
	together.curves = append(together.curves, curve{label: "sum", look: lineLook(0), points: overTime(s.sum)})

	single := d.newGraph("goodput", bitRates)
	single.name = dir.Name + ": one flow"
	single.areas = []area{{label: fmt.Sprintf("range of %d flows", len(flows)), look: rangeLook, low: overTime(s.low), high: overTime(s.high)}}
	single.curves = []curve{{label: "median", look: medianLook, points: overTime(s.median)}}
	return []*graph{together, single}
}

// maxTraffic is how many kinds of cross traffic are shown apart.
const maxTraffic = 4

// addTraffic adds cross traffic behind n flows, or its sum if it is of many kinds.
func (g *graph) addTraffic(traffic []Series, n int) {
	if len(traffic) > maxTraffic {
		traffic = []Series{{fmt.Sprintf("%d kinds", len(traffic)), spreadOfBins(traffic).sum}}
	}
	for i, s := range traffic {
		c := lineOf("cross traffic: "+s.Name, trafficLook(n+i), s.Points, g.end)
		g.curves = append(g.curves, c)
	}
}

// highest returns the largest value of the series, 0 if they have none.
func highest(series []Series) float64 {
	var top float64
	for _, s := range series {
		for _, p := range s.Points {
			top = max(top, p.V)
		}
	}
	return top
}

// addRates adds the rates of links, and the region up to the capacity. A rate far above
// what was carried is said in words, so that the data keeps the height of the plot.
func (g *graph) addRates(dir Direction, top float64) {
	for i, s := range dir.Rates {
		points := slices.DeleteFunc(slices.Clone(s.Points), func(p Point) bool { return p.V <= 0 })
		if len(points) == 0 {
			continue
		}
		c := g.limit(points, top)
		c.label, c.look = "rate of "+s.Name, limitLook(i)
		if least, most := extremes(points); top > 0 && least > c.most {
			c.label += fmt.Sprintf(" (beyond the axis: %s)", inWords(bitRates, least, most))
		}
		g.curves = append(g.curves, c)
	}
	if least, _ := extremes(dir.Capacity); least > 0 && (top <= 0 || least <= offScale*top) {
		c := g.limit(dir.Capacity, top)
		floor := make([]XY, len(c.points))
		for i, p := range c.points {
			floor[i].X = p.X
		}
		g.areas = append(g.areas, area{look: capacityLook, low: floor, high: c.points, step: true, most: c.most})
	}
}

// limit returns the curve of a rate until the end of the run. What is far above the data
// does not stretch the axis.
func (g *graph) limit(points []Point, top float64) curve {
	if last := points[len(points)-1]; last.T < g.end {
		points = append(slices.Clone(points), Point{g.end, last.V})
	}
	return curve{points: overTime(thin(points, g.end)), step: true, most: max(top, 1) * offScale}
}

// extremes returns the smallest and the largest value, 0 without points.
func extremes(points []Point) (least, most float64) {
	for i, p := range points {
		if i == 0 {
			least, most = p.V, p.V
		}
		least, most = min(least, p.V), max(most, p.V)
	}
	return least, most
}

// offScale is how many times the largest goodput a rate may be before it is left
// outside of the plot.
const offScale = 5

// inWords writes a range of values with its unit.
func inWords(scales []scale, least, most float64) string {
	s := scaleFor(scales, most)
	if least == most {
		return fmt.Sprintf("%.4g\u00a0%s", most/s.size, s.unit)
	}
	return fmt.Sprintf("%.4g to %.4g\u00a0%s", least/s.size, most/s.size, s.unit)
}

// stack makes graphs the panels of the figure, with one time axis.
func (f *Figure) stack(graphs []*graph) {
	for i, g := range graphs {
		g.stacked = len(graphs)
		g.first = i == 0
		g.shared = i < len(graphs)-1
		f.panels = append(f.panels, g)
	}
}

// stackApart makes graphs the panels of the figure, each with a horizontal axis of its
// own.
func (f *Figure) stackApart(graphs []*graph) {
	f.stack(graphs)
	for _, g := range graphs {
		g.shared = false
	}
}

// titled returns the title of a figure of the run.
func titled(what string, d Data) string {
	if name := strings.TrimSpace(d.Name); name != "" {
		return what + ": " + name
	}
	return what
}

// lineOf returns a line ready for drawing.
func lineOf(label string, l look, points []Point, end time.Duration) curve {
	return curve{label: label, look: l, points: overTime(thin(points, end))}
}

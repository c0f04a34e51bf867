package figure

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// timeHeader is the header of the CSV file of a figure of graphs.
var timeHeader = []string{"panel", "quantity", "series", "time_s", "value", "unit"}

// throughput shows the goodput of each flow and the rate of the links, for each
// direction that carries flows.
func throughput(d Data) Figure {
	f := Figure{Name: "throughput", header: timeHeader}
	var graphs []*graph
	for _, dir := range d.Directions {
		flows := slices.DeleteFunc(slices.Clone(dir.Goodput), func(s Series) bool { return len(s.Points) == 0 })
		if len(flows) == 0 {
			continue
		}
		if len(flows) > maxLines {
			graphs = append(graphs, d.manyFlows(dir, flows)...)
			continue
		}
		g := d.newGraph("goodput", bitRates)
		g.name = dir.Name
		g.addRates(dir.Rates, highest(flows))
		for i, s := range flows {
			g.curves = append(g.curves, lineOf(s.Name, lineLook(i), s.Points, d.End))
		}
		graphs = append(graphs, g)
	}
	what := "Goodput of each flow and rate of the link"
	if d.Bin > 0 {
		what += fmt.Sprintf(", in bins of %s", inWords(times, d.Bin.Seconds(), d.Bin.Seconds()))
	}
	f.Title = titled(what, d)
	f.stack(graphs)
	return f
}

// manyFlows shows the flows together beside the rate of the links, and on a
// scale of their own how unequal they are.
func (d Data) manyFlows(dir Direction, flows []Series) []*graph {
	s := spreadOfBins(flows)
	together := d.newGraph("goodput", bitRates)
	together.name = fmt.Sprintf("%s: %d flows together", dir.Name, len(flows))
	together.addRates(dir.Rates, highest([]Series{{Points: s.sum}}))
	together.curves = append(together.curves, curve{label: "sum", look: lineLook(0), points: overTime(s.sum)})

	single := d.newGraph("goodput", bitRates)
	single.name = dir.Name + ": one flow"
	single.areas = []area{{label: fmt.Sprintf("range of %d flows", len(flows)), look: rangeLook, low: overTime(s.low), high: overTime(s.high)}}
	single.curves = []curve{{label: "median", look: medianLook, points: overTime(s.median)}}
	return []*graph{together, single}
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

// addRates adds the rates of links. A rate far above what was carried is said
// in words, so that the data keeps the height of the plot.
func (g *graph) addRates(links []Series, top float64) {
	for i, s := range links {
		points := slices.DeleteFunc(slices.Clone(s.Points), func(p Point) bool { return p.V <= 0 })
		if len(points) == 0 {
			continue
		}
		if last := points[len(points)-1]; last.T < g.end {
			points = append(points, Point{g.end, last.V})
		}
		least, most := points[0].V, points[0].V
		for _, p := range points {
			least, most = min(least, p.V), max(most, p.V)
		}
		c := curve{label: "rate of " + s.Name, look: limitLook(i), points: overTime(thin(points, g.end)), step: true}
		if top > 0 && least > offScale*top {
			c.label += fmt.Sprintf(" (beyond the axis: %s)", inWords(bitRates, least, most))
		}
		c.most = max(top, 1) * offScale
		g.curves = append(g.curves, c)
	}
}

// offScale is how many times the largest goodput a rate may be before it is left
// outside of the plot.
const offScale = 5

// inWords writes a range of values with its unit.
func inWords(scales []scale, least, most float64) string {
	s := scaleFor(scales, most)
	if least == most {
		return fmt.Sprintf("%.4g %s", most/s.size, s.unit)
	}
	return fmt.Sprintf("%.4g to %.4g %s", least/s.size, most/s.size, s.unit)
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

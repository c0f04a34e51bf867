package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/sim/record"
)

// fewestBins is how many bins of goodput make a graph.
const fewestBins = 10

// overview returns the graphs that tell a run at a glance: the goodput of flows
// beside the rate of the link that most of it goes over, and the RTT. A run
// without goodput has none, nor has one that is too short for lines.
func overview(d *analysis.Data) []graph {
	if d.Run.Virtual < fewestBins*d.Bin {
		return nil
	}
	graphs := goodputs(d)
	if len(graphs) == 0 {
		return nil
	}
	if g, ok := roundTrips(d); ok {
		graphs = append(graphs, g)
	}
	return graphs
}

// goodputs returns the graph of the link direction over which most was
// delivered, and of a second that has no flow in common with it and carried not
// next to nothing.
func goodputs(d *analysis.Data) []graph {
	const nextToNothing = 0.01 // of the first
	flows := flowsOf(d)
	rates := byEntity(d, record.SeriesLinkRate)
	var graphs []graph
	first, shown := 0.0, map[string]bool{}
	for range 2 {
		way, bytes := busiest(d, flows, rates, shown)
		if bytes == 0 || bytes < nextToNothing*first {
			break
		}
		if len(graphs) == 0 {
			first = bytes
		}
		var over []flow
		for _, f := range flows {
			if slices.Contains(f.Way, way) {
				over = append(over, f)
				shown[f.Entity] = true
			}
		}
		graphs = append(graphs, goodput(d, way, over, rates[way]))
	}
	if len(graphs) > 0 {
		var rest []string
		for _, f := range flows {
			if !shown[f.Entity] && f.bytes > 0 {
				rest = append(rest, shortName(f.Entity))
			}
		}
		if len(rest) > 0 {
			last := &graphs[len(graphs)-1]
			last.note = strings.TrimPrefix(last.note+"; elsewhere: "+someOf(rest, "flow"), "; ")
		}
	}
	return graphs
}

// flow is a flow with what it delivered.
type flow struct {
	record.Flow
	bytes float64
	line  graphLine
}

// flowsOf returns the flows of a run.
func flowsOf(d *analysis.Data) []flow {
	binned, delivered := byEntity(d, analysis.SeriesFlowThroughput), byEntity(d, record.SeriesDelivered)
	flows := make([]flow, len(d.Run.Flows))
	for i, f := range d.Run.Flows {
		if len(f.Way) == 0 { // not known: all that go from and to the same hosts go together
			f.Way = []string{f.From + " → " + f.To}
		}
		flows[i] = flow{f, 0, graphLine{name: shortName(f.Entity), values: meanOf(binPieces(binned[f.Entity].Points, d.Bin, d.Run.Virtual))}}
		if points := delivered[f.Entity].Points; len(points) > 0 {
			flows[i].bytes = points[len(points)-1].V
		}
	}
	return flows
}

// busiest returns the link direction over which most was delivered, and how
// much, apart from those of flows that are shown already; of equals the one with
// the lowest rate.
func busiest(d *analysis.Data, flows []flow, rates map[string]analysis.Series, shown map[string]bool) (way string, bytes float64) {
	carried, taken := map[string]float64{}, map[string]bool{}
	var ways []string
	for _, f := range flows {
		for _, w := range f.Way {
			if _, known := carried[w]; !known {
				ways = append(ways, w)
			}
			carried[w] += f.bytes
			taken[w] = taken[w] || shown[f.Entity]
		}
	}
	rate := func(way string) float64 {
		lowest := math.Inf(1)
		for _, p := range rates[way].Points {
			if p.V > 0 {
				lowest = min(lowest, p.V)
			}
		}
		return lowest
	}
	for _, w := range ways {
		if !taken[w] && (carried[w] > bytes || carried[w] == bytes && bytes > 0 && rate(w) < rate(way)) {
			way, bytes = w, carried[w]
		}
	}
	return way, bytes
}

// goodput returns the graph of flows over a link direction: each of few, or
// their sum.
func goodput(d *analysis.Data, way string, flows []flow, rate analysis.Series) graph {
	g := graph{title: "Goodput " + direction(way, flows), unit: "bit/s", end: d.Run.Virtual}
	all := make([]graphLine, len(flows))
	for i, f := range flows {
		all[i] = f.line
	}
	// Lines that would lie on the axis are named instead.
	bins := spansOf(int(d.Run.Virtual/d.Bin)+1, d.Run.Virtual, d.Run.Virtual)
	peaks, top := make([]float64, len(all)), 0.0
	for i, l := range all {
		peaks[i] = largest(l.values(bins))
		top = max(top, peaks[i])
	}
	var lines []graphLine
	var low []string
	lowest := 0.0
	for i, l := range all {
		if peaks[i] >= top/(2*mostSteps) {
			lines = append(lines, l)
			continue
		}
		low = append(low, l.name)
		lowest = max(lowest, peaks[i])
	}
	switch {
	case len(lines) > mostLines:
		lines = []graphLine{{name: fmt.Sprintf("sum of %d flows", len(all)), values: sum(all)}}
		top = largest(lines[0].values(bins))
	case len(low) > 0:
		g.note = "at most " + quantity.Format("", lowest, "bit/s") + ": " + someOf(low, "flow")
	}
	if limit, said := limitOf(way, rate, d.Run.Virtual, top); said != "" {
		g.note = strings.TrimSuffix(said+"; "+g.note, "; ")
	} else if limit.values != nil {
		g.lines = append(g.lines, limit)
	}
	g.lines = append(g.lines, lines...)
	return g
}

// limitOf returns the rate of a link direction as a line, or in words if it is
// far above what was carried, or neither if it is not limited.
func limitOf(way string, rate analysis.Series, end time.Duration, top float64) (graphLine, string) {
	const farAbove = 3
	var pieces []piece
	least, most := math.Inf(1), 0.0
	for i, p := range rate.Points {
		to := end
		if i+1 < len(rate.Points) {
			to = rate.Points[i+1].T
		}
		v := p.V
		if v == 0 {
			v = math.NaN() // unlimited
		} else {
			least, most = min(least, v), max(most, v)
		}
		pieces = append(pieces, piece{span{p.T, to}, v})
	}
	name := "rate of " + shortName(way)
	switch {
	case most == 0:
		return graphLine{}, ""
	case least > farAbove*top:
		return graphLine{}, name + ": " + quantity.Format("", least, "bit/s") + " or more"
	}
	return graphLine{name: name, limit: true, values: meanOf(pieces)}, ""
}

// direction says where flows go: from host to host if it is the same for all, and
// over which link.
func direction(way string, flows []flow) string {
	from, to := flows[0].From, flows[0].To
	for _, f := range flows {
		if f.From != from || f.To != to {
			return "over " + shortName(way)
		}
	}
	return from + " → " + to
}

// roundTrips returns the graph of the RTT as the ends measure it that have more
// in flight: the others see it only now and then. Of many, it shows the median
// and the highest.
func roundTrips(d *analysis.Data) (graph, bool) {
	g := graph{title: "Smoothed RTT, highest of each column", unit: "s", end: d.Run.Virtual}
	flight := byEntity(d, record.SeriesBytesInFlight)
	smoothed := byEntity(d, record.SeriesSmoothedRTT)
	shown := map[string]bool{}
	for _, session := range d.Run.Sessions {
		if shown[session.Connection] {
			continue
		}
		shown[session.Connection] = true
		var busier analysis.Series
		most := -1.0
		for _, side := range []string{".client", ".server"} {
			end := smoothed[session.Connection+side]
			var inFlight float64
			for _, p := range flight[end.Entity].Points {
				inFlight = max(inFlight, p.V)
			}
			if len(end.Points) > 0 && inFlight > most {
				busier, most = end, inFlight
			}
		}
		if most >= 0 {
			g.lines = append(g.lines, graphLine{name: shortName(busier.Entity), values: highestOf(busier.Points)})
		}
	}
	if n := len(g.lines); n > mostLines {
		all := g.lines
		g.lines = []graphLine{
			{name: fmt.Sprintf("highest of %d connections", n), values: ranked(all, 1)},
			{name: "median", values: ranked(all, 0.5)},
		}
	}
	return g, len(g.lines) > 0
}

// binPieces returns the bins whose middles are points.
func binPieces(points []analysis.Point, bin, end time.Duration) []piece {
	pieces := make([]piece, len(points))
	for i, p := range points {
		from := p.T / bin * bin
		pieces[i] = piece{span{from, min(from+bin, end)}, p.V}
	}
	return pieces
}

// highestOf returns the highest value of each span, where a value holds until
// the next, from the first to the last.
func highestOf(points []analysis.Point) func([]span) []float64 {
	return func(spans []span) []float64 {
		out := make([]float64, len(spans))
		next := 0
		for i, s := range spans {
			out[i] = math.NaN()
			if s.to <= s.from {
				continue
			}
			if next > 0 && next < len(points) {
				out[i] = points[next-1].V
			}
			for ; next < len(points) && points[next].T < s.to; next++ {
				if !(points[next].V <= out[i]) {
					out[i] = points[next].V
				}
			}
		}
		return out
	}
}

// byEntity returns the series of one name by their entities.
func byEntity(d *analysis.Data, name string) map[string]analysis.Series {
	found := map[string]analysis.Series{}
	for _, s := range d.Named(name) {
		found[s.Entity] = s
	}
	return found
}

// shortName is an entity's name as the tables show it.
func shortName(entity string) string {
	for _, s := range sections {
		entity = strings.TrimPrefix(entity, s.prefix)
	}
	return entity
}

// someOf lists few names, and counts many.
func someOf(names []string, what string) string {
	if len(names) > mostLines {
		return quantity.Count(len(names), what)
	}
	return strings.Join(names, ", ")
}

package figure

import (
	"fmt"
	"slices"
	"time"

	"gonum.org/v1/plot/vg/draw"
)

// sequence shows what connection ends sent over time, datagram by datagram, with
// what was lost, and the first loss of each in detail.
func sequence(d Data) Figure {
	f := Figure{Name: "sequence", header: timeHeader}
	var graphs []*graph
	for _, s := range d.Sequences {
		if len(s.Sent) == 0 {
			continue
		}
		graphs = append(graphs, d.sequenceGraph(s))
		if s.First != nil {
			graphs = append(graphs, d.episodeGraph(s))
		}
	}
	which := ""
	if d.OtherEnds > 0 {
		which = fmt.Sprintf(" by the %d of %d connection ends that sent most", len(d.Sequences), len(d.Sequences)+d.OtherEnds)
	}
	f.Title = titled("Data sent"+which+", its arrival and its losses", d)
	f.stack(graphs)
	for _, g := range graphs {
		g.shared = false // each has a time of its own
	}
	return f
}

// sequenceGraph shows a sequence over the time of the run.
func (d Data) sequenceGraph(s Sequence) *graph {
	g := d.newGraph("data sent", amounts)
	g.name = s.Name
	g.curves = []curve{
		{label: "arrived", look: arrivedLook, points: overTime(s.Arrived), step: true},
		{label: "sent", look: sentLook, points: overTime(s.Sent), step: true},
	}
	g.addLosses(s.Dropped, s.Declared)
	return g
}

// episodeGraph shows every datagram around the first loss of a sequence.
func (d Data) episodeGraph(s Sequence) *graph {
	e := s.First
	low, high := e.Sent[0].V, e.Sent[len(e.Sent)-1].V
	margin := max((e.Until-e.From)/50, 1)
	inside := func(t time.Duration) bool { return t >= e.From && t <= e.Until }

	g := d.newGraph("data sent", amounts)
	g.name = fmt.Sprintf("%s: the first loss, at %.3f s", s.Name, e.Lost.Seconds())
	g.x.low, g.x.high = (e.From - margin).Seconds(), (e.Until + margin).Seconds()
	g.y.low, g.y.high = low-(high-low)/50-1, high+(high-low)/25+1
	for i := range g.instants {
		g.instants[i].at = slices.DeleteFunc(slices.Clone(g.instants[i].at), func(t time.Duration) bool { return !inside(t) })
	}
	sent, arrived := sentLook, arrivedLook
	sent.Width, sent.marker, sent.radius = 0, draw.CircleGlyph{}, dotRadius
	arrived.Width, arrived.marker, arrived.radius = 0, draw.CircleGlyph{}, dotRadius
	g.curves = []curve{{label: "arrived", look: arrived, points: overTime(e.Arrived)}, {label: "sent", look: sent, points: overTime(e.Sent)}}
	g.addLosses(e.Dropped, slices.DeleteFunc(slices.Clone(e.Declared), func(p Point) bool { return !inside(p.T) }))
	return g
}

// addLosses adds the marks of what was dropped and what was declared lost.
func (g *graph) addLosses(dropped []Drops, declared []Point) {
	if len(declared) > 0 {
		g.curves = append(g.curves, curve{label: "packets declared lost", look: declaredLook, points: overTime(declared)})
	}
	for i, d := range dropped {
		g.curves = append(g.curves, curve{label: "dropped by " + d.Name, look: dropLook(i), points: overTime(d.Points)})
	}
}

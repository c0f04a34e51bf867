package figure

import (
	"slices"
	"sort"
	"time"
)

// maxSenders is how many senders get a panel of their own.
const maxSenders = 3

// cwnd shows the congestion window and the bytes in flight of each connection
// end that sends, with its losses.
func cwnd(d Data) Figure {
	f := Figure{Name: "cwnd", Title: titled("Congestion window and bytes in flight", d), header: timeHeader}
	senders := slices.DeleteFunc(slices.Clone(d.Senders), func(s Sender) bool { return len(s.Window) == 0 })
	if len(senders) == 0 {
		return f
	}
	var graphs []*graph
	if len(senders) <= maxSenders {
		for _, s := range senders {
			graphs = append(graphs, d.sender(s))
		}
	} else {
		graphs = append(graphs, d.senders(senders))
	}
	f.stack(graphs)
	return f
}

// sender is the graph of one sender.
func (d Data) sender(s Sender) *graph {
	g := d.newGraph("data", amounts)
	if len(s.InFlight) > 0 {
		l := look{}
		l.Color, l.Width = inFlightInk, 0.7
		g.curves = append(g.curves, lineOf("in flight", l, s.InFlight, d.End))
	}
	window := lineOf("congestion window", windowLook, s.Window, d.End)
	window.step = true
	g.curves = append(g.curves, window)
	if len(s.Losses) > 0 {
		marks := curve{label: "packet declared lost", look: lossLook}
		for _, t := range thinMoments(s.Losses, d.End) {
			marks.points = append(marks.points, XY{t.Seconds(), valueBefore(s.Window, t)})
		}
		g.curves = append(g.curves, marks)
	}
	g.name = s.Name
	return g
}

// senders is the one graph of many senders.
func (d Data) senders(all []Sender) *graph {
	g := d.newGraph("congestion window", amounts)
	windows := make([]Series, len(all))
	for i, s := range all {
		windows[i] = Series{s.Name, s.Window}
	}
	g.addLines(windows, "connection ends")
	return g
}

// valueBefore returns the value of a line just before a moment: that of the
// last point before it, or of the first point if there is none.
func valueBefore(points []Point, t time.Duration) float64 {
	i := sort.Search(len(points), func(i int) bool { return points[i].T >= t })
	return points[max(i-1, 0)].V
}

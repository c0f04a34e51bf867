package figure

import (
	"iter"
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// graph is a panel that shows quantities over another one, such as the time of
// the run.
type graph struct {
	x, y     measure
	end      time.Duration // of a graph over time: of the run
	areas    []area
	curves   []curve // the first is drawn at the bottom
	instants []instants
	shared   bool   // another graph with the same horizontal axis stands below
	first    bool   // no other graph stands above
	stacked  int    // number of graphs in the figure
	name     string // what the graph is of, such as a direction; empty: said by the title
}

// measure is what an axis of a graph shows.
type measure struct {
	quantity  string  // without the unit
	scales    []scale // units of the quantity
	log       bool    // logarithmic
	tight     bool    // need not begin at zero
	low, high float64 // ends of the axis in the base unit; 0: as the data needs
}

// curve is one line of a graph, or only its marks if its look has no width.
type curve struct {
	label  string // empty: not in the legend
	look   look
	points []XY
	step   bool    // a value holds until the next one
	most   float64 // values above it do not stretch the axis; 0: all do
}

// area is the region between two lines with common places on the horizontal axis.
type area struct {
	label     string // empty: not in the legend
	look      look   // only the colour counts
	low, high []XY
	step      bool
	most      float64 // values above it do not stretch the axis; 0: all do
}

// XY is a point of a graph, in the base units of its axes.
type XY struct{ X, Y float64 }

// overTime turns values at virtual times into points of a graph over seconds.
func overTime(points []Point) []XY {
	if points == nil {
		return nil
	}
	out := make([]XY, len(points))
	for i, p := range points {
		out[i] = XY{p.T.Seconds(), p.V}
	}
	return out
}

// instants are moments of one kind, drawn over the height of the graph.
type instants struct {
	label string
	look  look
	at    []time.Duration
}

// entries returns the legend of the graph.
func (g *graph) entries() []entry {
	var out []entry
	for _, c := range g.curves {
		if c.label != "" {
			out = append(out, entry{label: c.label, look: c.look})
		}
	}
	for _, a := range g.areas {
		if a.label != "" {
			out = append(out, entry{label: a.label, look: a.look, fill: true})
		}
	}
	if g.first {
		for _, i := range g.instants {
			out = append(out, entry{label: i.label, look: i.look})
		}
	}
	return out
}

// vertical returns the vertical axis. Unless it is logarithmic or says otherwise
// it begins at zero: heights then compare as the quantities do.
func (g *graph) vertical(height vg.Length) axis {
	low, high := g.y.span(g.values(func(p XY) float64 { return p.Y }))
	if g.y.log {
		return newLogAxis(g.y.scales, low, high, int(height/12))
	}
	if g.y.high == 0 {
		high *= 1.04 // air above the data
	}
	return newAxis(g.y.scales, low, high, min(6, int(height/12)))
}

// horizontal returns the horizontal axis.
func (g *graph) horizontal(width vg.Length) axis {
	low, high := g.x.span(g.values(func(p XY) float64 { return p.X }))
	if g.x.log {
		return newLogAxis(g.x.scales, low, high, int(width/40))
	}
	return newWideAxis(g.x.scales, low, high, width)
}

// values goes over one coordinate of everything that stretches the axes.
func (g *graph) values(coordinate func(XY) float64) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		for _, c := range g.curves {
			for _, p := range c.points {
				if (c.most == 0 || p.Y <= c.most) && !math.IsInf(p.Y, 0) && !yield(coordinate(p)) {
					return
				}
			}
		}
		for _, a := range g.areas {
			for _, p := range a.high {
				if (a.most == 0 || p.Y <= a.most) && !math.IsInf(p.Y, 0) && !yield(coordinate(p)) {
					return
				}
			}
		}
	}
}

// span returns the ends of an axis that shows the values.
func (m measure) span(values iter.Seq[float64]) (low, high float64) {
	low, high = m.low, m.high
	least := math.Inf(1)
	for v := range values {
		if m.high == 0 {
			high = max(high, v)
		}
		if v > 0 || !m.log {
			least = min(least, v)
		}
	}
	switch {
	case m.low != 0 || math.IsInf(least, 1):
	case m.log:
		low = least
	case m.tight && least > 0.4*high && least < high:
		low = least - 0.05*(high-least)
	}
	return low, high
}

func (g *graph) left(width Width) vg.Length {
	v := g.vertical(plotHeight(g.stacked, width))
	var widest vg.Length
	for _, t := range v.ticks() {
		widest = max(widest, tickText.Width(v.label(t)))
	}
	return axisText.Height("0") + gap + widest + gap + tickLength
}

func (g *graph) height(width Width, left vg.Length) vg.Length {
	return g.legendHeight(width, left) + plotHeight(g.stacked, width) + g.axisHeight()
}

func (g *graph) legendHeight(width Width, left vg.Length) vg.Length {
	_, rows := arrange(g.entries(), width.points()-2*pageMargin-left)
	h := legendRow*vg.Length(rows) + gap
	if g.name != "" {
		h += nameRow
	}
	return h
}

// axisHeight is what the horizontal axis takes below the data.
func (g *graph) axisHeight() vg.Length {
	if g.shared {
		return tickLength
	}
	return tickLength + gap + tickText.Height("0") + gap + axisText.Height("0")
}

func (g *graph) draw(s *sheet, where vg.Rectangle, width Width, left vg.Length) {
	data := where
	data.Min.X += left
	data.Max.Y -= g.legendHeight(width, left)
	data.Min.Y += g.axisHeight()
	s.areas = append(s.areas, data)
	corner := vg.Point{X: data.Min.X, Y: where.Max.Y}
	if g.name != "" {
		s.write(nameText, vg.Point{X: corner.X, Y: corner.Y - nameRow/2}, shorten(nameText, g.name, data.Max.X-data.Min.X))
		corner.Y -= nameRow
	}
	s.drawLegend(g.entries(), corner, data.Max.X-data.Min.X)

	x, y := g.horizontal(data.Max.X-data.Min.X), g.vertical(data.Max.Y-data.Min.Y)
	at := func(p XY) vg.Point {
		return vg.Point{X: x.place(p.X, data.Min.X, data.Max.X), Y: y.place(p.Y, data.Min.Y, data.Max.Y)}
	}
	for _, a := range g.areas {
		s.fillBetween(a.look, path(a.low, a.step, at), path(a.high, a.step, at), data)
	}
	g.drawGrid(s, data, where, x, y)
	for _, i := range g.instants {
		for _, t := range i.at {
			px := at(XY{X: t.Seconds()}).X
			s.line(i.look.LineStyle, px, data.Min.Y, px, data.Max.Y)
		}
	}
	for _, c := range g.curves {
		s.curve(c, path(c.points, c.step, at), at, data)
	}
	frame := draw.LineStyle{Color: ink, Width: axisWidth}
	s.line(frame, data.Min.X, data.Min.Y, data.Max.X, data.Min.Y)
	s.line(frame, data.Min.X, data.Min.Y, data.Min.X, data.Max.Y)
}

// drawGrid draws grid lines, ticks and the labels of both axes.
func (g *graph) drawGrid(s *sheet, data, where vg.Rectangle, x, y axis) {
	tick := draw.LineStyle{Color: ink, Width: axisWidth}
	grid := draw.LineStyle{Color: gridInk, Width: axisWidth}

	labels := tickText
	labels.XAlign = draw.XRight
	for _, t := range y.ticks() {
		py := y.place(t*y.scale.size, data.Min.Y, data.Max.Y)
		if t > y.low {
			s.line(grid, data.Min.X, py, data.Max.X, py)
		}
		s.line(tick, data.Min.X-tickLength, py, data.Min.X, py)
		s.write(labels, vg.Point{X: data.Min.X - tickLength - gap, Y: py}, y.label(t))
	}
	turned := axisText
	turned.Rotation = math.Pi / 2
	turned.XAlign = draw.XCenter
	turned.YAlign = draw.YTop
	s.write(turned, vg.Point{X: where.Min.X, Y: (data.Min.Y + data.Max.Y) / 2}, g.y.quantity+y.scale.words())

	s.drawTicksBelow(x, data, !g.shared)
	if !g.shared {
		s.labelBelow(g.x.quantity, x, data, where.Min.Y)
	}
}

// drawTicksBelow draws the ticks of a horizontal axis below the data.
func (s *sheet) drawTicksBelow(x axis, data vg.Rectangle, labelled bool) {
	style := tickText
	style.YAlign = draw.YTop
	for _, t := range x.ticks() {
		px := x.place(t*x.scale.size, data.Min.X, data.Max.X)
		s.line(draw.LineStyle{Color: ink, Width: axisWidth}, px, data.Min.Y-tickLength, px, data.Min.Y)
		if !labelled {
			continue
		}
		// The last label may not leave the page.
		style.XAlign = draw.XCenter
		if px+style.Width(x.label(t))/2 > data.Max.X+pageMargin/2 {
			style.XAlign = draw.XRight
			px = data.Max.X + pageMargin/2
		}
		s.write(style, vg.Point{X: px, Y: data.Min.Y - tickLength - gap}, x.label(t))
	}
}

// labelBelow names a horizontal axis.
func (s *sheet) labelBelow(what string, x axis, data vg.Rectangle, bottom vg.Length) {
	style := axisText
	style.XAlign = draw.XCenter
	style.YAlign = draw.YBottom
	s.write(style, vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: bottom}, what+x.scale.words())
}

// table returns the lines of the graph as rows of a CSV file.
func (g *graph) table() [][]string {
	var rows [][]string
	add := func(label string, points []XY) {
		for _, p := range points {
			rows = append(rows, []string{g.name, g.y.quantity, label, strconv.FormatFloat(p.X, 'f', -1, 64), strconv.FormatFloat(p.Y, 'g', -1, 64), baseUnit(g.y.scales)})
		}
	}
	for _, a := range g.areas {
		if a.label != "" {
			add(a.label+": low", a.low)
			add(a.label+": high", a.high)
		}
	}
	for _, c := range g.curves {
		add(c.label, c.points)
	}
	return rows
}

// seconds writes a time exactly.
func seconds(t time.Duration) string {
	return strconv.FormatFloat(t.Seconds(), 'f', -1, 64)
}

package figure

import (
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// graph is a panel that shows quantities over the time of the run.
type graph struct {
	quantity string  // label of the vertical axis, without the unit
	scales   []scale // units of the quantity
	end      time.Duration
	areas    []area
	curves   []curve // the first is drawn at the bottom
	instants []instants
	shared   bool   // another graph with the same time axis stands below
	first    bool   // no other graph stands above
	stacked  int    // number of graphs in the figure
	name     string // what the graph is of, such as a direction; empty: said by the title
}

// curve is one line of a graph, or only its marks if its look has no width.
type curve struct {
	label  string // empty: not in the legend
	look   look
	points []Point
	step   bool    // a value holds until the next one
	most   float64 // values above it do not stretch the axis; 0: all do
}

// area is the region between two lines with common moments.
type area struct {
	label     string // empty: not in the legend
	look      look   // only the colour counts
	low, high []Point
	step      bool
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

// vertical returns the axis of the quantity. It begins at zero: heights then
// compare as the quantities do.
func (g *graph) vertical(height vg.Length) axis {
	var top float64
	reach := func(points []Point, most float64) {
		for _, p := range points {
			if (most == 0 || p.V <= most) && !math.IsInf(p.V, 0) {
				top = max(top, p.V)
			}
		}
	}
	for _, c := range g.curves {
		reach(c.points, c.most)
	}
	for _, a := range g.areas {
		reach(a.high, 0)
	}
	return newAxis(g.scales, 0, 1.04*top, min(6, int(height/12)))
}

// horizontal returns the axis of time.
func (g *graph) horizontal(width vg.Length) axis {
	return newTimeAxis(times, 0, max(g.end, time.Microsecond).Seconds(), width)
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

// axisHeight is what the time axis takes below the data.
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
	at := func(p Point) vg.Point {
		return vg.Point{X: x.place(p.T.Seconds(), data.Min.X, data.Max.X), Y: y.place(p.V, data.Min.Y, data.Max.Y)}
	}
	g.drawGrid(s, data, where, x, y)
	for _, a := range g.areas {
		s.fillBetween(a.look, path(a.low, a.step, at), path(a.high, a.step, at), data)
	}
	for _, i := range g.instants {
		for _, t := range i.at {
			px := at(Point{T: t}).X
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
	s.write(turned, vg.Point{X: where.Min.X, Y: (data.Min.Y + data.Max.Y) / 2}, g.quantity+" ("+y.scale.unit+")")

	s.drawTimeTicks(x, data, !g.shared)
	if !g.shared {
		s.timeLabel("time", x, data, where.Min.Y)
	}
}

// drawTimeTicks draws the ticks of a time axis below the data.
func (s *sheet) drawTimeTicks(x axis, data vg.Rectangle, labelled bool) {
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

// timeLabel names a time axis.
func (s *sheet) timeLabel(what string, x axis, data vg.Rectangle, bottom vg.Length) {
	style := axisText
	style.XAlign = draw.XCenter
	style.YAlign = draw.YBottom
	s.write(style, vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: bottom}, what+" ("+x.scale.unit+")")
}

// path turns points of data into points of the page.
func path(points []Point, step bool, at func(Point) vg.Point) []vg.Point {
	out := make([]vg.Point, 0, 2*len(points))
	for i, p := range points {
		if step && i > 0 {
			out = append(out, at(Point{p.T, points[i-1].V}))
		}
		out = append(out, at(p))
	}
	return out
}

// curve draws a line, its markers, or both, within the area of the data.
func (s *sheet) curve(c curve, line []vg.Point, at func(Point) vg.Point, data vg.Rectangle) {
	clip := draw.Canvas{Canvas: s.Canvas.Canvas, Rectangle: data}
	if c.look.Width > 0 && len(line) > 1 {
		clip.StrokeLines(c.look.LineStyle, clip.ClipLinesXY(line)...)
	}
	marked, l := c.points, c.look
	switch {
	case l.Width == 0: // a mark at every point
	case len(c.points) == 1: // a line needs two points; one is a dot
		if l.marker == nil {
			l.marker, l.radius = draw.CircleGlyph{}, 1
		}
	case l.marker != nil:
		marked = spaced(c.points, l.phase)
	default:
		return
	}
	for _, p := range marked {
		if q := at(p); clip.Contains(q) {
			s.mark(l, q)
		}
	}
}

// spaced picks the points of a line that get a marker: eight at most, evenly
// over the time that the line covers.
func spaced(points []Point, phase int) []Point {
	const n = 8
	if len(points) == 0 {
		return nil
	}
	first, last := points[0].T, points[len(points)-1].T
	var out []Point
	next := 0
	for i := range n {
		// Lines that begin together have their markers apart.
		share := (float64(i) + 0.2 + 0.6*float64(phase%4)/4) / n
		t := first + time.Duration(share*float64(last-first))
		from := next
		for next < len(points) && points[next].T < t {
			next++
		}
		if next < len(points) && (next > from || i == 0) {
			out = append(out, points[next])
		}
	}
	return out
}

// mark draws the marker of a look.
func (s *sheet) mark(l look, at vg.Point) {
	if l.marker == nil {
		return
	}
	s.SetLineStyle(draw.LineStyle{Color: l.Color, Width: 0.8})
	s.DrawGlyphNoClip(draw.GlyphStyle{Color: l.Color, Radius: l.radius, Shape: l.marker}, at)
}

// fillBetween fills the region between two lines.
func (s *sheet) fillBetween(l look, low, high []vg.Point, data vg.Rectangle) {
	if len(low) == 0 {
		return
	}
	outline := append([]vg.Point(nil), high...)
	for i := len(low) - 1; i >= 0; i-- {
		outline = append(outline, low[i])
	}
	clip := draw.Canvas{Canvas: s.Canvas.Canvas, Rectangle: data}
	clip.FillPolygon(l.Color, clip.ClipPolygonXY(outline))
}

// table returns the lines of the graph as rows of a CSV file.
func (g *graph) table() [][]string {
	var rows [][]string
	add := func(label string, points []Point) {
		for _, p := range points {
			rows = append(rows, []string{g.name, g.quantity, label, seconds(p.T), strconv.FormatFloat(p.V, 'g', -1, 64), g.scales[len(g.scales)-1].unit})
		}
	}
	for _, a := range g.areas {
		add(a.label+": low", a.low)
		add(a.label+": high", a.high)
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

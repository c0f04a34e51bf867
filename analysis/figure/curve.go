package figure

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// path turns points of data into points of the page.
func path(points []XY, step bool, at func(XY) vg.Point) []vg.Point {
	out := make([]vg.Point, 0, 2*len(points))
	for i, p := range points {
		if step && i > 0 {
			out = append(out, at(XY{p.X, points[i-1].Y}))
		}
		out = append(out, at(p))
	}
	return out
}

// curve draws a line, its markers, or both, within the area of the data.
func (s *sheet) curve(c curve, line []vg.Point, at func(XY) vg.Point, data vg.Rectangle) {
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
		marked = spaced(c.points, l.phase, at)
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
// over the width that the line covers on the page.
func spaced(points []XY, phase int, at func(XY) vg.Point) []XY {
	const n = 8
	if len(points) == 0 {
		return nil
	}
	first, last := at(points[0]).X, at(points[len(points)-1]).X
	var out []XY
	next := 0
	for i := range n {
		// Lines that begin together have their markers apart.
		share := (float64(i) + 0.2 + 0.6*float64(phase%4)/4) / n
		x := first + vg.Length(share)*(last-first)
		from := next
		for next < len(points) && at(points[next]).X < x {
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

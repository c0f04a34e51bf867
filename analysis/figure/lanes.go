package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func (p *lanes) left(Width) vg.Length { return laneText.Width("server") + 2*gap }

func (p *lanes) height(width Width, left vg.Length) vg.Length {
	inner := width.points() - 2*pageMargin
	plan := p.plan(inner - left)
	return p.headHeight(inner) + flagRow*vg.Length(plan.rows[0]+plan.rows[1]) + 2*poleFoot + laneDistance + p.footHeight()
}

// headHeight is what stands above the lanes: name, legend and notes.
func (p *lanes) headHeight(width vg.Length) vg.Length {
	h := nameRow + flagRow*vg.Length(len(p.notes(width)))
	if p.legend {
		_, rows := arrange(layerEntries(), width)
		h += legendRow * vg.Length(rows)
	}
	return h
}

// footHeight is what the time axis takes.
func (p *lanes) footHeight() vg.Length {
	return gap + tickLength + gap + tickText.Height("0") + gap + axisText.Height("0")
}

// layerEntries is the legend of the markers.
func layerEntries() []entry {
	var out []entry
	for _, l := range layers {
		out = append(out, entry{label: l.words, look: l.look})
	}
	return out
}

func (p *lanes) draw(s *sheet, where vg.Rectangle, width Width, left vg.Length) {
	inner := where.Max.X - where.Min.X
	plan := p.plan(inner - left)
	y := where.Max.Y
	s.write(nameText, vg.Point{X: where.Min.X, Y: y - nameRow/2}, shorten(nameText, p.title(), inner))
	y -= nameRow
	for _, line := range p.notes(inner) {
		s.write(flagText, vg.Point{X: where.Min.X, Y: y - flagRow/2}, line)
		y -= flagRow
	}
	if p.legend {
		s.drawLegend(layerEntries(), vg.Point{X: where.Min.X, Y: y}, inner)
		_, rows := arrange(layerEntries(), inner)
		y -= legendRow * vg.Length(rows)
	}

	from := where.Min.X + left
	lane := [2]vg.Length{y - poleFoot - flagRow*vg.Length(plan.rows[0])}
	lane[1] = lane[0] - laneDistance
	for side, at := range lane {
		s.line(draw.LineStyle{Color: ink, Width: 1}, from, at, where.Max.X, at)
		s.write(laneText, vg.Point{X: where.Min.X, Y: at}, Side(side).String())
	}
	drawArrows(s, plan.arrows, from, where.Max.X, lane)
	for side, poles := range plan.poles {
		up := vg.Length(1 - 2*side)
		for _, pole := range poles {
			x := from + pole.x
			height := func(row int) vg.Length { return lane[side] + up*(poleFoot+flagRow*(vg.Length(row)+0.5)) }
			s.line(draw.LineStyle{Color: leaderInk, Width: 0.6}, x, lane[side], x, height(pole.base+len(pole.flags)-1))
			s.mark(momentLook, vg.Point{X: x, Y: lane[side]})
			for i, f := range pole.flags {
				y := height(pole.row(i, Side(side)))
				s.mark(layerOf(f.event.Step).look, vg.Point{X: x, Y: y})
				s.write(flagText, vg.Point{X: x + flagOffset, Y: y}, f.words)
			}
		}
	}

	axisLine := vg.Rectangle{
		Min: vg.Point{X: from, Y: where.Min.Y + p.footHeight() - gap},
		Max: vg.Point{X: where.Max.X, Y: lane[0]},
	}
	s.line(draw.LineStyle{Color: ink, Width: axisWidth}, from, axisLine.Min.Y, where.Max.X, axisLine.Min.Y)
	s.drawTicksBelow(plan.axis, axisLine, true)
	s.labelBelow(fmt.Sprintf("time since %v at the %v", p.zero.Step, p.zero.Side), plan.axis, axisLine, where.Min.Y)
}

// drawArrows draws the messages between the lanes, each with its name where
// there is room for it.
func drawArrows(s *sheet, arrows []arrow, from, to vg.Length, lane [2]vg.Length) {
	segments := make([]segment, len(arrows))
	for i, a := range arrows {
		segments[i] = segment{vg.Point{X: from + a.x1, Y: lane[a.from.Side]}, vg.Point{X: from + a.x2, Y: lane[a.to.Side]}}
		s.arrow(arrowLook, segments[i].a, segments[i].b)
	}
	within := vg.Rectangle{Min: vg.Point{X: from, Y: lane[1]}, Max: vg.Point{X: to, Y: lane[0]}}
	var boxes []vg.Rectangle
	for i, a := range arrows {
		for _, c := range besides(segments[i].a, segments[i].b) {
			box := c.style.Rectangle(a.words).Add(c.at)
			if free(box, within, segments, boxes) {
				s.write(c.style, c.at, a.words)
				boxes = append(boxes, box)
				break
			}
		}
	}
}

// anchor is a place for words.
type anchor struct {
	style text.Style
	at    vg.Point
}

// besides returns places for the name of an arrow, the best first: to its right, then
// to its left, where it leans away.
func besides(a, b vg.Point) []anchor {
	right, left := tickText, tickText
	right.YAlign, left.YAlign = draw.YBottom, draw.YTop
	left.XAlign = draw.XRight
	lift := vg.Length(2)
	if b.Y > a.Y {
		right.YAlign, left.YAlign = left.YAlign, right.YAlign
		lift = -lift
	}
	var out []anchor
	for _, share := range []vg.Length{0.5, 0.35, 0.65} {
		on := vg.Point{X: a.X + share*(b.X-a.X), Y: a.Y + share*(b.Y-a.Y)}
		out = append(out, anchor{right, on.Add(vg.Point{X: 2, Y: lift})})
	}
	for _, share := range []vg.Length{0.5, 0.65, 0.35} {
		on := vg.Point{X: a.X + share*(b.X-a.X), Y: a.Y + share*(b.Y-a.Y)}
		out = append(out, anchor{left, on.Add(vg.Point{X: -2, Y: -lift})})
	}
	return out
}

// arrow draws an arrow that leaves the markers at its ends visible.
func (s *sheet) arrow(l look, from, to vg.Point) {
	const clear, head, spreadAngle = 2.5, 4.5, 0.35
	dx, dy := float64(to.X-from.X), float64(to.Y-from.Y)
	length := math.Hypot(dx, dy)
	along := func(p vg.Point, d float64) vg.Point {
		return vg.Point{X: p.X + vg.Length(d*dx/length), Y: p.Y + vg.Length(d*dy/length)}
	}
	from, to = along(from, clear), along(to, -clear)
	neck := along(to, -head*0.8)
	s.line(l.LineStyle, from.X, from.Y, neck.X, neck.Y)
	angle := math.Atan2(dy, dx)
	corner := func(a float64) vg.Point {
		return vg.Point{X: to.X - vg.Length(head*math.Cos(a)), Y: to.Y - vg.Length(head*math.Sin(a))}
	}
	s.FillPolygon(l.Color, []vg.Point{to, corner(angle + spreadAngle), corner(angle - spreadAngle)})
}

// overlap reports whether two boxes share more than an edge.
func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

// crosses reports whether a segment enters a box.
func crosses(a, b vg.Point, box vg.Rectangle) bool {
	// Clip the segment to the box, one slab at a time.
	enter, leave := vg.Length(0), vg.Length(1)
	slab := func(from, delta, low, high vg.Length) {
		if delta == 0 {
			if from < low || from > high {
				enter, leave = 1, 0
			}
			return
		}
		t1, t2 := (low-from)/delta, (high-from)/delta
		enter, leave = max(enter, min(t1, t2)), min(leave, max(t1, t2))
	}
	slab(a.X, b.X-a.X, box.Min.X, box.Max.X)
	slab(a.Y, b.Y-a.Y, box.Min.Y, box.Max.Y)
	return enter <= leave
}

package figure

import (
	"gonum.org/v1/plot/vg"
)

// entry is one line of a legend.
type entry struct {
	label string
	look  look
	fill  bool // shown as an area, not as a line
}

// sample returns the length of what the legend shows of the entry.
func (e entry) sample() vg.Length {
	if e.look.Width == 0 && !e.fill {
		return 2 * e.look.radius
	}
	return legendSample
}

// slot is the place of an entry in a legend: its row from the top and where it
// begins in it.
type slot struct {
	row   int
	x     vg.Length
	label string
}

// arrange places the entries in rows of the width, and returns how many rows
// it took. The legend stands above the data, never on it.
func arrange(entries []entry, width vg.Length) (slots []slot, rows int) {
	const between = 12
	longest := width - legendSample - gap
	if width > OneColumn.points() {
		longest = width/2 - legendSample - gap - between
	}
	var x vg.Length
	for _, e := range entries {
		label := shorten(legendText, e.label, longest)
		w := e.sample() + gap + legendText.Width(label)
		if x > 0 && x+w > width {
			x = 0
			rows++
		}
		slots = append(slots, slot{rows, x, label})
		x += w + between
	}
	if len(entries) > 0 {
		rows++
	}
	return slots, rows
}

// drawLegend draws the entries with their top left corner at a point.
func (s *sheet) drawLegend(entries []entry, corner vg.Point, width vg.Length) {
	slots, _ := arrange(entries, width)
	for i, at := range slots {
		x := corner.X + at.x
		y := corner.Y - legendRow*(vg.Length(at.row)+0.5)
		s.sample(entries[i], x, y)
		s.write(legendText, vg.Point{X: x + entries[i].sample() + gap, Y: y}, at.label)
	}
}

// sample draws what a legend shows of an entry.
func (s *sheet) sample(e entry, x, y vg.Length) {
	l := e.look
	if e.fill {
		s.FillPolygon(l.Color, []vg.Point{{X: x, Y: y - 3}, {X: x + legendSample, Y: y - 3}, {X: x + legendSample, Y: y + 3}, {X: x, Y: y + 3}})
		return
	}
	if l.Width > 0 {
		s.line(l.LineStyle, x, y, x+legendSample, y)
	}
	s.mark(l, vg.Point{X: x + e.sample()/2, Y: y})
}

package figure

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/analysis/stat"
)

// matrix is a panel with a cell for each pair of two values.
type matrix struct {
	metric  Quantity
	names   [2]string // of what varies along the columns and along the rows
	columns []string  // values, from left to right
	rows    []string  // values, from bottom to top
	cells   map[cell]stat.Estimate

	of        string  // what all cells have in common; empty: nothing
	low, high float64 // range of the colours, for several panels; empty: that of the cells
}

// cell is a place in a matrix.
type cell struct{ column, row string }

// missingLook is the mark of cells without a value.
var missingLook = look{LineStyle: draw.LineStyle{Color: leaderInk}, marker: draw.CrossGlyph{}, radius: 2.4}

const (
	cellHeight   vg.Length = 17
	noteHeight   vg.Length = 7   // of n below a value
	tallestCells vg.Length = 360 // of all rows; more rows are lower
	barWidth     vg.Length = 7
	barGap       vg.Length = 8 // between the cells and the bar of colours
)

// counts returns the smallest and the largest number of values of a cell, of
// those that have any, and whether some have none.
func (p *matrix) counts() (fewest, most int, missing bool) {
	for _, row := range p.rows {
		for _, column := range p.columns {
			n := p.cells[cell{column, row}].N
			if n == 0 {
				missing = true
				continue
			}
			if fewest == 0 || n < fewest {
				fewest = n
			}
			most = max(most, n)
		}
	}
	return fewest, most, missing
}

// title names the metric and says how many values a mean is of.
func (p *matrix) title() string {
	fewest, most, _ := p.counts()
	name := p.metric.Name
	if p.of != "" {
		name += ", " + p.of
	}
	if fewest == most {
		return fmt.Sprintf("%s, %s", name, counted(most))
	}
	return fmt.Sprintf("%s, n = %d to %d", name, fewest, most)
}

func (p *matrix) entries() []entry {
	if _, _, missing := p.counts(); missing {
		return []entry{{label: "no value", look: missingLook}}
	}
	return nil
}

// colours returns the axis of the bar of colours.
func (p *matrix) colours(height vg.Length) axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, mean := range p.cells {
		if mean.N > 0 {
			low, high = min(low, mean.Value), max(high, mean.Value)
		}
	}
	if low > high {
		low, high = 0, 1
	}
	if p.low < p.high {
		low, high = p.low, p.high
	}
	if low == high {
		// One colour, the middle one.
		margin := max(0.1*math.Abs(low), 1e-9)
		low, high = low-margin, high+margin
	}
	return newAxis(scalesOf(p.metric), low, high, min(6, int(height/9)))
}

// around returns the space that rows of labels take at the left, and the bar of
// colours at the right.
func (p *matrix) around(width Width) (left, right vg.Length) {
	var labels, ticks vg.Length
	for _, row := range p.rows {
		labels = max(labels, tickText.Width(clean(orNone(row))))
	}
	a := p.colours(p.plot())
	for _, t := range a.ticks() {
		ticks = max(ticks, tickText.Width(a.label(t)))
	}
	left = axisText.Height("0") + gap + min(labels, 0.3*width.points()) + gap + tickLength
	return left, barGap + barWidth + tickLength + gap + max(ticks, tickText.Width(" (Mbit/s)"))
}

func (p *matrix) left(width Width) vg.Length {
	left, _ := p.around(width)
	return left
}

// plot returns the height of all cells. The bar of colours needs some, too.
func (p *matrix) plot() vg.Length {
	h := cellHeight
	if fewest, most, _ := p.counts(); fewest != most {
		h += noteHeight
	}
	if h*vg.Length(len(p.rows)) > tallestCells {
		return tallestCells
	}
	return max(h*vg.Length(len(p.rows)), 44)
}

// above is the name of the panel, and the row of its legend and its unit.
func (p *matrix) above() vg.Length { return nameRow + legendRow + gap }

func (p *matrix) height(Width, vg.Length) vg.Length {
	return p.above() + p.plot() + axisBelow()
}

func (p *matrix) draw(s *sheet, where vg.Rectangle, width Width, left vg.Length) {
	_, right := p.around(width)
	whole := where.Max.X - where.Min.X
	s.write(nameText, vg.Point{X: where.Min.X, Y: where.Max.Y - nameRow/2}, shorten(nameText, p.title(), whole))
	s.drawLegend(p.entries(), vg.Point{X: where.Min.X, Y: where.Max.Y - nameRow}, whole)
	data := vg.Rectangle{
		Min: vg.Point{X: where.Min.X + left, Y: where.Min.Y + axisBelow()},
		Max: vg.Point{X: where.Max.X - right, Y: where.Max.Y - p.above()},
	}
	colours := p.colours(p.plot())
	p.drawCells(s, data, colours)
	p.drawLabels(s, data, where)
	p.drawBar(s, data, colours)
}

// at returns the rectangle of a cell.
func (p *matrix) at(data vg.Rectangle, column, row int) vg.Rectangle {
	size := data.Size()
	w, h := size.X/vg.Length(len(p.columns)), size.Y/vg.Length(len(p.rows))
	corner := data.Min.Add(vg.Point{X: w * vg.Length(column), Y: h * vg.Length(row)})
	return vg.Rectangle{Min: corner, Max: corner.Add(vg.Point{X: w, Y: h})}
}

func (p *matrix) drawCells(s *sheet, data vg.Rectangle, colours axis) {
	words := make(map[cell]string, len(p.cells))
	fits := p.at(data, 0, 0).Size().Y >= cellHeight-2
	fewest, most, _ := p.counts()
	for at, mean := range p.cells {
		words[at] = quantity.Significant(mean.Value / colours.scale.size)
		fits = fits && max(tickText.Width(words[at]), cellNote.Width(counted(mean.N)))+2 <= p.at(data, 0, 0).Size().X
	}
	edge := draw.LineStyle{Color: paper, Width: min(0.8, p.at(data, 0, 0).Size().X/8, p.at(data, 0, 0).Size().Y/8)}
	for j, row := range p.rows {
		for i, column := range p.columns {
			where := p.at(data, i, j)
			centre := where.Min.Add(where.Size().Scale(0.5))
			mean := p.cells[cell{column, row}]
			if mean.N == 0 {
				s.mark(missingLook, centre)
				continue
			}
			share := float64(colours.place(mean.Value, 0, 1))
			s.fill(where, shade(share))
			s.StrokeLines(edge, outline(where))
			if fits {
				value, note := tickText, cellNote
				value.XAlign, note.XAlign = draw.XCenter, draw.XCenter
				if share > 0.5 {
					value.Color, note.Color = paper, paper
				}
				if fewest != most {
					s.write(note, centre.Sub(vg.Point{Y: noteHeight / 2}), counted(mean.N))
					centre.Y += noteHeight / 2
				}
				s.write(value, centre, words[cell{column, row}])
			}
		}
	}
	s.StrokeLines(draw.LineStyle{Color: ink, Width: axisWidth}, outline(data))
}

// drawLabels names the columns, as many as have room, and the rows.
func (p *matrix) drawLabels(s *sheet, data, where vg.Rectangle) {
	tick := draw.LineStyle{Color: ink, Width: axisWidth}
	style := tickText
	style.XAlign, style.YAlign = draw.XCenter, draw.YTop
	var widest vg.Length
	for _, column := range p.columns {
		widest = max(widest, tickText.Width(clean(orNone(column))))
	}
	room := p.at(data, 0, 0).Size().X
	every := max(1, min(len(p.columns), int(math.Ceil(float64((widest+4)/room)))))
	for i, column := range p.columns {
		x := p.at(data, i, 0).Min.X + room/2
		s.line(tick, x, data.Min.Y-tickLength, x, data.Min.Y)
		if i%every == 0 {
			s.write(style, vg.Point{X: x, Y: data.Min.Y - tickLength - gap}, shorten(tickText, orNone(column), vg.Length(every)*room-4))
		}
	}
	labels := tickText
	labels.XAlign = draw.XRight
	apart := max(1, int(math.Ceil(9/float64(p.at(data, 0, 0).Size().Y))))
	for j, row := range p.rows {
		cell := p.at(data, 0, j)
		y := (cell.Min.Y + cell.Max.Y) / 2
		s.line(tick, data.Min.X-tickLength, y, data.Min.X, y)
		if j%apart != 0 {
			continue
		}
		room := data.Min.X - where.Min.X - axisText.Height("0") - 2*gap - tickLength
		s.write(labels, vg.Point{X: data.Min.X - tickLength - gap, Y: y}, shorten(tickText, orNone(row), room))
	}
	s.labelBelow(shorten(axisText, p.names[0], data.Size().X), axis{}, data, where.Min.Y)
	turned := axisText
	turned.Rotation, turned.XAlign, turned.YAlign = math.Pi/2, draw.XCenter, draw.YTop
	s.write(turned, vg.Point{X: where.Min.X, Y: (data.Min.Y + data.Max.Y) / 2}, shorten(axisText, p.names[1], data.Size().Y))
}

// drawBar says which colour is which value.
func (p *matrix) drawBar(s *sheet, data vg.Rectangle, colours axis) {
	bar := vg.Rectangle{
		Min: vg.Point{X: data.Max.X + barGap, Y: data.Min.Y},
		Max: vg.Point{X: data.Max.X + barGap + barWidth, Y: data.Max.Y},
	}
	const parts = 64
	for i := range parts {
		// Each part reaches to the top, so that no seam shows.
		part := bar
		part.Min.Y += vg.Length(i) / parts * bar.Size().Y
		s.fill(part, shade((float64(i)+0.5)/parts))
	}
	frame := draw.LineStyle{Color: ink, Width: axisWidth}
	s.StrokeLines(frame, outline(bar))
	for _, t := range colours.ticks() {
		y := colours.place(t*colours.scale.size, bar.Min.Y, bar.Max.Y)
		s.line(frame, bar.Max.X, y, bar.Max.X+tickLength, y)
		s.write(tickText, vg.Point{X: bar.Max.X + tickLength + gap, Y: y}, colours.label(t))
	}
	unit := tickText
	unit.XAlign = draw.XRight
	s.write(unit, vg.Point{X: bar.Max.X + tickLength + gap + tickText.Width(colours.scale.words()), Y: bar.Max.Y + legendRow/2 + gap/2}, colours.scale.words())
}

// fill fills a rectangle.
func (s *sheet) fill(r vg.Rectangle, c color.Color) { s.FillPolygon(c, outline(r)[:4]) }

// outline returns the corners of a rectangle, the first one twice.
func outline(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min}
}

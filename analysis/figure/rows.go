package figure

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// rows is a panel with a metric along its horizontal axis and a row for each
// set of runs, which says how many of them have the metric.
type rows struct {
	metric Quantity
	sets   []rowOf
	legend []entry // of the first panel of a figure
}

// rowOf is a row: a label at its left, n at its right, and between them what is
// known of the values.
type rowOf struct {
	set   RunSet
	n     int
	reach []float64 // values that the axis must hold
	data  [][]string
	draw  func(s *sheet, y vg.Length, x func(float64) vg.Length)
}

// rowsHeader returns the header of the CSV file of a figure of rows.
func rowsHeader(s Sweep) []string {
	return slices.Concat([]string{"metric", "unit"}, s.identity(), []string{"what", "seed", "value", "n"})
}

// record adds a row of the CSV file.
func (r *rowOf) record(what, seed string, value float64) {
	r.data = append(r.data, []string{what, seed, strconv.FormatFloat(value, 'g', -1, 64), strconv.Itoa(r.n)})
}

func (p *rows) table() [][]string {
	var out [][]string
	for _, r := range p.sets {
		for _, fields := range r.data {
			out = append(out, slices.Concat([]string{p.metric.Name, p.metric.Unit}, r.set.identify(), fields))
		}
	}
	return out
}

func (p *rows) left(width Width) vg.Length {
	var widest vg.Length
	for _, r := range p.sets {
		widest = max(widest, tickText.Width(clean(r.set.Label)))
	}
	const halfTick = 24 // of the widest label below the axis
	return max(min(widest, 0.42*width.points())+gap+tickLength, halfTick)
}

// right returns the space for n.
func (p *rows) right() vg.Length {
	var widest vg.Length
	for _, r := range p.sets {
		widest = max(widest, tickText.Width(counted(r.n)))
	}
	return widest + 2*gap
}

// counted writes how many values there are.
func counted(n int) string { return "n = " + strconv.Itoa(n) }

func (p *rows) legendHeight(width Width) vg.Length {
	_, n := arrange(p.legend, width.points()-2*pageMargin)
	return legendRow*vg.Length(n) + gap
}

func (p *rows) height(width Width, _ vg.Length) vg.Length {
	return p.legendHeight(width) + nameRow + rowHeight*vg.Length(len(p.sets)) + axisBelow()
}

// axisBelow is what a horizontal axis takes below the data.
func axisBelow() vg.Length {
	return tickLength + gap + tickText.Height("0") + gap + axisText.Height("0")
}

func (p *rows) draw(s *sheet, where vg.Rectangle, width Width, left vg.Length) {
	s.drawLegend(p.legend, vg.Point{X: where.Min.X, Y: where.Max.Y}, where.Max.X-where.Min.X)
	data := vg.Rectangle{
		Min: vg.Point{X: where.Min.X + left, Y: where.Min.Y + axisBelow()},
		Max: vg.Point{X: where.Max.X - p.right(), Y: where.Max.Y - p.legendHeight(width) - nameRow},
	}
	s.areas = append(s.areas, data)
	s.write(nameText, vg.Point{X: where.Min.X, Y: data.Max.Y + nameRow/2}, shorten(nameText, p.metric.Name, where.Max.X-where.Min.X))

	x := p.axis(data.Max.X - data.Min.X)
	place := func(v float64) vg.Length { return x.place(v, data.Min.X, data.Max.X) }
	for _, t := range x.ticks() {
		px := place(t * x.scale.size)
		s.line(draw.LineStyle{Color: gridInk, Width: axisWidth}, px, data.Min.Y, px, data.Max.Y)
	}
	s.line(draw.LineStyle{Color: ink, Width: axisWidth}, data.Min.X, data.Min.Y, data.Max.X, data.Min.Y)
	s.drawTicksBelow(x, data, true)
	s.labelBelow(shorten(axisText, p.metric.Short, 0.8*data.Size().X), x, data, where.Min.Y)

	labels := tickText
	labels.XAlign = draw.XRight
	for i, r := range p.sets {
		y := data.Max.Y - rowHeight*(vg.Length(i)+0.5)
		s.write(labels, vg.Point{X: data.Min.X - gap - tickLength, Y: y}, shorten(tickText, r.set.Label, left-gap-tickLength))
		s.write(labels, vg.Point{X: where.Max.X, Y: y}, counted(r.n))
		if r.n > 0 {
			r.draw(s, y, place)
		}
	}
}

// axis returns the horizontal axis.
func (p *rows) axis(width vg.Length) axis {
	var values []float64
	for _, r := range p.sets {
		values = append(values, r.reach...)
	}
	low, high := extent(values)
	return newWideAxis(scalesOf(p.metric), low, high, width)
}

// extent returns the ends of an axis that shows values as points. It has zero in
// it unless that would squeeze the values into less than half of it.
func extent(values []float64) (low, high float64) {
	if len(values) == 0 {
		return 0, 1
	}
	low, high = slices.Min(values), slices.Max(values)
	margin := 0.06 * (high - low)
	if margin == 0 {
		margin = 0.1 * math.Abs(high)
	}
	switch {
	case low == 0 && high == 0:
		return 0, 1
	case low >= 0 && low <= (high-low):
		return 0, high + margin
	case high <= 0 && -high <= (high-low):
		return low - margin, 0
	}
	return low - margin, high + margin
}

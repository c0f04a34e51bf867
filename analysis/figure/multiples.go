package figure

import (
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// multiples is a panel of small plots of one metric, which share their vertical axis, in
// rows from left to right.
type multiples struct {
	metric Quantity
	plots  []smallPlot
	legend []entry
	notes  []string // what is left out
	logY   bool     // if the metric spans much
	reach  []float64
	values func(smallPlot) [][]string // rows of the CSV file
}

// smallPlot shows a metric over a dimension.
type smallPlot struct {
	title string // empty: there is one plot
	x     dim
	lines []studyLine
	facet facet
}

// studyLine is what a plot shows of the groups that agree in a dimension.
type studyLine struct {
	look   look
	thin   look
	joined bool    // by a line
	band   bool    // the intervals are a band, and else bars
	groups []group // from left to right, if they are joined
	along  int     // the dimension from left to right
	x      func(group) float64
}

const (
	smallTitle vg.Length = 12
	between    vg.Length = 12 // plots
)

// columns returns how many plots stand side by side.
func (p *multiples) columns(width Width) int {
	n := len(p.plots)
	most := 3
	if n == 4 {
		most = 2
	}
	if width == OneColumn {
		most = 1
	}
	return min(n, most)
}

// plot returns the height of each plot's data.
func (p *multiples) plot(width Width) vg.Length {
	rows := (len(p.plots) + p.columns(width) - 1) / p.columns(width)
	if p.columns(width) == 1 && rows == 1 {
		return 1.1 * plotHeight(1, width)
	}
	return plotHeight(min(rows+1, 3), width)
}

func (p *multiples) ruler(width Width) ruler { return beside(p.metric, p.reach, p.logY, p.plot(width)) }

func (p *multiples) left(width Width) vg.Length {
	var widest vg.Length
	for _, m := range p.ruler(width).marks {
		widest = max(widest, tickText.Width(m.label))
	}
	return axisText.Height("0") + gap + widest + gap + tickLength
}

func (p *multiples) above(width Width) vg.Length {
	_, rows := arrange(p.legend, width.points()-2*pageMargin)
	return legendRow*vg.Length(rows+len(p.notes)) + 2*gap
}

// around is what a plot takes above and below its data.
func (p *multiples) around() (above, below vg.Length) {
	if p.plots[0].title != "" {
		above = smallTitle
	}
	return above + gap, axisBelow()
}

func (p *multiples) height(width Width, _ vg.Length) vg.Length {
	rows := vg.Length((len(p.plots) + p.columns(width) - 1) / p.columns(width))
	above, below := p.around()
	return p.above(width) + rows*(above+p.plot(width)+below) + (rows-1)*gap
}

func (p *multiples) draw(s *sheet, where vg.Rectangle, width Width, left vg.Length) {
	whole := where.Max.X - where.Min.X
	s.drawLegend(p.legend, vg.Point{X: where.Min.X, Y: where.Max.Y}, whole)
	for i, note := range p.notes {
		y := where.Max.Y - p.above(width) + 2*gap + legendRow*(vg.Length(len(p.notes)-i)-0.5)
		s.write(legendText, vg.Point{X: where.Min.X, Y: y}, shorten(legendText, note, whole))
	}
	y := p.ruler(width)
	columns := p.columns(width)
	above, below := p.around()
	wide := (whole - left - between*vg.Length(columns-1)) / vg.Length(columns)
	top := where.Max.Y - p.above(width)
	for i, plot := range p.plots {
		column, row := i%columns, i/columns
		data := vg.Rectangle{Max: vg.Point{Y: top - vg.Length(row)*(above+p.plot(width)+below+gap) - above}}
		data.Min.X = where.Min.X + left + vg.Length(column)*(wide+between)
		data.Max.X, data.Min.Y = data.Min.X+wide, data.Max.Y-p.plot(width)
		s.areas = append(s.areas, data)
		if plot.title != "" {
			title := nameText
			title.XAlign = draw.XCenter
			s.write(title, vg.Point{X: data.Min.X + wide/2, Y: data.Max.Y + gap + smallTitle/2}, shorten(nameText, plot.title, wide))
		}
		x := rulerOf(plot.x, wide)
		s.frame(data, where, x, y, column == 0)
		name := tickAxis(plot.x.name, x.unit, wide)
		label := axisText
		label.XAlign, label.YAlign = draw.XCenter, draw.YBottom
		s.write(label, vg.Point{X: data.Min.X + wide/2, Y: data.Min.Y - below}, name)
		s.lines(plot, data, x, y)
	}
	turned := axisText
	turned.Rotation, turned.XAlign, turned.YAlign = math.Pi/2, draw.XCenter, draw.YTop
	s.write(turned, vg.Point{X: where.Min.X, Y: (where.Min.Y + below + top) / 2}, tickAxis(p.metric.Short, y.unit, top-where.Min.Y-below))
}

// tickAxis names an axis with its unit; only the name is shortened.
func tickAxis(name string, unit scale, room vg.Length) string {
	return shorten(axisText, name, room-axisText.Width(unit.words())) + unit.words()
}

// frame draws the axes of a plot.
func (s *sheet) frame(data, where vg.Rectangle, x, y ruler, labelled bool) {
	ticks := draw.LineStyle{Color: ink, Width: axisWidth}
	grid := draw.LineStyle{Color: gridInk, Width: axisWidth}
	labels := tickText
	labels.XAlign = draw.XRight
	for _, m := range y.marks {
		at := y.place(m.at, data.Min.Y, data.Max.Y)
		s.line(grid, data.Min.X, at, data.Max.X, at)
		s.line(ticks, data.Min.X-tickLength, at, data.Min.X, at)
		if labelled {
			s.write(labels, vg.Point{X: data.Min.X - tickLength - gap, Y: at}, m.label)
		}
	}
	labels.XAlign, labels.YAlign = draw.XCenter, draw.YTop
	for _, m := range x.marks {
		at := x.place(m.at, data.Min.X, data.Max.X)
		s.line(ticks, at, data.Min.Y-tickLength, at, data.Min.Y)
		half := labels.Width(m.label) / 2
		at = min(at, where.Max.X+pageMargin-half)
		s.write(labels, vg.Point{X: at, Y: data.Min.Y - tickLength - gap}, m.label)
	}
	s.line(ticks, data.Min.X, data.Min.Y, data.Max.X, data.Min.Y)
	s.line(ticks, data.Min.X, data.Min.Y, data.Min.X, data.Max.Y)
}

// lines draws what a plot shows: bands at the bottom, then single runs, then means.
func (s *sheet) lines(p smallPlot, data vg.Rectangle, x, y ruler) {
	at := func(l studyLine, g group, v float64) vg.Point {
		return vg.Point{X: x.place(l.x(g), data.Min.X, data.Max.X), Y: y.place(v, data.Min.Y, data.Max.Y)}
	}
	clip := draw.Canvas{Canvas: s.Canvas.Canvas, Rectangle: data}
	var edges []func()
	for _, l := range p.lines {
		if !l.band {
			continue
		}
		for _, part := range l.parts() {
			var low, high []vg.Point
			for _, g := range part {
				a, b := g.ends()
				low, high = append(low, at(l, g, a)), append(high, at(l, g, b))
			}
			fill := l.thin
			fill.Color = tint(lineColour(l.look), 0.82)
			s.fillBetween(fill, low, high, data)
			edges = append(edges, func() {
				for _, line := range [][]vg.Point{low, high} {
					clip.StrokeLines(draw.LineStyle{Color: tint(lineColour(l.look), 0.5), Width: 0.4}, clip.ClipLinesXY(line)...)
				}
			})
		}
	}
	for _, edge := range edges {
		edge()
	}
	for _, l := range p.lines {
		for _, g := range l.groups {
			for _, v := range g.runs {
				if l.thin.marker != nil && len(g.runs) > 1 {
					s.mark(l.thin, at(l, g, v))
				}
			}
		}
	}
	for _, l := range p.lines {
		for _, part := range l.parts() {
			var line []vg.Point
			for _, g := range part {
				line = append(line, at(l, g, g.mean.Value))
			}
			if l.joined && len(line) > 1 {
				s.StrokeLines(l.look.LineStyle, line)
			}
		}
		for _, g := range l.groups {
			alone := l.band && len(l.parts()) > 1
			if low, high := g.ends(); (!l.band || alone) && low < high {
				a, b := at(l, g, low), at(l, g, high)
				bar := draw.LineStyle{Color: l.look.Color, Width: 0.7}
				s.line(bar, a.X, a.Y, b.X, b.Y)
				s.line(bar, a.X-1.6, a.Y, a.X+1.6, a.Y)
				s.line(bar, b.X-1.6, b.Y, b.X+1.6, b.Y)
			}
		}
		for _, g := range l.groups {
			s.mark(l.look, at(l, g, g.mean.Value))
		}
	}
}

// parts returns the groups in runs of neighbouring places: a line has a gap where a
// cell has no value.
func (l studyLine) parts() [][]group {
	var out [][]group
	for i, g := range l.groups {
		if i == 0 || g.at[l.along] > l.groups[i-1].at[l.along]+1 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], g)
	}
	return out
}

// ends returns the ends of the interval of the mean, or the mean twice if there is none.
func (g group) ends() (low, high float64) {
	if in := g.mean.Interval; in.Exists() {
		return in.Low, in.High
	}
	return g.mean.Value, g.mean.Value
}

func (p *multiples) table() [][]string {
	var out [][]string
	for _, plot := range p.plots {
		out = append(out, p.values(plot)...)
	}
	return out
}

// studyHeader returns the header of the CSV file of a figure of a study.
func studyHeader(_ Study, dims []dim) []string {
	header := []string{"metric", "unit"}
	for _, d := range dims {
		header = append(header, d.name)
	}
	return append(header, "what", "seed", "value", "n")
}

// studyRows returns the rows of groups, in their order.
func studyRows(m Quantity, dims []dim, groups []group) [][]string {
	var out [][]string
	for _, g := range groups {
		add := func(what, seed string, value float64) {
			row := []string{m.Name, m.Unit}
			for i, d := range dims {
				row = append(row, d.labels[g.at[i]])
			}
			out = append(out, append(row, what, seed, strconv.FormatFloat(value, 'g', -1, 64), strconv.Itoa(g.mean.N)))
		}
		add("mean", "", g.mean.Value)
		if in := g.mean.Interval; in.Exists() {
			add("interval low", "", in.Low)
			add("interval high", "", in.High)
		}
		for i, v := range g.runs {
			add("run", strconv.FormatUint(g.seeds[i], 10), v)
		}
	}
	return out
}

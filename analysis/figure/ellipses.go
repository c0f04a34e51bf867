package figure

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	gonum "gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/wtsim/wtsim/analysis/stat"
)

// ellipses draws the throughput of each run against its delay, whose axis goes
// from right to left so that better is up and right, with the median of each
// set of runs and the 1σ contour of the normal distribution that explains its
// runs best, as in Winstein and Balakrishnan, "TCP ex Machina:
// Computer-Generated Congestion Control", SIGCOMM 2013, figure 4.
func ellipses(s Sweep) (Figure, error) {
	x, y, err := s.tradeoff()
	if err != nil {
		return Figure{}, err
	}
	c := &cloud{x: x, y: y}
	for _, set := range s.Sets {
		c.sets = append(c.sets, spotsOf(set, x, y))
	}
	if all, _ := s.runs(); all < 2 {
		return Figure{}, errors.New("it compares runs, and there is one; see wtsim run --seeds")
	}
	if !slices.ContainsFunc(c.sets, func(s spots) bool { return s.n() > 0 }) {
		return Figure{}, fmt.Errorf("no run has both %s and %s", x.Name, y.Name)
	}
	return Figure{
		Name: "ellipses", Title: "Throughput against delay" + s.by() + " (better is up and right): " + s.Name,
		panels: []panel{c},
		header: slices.Concat(s.identity(), []string{"what", "seed", x.Name + " (" + x.Unit + ")", y.Name + " (" + y.Unit + ")", "n"}),
	}, nil
}

// tradeoff returns a metric that is a delay and one that is a rate: the first
// queueing delay, or else the first time, and the first rate.
func (s Sweep) tradeoff() (delay, rate Quantity, err error) {
	first := func(unit, word string) int {
		return slices.IndexFunc(s.Metrics, func(q Quantity) bool { return q.Unit == unit && strings.Contains(q.Name, word) })
	}
	x, y := first("s", "queue_delay"), first("bit/s", "")
	if x < 0 {
		x = first("s", "")
	}
	if x < 0 || y < 0 {
		return delay, rate, errors.New("it shows a metric in bit/s against one in s; name one of each with --metric")
	}
	return s.Metrics[x], s.Metrics[y], nil
}

// spots are the runs of a set that have both metrics.
type spots struct {
	set   RunSet
	x, y  []float64
	seeds []uint64
}

func spotsOf(set RunSet, x, y Quantity) spots {
	out := spots{set: set}
	for _, run := range set.Runs {
		vx, okX := run.Values[x.Name]
		vy, okY := run.Values[y.Name]
		if okX && okY {
			out.x, out.y, out.seeds = append(out.x, vx), append(out.y, vy), append(out.seeds, run.Seed)
		}
	}
	return out
}

func (s spots) n() int { return len(s.x) }

// median returns the median of each coordinate. There must be a run.
func (s spots) median() XY {
	x, errX := stat.Quantile(s.x, 0.5)
	y, errY := stat.Quantile(s.y, 0.5)
	if err := errors.Join(errX, errY); err != nil {
		panic(fmt.Errorf("figure: ellipses: %w", err)) // metrics are finite
	}
	return XY{x, y}
}

// contour returns points on the 1σ contour of the normal distribution of
// greatest likelihood, whose covariances have the divisor n. Fewer than three
// runs have none.
func (s spots) contour() []XY {
	if s.n() < 3 {
		return nil
	}
	meanX, meanY := gonum.Mean(s.x, nil), gonum.Mean(s.y, nil)
	var xx, xy, yy float64
	for i := range s.x {
		dx, dy := s.x[i]-meanX, s.y[i]-meanY
		xx, xy, yy = xx+dx*dx, xy+dx*dy, yy+dy*dy
	}
	n := float64(s.n())
	xx, xy, yy = xx/n, xy/n, yy/n
	// With the covariance's Cholesky factor, a unit circle becomes the contour.
	a, b := math.Sqrt(xx), 0.0
	if a > 0 {
		b = xy / a
	}
	c := math.Sqrt(max(0, yy-b*b))
	const parts = 64
	out := make([]XY, 0, parts+1)
	for i := range parts + 1 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / parts)
		out = append(out, XY{meanX + a*cos, meanY + b*cos + c*sin})
	}
	return out
}

// cloud is a panel with a point for each run.
type cloud struct {
	x, y Quantity
	sets []spots
}

// The looks of what is drawn of the i-th set.
func spotLook(i int) look {
	l := lineLook(i)
	l.Width, l.radius = 0, 1.5
	return l
}

func medianSpot(i int) look {
	l := lineLook(i)
	l.Width, l.radius = 0, 3.2
	return l
}

func contourLook(i int) look {
	l := lineLook(i)
	l.marker, l.Width = nil, 1
	return l
}

func (c *cloud) entries() []entry {
	var out []entry
	for i, s := range c.sets {
		l := contourLook(i)
		l.marker, l.radius = medianSpot(i).marker, medianSpot(i).radius
		out = append(out, entry{label: s.set.Label + " (" + counted(s.n()) + ")", look: l})
	}
	dot := spotLook(0)
	dot.Color, dot.marker = ink, draw.CircleGlyph{}
	large := dot
	large.radius = medianSpot(0).radius
	out = append(out, entry{label: "a run", look: dot}, entry{label: "median", look: large})
	if slices.ContainsFunc(c.sets, func(s spots) bool { return s.n() >= 3 }) {
		line := contourLook(0)
		line.Color = ink
		out = append(out, entry{label: "1σ ellipse", look: line})
	}
	return out
}

// axes returns the axes for data of a size.
func (c *cloud) axes(width, height vg.Length) (x, y axis) {
	var xs, ys []float64
	for _, s := range c.sets {
		xs, ys = append(xs, s.x...), append(ys, s.y...)
		for _, p := range s.contour() {
			xs, ys = append(xs, p.X), append(ys, p.Y)
		}
	}
	lowX, highX := extent(xs)
	lowY, highY := extent(ys)
	return newWideAxis(scalesOf(c.x), lowX, highX, width), newAxis(scalesOf(c.y), lowY, highY, min(6, int(height/12)))
}

// plot returns the height of the data.
func (c *cloud) plot(width Width) vg.Length { return 1.2 * plotHeight(1, width) }

func (c *cloud) left(width Width) vg.Length {
	_, y := c.axes(width.points(), c.plot(width))
	var widest vg.Length
	for _, t := range y.ticks() {
		widest = max(widest, tickText.Width(y.label(t)))
	}
	return axisText.Height("0") + gap + widest + gap + tickLength
}

func (c *cloud) legendHeight(width Width) vg.Length {
	_, rows := arrange(c.entries(), width.points()-2*pageMargin)
	return legendRow*vg.Length(rows) + 2*gap
}

func (c *cloud) height(width Width, _ vg.Length) vg.Length {
	return c.legendHeight(width) + c.plot(width) + axisBelow()
}

func (c *cloud) draw(s *sheet, where vg.Rectangle, width Width, left vg.Length) {
	s.drawLegend(c.entries(), vg.Point{X: where.Min.X, Y: where.Max.Y}, where.Max.X-where.Min.X)
	data := vg.Rectangle{
		Min: vg.Point{X: where.Min.X + left, Y: where.Min.Y + axisBelow()},
		Max: vg.Point{X: where.Max.X - gap, Y: where.Max.Y - c.legendHeight(width)},
	}
	s.areas = append(s.areas, data)
	size := data.Size()
	x, y := c.axes(size.X, size.Y)
	at := func(p XY) vg.Point {
		return vg.Point{X: x.place(p.X, data.Max.X, data.Min.X), Y: y.place(p.Y, data.Min.Y, data.Max.Y)}
	}
	s.cross(data, where, x, y, c.x.Name, c.y.Name)
	for i, set := range c.sets {
		var line []vg.Point
		for _, p := range set.contour() {
			line = append(line, at(p))
		}
		if len(line) > 0 {
			s.StrokeLines(contourLook(i).LineStyle, line)
		}
		for j := range set.x {
			s.mark(spotLook(i), at(XY{set.x[j], set.y[j]}))
		}
	}
	for i, set := range c.sets {
		if set.n() > 0 {
			s.mark(medianSpot(i), at(set.median()))
		}
	}
}

// cross draws a horizontal axis that goes from right to left and a vertical one.
func (s *sheet) cross(data, where vg.Rectangle, x, y axis, below, beside string) {
	grid := draw.LineStyle{Color: gridInk, Width: axisWidth}
	frame := draw.LineStyle{Color: ink, Width: axisWidth}
	labels := tickText
	labels.XAlign = draw.XRight
	for _, t := range y.ticks() {
		py := y.place(t*y.scale.size, data.Min.Y, data.Max.Y)
		s.line(grid, data.Min.X, py, data.Max.X, py)
		s.line(frame, data.Min.X-tickLength, py, data.Min.X, py)
		s.write(labels, vg.Point{X: data.Min.X - tickLength - gap, Y: py}, y.label(t))
	}
	labels.XAlign, labels.YAlign = draw.XCenter, draw.YTop
	for _, t := range x.ticks() {
		px := x.place(t*x.scale.size, data.Max.X, data.Min.X)
		s.line(grid, px, data.Min.Y, px, data.Max.Y)
		s.line(frame, px, data.Min.Y-tickLength, px, data.Min.Y)
		half := labels.Width(x.label(t)) / 2
		px = min(max(px, half), where.Max.X+pageMargin-half)
		s.write(labels, vg.Point{X: px, Y: data.Min.Y - tickLength - gap}, x.label(t))
	}
	s.line(frame, data.Min.X, data.Min.Y, data.Max.X, data.Min.Y)
	s.line(frame, data.Min.X, data.Min.Y, data.Min.X, data.Max.Y)
	s.labelBelow(shorten(axisText, below, 0.8*data.Size().X), x, data, where.Min.Y)
	turned := axisText
	turned.Rotation, turned.XAlign, turned.YAlign = math.Pi/2, draw.XCenter, draw.YTop
	s.write(turned, vg.Point{X: where.Min.X, Y: (data.Min.Y + data.Max.Y) / 2}, shorten(axisText, beside, data.Size().Y-axisText.Width(y.scale.words()))+y.scale.words())
}

func (c *cloud) table() [][]string {
	var out [][]string
	for _, s := range c.sets {
		add := func(what, seed string, p XY) {
			number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
			out = append(out, slices.Concat(s.set.identify(), []string{what, seed, number(p.X), number(p.Y), strconv.Itoa(s.n())}))
		}
		for i := range s.x {
			add("run", fmt.Sprint(s.seeds[i]), XY{s.x[i], s.y[i]})
		}
		if s.n() > 0 {
			add("median", "", s.median())
		}
		for _, p := range s.contour() {
			add("ellipse", "", p)
		}
	}
	return out
}

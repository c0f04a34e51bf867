package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guptarohit/asciigraph"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/wtsim/wtsim/analysis/quantity"
)

// graph is a small graph for a terminal: lines over the virtual time of a run.
type graph struct {
	title string // what it shows, without the unit
	unit  string // of the values: "bit/s" or "s"
	end   time.Duration
	lines []graphLine
	note  string // what is not drawn
}

// graphLine is a line of a graph.
type graphLine struct {
	name   string
	limit  bool                         // that it is what the others cannot exceed for long
	values func(spans []span) []float64 // in each span of time; not a number where there is none
}

// span is a time from and before which a column of a graph shows a line.
type span struct{ from, to time.Duration }

// style is what the place of a graph allows.
type style struct {
	width  int  // in characters
	colour bool // whether lines may differ in colour; they differ in their characters everywhere
}

const (
	// unknownWidth is the width of a place that has none of its own, such as a
	// file, and widest the most that a graph uses.
	unknownWidth, narrowest, widest = 80, 50, 120
	// mostSteps bounds the rows of a graph above its zero.
	mostSteps = 7
	// mostTicks bounds the ticks of the time axis, each of which needs
	// tickWidth characters.
	mostTicks, tickWidth = 18, 4
	// labelWidth is the width of the numbers beside the value axis, and
	// graphMargin what else stands beside the columns of a graph.
	labelWidth, graphMargin = 4, 7
	// mostLines bounds the lines of a graph that are not limits.
	mostLines = 3
)

// styleOf returns what an output allows. Colours are for terminals, unless the
// environment has NO_COLOR (https://no-color.org).
func styleOf(out io.Writer) style {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return style{width: unknownWidth}
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width <= 0 {
		width = unknownWidth
	}
	return style{width: width, colour: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// The looks of lines and limits, that tell them apart without colours.
var (
	lineMarks  = []string{"─", "•", "×"}
	lineColors = []asciigraph.AnsiColor{asciigraph.DodgerBlue, asciigraph.Orange, asciigraph.MediumSeaGreen}
	limitColor = asciigraph.Gray
)

const limitMark = "┄"

// print writes the graph. It writes nothing where there is no room for it, and
// of lines that are nowhere above 0.
func (g graph) print(out io.Writer, s style) {
	columns := min(s.width, widest) - labelWidth - graphMargin
	if s.width < narrowest {
		return
	}
	timeUnit, second := quantity.Scale("", g.end.Seconds(), "s")
	tick := niceStep(g.end.Seconds()/second, min(mostTicks, columns/tickWidth))
	ticks := int(math.Ceil(g.end.Seconds() / second / tick))
	axisEnd := float64(ticks) * tick

	spans := spansOf(columns, time.Duration(axisEnd*second*float64(time.Second)), g.end)
	values := make([][]float64, len(g.lines))
	top := 0.0
	for i, l := range g.lines {
		values[i] = l.values(spans)
		top = max(top, largest(values[i]))
	}
	if top == 0 {
		return
	}
	unit, one := quantity.Scale("", top, g.unit)
	step := niceStep(top/one, mostSteps)
	rows := max(1, int(math.Ceil(top/one/step)))
	for _, line := range values {
		for i := range line {
			line[i] /= one
		}
	}
	options := []asciigraph.Option{
		asciigraph.Height(rows), asciigraph.LowerBound(0), asciigraph.UpperBound(float64(rows) * step),
		asciigraph.YAxisValueFormatter(func(v float64) string { return fmt.Sprintf("%*s", labelWidth, tickLabel(v)) }),
		asciigraph.XAxisRange(0, axisEnd), asciigraph.XAxisTickCount(ticks + 1),
		asciigraph.XAxisValueFormatter(func(v float64) string {
			if v == axisEnd {
				return tickLabel(v) + " " + timeUnit
			}
			return tickLabel(v)
		}),
	}
	legend, looks := g.legend(s)
	options = append(options, looks...)
	fmt.Fprintf(out, "\n%s, in %s\n%s\n", g.title, unit, asciigraph.PlotMany(values, options...))
	for line := range strings.Lines(text.WrapSoft(legend, columns)) {
		fmt.Fprintf(out, "%*s%s\n", labelWidth+graphMargin/2, "", strings.TrimRight(line, " \n"))
	}
}

// legend says which line is which, and returns the looks of the lines.
func (g graph) legend(s style) (string, []asciigraph.Option) {
	var chars []asciigraph.CharSet
	var colors []asciigraph.AnsiColor
	var items []string
	lines := 0
	for _, l := range g.lines {
		mark, color, charSet := limitMark, limitColor, asciigraph.CreateCharSet(limitMark)
		if !l.limit {
			mark, color = lineMarks[lines%len(lineMarks)], lineColors[lines%len(lineColors)]
			if charSet = asciigraph.CreateCharSet(mark); lines == 0 {
				charSet = asciigraph.DefaultCharSet
			}
			lines++
		}
		if s.colour {
			colors = append(colors, color)
			mark = color.String() + mark + asciigraph.Default.String()
		}
		chars = append(chars, charSet)
		items = append(items, mark+" "+l.name)
	}
	if g.note != "" {
		items = append(items, g.note)
	}
	return strings.Join(items, "   "), []asciigraph.Option{asciigraph.SeriesChars(chars...), asciigraph.SeriesColors(colors...)}
}

// spansOf returns the time that each column of an axis stands for, of which the
// first has its middle at 0 and the last at the axis' end. What is outside of
// the run is empty.
func spansOf(columns int, axis, end time.Duration) []span {
	spans := make([]span, columns)
	for i := range spans {
		at := func(halves int) time.Duration {
			t := float64(axis) * float64(halves) / float64(2*(columns-1))
			return min(max(time.Duration(t), 0), end)
		}
		spans[i] = span{at(2*i - 1), at(2*i + 1)}
	}
	return spans
}

// niceStep returns the smallest of 1, 2, 2.5 or 5 times a power of ten of which no
// more than so many are needed for a positive length.
func niceStep(length float64, most int) float64 {
	power := math.Pow(10, math.Floor(math.Log10(length/float64(most))))
	for ; ; power *= 10 {
		for _, factor := range []float64{1, 2, 2.5, 5} {
			if step := factor * power; step*float64(most) >= length {
				return step
			}
		}
	}
}

// largest returns the largest of the values that are numbers, and at least 0.
func largest(values []float64) float64 {
	most := 0.0
	for _, v := range values {
		if v > most {
			most = v
		}
	}
	return most
}

// tickLabel writes the value of a tick.
func tickLabel(v float64) string { return strconv.FormatFloat(round(v), 'f', -1, 64) }

// piece is a value that holds for a time.
type piece struct {
	span
	value float64
}

// meanOf returns the mean of a quantity over spans of time. Where no piece says
// something, it is 0.
func meanOf(pieces []piece) func([]span) []float64 {
	return func(spans []span) []float64 {
		means := make([]float64, len(spans))
		next := 0
		for i, s := range spans {
			if s.to <= s.from {
				means[i] = math.NaN()
				continue
			}
			for next < len(pieces) && pieces[next].to <= s.from {
				next++
			}
			for _, p := range pieces[next:] {
				if p.from >= s.to {
					break
				}
				means[i] += p.value * (min(p.to, s.to) - max(p.from, s.from)).Seconds()
			}
			means[i] /= (s.to - s.from).Seconds()
		}
		return means
	}
}

// sum adds the values of lines, where there is one.
func sum(lines []graphLine) func([]span) []float64 {
	return func(spans []span) []float64 {
		total := make([]float64, len(spans))
		for _, l := range lines {
			for i, v := range l.values(spans) {
				total[i] += v
			}
		}
		return total
	}
}

// ranked returns the value that so large a share of the lines that have one do
// not exceed: the nearest rank.
func ranked(lines []graphLine, share float64) func([]span) []float64 {
	return func(spans []span) []float64 {
		columns := make([][]float64, len(spans))
		for _, l := range lines {
			for i, v := range l.values(spans) {
				if !math.IsNaN(v) {
					columns[i] = append(columns[i], v)
				}
			}
		}
		out := make([]float64, len(spans))
		for i, values := range columns {
			out[i] = math.NaN()
			if n := len(values); n > 0 {
				slices.SortFunc(values, cmp.Compare[float64])
				out[i] = values[max(int(math.Ceil(share*float64(n))), 1)-1]
			}
		}
		return out
	}
}

// Package figure draws the figures of runs in one house style: fit for print
// at the width of one or two columns, legible in greyscale and to the colour
// blind. The same data gives the same bytes.
//
// The figures of small runs are kept in testdata. After a change that means to alter
// them, look at them and rewrite them with
//
//	go test ./analysis/figure -update
package figure

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Figure is one figure, ready to be drawn.
type Figure struct {
	Name  string // names its files, such as "throughput"
	Title string // what it shows and of which run

	panels []panel
	header []string // of the CSV file
}

// panel is a part of a figure; the panels of a figure stand below each other.
type panel interface {
	// left returns the space that the panel needs to the left of its data.
	left(Width) vg.Length
	// height returns the height that it needs, given the common space to the left.
	height(width Width, left vg.Length) vg.Length
	// draw draws the panel into a rectangle.
	draw(s *sheet, where vg.Rectangle, width Width, left vg.Length)
	// table returns the panel's data as rows of a CSV file.
	table() [][]string
}

// Format is the format of a figure's file; its text is the file's extension.
type Format string

// The formats of figures.
const (
	SVG Format = "svg" // text stays text, and brings its letters along
	PNG Format = "png" // 200 dots per inch
	PDF Format = "pdf" // one page of the figure's size
	CSV Format = "csv" // the data of the figure as drawn, one point a row
)

// Formats returns all formats.
func Formats() []Format { return []Format{SVG, PDF, PNG, CSV} }

// Render writes the figure in the format and, for pictures, at the width. It
// fails if the format is unknown or w fails.
func (f Figure) Render(w io.Writer, format Format, width Width) error {
	var err error
	switch format {
	case SVG:
		err = f.renderSVG(w, width)
	case PNG:
		err = f.renderPNG(w, width)
	case PDF:
		err = f.renderPDF(w, width)
	case CSV:
		err = f.renderCSV(w)
	default:
		err = errors.New("unknown format; expected svg, pdf, png or csv")
	}
	if err != nil {
		return fmt.Errorf("figure %s as %q: %w", f.Name, format, err)
	}
	return nil
}

// layout returns the height of the figure, its title's lines and the space to
// the left that its panels share.
func (f Figure) layout(width Width) (height, left vg.Length, title []string) {
	for _, p := range f.panels {
		left = max(left, p.left(width))
	}
	title = lines(titleText, f.Title, width.points()-2*pageMargin, 2)
	height = 2*pageMargin + titleHeight*vg.Length(len(title))
	for i, p := range f.panels {
		if i > 0 {
			height += panelGap
		}
		height += p.height(width, left)
	}
	return height, left, title
}

// draw draws the figure on a canvas of the size that layout gives.
func (f Figure) draw(c vg.Canvas, width Width) *sheet {
	height, left, title := f.layout(width)
	s := &sheet{Canvas: draw.NewCanvas(c, width.points(), height)}
	y := height - pageMargin
	for _, line := range title {
		s.write(titleText, vg.Point{X: pageMargin, Y: y - titleHeight/2}, line)
		y -= titleHeight
	}
	for _, p := range f.panels {
		h := p.height(width, left)
		p.draw(s, vg.Rectangle{
			Min: vg.Point{X: pageMargin, Y: y - h},
			Max: vg.Point{X: width.points() - pageMargin, Y: y},
		}, width, left)
		y -= h + panelGap
	}
	return s
}

func (f Figure) renderCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write(f.header)
	for _, p := range f.panels {
		out.WriteAll(p.table())
	}
	out.Flush()
	return out.Error()
}

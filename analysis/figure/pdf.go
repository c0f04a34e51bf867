package figure

import (
	"image"
	"image/color"
	"io"
	"math"
	"strconv"
	"time"

	"codeberg.org/go-pdf/fpdf"
	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

func (f Figure) renderPDF(w io.Writer, width Width) error {
	height, _, _ := f.layout(width)
	c := newPDF(width.points(), height)
	c.doc.SetTitle(f.Title, true)
	f.draw(c, width)
	return c.doc.Output(w)
}

// pdfCanvas draws a page of PDF (ISO 32000-1). Unlike that of package vgpdf it
// writes every letter that the fonts have, not only those of one code page, and
// embeds only the letters that it wrote.
type pdfCanvas struct {
	doc    *fpdf.Fpdf
	height vg.Length
	pen    pen
	pushed []pen
}

// pen is what a canvas restores.
type pen struct {
	color  color.RGBA
	width  vg.Length
	dashes []vg.Length
	phase  vg.Length
}

// The styles of fonts, as package fpdf has them.
const (
	pdfFamily = "LiberationSans"
	pdfBold   = "B"
)

func newPDF(width, height vg.Length) *pdfCanvas {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: width.Points(), Ht: height.Points()}})
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.SetCreator("wtsim", true)
	// A date is not optional; a real one would make every file differ.
	epoch := time.Unix(0, 0).UTC()
	doc.SetCreationDate(epoch)
	doc.SetModificationDate(epoch)
	doc.SetCatalogSort(true)
	doc.AddUTF8FontFromBytes(pdfFamily, "", fontFile(sans))
	doc.AddUTF8FontFromBytes(pdfFamily, pdfBold, fontFile(sansBold))
	doc.AddPage()
	c := &pdfCanvas{doc: doc, height: height}
	vg.Initialize(c)
	return c
}

// operate writes an operator after its operands.
func (c *pdfCanvas) operate(operator string, operands ...float64) {
	c.doc.RawWriteStr(numbers(operands...) + operator)
}

// numbers writes numbers to a thousandth, which of a point is finer than any
// printer.
func numbers(values ...float64) string {
	var b []byte
	for _, v := range values {
		b = strconv.AppendFloat(b, math.Round(v*1e3)/1e3+0, 'f', -1, 64)
		b = append(b, ' ')
	}
	return string(b)
}

func (c *pdfCanvas) SetLineWidth(w vg.Length) { c.pen.width = w }
func (c *pdfCanvas) SetLineDash(dashes []vg.Length, phase vg.Length) {
	c.pen.dashes, c.pen.phase = dashes, phase
}

// SetColor sets the colour of everything. The house style has only opaque ones.
func (c *pdfCanvas) SetColor(ink color.Color) {
	if ink == nil {
		ink = color.Black
	}
	c.pen.color = color.RGBAModel.Convert(ink).(color.RGBA)
}

func (c *pdfCanvas) Rotate(radians float64) {
	sin, cos := math.Sincos(radians)
	c.operate("cm", cos, sin, -sin, cos, 0, 0)
}

func (c *pdfCanvas) Translate(by vg.Point) { c.operate("cm", 1, 0, 0, 1, by.X.Points(), by.Y.Points()) }
func (c *pdfCanvas) Scale(x, y float64)    { c.operate("cm", x, 0, 0, y, 0, 0) }

func (c *pdfCanvas) Push() {
	c.pushed = append(c.pushed, c.pen)
	c.operate("q")
}

func (c *pdfCanvas) Pop() {
	last := len(c.pushed) - 1
	c.pen, c.pushed = c.pushed[last], c.pushed[:last]
	c.operate("Q")
}

func (c *pdfCanvas) Stroke(p vg.Path) {
	if c.pen.width <= 0 {
		return
	}
	c.operate("RG", c.pen.rgb()...)
	c.operate("w", c.pen.width.Points())
	c.doc.RawWriteStr("[" + numbers(inPoints(c.pen.dashes)...) + "] " + numbers(c.pen.phase.Points()) + "d")
	c.path(p)
	c.operate("S")
}

func (c *pdfCanvas) Fill(p vg.Path) {
	c.operate("rg", c.pen.rgb()...)
	c.path(p)
	c.operate("f")
}

// path describes a path to be stroked or filled.
func (c *pdfCanvas) path(p vg.Path) {
	for _, step := range p {
		switch step.Type {
		case vg.MoveComp:
			c.operate("m", coordinates(step.Pos)...)
		case vg.LineComp:
			c.operate("l", coordinates(step.Pos)...)
		case vg.CurveComp:
			c.curve(step)
		case vg.ArcComp:
			c.arc(step)
		case vg.CloseComp:
			c.operate("h")
		}
	}
}

// curve adds a cubic Bézier curve. The figures have no quadratic ones.
func (c *pdfCanvas) curve(step vg.PathComp) {
	c.operate("c", coordinates(step.Control[0], step.Control[1], step.Pos)...)
}

// arc adds an arc, and a line to its start. PDF has no arcs: Bézier curves of a
// quarter of a turn or less are within 0.03 % of one.
func (c *pdfCanvas) arc(step vg.PathComp) {
	n := math.Ceil(math.Abs(step.Angle) / (math.Pi / 2))
	part := step.Angle / n
	// on returns the point at an angle, moved along the tangent by so many radii.
	on := func(angle, along float64) vg.Point {
		sin, cos := math.Sincos(angle)
		return step.Pos.Add(vg.Point{X: vg.Length(cos - along*sin), Y: vg.Length(sin + along*cos)}.Scale(step.Radius))
	}
	c.operate("l", coordinates(on(step.Start, 0))...)
	reach := 4.0 / 3 * math.Tan(part/4)
	for i := range int(n) {
		from := step.Start + float64(i)*part
		c.operate("c", coordinates(on(from, reach), on(from+part, -reach), on(from+part, 0))...)
	}
}

func (c *pdfCanvas) FillString(face font.Face, at vg.Point, words string) {
	style := ""
	if face.Font.Weight == xfont.WeightBold {
		style = pdfBold
	}
	// The colours of fills and of text must be equal, or fpdf sets its own.
	ink := c.pen.color
	c.doc.SetFillColor(int(ink.R), int(ink.G), int(ink.B))
	c.doc.SetTextColor(int(ink.R), int(ink.G), int(ink.B))
	c.doc.SetFont(pdfFamily, style, face.Font.Size.Points())
	c.doc.Text(at.X.Points(), (c.height - at.Y).Points(), words)
}

// DrawImage is of no use: the figures have no bitmaps.
func (c *pdfCanvas) DrawImage(vg.Rectangle, image.Image) {
	panic("figure: a bitmap in a figure")
}

// rgb returns the colour as PDF has it.
func (p pen) rgb() []float64 {
	return []float64{float64(p.color.R) / 0xff, float64(p.color.G) / 0xff, float64(p.color.B) / 0xff}
}

// coordinates returns the coordinates of points.
func coordinates(all ...vg.Point) []float64 {
	var out []float64
	for _, p := range all {
		out = append(out, p.X.Points(), p.Y.Points())
	}
	return out
}

// inPoints returns lengths in points.
func inPoints(lengths []vg.Length) []float64 {
	var out []float64
	for _, l := range lengths {
		out = append(out, l.Points())
	}
	return out
}

package figure

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"slices"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

func (f Figure) renderSVG(w io.Writer, width Width) error {
	height, _, _ := f.layout(width)
	c := vgsvg.New(width.points(), height)
	// Without a background of its own a figure takes that of its viewer, and
	// dark ink on a dark page is lost.
	page := draw.NewCanvas(c, width.points(), height)
	page.FillPolygon(paper, []vg.Point{{X: 0, Y: 0}, {X: width.points(), Y: 0}, {X: width.points(), Y: height}, {X: 0, Y: height}})
	s := f.draw(c, width)
	var text bytes.Buffer
	if _, err := c.WriteTo(&text); err != nil {
		return err
	}
	picture := bytes.ReplaceAll(text.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:"+fontFamily+";"))
	// The fonts follow the tag of the root, which is the first to end a line.
	head := bytes.Index(picture, []byte("xlink\">\n")) + len("xlink\">\n")
	_, err := w.Write(slices.Concat(picture[:head], s.fontFaces(), picture[head:]))
	return err
}

// fontFaces returns a style sheet with the letters that were written, in the
// house fonts: not every computer has these.
func (s *sheet) fontFaces() []byte {
	var out bytes.Buffer
	out.WriteString("<defs><style>\n")
	for _, face := range []struct {
		font   font.Font
		weight string
	}{{sans, "normal"}, {sansBold, "bold"}} {
		if used := s.letters(face.font); used != "" {
			cut := fpdf.UTF8CutFont(fontFile(face.font), used)
			fmt.Fprintf(&out, "@font-face{font-family:\"Liberation Sans\";font-weight:%s;src:url(data:font/ttf;base64,%s)}\n",
				face.weight, base64.StdEncoding.EncodeToString(cut))
		}
	}
	out.WriteString("</style></defs>\n")
	return out.Bytes()
}

// letters returns the letters that were written in a font, each once and in
// order.
func (s *sheet) letters(of font.Font) string {
	var used []rune
	for _, t := range s.texts {
		if t.font.Weight == of.Weight {
			used = append(used, []rune(t.text)...)
		}
	}
	slices.Sort(used)
	return string(slices.Compact(used))
}

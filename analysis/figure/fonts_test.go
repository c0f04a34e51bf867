package figure

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"image/color"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/vg"
)

var fontFaces = regexp.MustCompile(`(?s)<defs><style>.*?</style></defs>\n`)

// withoutFonts takes the embedded fonts out of an SVG: they say nothing of how
// a figure looks, and may contain any word.
func withoutFonts(svg []byte) []byte { return fontFaces.ReplaceAll(svg, nil) }

func TestAnSVGBringsTheLettersThatItUses(t *testing.T) {
	d := sample()
	d.Name = "naïve Änderung, µ ≤ 5 → Ω"
	svg := string(render(t, throughput(d), SVG, TwoColumns))
	faces := regexp.MustCompile(`font-weight:(normal|bold);src:url\(data:font/ttf;base64,([^)]*)\)`).FindAllStringSubmatch(svg, -1)
	if len(faces) != 2 {
		t.Fatalf("%d fonts, want a normal and a bold one", len(faces))
	}
	for _, c := range []struct {
		weight, used string
		house        []byte
	}{
		{"normal", "goodput (Mbit/s) 05 rate of access", fontFile(sans)},
		{"bold", "server → client" + d.Name, fontFile(sansBold)},
	} {
		for _, face := range faces {
			if face[1] != c.weight {
				continue
			}
			file, err := base64.StdEncoding.DecodeString(face[2])
			if err != nil {
				t.Fatal(err)
			}
			sameLetters(t, c.used, file, c.house)
			if got, err := sfnt.Parse(file); err != nil || glyph(t, got, 'Q') != 0 {
				t.Errorf("%s: it has a letter that the figure does not use (%v)", c.weight, err)
			}
		}
	}
}

// sameLetters fails if the letters of a font are not those of the house font.
func sameLetters(t *testing.T, letters string, file, houseFile []byte) {
	t.Helper()
	got, err := sfnt.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	house, err := sfnt.Parse(houseFile)
	if err != nil {
		t.Fatal(err)
	}
	const size = fixed.Int26_6(1000 << 6)
	for _, r := range letters {
		var a, b sfnt.Buffer
		have, err := got.LoadGlyph(&a, glyph(t, got, r), size, nil)
		if err != nil {
			t.Fatalf("%q: %v", r, err)
		}
		want, err := house.LoadGlyph(&b, glyph(t, house, r), size, nil)
		if err != nil {
			t.Fatalf("%q: %v", r, err)
		}
		if len(have) != len(want) || len(have) > 0 && have.Bounds() != want.Bounds() {
			t.Errorf("%q has another shape", r)
		}
	}
}

func glyph(t *testing.T, f *sfnt.Font, r rune) sfnt.GlyphIndex {
	t.Helper()
	i, err := f.GlyphIndex(new(sfnt.Buffer), r)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// inflated returns the streams of a PDF that are compressed.
func inflated(t *testing.T, pdf []byte) [][]byte {
	t.Helper()
	var streams [][]byte
	for _, part := range bytes.Split(pdf, []byte("stream\n"))[1:] {
		r, err := zlib.NewReader(bytes.NewReader(part))
		if err != nil {
			continue
		}
		stream, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		streams = append(streams, stream)
	}
	return streams
}

func TestAPDFEmbedsTheHouseFontsAndNoOthers(t *testing.T) {
	pdf := render(t, throughput(sample()), PDF, OneColumn)
	fonts := 0
	for _, stream := range inflated(t, pdf) {
		if bytes.HasPrefix(stream, []byte{0, 1, 0, 0}) {
			fonts++
			if f, err := sfnt.Parse(stream); err != nil || f.NumGlyphs() > 100 {
				t.Errorf("a font with %d letters: %v", f.NumGlyphs(), err)
			}
		}
	}
	text := string(pdf)
	if named := strings.Count(text, "/Type /FontDescriptor"); fonts != 2 || named != 2 || strings.Count(text, "/FontFile2") != 2 {
		t.Errorf("%d fonts are named and %d are there, want 2", named, fonts)
	}
}

func TestAPDFHasTheSizeOfTheColumnAndNoDate(t *testing.T) {
	f := throughput(sample())
	height, _, _ := f.layout(OneColumn)
	text := string(render(t, f, PDF, OneColumn))
	if box := fmt.Sprintf("/MediaBox [0 0 239.76 %.2f]", height.Points()); !strings.Contains(text, box) {
		t.Errorf("it has no %s", box)
	}
	if !strings.Contains(text, "/CreationDate (D:19700101000000)") || !strings.Contains(text, "/ModDate (D:19700101000000)") {
		t.Error("it tells when it was made")
	}
}

func TestAPDFDrawsWhatItIsTold(t *testing.T) {
	c := newPDF(100, 50)
	c.doc.SetCompression(false)
	c.SetColor(color.RGBA{0xff, 0x33, 0, 0xff})
	c.SetLineWidth(0.5)
	c.SetLineDash([]vg.Length{3, 1.5}, 1)
	c.Push()
	c.SetColor(color.White)
	c.Pop()
	// A circle of radius 10 around (20, 30): its curves end at the top, on the
	// left, at the bottom and on the right, and bend by 4/3·tan(π/8) radii.
	var circle vg.Path
	circle.Move(vg.Point{X: 30, Y: 30})
	circle.Arc(vg.Point{X: 20, Y: 30}, 10, 0, 2*math.Pi)
	circle.Close()
	c.Stroke(circle)
	c.Rotate(math.Pi / 2)
	var out bytes.Buffer
	if err := c.doc.Output(&out); err != nil {
		t.Fatal(err)
	}
	want := `1 0.2 0 RG
0.5 w
[3 1.5 ] 1 d
30 30 m
30 30 l
30 35.523 25.523 40 20 40 c
14.477 40 10 35.523 10 30 c
10 24.477 14.477 20 20 20 c
25.523 20 30 24.477 30 30 c
h
S
0 1 -1 0 0 0 cm
`
	if !strings.Contains(out.String(), want) {
		t.Errorf("got %s", out.String()[:min(out.Len(), 900)])
	}
}

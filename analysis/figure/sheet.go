package figure

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// sheet is the page that a figure is drawn on. It remembers where text and data
// went, so that a test can tell whether they collide.
type sheet struct {
	draw.Canvas
	texts []placed
	areas []vg.Rectangle // of data
}

// placed is a piece of text and the box that it covers.
type placed struct {
	text string
	font font.Font
	box  vg.Rectangle
}

// write puts text at a point.
func (s *sheet) write(style text.Style, at vg.Point, words string) {
	if words == "" {
		return
	}
	if style.YAlign == draw.YCenter && style.Rotation == 0 {
		// Centre the digits and capitals, not the space for descenders.
		at.Y += 0.1 * style.Font.Size
	}
	s.FillText(style, at, words)
	s.texts = append(s.texts, placed{words, style.Font, style.Rectangle(words).Add(at)})
}

// line draws one straight line.
func (s *sheet) line(style draw.LineStyle, x1, y1, x2, y2 vg.Length) {
	s.StrokeLine2(style, x1, y1, x2, y2)
}

// shorten cuts the middle out of words until they fit into the width: names
// that differ tend to differ at their ends.
func shorten(style text.Style, words string, width vg.Length) string {
	words = clean(words)
	if style.Width(words) <= width {
		return words
	}
	runes := []rune(words)
	// Much too long names are cut coarsely first, which bounds the work.
	if len(runes) > 400 {
		runes = append(runes[:200:200], runes[len(runes)-200:]...)
	}
	ends := func(keep int) string {
		head := (keep + 1) / 2
		return string(runes[:head]) + "…" + string(runes[len(runes)-(keep-head):])
	}
	// Two letters and more are kept, or none.
	if n := sort.Search(max(len(runes)-2, 0), func(i int) bool { return style.Width(ends(i+2)) > width }); n > 0 {
		return ends(n + 1)
	}
	return "…"
}

// clean removes what a picture cannot show, and what XML forbids (XML 1.0,
// section 2.2): control characters and broken UTF-8.
func clean(words string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\ufffe' || r == '\uffff' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(words, "�"))
}

// lines breaks words into at most n lines of the width; the last one is
// shortened if need be.
func lines(style text.Style, words string, width vg.Length, n int) []string {
	var out []string
	rest := clean(words)
	for len(out) < n-1 && style.Width(rest) > width {
		cut := -1
		for i := 0; i < len(rest); {
			_, size := utf8.DecodeRuneInString(rest[i:])
			if rest[i] == ' ' {
				if style.Width(rest[:i]) > width {
					break
				}
				cut = i
			}
			i += size
		}
		if cut <= 0 {
			break
		}
		out = append(out, rest[:cut])
		rest = rest[cut+1:]
	}
	return append(out, shorten(style, rest, width))
}

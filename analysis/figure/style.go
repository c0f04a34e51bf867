package figure

import (
	"fmt"
	"image/color"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// This file is the house style: every font, size, colour, dash and distance of
// a figure is decided here.

// Width is the width at which a figure is printed. Text has the same size at
// both widths, so that a figure is put into a paper without scaling.
type Width uint8

// The widths of a figure in a paper of two columns.
const (
	TwoColumns Width = iota // 7 in, the whole width of the text
	OneColumn               // 3.33 in, one column
)

// points returns the width on the page.
func (w Width) points() vg.Length {
	if w == OneColumn {
		return 3.33 * vg.Inch
	}
	return 7 * vg.Inch
}

// resolution is that of bitmaps, in dots per inch.
const resolution = 200

// Text is set in Liberation Sans, which has the metrics of Arial and
// Helvetica: a viewer of an SVG that lacks it finds a substitute that fits.
const fontFamily = "Liberation Sans, Arimo, Arial, Helvetica, sans-serif"

var (
	sans     = font.Font{Typeface: "Liberation", Variant: "Sans"}
	sansBold = font.Font{Typeface: "Liberation", Variant: "Sans", Weight: xfont.WeightBold}

	fonts = text.Plain{Fonts: font.NewCache(font.Collection{
		{Font: sans, Face: mustParse(fontFile(sans))},
		{Font: sansBold, Face: mustParse(fontFile(sansBold))},
	})}
)

// fontFile returns the TrueType file of a house font of any size.
func fontFile(f font.Font) []byte {
	if f.Weight == xfont.WeightBold {
		return liberationsansbold.TTF
	}
	return liberationsansregular.TTF
}

// mustParse reads a font that is part of the program.
func mustParse(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(fmt.Errorf("figure: built-in font: %w", err))
	}
	return f
}

// letters returns a text style of the house font, anchored at its left end and
// its vertical centre.
func letters(f font.Font, size vg.Length, c color.Color) text.Style {
	return text.Style{Color: c, Font: font.From(f, size), XAlign: draw.XLeft, YAlign: draw.YCenter, Handler: fonts}
}

var (
	titleText  = letters(sansBold, 8.5, ink)
	axisText   = letters(sans, 8, ink)
	tickText   = letters(sans, 7, ink)
	legendText = letters(sans, 7, ink)
	sizeText   = letters(sans, 6, ink)
	flagText   = letters(sans, 7, ink)
	laneText   = letters(sansBold, 8, ink)
	nameText   = letters(sansBold, 7.5, ink)
	cellNote   = letters(sans, 6, ink)
)

// Distances on the page.
const (
	pageMargin   vg.Length = 4   // around everything
	titleHeight  vg.Length = 13  // of the title's line
	axisWidth    vg.Length = 0.5 // of axes and ticks
	tickLength   vg.Length = 3
	gap          vg.Length = 3 // between a tick and its label, and the like
	legendRow    vg.Length = 10.5
	legendSample vg.Length = 20 // length of the line that a legend shows
	flagRow      vg.Length = 9.5
	flagOffset   vg.Length = 5.5 // between a pole and its words
	poleFoot     vg.Length = 5   // between a lane and the first row of flags
	laneDistance vg.Length = 46  // between the lanes of two hosts
	laneLead     vg.Length = 6   // of a lane before the first event
	sameMoment   vg.Length = 2.5 // events closer than this look simultaneous and share a pole
	nameRow      vg.Length = 12  // of the name of a panel
	panelGap     vg.Length = 9
	rowHeight    vg.Length = 15 // of a set of runs in a panel that lists them

	lifeRowHeight   vg.Length = 14  // of a subject in the life of a session
	leaderLength    vg.Length = 9   // between a lane and the labels beside it
	leastLanes      vg.Length = 64  // between two lanes beside which there are labels
	breakHeight     vg.Length = 12  // of time that is left out
	tickRow         vg.Length = 18  // between ticks of a time axis that runs downwards, at least
	flightRow       vg.Length = 6   // of such an axis, for each datagram
	shortestCascade vg.Length = 110 // of such an axis
	longestCascade  vg.Length = 270
	sameArrow       vg.Length = 1.5 // arrows closer than this look like one
)

// plotHeight returns the height of each plot area when n of them are stacked.
func plotHeight(n int, width Width) vg.Length {
	heights := []vg.Length{150, 105, 85}
	if width == OneColumn {
		heights = []vg.Length{115, 90, 75}
	}
	return heights[min(n, len(heights))-1]
}

// Colours of everything that is no data.
var (
	ink       = color.RGBA{0x1a, 0x1a, 0x1a, 0xff}
	gridInk   = color.RGBA{0xe4, 0xe4, 0xe4, 0xff}
	limitInk  = color.RGBA{0x6e, 0x6e, 0x6e, 0xff}
	leaderInk = color.RGBA{0xa0, 0xa0, 0xa0, 0xff}
)

// palette holds the colours of Okabe and Ito, "Color Universal Design" (2008),
// without yellow, which paper swallows. Neighbours differ in lightness too, so
// that they stay apart in greyscale.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x00, 0x00, 0x00, 0xff}, // black
	{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
	{0x00, 0x9e, 0x73, 0xff}, // bluish green
	{0xd5, 0x5e, 0x00, 0xff}, // vermillion
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
}

// alarm is the colour of losses.
var alarm = palette[5]

// dashes and markers, taken in step with the palette, tell lines apart where
// colour does not.
var (
	dashes  = [][]vg.Length{nil, {5, 1.6}, {1.6, 1.4}, {6, 1.6, 1.4, 1.6}, {9, 2}, {3, 1.2}, {6, 1.2, 1.2, 1.2, 1.2, 1.2}}
	markers = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}}
)

const markerRadius vg.Length = 2.2

// maxLines is how many lines of a kind a plot shows one by one; beyond it, it
// shows their median and their envelope.
const maxLines = 8

// look is how a line is drawn.
type look struct {
	draw.LineStyle
	marker draw.GlyphDrawer // nil: none
	radius vg.Length
	phase  int // shifts the markers of neighbouring lines against each other
}

// lineLook returns the look of the i-th line of a plot.
func lineLook(i int) look {
	n := len(palette)
	return look{
		LineStyle: draw.LineStyle{Color: palette[i%n], Width: 1.1, Dashes: dashes[(i+i/n)%len(dashes)]},
		marker:    markers[(i+i/n)%len(markers)],
		radius:    markerRadius,
		phase:     i,
	}
}

// thinLook returns the look of a line that accompanies the i-th line: the same
// colour, paler and thinner.
func thinLook(i int) look {
	return look{LineStyle: draw.LineStyle{Color: tint(palette[i%len(palette)], 0.5), Width: 0.5}}
}

// limitLook returns the look of the i-th line that data cannot exceed.
func limitLook(i int) look {
	l := look{LineStyle: draw.LineStyle{Color: limitInk, Width: 1.4}}
	if i > 0 {
		l.Dashes = dashes[i%len(dashes)]
		l.Width = 1
	}
	return l
}

// capacityLook is the look of the region below the rate of a bottleneck.
var capacityLook = look{LineStyle: draw.LineStyle{Color: color.RGBA{0xf1, 0xf1, 0xec, 0xff}}}

// trafficLook returns the look of cross traffic that is the i-th line of a plot: thinner
// than flows and without markers.
func trafficLook(i int) look {
	l := lineLook(i)
	l.marker = nil
	l.Width = 0.7
	return l
}

// changeLook is the look of the moments at which a link changes.
var changeLook = look{LineStyle: draw.LineStyle{Color: limitInk, Width: 0.6, Dashes: []vg.Length{1, 2}}}

// moveLook is the look of the moments at which a client migrates.
var moveLook = look{LineStyle: draw.LineStyle{Color: limitInk, Width: 0.8, Dashes: []vg.Length{6, 2, 1, 2}}}

// momentLook is the look of a moment on a lane.
var momentLook = look{LineStyle: draw.LineStyle{Color: ink}, marker: draw.CircleGlyph{}, radius: 1.8}

// lossLook is the look of lost packets: marks without a line.
var lossLook = look{LineStyle: draw.LineStyle{Color: alarm}, marker: draw.CrossGlyph{}, radius: 2.4}

// sentLook is the look of what an end sends, arrivedLook that of its arrival,
// and declaredLook that of the moments at which it declares packets lost.
var (
	sentLook     = look{LineStyle: draw.LineStyle{Color: palette[0], Width: 1.2}}
	arrivedLook  = look{LineStyle: draw.LineStyle{Color: palette[1], Width: 1.2}}
	declaredLook = look{LineStyle: draw.LineStyle{Color: ink}, marker: draw.RingGlyph{}, radius: 2}
)

// dropLook returns the look of the i-th place where datagrams are dropped.
func dropLook(i int) look {
	markers := []draw.GlyphDrawer{draw.CrossGlyph{}, draw.PlusGlyph{}, draw.TriangleGlyph{}, draw.SquareGlyph{}}
	l := lossLook
	l.marker = markers[i%len(markers)]
	return l
}

// dotRadius is the radius of a datagram in a figure that shows each.
const dotRadius vg.Length = 0.9

// arrowLook is the look of what crosses from one lane to another, lostLook that of
// what does not arrive, keyLook that of what leaves or arrives with a step of a
// session, and bandLooks those of much that crosses together, by side.
var (
	arrowLook = look{LineStyle: draw.LineStyle{Color: limitInk, Width: 0.7}}
	lostLook  = look{LineStyle: draw.LineStyle{Color: alarm, Width: 0.7}}
	keyLook   = look{LineStyle: draw.LineStyle{Color: ink, Width: 1}}
	bandLooks = [2]look{{LineStyle: draw.LineStyle{Color: tint(palette[0], 0.8)}}, {LineStyle: draw.LineStyle{Color: tint(palette[1], 0.75)}}}
)

// tint mixes a colour with white: 0 leaves it, 1 is white. The result is
// opaque, because translucency does not survive every printer.
func tint(c color.RGBA, white float64) color.RGBA {
	mix := func(v uint8) uint8 { return v + uint8(float64(0xff-v)*white) }
	return color.RGBA{mix(c.R), mix(c.G), mix(c.B), 0xff}
}

// paper is the background of every figure.
var paper = color.RGBA{0xff, 0xff, 0xff, 0xff}

// rangeLook is the look of the range of many lines, and medianLook that of their
// median.
var (
	rangeLook  = look{LineStyle: draw.LineStyle{Color: tint(palette[0], 0.7)}}
	medianLook = look{LineStyle: draw.LineStyle{Color: palette[0], Width: 1.2}}
)

// windowLook is the look of a congestion window, and inFlightInk the colour of
// the bytes in flight behind it.
var (
	windowLook  = look{LineStyle: draw.LineStyle{Color: palette[0], Width: 1.2}}
	inFlightInk = tint(palette[1], 0.15)
)

package figure

import (
	"cmp"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"io"
	"iter"
	"maps"
	"slices"

	"git.sr.ht/~sbinet/gg"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

func (f Figure) renderPNG(w io.Writer, width Width) error {
	height, _, _ := f.layout(width)
	pixels := func(l vg.Length) int { return int(l.Dots(resolution) + 0.5) }
	img := image.NewRGBA(image.Rect(0, 0, pixels(width.points()), pixels(height)))
	// Handing over the context saves a second copy of the bitmap.
	ctx := gg.NewContextForRGBA(img)
	ctx.SetLineCapButt()
	ctx.InvertY()
	f.draw(vgimg.NewWith(vgimg.UseImageWithContext(img, ctx), vgimg.UseDPI(resolution)), width)
	// The areas of one colour that figures are made of compress as well at any level.
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	return encoder.Encode(w, withPalette(img))
}

// withPalette returns an opaque bitmap with a palette of its colours, in which it
// takes a fraction of the time and space to write. Of more than 256 colours it
// keeps the most frequent ones; the others, which are at the edges of letters
// and lines, become the nearest of these.
func withPalette(img *image.RGBA) *image.Paletted {
	counts := map[color.RGBA]int{}
	for c, n := range runs(img.Pix) {
		counts[c] += n
	}
	order := func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	}
	colors := slices.SortedFunc(maps.Keys(counts), order)
	var palette color.Palette
	for _, c := range colors[:min(len(colors), 256)] {
		palette = append(palette, c)
	}
	index := make(map[color.RGBA]byte, len(colors))
	for i, c := range colors {
		if i >= len(palette) {
			i = palette.Index(c)
		}
		index[c] = byte(i)
	}
	out := image.NewPaletted(img.Rect, palette)
	rest := out.Pix
	for c, n := range runs(img.Pix) {
		of := index[c]
		for i := range rest[:n] {
			rest[i] = of
		}
		rest = rest[n:]
	}
	return out
}

// runs goes over the runs of equal pixels, four bytes each.
func runs(pixels []byte) iter.Seq2[color.RGBA, int] {
	return func(yield func(color.RGBA, int) bool) {
		for len(pixels) > 0 {
			first, n := binary.NativeEndian.Uint32(pixels), 4
			for n < len(pixels) && binary.NativeEndian.Uint32(pixels[n:]) == first {
				n += 4
			}
			if !yield(color.RGBA{pixels[0], pixels[1], pixels[2], pixels[3]}, n/4) {
				return
			}
			pixels = pixels[n:]
		}
	}
}

package figure

import (
	"image"
	"image/color"
	"testing"
)

func TestABitmapOf256ColoursKeepsEachPixel(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 256, 3))
	for x := range 256 {
		for y := range 3 {
			img.SetRGBA(x, y, color.RGBA{uint8(x), uint8(255 - x), 7, 0xff})
		}
	}
	got := withPalette(img)
	for x := range 256 {
		for y := range 3 {
			if want := img.At(x, y); got.At(x, y) != want {
				t.Fatalf("pixel %d,%d is %v; want %v", x, y, got.At(x, y), want)
			}
		}
	}
}

func TestOfMoreThan256ColoursTheRareOnesBecomeTheirNearest(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 2*256+1, 1))
	for x := range 2 * 256 {
		img.SetRGBA(x, 0, color.RGBA{uint8(x / 2), 0, 0, 0xff})
	}
	img.SetRGBA(2*256, 0, color.RGBA{100, 3, 2, 0xff})
	got := withPalette(img)
	for x := range 2 * 256 {
		if want := img.At(x, 0); got.At(x, 0) != want {
			t.Fatalf("pixel %d is %v; want %v", x, got.At(x, 0), want)
		}
	}
	if want := (color.RGBA{100, 0, 0, 0xff}); got.At(2*256, 0) != want {
		t.Errorf("the rare colour became %v; want %v", got.At(2*256, 0), want)
	}
}

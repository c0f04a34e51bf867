package figure

import (
	"image/color"
	"math"
)

// shade returns the colour of a value by its share of the range, from 0, pale,
// to 1, dark. The colours lie on a straight line in Oklab (Ottosson, "A
// perceptual color space for image processing", 2020), at distances as the
// values: equal steps look equal, and what is darker is larger in greyscale too.
func shade(share float64) color.RGBA {
	share = min(max(share, 0), 1)
	mix := func(pale, dark float64) float64 { return pale + share*(dark-pale) }
	return fromOklab(mix(0.965, 0.32), mix(-0.006, -0.02), mix(-0.012, -0.108))
}

// fromOklab returns the sRGB colour of lightness and the two axes of colour.
func fromOklab(lightness, a, b float64) color.RGBA {
	cube := func(x float64) float64 { return x * x * x }
	l := cube(lightness + 0.3963377774*a + 0.2158037573*b)
	m := cube(lightness - 0.1055613458*a - 0.0638541728*b)
	s := cube(lightness - 0.0894841775*a - 1.2914855480*b)
	encode := func(linear float64) uint8 {
		linear = min(max(linear, 0), 1)
		if linear <= 0.0031308 {
			return uint8(math.Round(255 * 12.92 * linear))
		}
		return uint8(math.Round(255 * (1.055*math.Pow(linear, 1/2.4) - 0.055)))
	}
	return color.RGBA{
		encode(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		encode(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		encode(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
		0xff,
	}
}

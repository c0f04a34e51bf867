package figure

import (
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// scale is a unit and its size in the base unit.
type scale struct {
	unit string
	size float64
}

// The units of each kind of quantity, from the largest to the smallest.
var (
	bitRates = []scale{{"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}, {"bit/s", 1}}
	amounts  = []scale{{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}
	times    = []scale{{"s", 1}, {"ms", 1e-3}, {"µs", 1e-6}}
)

// scaleFor returns the largest unit in which the value is at least 1, and the
// smallest for values below all.
func scaleFor(scales []scale, value float64) scale {
	for _, s := range scales {
		if value >= s.size {
			return s
		}
	}
	return scales[len(scales)-1]
}

// axis maps values, in units of its scale, to a stretch of the page.
type axis struct {
	scale    scale
	low, top float64 // range in units of the scale
	step     float64 // between two ticks
}

// newAxis returns an axis from low to high, given in the base unit, with at
// most n steps between ticks.
func newAxis(scales []scale, low, high float64, n int) axis {
	s := scaleFor(scales, max(math.Abs(low), math.Abs(high)))
	a := axis{scale: s, low: low / s.size, top: high / s.size}
	if !(a.top > a.low) {
		a.top = a.low + 1
	}
	a.step = niceStep((a.top - a.low) / float64(max(n, 1)))
	return a
}

// newTimeAxis returns an axis from low to high in seconds, with as many ticks
// as have room for their labels on the width.
func newTimeAxis(scales []scale, low, high float64, width vg.Length) axis {
	var a axis
	for n := int(width / 28); n > 0; n-- {
		a = newAxis(scales, low, high, n)
		var widest vg.Length
		for _, t := range a.ticks() {
			widest = max(widest, tickText.Width(a.label(t)))
		}
		// The last label may be moved to the left by half its width.
		if a.place(a.step*a.scale.size, 0, width)-a.place(0, 0, width) > 1.5*widest+4 {
			break
		}
	}
	return a
}

// niceStep returns the smallest of 1, 2 and 5 times a power of ten that is not
// below the value.
func niceStep(value float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(value)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*decade >= value*(1-1e-9) {
			return factor * decade
		}
	}
	return 10 * decade
}

// ticks returns the values, in units of the scale, that have a tick. Adding 0
// makes a negative zero positive.
func (a axis) ticks() []float64 {
	var out []float64
	for i := math.Ceil(a.low/a.step-1e-9) + 0; i*a.step <= a.top*(1+1e-9); i++ {
		out = append(out, i*a.step)
	}
	return out
}

// label writes the value of a tick with the decimals that the step needs.
func (a axis) label(tick float64) string {
	decimals := max(0, int(math.Ceil(-math.Log10(a.step)-1e-9)))
	return strconv.FormatFloat(tick, 'f', decimals, 64)
}

// place returns where a value in the base unit lies between two ends.
func (a axis) place(value float64, from, to vg.Length) vg.Length {
	return from + vg.Length((value/a.scale.size-a.low)/(a.top-a.low))*(to-from)
}

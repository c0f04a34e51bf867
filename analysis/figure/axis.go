package figure

import (
	"cmp"
	"math"
	"slices"
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
	amounts  = []scale{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}}
	times    = []scale{{"s", 1}, {"ms", 1e-3}, {"µs", 1e-6}}
	shares   = []scale{{"", 1}} // and indices
)

// baseUnit names the base unit of a quantity: "s" of times, "1" of shares.
func baseUnit(scales []scale) string {
	base := slices.IndexFunc(scales, func(s scale) bool { return s.size == 1 })
	return cmp.Or(scales[base].unit, "1")
}

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

// words returns the unit as the label of an axis has it.
func (s scale) words() string {
	if s.unit == "" {
		return ""
	}
	return " (" + s.unit + ")"
}

// axis maps values, in units of its scale, to a stretch of the page.
type axis struct {
	scale    scale
	low, top float64 // range in units of the scale
	step     float64 // between two ticks; of a logarithmic axis, decades
	log      bool
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

// newLogAxis returns a logarithmic axis over the decades that hold low and high,
// given in the base unit, with at most n ticks if that is possible. Low has to be
// above 0; an axis without such values shows one decade.
func newLogAxis(scales []scale, low, high float64, n int) axis {
	if !(high > 0) {
		high = scales[len(scales)-1].size
	}
	if !(low > 0) || low > high {
		low = high / 10
	}
	s := scaleFor(scales, high)
	bottom, top := math.Floor(math.Log10(low/s.size)+1e-9), math.Ceil(math.Log10(high/s.size)-1e-9)
	top = max(top, bottom+1)
	return axis{
		scale: s, log: true,
		low: math.Pow10(int(bottom)), top: math.Pow10(int(top)),
		step: max(1, math.Ceil((top-bottom)/float64(max(n, 1)))),
	}
}

// newWideAxis returns a horizontal axis from low to high in the base unit, with as
// many ticks as have room for their labels on the width.
func newWideAxis(scales []scale, low, high float64, width vg.Length) axis {
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
	if a.log {
		for e := math.Round(math.Log10(a.low)); e <= math.Round(math.Log10(a.top)); e += a.step {
			out = append(out, math.Pow10(int(e)))
		}
		return out
	}
	for i := math.Ceil(a.low/a.step-1e-9) + 0; i*a.step <= a.top*(1+1e-9); i++ {
		out = append(out, i*a.step)
	}
	return out
}

// label writes the value of a tick with the decimals that it or the step needs.
func (a axis) label(tick float64) string {
	if a.log {
		return strconv.FormatFloat(tick, 'f', -1, 64)
	}
	decimals := max(0, int(math.Ceil(-math.Log10(a.step)-1e-9)))
	return strconv.FormatFloat(tick, 'f', decimals, 64)
}

// place returns where a value in the base unit lies between two ends. What a
// logarithmic axis has no place for lies before its start.
func (a axis) place(value float64, from, to vg.Length) vg.Length {
	if a.log {
		value = max(value/a.scale.size, a.low/10)
		return from + vg.Length(math.Log10(value/a.low)/math.Log10(a.top/a.low))*(to-from)
	}
	return from + vg.Length((value/a.scale.size-a.low)/(a.top-a.low))*(to-from)
}

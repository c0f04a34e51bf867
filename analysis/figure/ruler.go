package figure

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// ruler is an axis of a small plot: of quantities, of their logarithms, or of words in
// order.
type ruler struct {
	low, high float64 // ends, in the base unit; of words, in places
	log       bool
	unit      scale
	marks     []mark
}

// mark is a tick with its label.
type mark struct {
	at    float64
	label string
}

// place returns where a value lies between two ends.
func (r ruler) place(v float64, from, to vg.Length) vg.Length {
	low, high := r.low, r.high
	if r.log {
		v, low, high = math.Log(max(v, r.low)), math.Log(low), math.Log(high)
	}
	return from + vg.Length((v-low)/(high-low))*(to-from)
}

// linear returns a ruler of quantities.
func linear(scales []scale, low, high float64, room vg.Length, upright bool) ruler {
	a := newAxis(scales, low, high, max(1, min(6, int(room/12))))
	if !upright {
		a = newWideAxis(scales, low, high, room)
	}
	r := ruler{low: a.low * a.scale.size, high: a.top * a.scale.size, unit: a.scale}
	for _, t := range a.ticks() {
		r.marks = append(r.marks, mark{t * a.scale.size, a.label(t)})
	}
	return r
}

// logarithmic returns a ruler of quantities above 0 whose equal steps are equal factors.
func logarithmic(scales []scale, low, high float64, room vg.Length, upright bool) ruler {
	if !(high > low) {
		low, high = low/2, high*2
	}
	margin := math.Pow(high/low, 0.04)
	r := ruler{low: low / margin, high: high * margin, log: true, unit: scaleFor(scales, math.Sqrt(low*high))}
	first, last := int(math.Floor(math.Log10(r.low/r.unit.size))), int(math.Ceil(math.Log10(r.high/r.unit.size)))
	// The finest ticks whose labels have room.
	for _, factors := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		for every := 1; every == 1 || len(factors) == 1 && every <= last-first; every++ {
			r.marks = nil
			for e := first; e <= last; e++ {
				for _, f := range factors {
					if v := f * math.Pow10(e); e%every == 0 && v*r.unit.size >= r.low && v*r.unit.size <= r.high {
						r.marks = append(r.marks, mark{v * r.unit.size, strconv.FormatFloat(v, 'g', -1, 64)})
						if v >= 1e-4 && v < 1e6 {
							r.marks[len(r.marks)-1].label = strconv.FormatFloat(v, 'f', -1, 64)
						}
					}
				}
			}
			if len(r.marks) > 0 && r.fits(room, upright) {
				return r
			}
		}
	}
	r.marks = r.marks[:min(1, len(r.marks))]
	return r
}

// marked returns the ruler with its ticks at values, if their labels have room.
func (r ruler) marked(values []float64, room vg.Length) ruler {
	out := r
	out.marks = nil
	for _, v := range values {
		text := strconv.FormatFloat(math.Round(v/r.unit.size*1e6)/1e6, 'f', -1, 64)
		out.marks = append(out.marks, mark{v, text})
	}
	if len(values) > 12 || !out.fits(room, false) {
		return r
	}
	return out
}

// fits reports whether no two labels touch.
func (r ruler) fits(room vg.Length, upright bool) bool {
	for i := 1; i < len(r.marks); i++ {
		a, b := r.marks[i-1], r.marks[i]
		between := r.place(b.at, 0, room) - r.place(a.at, 0, room)
		if upright && between < 9 || !upright && between < (tickText.Width(a.label)+tickText.Width(b.label))/2+5 {
			return false
		}
	}
	return true
}

// words returns a ruler with a place for each label; of many, some are written.
func words(labels []string, room vg.Length) ruler {
	r := ruler{low: -0.5, high: float64(len(labels)) - 0.5, unit: scale{"", 1}}
	slot := room / vg.Length(len(labels))
	var widest vg.Length
	for _, l := range labels {
		widest = max(widest, tickText.Width(clean(orNone(l))))
	}
	every := 1
	if slot < 24 {
		every = min(len(labels), int(math.Ceil(float64(min(widest+6, 48)/slot))))
	}
	for i := 0; i < len(labels); i += every {
		r.marks = append(r.marks, mark{float64(i), shorten(tickText, orNone(labels[i]), vg.Length(every)*slot-4)})
	}
	return r
}

// rulerOf returns the horizontal ruler of a dimension.
func rulerOf(d dim, room vg.Length) ruler {
	if !d.numeric() {
		return words(d.labels, room)
	}
	scales := scalesOf(Quantity{Unit: d.unit})
	low, high := d.sizes[0], d.sizes[len(d.sizes)-1]
	if d.log && low > 0 {
		return logarithmic(scales, low, high, room, false).marked(d.sizes, room)
	}
	margin := 0.04 * (high - low)
	low, high = low-margin, high+margin
	return linear(scales, low, high, room, false).marked(d.sizes, room)
}

// beside returns the vertical ruler of a metric that shows values.
func beside(m Quantity, values []float64, log bool, room vg.Length) ruler {
	if least := slices.Min(values); log && least > 0 && slices.Max(values) > 30*least {
		return logarithmic(scalesOf(m), least, slices.Max(values), room, true)
	}
	low, high := extent(values)
	return linear(scalesOf(m), low, high, room, true)
}

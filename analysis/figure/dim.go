package figure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis/quantity"
)

// dim is a dimension of a study: an axis, or several whose values go along.
type dim struct {
	name   string    // of the axes, short
	labels []string  // of its values, each once
	sizes  []float64 // of the values in the base unit, ascending; nil of words
	unit   string    // of the sizes
	log    bool
	of     []int // index of the value of each cell
	drawn  bool  // from a range, cell by cell: sampled
}

// numeric reports whether the values are quantities.
func (d dim) numeric() bool { return d.sizes != nil }

// fewestDrawn is how many values sampled axes have at least. Lists of fewer values that
// go along are shown as such.
const fewestDrawn = 8

// dims returns the dimensions in which the cells differ: the first is, if there is any
// with quantities, that of these which has the most values, and the others are in the order of the
// axes. Axes whose values
// go along are one dimension, and those that were sampled have one each.
func (s Study) dims() []dim {
	var paths []string
	for _, a := range s.Axes {
		paths = append(paths, a.Path)
	}
	var all []dim
	for i, a := range s.Axes {
		if d := s.dim(i, shortPath(a.Path, paths)); len(d.labels) > 1 {
			d.log = a.Log
			all = append(all, d)
		}
	}
	var out []dim
	for _, d := range all {
		with := slices.IndexFunc(out, func(o dim) bool { return o.pairs(d) == max(len(o.labels), len(d.labels)) })
		switch {
		case with < 0:
			out = append(out, d)
		case max(len(out[with].labels), len(d.labels)) >= fewestDrawn && !out[with].along(d):
			out[with].drawn, d.drawn = out[with].numeric(), d.numeric()
			out = append(out, d)
		case len(out[with].labels) == len(d.labels):
			out[with] = out[with].and(d)
		default:
			out = append(out, d)
		}
	}
	first := 0
	for i, d := range out {
		if most := out[first]; d.numeric() && (!most.numeric() || len(d.labels) > len(most.labels)) {
			first = i
		}
	}
	if first > 0 {
		d := out[first]
		out = slices.Insert(slices.Delete(out, first, first+1), 0, d)
	}
	return out
}

// dim returns an axis by itself.
func (s Study) dim(axis int, name string) dim {
	d := dim{name: name}
	var texts []string
	for _, v := range s.Axes[axis].Values {
		if slices.ContainsFunc(s.Cells, func(c StudyCell) bool { return c.Values[axis] == v }) && !slices.Contains(texts, v) {
			texts = append(texts, v)
		}
	}
	sizes, unit, ok := quantity.ParseAll(texts)
	if ok {
		d.unit = unit
		order := make([]int, len(texts))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sizes[a], sizes[b]) })
		for _, i := range order {
			// The same quantity in other words is the same value.
			if n := len(d.sizes); n == 0 || sizes[i] > d.sizes[n-1] {
				d.sizes, d.labels = append(d.sizes, sizes[i]), append(d.labels, texts[i])
			}
		}
	} else {
		d.labels = texts
	}
	index := map[string]int{}
	for i, text := range texts {
		index[text] = slices.Index(d.labels, text)
		if ok {
			index[text], _ = slices.BinarySearch(d.sizes, sizes[i])
		}
	}
	for _, c := range s.Cells {
		d.of = append(d.of, index[c.Values[axis]])
	}
	return d
}

// pairs counts the different pairs of values of two dimensions.
func (d dim) pairs(o dim) int {
	seen := map[[2]int]bool{}
	for i := range d.of {
		seen[[2]int{d.of[i], o.of[i]}] = true
	}
	return len(seen)
}

// along reports whether both have quantities, and those of one grow or fall with those of the
// other.
func (d dim) along(o dim) bool {
	if !d.numeric() || !o.numeric() || len(d.labels) != len(o.labels) {
		return false
	}
	up, down := true, true
	for i := range d.of {
		up = up && d.of[i] == o.of[i]
		down = down && d.of[i] == len(o.labels)-1-o.of[i]
	}
	return up || down
}

// and returns a dimension of which each value is a pair. Quantities that go along keep the
// sizes of the first; others become words.
func (d dim) and(o dim) dim {
	d.name += " with " + o.name
	if d.along(o) {
		return d
	}
	labels := make([]string, len(d.labels))
	for i, v := range d.of {
		labels[v] = strings.Join([]string{orNone(d.labels[v]), orNone(o.labels[o.of[i]])}, ", ")
	}
	d.labels, d.sizes, d.unit = labels, nil, ""
	return d
}

package figure

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis/stat"
)

// Study is what the figures of a parameter study show: metrics of the runs of its cells,
// which differ in the values of the axes.
type Study struct {
	Name    string // such as "quickstart"; it ends every title
	Axes    []StudyAxis
	Metrics []Quantity // a figure or two each
	Cells   []StudyCell
}

// StudyAxis is a value of the scenario that varies.
type StudyAxis struct {
	Path   string   // such as "links.access.rate"
	Values []string // in the order in which words are shown; quantities are shown by size
	Log    bool     // quantities are shown on a logarithmic axis
}

// StudyCell holds the runs of one variant of the scenario.
type StudyCell struct {
	Values []string // of each axis
	Runs   []StudyRun
}

// StudyRun is what one run achieved.
type StudyRun struct {
	Seed   uint64
	Values []float64 // of each metric; NaN of one that it does not have
}

// Bounds of what a figure of a study shows; it says what it leaves out.
const (
	mostMultiples = 12 // small plots
	mostMatrices  = 6
)

// OfStudy returns the figures of a study. Of each metric, over the values of one axis,
// there is a figure with the means over seeds and their intervals: a line for each value of a
// second axis, and small plots for those of further ones. Two and more axes also have a heat map of
// the means. If the values were sampled, the metric stands against each of them instead. It
// fails if nothing varies.
func OfStudy(s Study) ([]Figure, error) {
	dims := s.dims()
	if len(dims) == 0 {
		return nil, errors.New("nothing varies in the study, so that there is nothing to show it over")
	}
	var out []Figure
	for i, m := range s.Metrics {
		groups, err := s.groups(dims, i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		if len(groups) == 0 {
			continue
		}
		f := Figure{Name: fileName(m.Name), Title: s.title(m, dims, groups, " and its 95 % interval"), header: studyHeader(s, dims)}
		if p := against(m, dims, groups); p != nil {
			f.panels = []panel{p}
			out = append(out, f)
			continue
		}
		f.panels = []panel{over(m, dims, groups)}
		out = append(out, f)
		if len(dims) > 1 {
			out = append(out, s.heat(m, dims, groups))
		}
	}
	return out, nil
}

// fileName turns the name of a metric into that of a file.
func fileName(metric string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, metric)
}

// title says what a figure shows of a metric.
func (s Study) title(m Quantity, dims []dim, groups []group, with string) string {
	what := "mean over seeds" + with
	if fewest, most := runsOf(groups); most == 1 {
		what = "one seed each"
	} else if fewest == most {
		what = fmt.Sprintf("mean over %d seeds%s", most, with)
	}
	var names []string
	for _, d := range dims {
		names = append(names, d.name)
	}
	by := names[0]
	if last := len(names) - 1; last > 0 {
		by = strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return fmt.Sprintf("%s by %s, %s: %s", m.Name, by, what, s.Name)
}

// runsOf returns the smallest and the largest number of runs of groups.
func runsOf(groups []group) (fewest, most int) {
	fewest = groups[0].mean.N
	for _, g := range groups {
		fewest, most = min(fewest, g.mean.N), max(most, g.mean.N)
	}
	return fewest, most
}

// group is what the runs with the same values of all dimensions achieved of one metric.
type group struct {
	at    []int // index of the value of each dimension
	runs  []float64
	seeds []uint64
	mean  stat.Estimate
}

// groups returns those that have values of a metric, in the order of the cells.
func (s Study) groups(dims []dim, metric int) ([]group, error) {
	var out []group
	known := map[string]int{}
	for i, c := range s.Cells {
		at := make([]int, len(dims))
		for k, d := range dims {
			at[k] = d.of[i]
		}
		key := fmt.Sprint(at)
		n, ok := known[key]
		for _, run := range c.Runs {
			if v := run.Values[metric]; !math.IsNaN(v) {
				if !ok {
					n, ok = len(out), true
					known[key] = n
					out = append(out, group{at: at})
				}
				out[n].runs, out[n].seeds = append(out[n].runs, v), append(out[n].seeds, run.Seed)
			}
		}
	}
	for i := range out {
		var err error
		if out[i].mean, err = stat.Mean(out[i].runs, confidence); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// heat returns the heat map of a metric over the first two dimensions, one for each
// combination of the values of the others.
func (s Study) heat(m Quantity, dims []dim, groups []group) Figure {
	f := Figure{
		Name: fileName(m.Name) + "-heatmap", Title: s.title(m, dims, groups, ""),
		header: []string{"metric", "unit", dims[0].name, dims[1].name, "mean", "interval low", "interval high", "n"},
	}
	if len(dims) > 2 {
		f.header = append(f.header, namesOf(dims[2:]))
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, g := range groups {
		low, high = min(low, g.mean.Value), max(high, g.mean.Value)
	}
	rest, left := facetsOf(dims, 2, groups, mostMatrices)
	for _, facet := range rest {
		p := &matrix{
			metric: m, names: [2]string{dims[0].name, dims[1].name}, columns: dims[0].labels, rows: dims[1].labels,
			cells: map[cell]stat.Estimate{}, of: facet.label, low: low, high: high,
		}
		for _, g := range facet.groups {
			p.cells[cell{dims[0].labels[g.at[0]], dims[1].labels[g.at[1]]}] = g.mean
		}
		f.panels = append(f.panels, p)
	}
	if left > 0 {
		f.Title += fmt.Sprintf(" (%d more combinations of %s are in the table of results)", left, namesOf(dims[2:]))
	}
	return f
}

// facet is a combination of the values of some dimensions.
type facet struct {
	label  string
	groups []group
}

// facetsOf returns the combinations of the values of the dimensions from one on that have
// groups, in order, at most so many, and how many more there are.
func facetsOf(dims []dim, from int, groups []group, most int) (out []facet, left int) {
	byKey := map[string][]group{}
	var keys [][]int
	for _, g := range groups {
		at := g.at[min(from, len(g.at)):]
		key := fmt.Sprint(at)
		if _, ok := byKey[key]; !ok {
			keys = append(keys, at)
		}
		byKey[key] = append(byKey[key], g)
	}
	slices.SortFunc(keys, func(a, b []int) int { return slices.Compare(a, b) })
	for _, at := range keys[:min(most, len(keys))] {
		var parts []string
		for i, v := range at {
			d := dims[from+i]
			parts = append(parts, d.name+" = "+orNone(d.labels[v]))
		}
		out = append(out, facet{strings.Join(parts, ", "), byKey[fmt.Sprint(at)]})
	}
	return out, len(keys) - len(out)
}

func namesOf(dims []dim) string {
	var names []string
	for _, d := range dims {
		names = append(names, d.name)
	}
	return strings.Join(names, ", ")
}

package seeds

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/stat"
)

// Options say how a set is described, or two are compared. The zero Options are of all metrics,
// by Student's t, with the confidence 0.95.
type Options struct {
	Confidence float64                    // of the intervals; 0 is 0.95
	Method     stat.Method                // of means and paired differences: stat.Student, the default, stat.BootstrapBCa, or, of differences alone, stat.Wilcoxon
	Select     func(analysis.Metric) bool // which metrics; nil is all
}

func (o Options) withDefaults() Options {
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	return o
}

// Verdict says whether a difference is more than chance.
type Verdict string

// The verdicts.
const (
	Real    Verdict = "yes"     // the interval excludes 0, and the test holds after Holm's correction
	Perhaps Verdict = "perhaps" // the interval excludes 0, but among so many metrics, or of so few seeds, that may be chance
	Chance  Verdict = "no"      // the interval includes 0: the seeds alone may make such a difference
	Same    Verdict = "same"    // there is no difference
	Unknown Verdict = "unknown" // too few seeds to say
)

// rank is the place of a verdict in a comparison.
func (v Verdict) rank() int { return slices.Index([]Verdict{Real, Perhaps, Unknown, Chance, Same}, v) }

// Row compares a metric.
type Row struct {
	Name string `json:"metric"`
	Unit string `json:"unit"`

	// A and B are the values that the difference rests on: those of common
	// seeds if it is paired, otherwise all.
	A stat.Summary `json:"a"`
	B stat.Summary `json:"b"`

	Paired     bool            `json:"paired"`     // by seed
	Difference stat.Difference `json:"difference"` // B less A
	Holm       float64         `json:"p_holm"`     // the difference's P, adjusted for the number of rows; see stat.Holm
	Verdict    Verdict         `json:"real"`

	same bool // no value of B differs from that of A
}

// Change returns the difference of the means relative to that of A, and
// whether that is not 0.
func (r Row) Change() (float64, bool) {
	a, b := r.A.Mean.Value, r.B.Mean.Value
	return (b - a) / math.Abs(a), a != 0
}

// size orders rows by how much they differ.
func (r Row) size() float64 {
	change, ok := r.Change()
	switch {
	case ok:
		return math.Abs(change)
	case r.B.Mean.Value == 0:
		return 0
	}
	return math.Inf(1)
}

// Comparison compares two sets of runs.
type Comparison struct {
	Rows         []Row    // by verdict, then by relative difference, the largest first
	Common       []uint64 // the seeds of both sets
	Identical    int      // common seeds whose packets are the same in both
	OnlyA, OnlyB []string // metrics that only one set has
	Confidence   float64
}

// Compare compares two sets, B with A. The values of seeds that both sets have
// belong together: what chance did to both drops out of their differences. A metric with fewer
// than two such pairs is compared unpaired (Welch). The more metrics are
// compared, the more of them differ by chance; a difference is real only if it
// is so after Holm's correction for the number of metrics selected.
func Compare(a, b Set, o Options) (Comparison, error) {
	o = o.withDefaults()
	c := Comparison{Confidence: o.Confidence}
	fingerprints := map[uint64]string{}
	for _, run := range a.Runs {
		fingerprints[run.Seed] = run.Fingerprint
	}
	for _, run := range b.Runs {
		if f, ok := fingerprints[run.Seed]; ok {
			c.Common = append(c.Common, run.Seed)
			if f == run.Fingerprint && f != "" {
				c.Identical++
			}
		}
	}
	others := map[string]*column{}
	inB := b.columns(o.Select)
	for _, x := range inB {
		others[x.name] = x
	}
	for _, x := range a.columns(o.Select) {
		y := others[x.name]
		if y == nil {
			c.OnlyA = append(c.OnlyA, x.name)
			continue
		}
		delete(others, x.name)
		row, err := compare(x, y, o)
		if err != nil {
			return Comparison{}, fmt.Errorf("%s: %w", x.name, err)
		}
		c.Rows = append(c.Rows, row)
	}
	for _, x := range inB {
		if others[x.name] != nil {
			c.OnlyB = append(c.OnlyB, x.name)
		}
	}
	c.judge()
	slices.SortStableFunc(c.Rows, func(x, y Row) int {
		return cmp.Or(cmp.Compare(x.Verdict.rank(), y.Verdict.rank()), cmp.Compare(y.size(), x.size()))
	})
	return c, nil
}

// compare makes the row of a metric, without its verdict.
func compare(a, b *column, o Options) (Row, error) {
	if a.unit != b.unit {
		return Row{}, fmt.Errorf("its unit is %q in A and %q in B: different versions of wtsim made them", a.unit, b.unit)
	}
	r := Row{Name: a.name, Unit: a.unit}
	x, y := pairs(a, b)
	single := len(a.values) == 1 && len(b.values) == 1
	difference := stat.Welch
	switch r.Paired = len(x) > 1 || len(x) == 1 && single; {
	case !r.Paired:
		x, y = a.values, b.values
	case o.Method == stat.Wilcoxon:
		difference = stat.SignedRank
	case o.Method == stat.BootstrapBCa:
		difference = stat.PairedBootstrap
	case o.Method == stat.Student, o.Method == "":
		difference = stat.Paired
	default:
		return Row{}, fmt.Errorf("%q is no method for paired differences; expected %q, %q or %q", o.Method, stat.Student, stat.BootstrapBCa, stat.Wilcoxon)
	}
	r.same = r.Paired && slices.Equal(x, y)
	var err error
	if r.A, err = stat.Summarize(x, o.Confidence, o.Method); err != nil {
		return r, err
	}
	if r.B, err = stat.Summarize(y, o.Confidence, o.Method); err != nil {
		return r, err
	}
	if !r.Paired {
		r.same = r.A.Min == r.A.Max && r.B.Min == r.B.Max && r.A.Min == r.B.Min
	}
	r.Difference, err = difference(x, y, o.Confidence)
	return r, err
}

// pairs returns the values of the seeds that both columns have.
func pairs(a, b *column) (x, y []float64) {
	for i, j := 0, 0; i < len(a.seeds) && j < len(b.seeds); {
		switch {
		case a.seeds[i] < b.seeds[j]:
			i++
		case a.seeds[i] > b.seeds[j]:
			j++
		default:
			x, y = append(x, a.values[i]), append(y, b.values[j])
			i, j = i+1, j+1
		}
	}
	return x, y
}

// judge gives the rows their verdicts.
func (c *Comparison) judge() {
	var tested []*Row
	var p []float64
	for i := range c.Rows {
		r := &c.Rows[i]
		r.Holm = 1
		if r.Difference.Interval.Exists() {
			tested = append(tested, r)
			p = append(p, r.Difference.P)
		}
	}
	for i, adjusted := range stat.Holm(p) {
		tested[i].Holm = adjusted
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		d := r.Difference
		switch {
		case r.same:
			r.Verdict = Same
		case !d.Interval.Exists():
			r.Verdict = Unknown
		case !d.Interval.Excludes(0):
			r.Verdict = Chance
		case r.Holm <= 1-c.Confidence:
			r.Verdict = Real
		default:
			r.Verdict = Perhaps
		}
	}
}

package baseline

import (
	"encoding/json"
	"math"
	"slices"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/analysis/stat"
)

// DefaultTolerance is the share of a metric's value by which it may change.
const DefaultTolerance = 0.02

// Verdict says what became of a metric.
type Verdict string

// The verdicts.
const (
	Worse      Verdict = "worse"      // really, and by more than the tolerance
	Better     Verdict = "better"     // likewise
	Negligible Verdict = "negligible" // it changed by no more than the tolerance
	Unsure     Verdict = "unsure"     // it changed by more, but that may be chance
	Same       Verdict = "same"       // no value changed
)

// Change is what became of a metric.
type Change struct {
	Metric     string
	Unit       string
	Better     analysis.Better
	Base, Now  stat.Summary    // over the seeds that both have
	Difference stat.Difference // now less base
	Verdict    Verdict
}

// Relative returns the difference of the means relative to the base's, and whether
// that is a finite number.
func (c Change) Relative() (float64, bool) {
	share := (c.Now.Mean.Value - c.Base.Mean.Value) / math.Abs(c.Base.Mean.Value)
	return share, !math.IsNaN(share) && !math.IsInf(share, 0)
}

// Comparison compares what runs achieve now with a baseline.
type Comparison struct {
	// Identical says that it is the same scenario, that every run of a seed that both
	// have has the same packets, and that the metrics by which the scenario is judged
	// have the same values.
	Identical bool
	// Scenario says that the scenario, or a file that it names, is not that of
	// the baseline: what else there is to say compares two experiments.
	Scenario bool
	// Strict says that nothing but what is identical is OK.
	Strict bool
	// Absent says that there is no baseline, although one is needed.
	Absent  bool
	Common  int // seeds that both have
	Changes []Change
	Missing []string // metrics that only the baseline has
	New     []string // metrics that only the runs have
	Same    []Change // metrics without any difference
}

// OK reports whether nothing became worse, nothing is missing, and it is the
// scenario of the baseline that was run, with a seed of it at least.
func (c *Comparison) OK() bool {
	if c.Absent || c.Strict {
		return c.Identical
	}
	return !c.Scenario && c.Common > 0 && len(c.Missing) == 0 && !slices.ContainsFunc(c.Changes, func(x Change) bool { return x.Verdict == Worse })
}

// Confidence is that with which a scenario that became neither worse nor better is
// found to have become neither.
const Confidence = 0.99

// Compare compares runs of now with those of base that have the same seed. A
// metric became worse or better only if the paired differences say so with
// [Confidence] for all metrics together (see [seeds.Compare]), or are the same for every seed, and their mean
// is more than a share, the tolerance, of the base's mean, and more than what is of
// no account: 10 µs, or one in a thousand.
func Compare(base, now File, tolerance float64) (*Comparison, error) {
	c := &Comparison{Scenario: base.SHA256 != now.SHA256}
	better, other := make(map[string]analysis.Better), make(map[string]bool)
	for _, m := range now.Metrics {
		better[m.Name] = m.Better
		other[m.Name] = slices.ContainsFunc(base.Metrics, func(b Metric) bool { return b.Name == m.Name && b.Unit != m.Unit })
	}
	same := func(m analysis.Metric) bool { return !other[m.Name] }
	rows, err := seeds.Compare(base.set(now.Runs), now.set(base.Runs), seeds.Options{Confidence: Confidence, Select: same})
	if err != nil {
		return nil, err
	}
	c.Common, c.Missing, c.New = len(rows.Common), rows.OnlyA, rows.OnlyB
	for _, m := range now.Metrics {
		if other[m.Name] { // in another unit it is another metric
			c.Missing, c.New = append(c.Missing, m.Name), append(c.New, m.Name)
		}
	}
	c.Identical = !c.Scenario && c.Common > 0 && rows.Identical == c.Common && len(c.Missing) == 0 && len(c.New) == 0
	if c.Common == 0 {
		return c, nil
	}
	for _, r := range rows.Rows {
		change := Change{Metric: r.Name, Unit: r.Unit, Better: better[r.Name], Base: r.A, Now: r.B, Difference: r.Difference}
		change.Verdict = verdict(r, change.Better, tolerance)
		if change.Verdict == Same {
			c.Same = append(c.Same, change)
			continue
		}
		c.Identical = false
		c.Changes = append(c.Changes, change)
	}
	order := []Verdict{Worse, Better, Unsure, Negligible}
	slices.SortStableFunc(c.Changes, func(x, y Change) int {
		return slices.Index(order, x.Verdict) - slices.Index(order, y.Verdict)
	})
	return c, nil
}

func verdict(r seeds.Row, better analysis.Better, tolerance float64) Verdict {
	difference := r.B.Mean.Value - r.A.Mean.Value
	switch {
	case r.Verdict == seeds.Same:
		return Same
	case math.Abs(difference) <= max(tolerance*math.Abs(r.A.Mean.Value), trifle(r.Unit)):
		return Negligible
	case r.Verdict != seeds.Real && !constant(r):
		return Unsure
	case (difference > 0) == (better == analysis.MoreIsBetter):
		return Better
	}
	return Worse
}

// constant reports whether every seed has the same difference, which is then none of
// chance. A test of so few values cannot know.
func constant(r seeds.Row) bool {
	return r.Paired && r.Difference.N > 1 && r.Difference.Interval.Low == r.Difference.Interval.High
}

// trifle is a difference of no account, in a unit.
func trifle(unit string) float64 {
	switch unit {
	case "s":
		return 10e-6
	case "1":
		return 1e-3
	}
	return 0
}

// MarshalJSON writes the comparison for programs.
func (c *Comparison) MarshalJSON() ([]byte, error) {
	type change struct {
		Metric     string          `json:"metric"`
		Unit       string          `json:"unit"`
		Better     analysis.Better `json:"better_if"`
		Base       stat.Summary    `json:"base"`
		Now        stat.Summary    `json:"now"`
		Difference stat.Difference `json:"difference"`
		Relative   *float64        `json:"relative,omitempty"`
		Verdict    Verdict         `json:"verdict"`
	}
	changes := make([]change, len(c.Changes))
	for i, x := range c.Changes {
		changes[i] = change{x.Metric, x.Unit, x.Better, x.Base, x.Now, x.Difference, nil, x.Verdict}
		if r, ok := x.Relative(); ok {
			changes[i].Relative = &r
		}
	}
	return json.Marshal(struct {
		OK        bool     `json:"ok"`
		Identical bool     `json:"identical"`
		Absent    bool     `json:"absent,omitempty"`
		Scenario  bool     `json:"another_scenario,omitempty"`
		Common    int      `json:"common_seeds"`
		Changes   []change `json:"changes,omitempty"`
		Missing   []string `json:"missing,omitempty"`
		New       []string `json:"new,omitempty"`
	}{c.OK(), c.Identical, c.Absent, c.Scenario, c.Common, changes, c.Missing, c.New})
}

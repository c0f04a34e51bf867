package expect

import (
	"cmp"
	"math"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/internal/claim"
)

// Words is a verdict as people read it.
type Words struct {
	What     string // such as "mean of flows.bulk.goodput from 1s to 5s"
	Measured string // empty where there are no numbers
	Expected string // such as "≥ 18.0 Mbit/s", or the formula where there are no numbers
	Margin   string // with its sign; empty where there are no numbers
	Status   string // such as "known deviation"
	Note     string // why there are no numbers, or why a deviation is known; empty if there is nothing to say
}

// Words returns the verdict in words.
func (v Verdict) Words() Words {
	w := Words{What: v.subject(), Expected: v.Bounds(), Status: statusWords[v.Status], Note: cmp.Or(v.Why, v.Expectation.Known)}
	if v.Why != "" {
		return w
	}
	show := func(value float64) string { return quantity.Format(v.Metric, value, v.Unit) }
	w.Measured, w.Margin = show(v.Measured), quantity.Signed(show(v.Margin))
	switch {
	case math.IsInf(v.High, 1):
		w.Expected = "≥ " + show(v.Low)
	case math.IsInf(v.Low, -1):
		w.Expected = "≤ " + show(v.High)
	case v.Low == v.High:
		w.Expected = "= " + show(v.Low)
	default:
		w.Expected = show(v.Low) + " to " + show(v.High)
	}
	return w
}

var statusWords = map[Status]string{
	Passed: "passed",
	Failed: "failed",
	Known:  "known deviation",
	Gone:   "failed: known deviation is gone",
}

// subject returns what the expectation is about.
func (v Verdict) subject() string {
	what := v.Metric
	if v.Over.Statistic != claim.Each {
		what = v.Over.String() + " of " + what
	}
	if v.Window != (analysis.Window{}) {
		what += " " + v.Window.String()
	}
	return what
}

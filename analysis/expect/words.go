package expect

import (
	"cmp"
	"math"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/internal/claim"
)

// Words is a verdict as people read it.
type Words struct {
	What     string // such as "mean of flows.bulk.goodput from 1s to 5s"
	Measured string // empty where there are no numbers
	Expected string // such as "≥ 18.0 Mbit/s" or "42.0928 ms ± 5 µs", or the formula where there are no numbers
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
	format := func(value float64) string { return quantity.Format(v.Metric, value, v.Unit) }
	show := format
	if half := (v.High - v.Low) / 2; half > 0 && !math.IsInf(half, 1) {
		show = func(value float64) string { return quantity.Precise(v.Metric, value, half, v.Unit) }
	}
	w.Measured, w.Margin = show(v.Measured), quantity.Signed(format(v.Margin))
	switch {
	case math.IsInf(v.High, 1):
		w.Expected = "≥ " + show(v.Low)
	case math.IsInf(v.Low, -1):
		w.Expected = "≤ " + show(v.High)
	case v.Low == v.High:
		w.Expected = "= " + show(v.Low)
	case v.Equals != nil:
		w.Expected = show((v.Low+v.High)/2) + " ± " + v.tolerance()
	default:
		w.Expected = show(v.Low) + " to " + show(v.High)
	}
	return w
}

// tolerance returns what 'within' allows, a percentage as it is written.
func (v Verdict) tolerance() string {
	if share, ok := strings.CutSuffix(v.Within.String(), "%"); ok && v.Within.Percentage() {
		return strings.TrimSpace(share) + " %"
	}
	return quantity.Short(v.Metric, (v.High-v.Low)/2, v.Unit)
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

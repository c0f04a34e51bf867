package expect

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/internal/claim"
	"github.com/wtsim/wtsim/internal/formula"
	"github.com/wtsim/wtsim/sim/record"
)

// Status says whether an expectation is met.
type Status string

// The outcomes of judging an expectation.
const (
	Passed Status = "passed"
	Failed Status = "failed"
	Known  Status = "known" // not met, for a reason that the expectation gives
	Gone   Status = "gone"  // met, although the expectation is known not to be
)

// Verdict is what became of an expectation.
type Verdict struct {
	Expectation
	Window analysis.Window
	Status Status
	Unit   string // of the numbers, that of the metric
	// Measured is the value of the run with the least margin, or the statistic
	// that the expectation is over.
	Measured float64
	// Low and High are the bounds, -Inf and +Inf where there is none, of the same run,
	// or the mean of those of all runs.
	Low, High float64
	Margin    float64 // from Measured to the nearer bound; negative beyond it
	Seed      uint64  // the run with the least margin
	N         int     // runs that were judged
	Why       string  // why there are no numbers, and it failed; empty where there are
}

// OK reports whether the expectation gives no reason to fail: what was to pass
// did, and what is known not to did not.
func (v Verdict) OK() bool { return v.Status == Passed || v.Status == Known }

// OfOne reports whether the verdict is about a run by itself, the one with the
// verdict's seed, and not about all of them together.
func (v Verdict) OfOne() bool { return v.Over.Statistic == claim.Each }

// Judge judges what runs of a scenario that differ in their seeds achieved
// against what the scenario, which info has as resolved, expects. An error is one
// of the scenario; what a run lacks fails its expectation.
func Judge(info *record.Run, runs []Run) ([]Verdict, error) {
	values, verdicts, err := prepare(info)
	for i := range verdicts {
		verdicts[i].over(values, runs)
	}
	return verdicts, err
}

// Check finds the mistakes in the expectations of a scenario as resolved, a TOML
// text, that show before it runs: windows that cannot be.
func Check(text string) error {
	raw, err := json.Marshal(text)
	if err == nil {
		_, _, err = prepare(&record.Run{Scenario: raw})
	}
	return err
}

// prepare returns the values of a run's scenario and its expectations, with their
// windows.
func prepare(info *record.Run) (*scenario, []Verdict, error) {
	expectations, err := Read(info)
	if err != nil || len(expectations) == 0 {
		return nil, nil, err
	}
	resolved, err := info.ScenarioValues()
	if err != nil {
		return nil, nil, err
	}
	values := &scenario{resolved}
	verdicts := make([]Verdict, len(expectations))
	for i, e := range expectations {
		window, err := e.window(values)
		if err != nil {
			return nil, nil, fmt.Errorf("expectation %d (%s): %w", i+1, e.Metric, err)
		}
		verdicts[i] = Verdict{Expectation: e, Window: window}
	}
	return values, verdicts, nil
}

// over judges over the runs.
func (v *Verdict) over(values *scenario, runs []Run) {
	samples := make([]sample, 0, len(runs))
	for _, run := range runs {
		part := run.parts[v.Window]
		s, err := sample{}, part.misfit
		if err == nil {
			s, err = v.take(values, part.metrics)
		}
		if err != nil {
			v.Seed, v.Why = run.Seed, err.Error()
			break
		}
		s.seed = run.Seed
		samples = append(samples, s)
	}
	v.judge(samples)
}

// sample is what one run has for an expectation.
type sample struct {
	value, low, high float64
	unit             string
	seed             uint64
}

func (s sample) room() float64 { return min(s.value-s.low, s.high-s.value) }

// take finds the value and evaluates the bounds for one run.
func (e Expectation) take(values *scenario, metrics analysis.Metrics) (sample, error) {
	m, ok := metrics.Get(e.Metric)
	if !ok {
		return sample{}, missing(e.Metric, metrics)
	}
	s := sample{value: m.Value, unit: m.Unit, low: math.Inf(-1), high: math.Inf(1)}
	scope := values.scope(metrics)
	in := func(key string, f *formula.Formula) (float64, error) {
		q, err := f.Eval(scope)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", key, err)
		}
		v, err := q.In(m.Unit)
		if err != nil {
			return 0, fmt.Errorf("%s: %q: %w, the unit of %s", key, f, err, m.Name)
		}
		return v, nil
	}
	var err error
	if e.Min != nil {
		if s.low, err = in("min", e.Min); err != nil {
			return s, err
		}
	}
	if e.Max != nil {
		if s.high, err = in("max", e.Max); err != nil {
			return s, err
		}
	}
	if e.Equals == nil {
		return s, nil
	}
	middle, err := in("equals", e.Equals)
	if err != nil {
		return s, err
	}
	within := 0.0
	if e.Within != nil {
		if within, err = e.tolerance(middle, scope, in); err != nil {
			return s, err
		}
	}
	s.low, s.high = middle-within, middle+within
	return s, nil
}

// tolerance returns the distance that 'within' allows from a value: a percentage
// is of the value.
func (e Expectation) tolerance(of float64, scope *formula.Scope, in func(string, *formula.Formula) (float64, error)) (float64, error) {
	if !e.Within.Percentage() {
		d, err := in("within", e.Within)
		return math.Abs(d), err
	}
	q, err := e.Within.Eval(scope)
	return math.Abs(q.Value * of), err
}

// judge decides over the samples of all runs.
func (v *Verdict) judge(samples []sample) {
	v.N, v.Low, v.High = len(samples), math.Inf(-1), math.Inf(1)
	switch {
	case v.Why != "":
	case len(samples) < v.Seeds:
		v.Why = fmt.Sprintf("it takes %d seeds; there are %d", v.Seeds, len(samples))
	default:
		v.measure(samples)
	}
	met := v.Why == "" && v.Margin >= 0
	switch {
	case met && v.Expectation.Known == "":
		v.Status = Passed
	case met:
		v.Status = Gone
	case v.Expectation.Known == "" || v.Why != "":
		v.Status = Failed
	default:
		v.Status = Known
	}
}

func (v *Verdict) measure(samples []sample) {
	least := slices.MinFunc(samples, func(a, b sample) int {
		switch x, y := a.room(), b.room(); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	v.Unit, v.Seed = least.unit, least.seed
	column := func(of func(sample) float64) []float64 {
		out := make([]float64, len(samples))
		for i, s := range samples {
			out[i] = of(s)
		}
		return out
	}
	v.Measured, v.Low, v.High = least.value, least.low, least.high
	if v.Over.Statistic != claim.Each {
		v.Measured, _ = center(v.Over, column(func(s sample) float64 { return s.value }))
		v.Low = average(column(func(s sample) float64 { return s.low }))
		v.High = average(column(func(s sample) float64 { return s.high }))
	}
	v.Margin = math.Inf(1)
	for _, bound := range []struct {
		exists, upper bool
		of            func(sample) float64
	}{
		{v.Min != nil || v.Equals != nil, false, func(s sample) float64 { return s.value - s.low }},
		{v.Max != nil || v.Equals != nil, true, func(s sample) float64 { return s.value - s.high }},
	} {
		if !bound.exists {
			continue
		}
		margin, ok := margin(v.Over, column(bound.of), bound.upper)
		if !ok {
			v.Why = fmt.Sprintf("too few seeds for a %s: %d", v.Over, len(samples))
			return
		}
		v.Margin = min(v.Margin, margin)
	}
}

func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// Package expect judges what runs achieved against what their scenarios expect
// of them, the tables [[expect]].
//
// The bounds of an expectation are formulas (package formula) over values of the
// scenario as resolved ("links.access.rate", "sessions.main.close.at"), some that
// follow from them ("links.access.rtt", "links.access.bdp"), the laws of package
// law ("law.random_loss(0.01, links.access.rtt, 1252B)"), and other metrics of the same run and
// window ("flows.bulk.goodput"; "measured.NAME" where the scenario has a value of
// that name too).
package expect

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/internal/claim"
	"github.com/wtsim/wtsim/internal/formula"
	"github.com/wtsim/wtsim/sim/record"
)

// Expectation is one table [[expect]] of a scenario.
type Expectation struct {
	Metric string      // the metric, such as "flows.bulk.goodput"
	Over   claim.Claim // of what of several seeds it is
	Seeds  int         // how many seeds it takes to judge
	Known  string      // why the expectation is known not to be met; empty if it should be

	// Formulas, nil where the table has none.
	From, To                 *formula.Formula // of the window
	Min, Max, Equals, Within *formula.Formula
}

// table is the expectation as TOML has it.
type table struct {
	Metric string `toml:"metric"`
	From   text   `toml:"from"`
	To     text   `toml:"to"`
	Min    text   `toml:"min"`
	Max    text   `toml:"max"`
	Equals text   `toml:"equals"`
	Within text   `toml:"within"`
	Over   string `toml:"over"`
	Seeds  int    `toml:"seeds"`
	Known  string `toml:"known"`
}

// text is a formula, or a number, as TOML has it.
type text = any

// Read returns the expectations of a run's scenario as resolved.
func Read(info *record.Run) ([]Expectation, error) {
	scenario, err := info.ScenarioText()
	if err != nil {
		return nil, err
	}
	var content struct {
		Expect []table `toml:"expect"`
	}
	if err := toml.Unmarshal([]byte(scenario), &content); err != nil {
		return nil, fmt.Errorf("the scenario is broken: %w", err)
	}
	all := make([]Expectation, len(content.Expect))
	for i, t := range content.Expect {
		if all[i], err = t.read(); err != nil {
			return nil, fmt.Errorf("expectation %d (%s): %w", i+1, t.Metric, err)
		}
	}
	return all, nil
}

func (t table) read() (Expectation, error) {
	e := Expectation{Metric: t.Metric, Seeds: max(1, t.Seeds), Known: t.Known}
	var err error
	if e.Over, err = claim.Parse(t.Over); err != nil {
		return e, fmt.Errorf("over: %w", err)
	}
	for _, f := range []struct {
		key  string
		text text
		to   **formula.Formula
	}{
		{"from", t.From, &e.From}, {"to", t.To, &e.To}, {"min", t.Min, &e.Min}, {"max", t.Max, &e.Max},
		{"equals", t.Equals, &e.Equals}, {"within", t.Within, &e.Within},
	} {
		if f.text == nil || f.text == "" {
			continue
		}
		if *f.to, err = formula.Parse(fmt.Sprint(f.text)); err != nil {
			return e, fmt.Errorf("%s: %w", f.key, err)
		}
	}
	return e, err
}

// String returns the expectation in words, such as
// "flows.bulk.goodput from 1s to 5s ≥ 0.9 * links.access.rate".
func (e Expectation) String() string {
	var b strings.Builder
	if e.Over.Statistic != claim.Each {
		fmt.Fprintf(&b, "%s of ", e.Over)
	}
	b.WriteString(e.Metric)
	if e.From != nil {
		fmt.Fprintf(&b, " from %s", e.From)
	}
	if e.To != nil {
		fmt.Fprintf(&b, " to %s", e.To)
	}
	return b.String() + " " + e.Bounds()
}

// Bounds returns the bounds as formulas, such as "≥ 0.9 * links.access.rate".
func (e Expectation) Bounds() string {
	var parts []string
	if e.Equals != nil {
		s := "= " + e.Equals.String()
		if e.Within != nil {
			s += " ± " + e.Within.String()
		}
		parts = append(parts, s)
	}
	if e.Min != nil {
		parts = append(parts, "≥ "+e.Min.String())
	}
	if e.Max != nil {
		parts = append(parts, "≤ "+e.Max.String())
	}
	return strings.Join(parts, ", ")
}

// window returns the window of the metric. Its formulas may use values of the
// scenario and laws, but no metrics.
func (e Expectation) window(s *scenario) (analysis.Window, error) {
	var w analysis.Window
	for _, f := range []struct {
		key     string
		formula *formula.Formula
		to      *time.Duration
	}{{"from", e.From, &w.From}, {"to", e.To, &w.To}} {
		if f.formula == nil {
			continue
		}
		q, err := f.formula.Eval(s.scope(nil))
		if err != nil {
			return w, fmt.Errorf("%s: %w", f.key, err)
		}
		if q.Dimension != formula.Time || q.Value < 0 || q.Value > maxTime.Seconds() {
			return w, fmt.Errorf("%s: %q is %v; expected a time from 0s to %v", f.key, f.formula, q, maxTime)
		}
		*f.to = time.Duration(math.Round(q.Value * float64(time.Second)))
	}
	if w.To != 0 && w.From >= w.To {
		return w, fmt.Errorf("the window from %v to %v is empty", w.From, w.To)
	}
	return w, nil
}

// maxTime bounds the times of windows.
const maxTime = 1000 * time.Hour

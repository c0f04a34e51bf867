package baseline

import (
	"fmt"
	"strings"

	"github.com/wtsim/wtsim/analysis/quantity"
)

// String says in a few words what the comparison found, such as "2 worse, 1 better".
func (c *Comparison) String() string {
	switch {
	case c.Absent:
		return "there is none"
	case c.Identical:
		return "identical"
	}
	var parts []string
	if c.Scenario {
		parts = append(parts, "another scenario")
	}
	if c.Common == 0 {
		parts = append(parts, "no common seed")
	}
	counts := make(map[Verdict]int)
	for _, x := range c.Changes {
		counts[x.Verdict]++
	}
	for _, v := range []Verdict{Worse, Better, Unsure, Negligible} {
		if n := counts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	if n := len(c.Missing); n > 0 {
		parts = append(parts, fmt.Sprintf("%d missing", n))
	}
	if n := len(c.New); n > 0 {
		parts = append(parts, fmt.Sprintf("%d new", n))
	}
	if len(parts) == 0 {
		return "other packets, same metrics"
	}
	return strings.Join(parts, ", ")
}

// Words is a change as people read it.
type Words struct {
	Base, Now  string // the means, such as "18.0 Mbit/s"
	Difference string // with its sign
	Interval   string // of the difference; empty where there are too few seeds for one
	Relative   string // such as "−3.20 %"; empty where the base is 0
}

// Words returns the change in words.
func (c Change) Words() Words {
	show := func(value float64) string { return quantity.Format(c.Metric, value, c.Unit) }
	w := Words{Base: show(c.Base.Mean.Value), Now: show(c.Now.Mean.Value), Difference: quantity.Signed(show(c.Difference.Value))}
	if i := c.Difference.Interval; i.Exists() {
		w.Interval = quantity.Between(c.Metric, i.Low, i.High, c.Unit)
	}
	if share, ok := c.Relative(); ok {
		w.Relative = quantity.Signed(quantity.Significant(100*share)) + " %"
	}
	return w
}

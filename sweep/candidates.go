package sweep

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis"
)

// Bounds of the metrics that figures and tables of a study show, and of those that are
// taken into account.
const (
	mostChosen     = 8  // if the study names none
	mostNamed      = 24 // if it does
	mostCandidates = 64
)

// candidate is a metric that may be shown, with its value in each run: NaN in one
// that does not have it.
type candidate struct {
	quantity Quantity
	first    int // index in the metrics of the first run that has it
	values   []float64
}

// of returns the values of a cell, of all its seeds.
func (c *candidate) of(cell, seeds int) []float64 { return c.values[cell*seeds : (cell+1)*seeds] }

// varies reports whether not all runs have the same value.
func (c *candidate) varies() bool {
	least, most := math.Inf(1), math.Inf(-1)
	for _, v := range c.values {
		if !math.IsNaN(v) {
			least, most = min(least, v), max(most, v)
		}
	}
	return least < most
}

// candidates are the metrics that may be shown: those that the study names, or else those by
// which a change is judged.
type candidates struct {
	runs   int
	globs  []string
	byName map[string]*candidate
	all    []*candidate
	over   []string // names of those beyond the bound
}

func newCandidates(study *Study) candidates {
	return candidates{runs: study.Runs(), globs: study.Metrics, byName: map[string]*candidate{}}
}

// add takes the metrics of a run.
func (c *candidates) add(run int, metrics analysis.Metrics) error {
	for i, m := range metrics {
		known := c.byName[m.Name]
		if known == nil {
			if !c.wanted(m) {
				continue
			}
			if len(c.all) == mostCandidates {
				if len(c.over) < mostCandidates && !slices.Contains(c.over, m.Name) {
					c.over = append(c.over, m.Name)
				}
				continue
			}
			known = &candidate{quantity: Quantity{m.Name, m.Entity, m.Unit}, first: i, values: slices.Repeat([]float64{math.NaN()}, c.runs)}
			c.byName[m.Name] = known
			c.all = append(c.all, known)
		}
		if m.Unit != known.quantity.Unit {
			return fmt.Errorf("the unit of %s is %q in some runs and %q in others: different versions of wtsim made them", m.Name, known.quantity.Unit, m.Unit)
		}
		known.values[run] = m.Value
	}
	return nil
}

func (c *candidates) wanted(m analysis.Metric) bool {
	if len(c.globs) == 0 {
		_, ok := m.Headline()
		return ok
	}
	return c.glob(m.Name) < len(c.globs)
}

// glob returns the index of the first of the study's metrics that a name matches, and their
// number if there is none.
func (c *candidates) glob(name string) int {
	i := slices.IndexFunc(c.globs, func(glob string) bool { return matches(glob, name) })
	if i < 0 {
		return len(c.globs)
	}
	return i
}

func matches(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return glob == name || ok && err == nil
}

// importance orders the metrics of a study that names none: the goodput of bulk flows, the
// delays of messages, and those of queues, then the other metrics of flows, and the rest.
// What does not vary comes last.
func (c *candidates) importance(x *candidate) int {
	name, entity := x.quantity.Name, x.quantity.Entity
	of := strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(name, entity), ".mean"), ".")
	paced := slices.ContainsFunc(c.all, func(o *candidate) bool {
		return o.quantity.Entity == entity && strings.HasPrefix(o.quantity.Name, entity+".messages.")
	})
	rank := 4
	switch {
	case of == "goodput" && !paced:
		rank = 0
	case of == "messages.delay.p95", of == "messages.rtt.p95":
		rank = 1
	case of == "queue_delay.p95":
		rank = 2
	case strings.HasPrefix(entity, "flows."), strings.Contains(entity, ".flows."):
		rank = 3
	}
	if !x.varies() {
		rank += 5
	}
	return rank
}

// choose returns the metrics to show, the names of further ones, and what the study names
// that no run has.
func (c *candidates) choose() (chosen []*candidate, leftOut, unmatched []string) {
	most, rank := mostNamed, func(x *candidate) int { return c.glob(x.quantity.Name) }
	if len(c.globs) == 0 {
		most = mostChosen
		rank = c.importance
	}
	slices.SortStableFunc(c.all, func(a, b *candidate) int {
		return cmp.Or(rank(a)-rank(b), a.first-b.first, strings.Compare(a.quantity.Name, b.quantity.Name))
	})
	chosen = c.all[:min(most, len(c.all))]
	for _, x := range c.all[len(chosen):] {
		leftOut = append(leftOut, x.quantity.Name)
	}
	for _, glob := range c.globs {
		if !slices.ContainsFunc(c.all, func(x *candidate) bool { return matches(glob, x.quantity.Name) }) {
			unmatched = append(unmatched, glob)
		}
	}
	return chosen, append(leftOut, c.over...), unmatched
}

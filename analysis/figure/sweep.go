package figure

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/seeds"
)

// Sweep is what the figures over several runs show: metrics of sets of runs.
// The runs of a set differ in their seeds only.
type Sweep struct {
	Name    string   // such as "quickstart"; it ends every title
	Varied  []string // paths of the values in which the sets differ
	Sets    []RunSet
	Metrics []Quantity // in the order in which they are shown
}

// RunSet is one set of runs.
type RunSet struct {
	Label  string   // what it differs in from the others, such as "5Mbit/s, codel"
	Values []string // of what is varied, as text; empty for none
	Runs   []SeedRun
}

// SeedRun is what one run achieved.
type SeedRun struct {
	Seed   uint64
	Values map[string]float64 // of metrics by their names; a run does not have all of them
}

// Quantity is a metric.
type Quantity struct {
	Name  string // such as "flows.bulk.goodput"
	Short string // the name without what it is of, such as "goodput"
	Unit  string // as package analysis has it
}

// mostMetrics bounds the metrics of a figure: more do not fit on a page.
const mostMetrics = 12

// FromSets returns what the figures over sets of runs show of the metrics that
// are selected. If selected is nil, these are the goodput of bulk flows, the
// queueing delay where it is the longest, and the delay of messages; of groups
// their means. The sets are in the order of the values in which they differ.
func FromSets(sets []seeds.Set, selected func(analysis.Metric) bool) (Sweep, error) {
	s := Sweep{Name: nameOf(sets), Varied: seeds.Varied(sets)}
	if selected == nil {
		selected = usual(sets)
	}
	known := map[string]Quantity{}
	labels := labelsOf(sets, s.Varied)
	for i, set := range sets {
		out := RunSet{Label: labels[i]}
		for _, path := range s.Varied {
			out.Values = append(out.Values, set.Value(path))
		}
		for _, run := range set.Runs {
			values := map[string]float64{}
			for _, m := range run.Metrics {
				if !selected(m) {
					continue
				}
				q, ok := known[m.Name]
				if !ok {
					q = Quantity{m.Name, strings.TrimPrefix(strings.TrimPrefix(m.Name, m.Entity), "."), m.Unit}
					known[m.Name] = q
					s.Metrics = append(s.Metrics, q)
				}
				if m.Unit != q.Unit {
					return Sweep{}, fmt.Errorf("the unit of %s is %q in some runs and %q in others: different versions of wtsim made them", m.Name, q.Unit, m.Unit)
				}
				values[m.Name] = m.Value
			}
			out.Runs = append(out.Runs, SeedRun{run.Seed, values})
		}
		s.Sets = append(s.Sets, out)
	}
	s.sort()
	switch n := len(s.Metrics); {
	case n == 0:
		return Sweep{}, errors.New("the runs have no such metric")
	case n > mostMetrics:
		return Sweep{}, fmt.Errorf("%d metrics are selected; a figure has room for %d", n, mostMetrics)
	}
	return s, nil
}

// sort puts the sets in the order of the values in which they differ.
func (s *Sweep) sort() {
	places := make([][]string, len(s.Varied))
	for i := range s.Varied {
		places[i] = s.valuesOf(i)
	}
	slices.SortStableFunc(s.Sets, func(a, b RunSet) int {
		for i, values := range places {
			if c := slices.Index(values, a.Values[i]) - slices.Index(values, b.Values[i]); c != 0 {
				return c
			}
		}
		return 0
	})
}

// valuesOf returns the values that the sets have of the i-th path, each once:
// what is not there, then numbers and quantities by their size, then words as
// they come.
func (s *Sweep) valuesOf(i int) []string {
	var out []string
	for _, set := range s.Sets {
		if !slices.Contains(out, set.Values[i]) {
			out = append(out, set.Values[i])
		}
	}
	slices.SortStableFunc(out, compareValues)
	return out
}

// usual selects the metrics that are shown if nothing else is said.
func usual(sets []seeds.Set) func(analysis.Metric) bool {
	var goodputs, messages []string
	paced := map[string]bool{} // entities that send messages at their own pace
	queue, longest := "", 0.0
	for _, set := range sets {
		for _, run := range set.Runs {
			for _, m := range run.Metrics {
				name := strings.TrimSuffix(m.Name, ".mean") // of a group
				switch {
				case m.Member:
				case strings.HasSuffix(name, ".goodput"):
					goodputs = append(goodputs, m.Name)
				case strings.HasSuffix(name, ".messages.sent"):
					paced[m.Entity] = true
				case strings.HasSuffix(name, ".messages.delay.p95"), strings.HasSuffix(name, ".messages.rtt.p95"):
					messages = append(messages, m.Name)
				case strings.HasSuffix(m.Name, ".queue_delay.p95") && m.Value > longest:
					queue, longest = m.Name, m.Value
				}
			}
		}
	}
	first := func(names []string, most int) []string {
		var out []string
		for _, name := range names {
			if len(out) < most && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
		return out
	}
	if bulk := slices.DeleteFunc(slices.Clone(goodputs), func(name string) bool {
		return paced[strings.TrimSuffix(strings.TrimSuffix(name, ".mean"), ".goodput")]
	}); len(bulk) > 0 {
		goodputs = bulk
	}
	names := append(append(first(goodputs, 3), first(messages, 2)...), queue)
	return func(m analysis.Metric) bool { return !m.Member && slices.Contains(names, m.Name) }
}

// nameOf names the scenarios of sets, and of one set its overrides.
func nameOf(sets []seeds.Set) string {
	manner := outside(sets[0].Manner)
	if slices.ContainsFunc(sets, func(s seeds.Set) bool { return s.Manner != sets[0].Manner }) {
		manner = "" // labels say it
	}
	if len(sets) == 1 {
		return sets[0].Describe() + manner
	}
	var names []string
	for _, s := range sets {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, ", ") + manner
}

// mostVaried bounds the values that a label has room for.
const mostVaried = 4

// labelsOf tells sets apart by what varies, or else by their folders.
func labelsOf(sets []seeds.Set, varied []string) []string {
	if len(sets) == 1 {
		runs := sets[0].Runs
		return []string{fmt.Sprintf("seeds %d to %d", runs[0].Seed, runs[len(runs)-1].Seed)}
	}
	labels := make([]string, len(sets))
	for i, s := range sets {
		var parts []string
		if slices.ContainsFunc(sets, func(other seeds.Set) bool { return other.Name != s.Name }) {
			parts = append(parts, s.Name)
		}
		if slices.ContainsFunc(sets, func(other seeds.Set) bool { return other.Manner != s.Manner }) {
			parts = append(parts, s.Manner.InWords())
		}
		if len(varied) <= mostVaried {
			for _, path := range varied {
				parts = append(parts, orNone(s.Value(path)))
			}
		}
		labels[i] = strings.Join(parts, ", ")
	}
	plain := slices.Clone(labels)
	for i, s := range sets {
		alike := false
		for j := range plain {
			alike = alike || j != i && plain[j] == plain[i]
		}
		if alike || plain[i] == "" {
			labels[i] = strings.TrimPrefix(plain[i]+", "+folderOf(s), ", ")
		}
	}
	return labels
}

// folderOf returns the folder of a run, or that of several.
func folderOf(s seeds.Set) string {
	if len(s.Runs) == 1 {
		return s.Runs[0].Dir
	}
	return filepath.Dir(s.Runs[0].Dir)
}

// by says in a title what the labels of the sets are values of.
func (s Sweep) by() string {
	if len(s.Varied) == 0 || len(s.Varied) > mostVaried {
		return ""
	}
	var names []string
	for _, path := range s.Varied {
		names = append(names, shortPath(path, s.Varied))
	}
	last := len(names) - 1
	if last == 0 {
		return ", by " + names[0]
	}
	return ", by " + strings.Join(names[:last], ", ") + " and " + names[last]
}

// shortPath returns the last two names of a path, or all if another path ends in
// the same.
func shortPath(path string, all []string) string {
	end := func(path string) string {
		names := strings.Split(path, ".")
		return strings.Join(names[max(0, len(names)-2):], ".")
	}
	for _, other := range all {
		if other != path && end(other) == end(path) {
			return path
		}
	}
	return end(path)
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// values returns the values of a metric over the runs of a set, and their seeds.
func (r RunSet) values(metric string) (values []float64, of []uint64) {
	for _, run := range r.Runs {
		if v, ok := run.Values[metric]; ok {
			values, of = append(values, v), append(of, run.Seed)
		}
	}
	return values, of
}

// identify returns what the CSV files have of a set, below identity.
func (r RunSet) identify() []string { return append([]string{r.Label}, r.Values...) }

// identity returns the columns that tell sets apart in CSV files.
func (s Sweep) identity() []string { return append([]string{"set"}, s.Varied...) }

// runs counts the runs of all sets, and those of the largest.
func (s Sweep) runs() (all, most int) {
	for _, set := range s.Sets {
		all, most = all+len(set.Runs), max(most, len(set.Runs))
	}
	return all, most
}

// scalesOf returns the units in which a metric is shown.
func scalesOf(q Quantity) []scale {
	switch q.Unit {
	case "bit/s":
		return bitRates
	case "B":
		return amounts
	case "s":
		return times
	case "1", "packets":
		return shares
	}
	return []scale{{q.Unit, 1}}
}

package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/analysis/stat"
)

// comparison is what the report says of several sets of runs together.
type comparison struct {
	Changes   []string // what the scenarios of two sets differ in
	Table     table
	Notes     []string
	Headlines []string // what differs most, of two sets
	Over      []picture
}

// mostChanges bounds the values that two scenarios differ in.
const mostChanges = 20

// compareTwo compares two sets as the command compare does.
func compareTwo(a, b seeds.Set, o Options) (comparison, error) {
	c, err := seeds.Compare(a, b, seeds.Options{Confidence: o.Confidence, Select: o.Select})
	if err != nil {
		return comparison{}, err
	}
	var out comparison
	if a.Manner != b.Manner {
		out.Changes = append(out.Changes, a.Manner.InWords()+" → "+b.Manner.InWords())
	}
	changes := seeds.Changes(a, b)
	for _, change := range changes[:min(len(changes), mostChanges)] {
		out.Changes = append(out.Changes, change.String())
	}
	if more := len(changes) - mostChanges; more > 0 {
		out.Changes = append(out.Changes, fmt.Sprintf("… and %d more", more))
	}
	if a.Versions != b.Versions {
		out.Changes = append(out.Changes, fmt.Sprintf("versions: %v → %v", a.Versions, b.Versions))
	}
	interval := share(c.Confidence) + " interval"
	out.Table = table{ID: "comparison", Title: "B against A", Columns: []header{
		{Title: "metric", Text: true}, {Title: "A"}, {Title: "B"}, {Title: "difference"},
		{Title: interval, Text: true}, {Title: "change"}, {Title: "n", Text: true}, {Title: "real?", Text: true},
	}}
	same, paired, unpaired, tested := 0, false, false, 0
	for _, r := range c.Rows {
		if r.Difference.Interval.Exists() {
			tested++
		}
		if r.Verdict == seeds.Same {
			same++
			continue
		}
		paired, unpaired = paired || r.Paired, unpaired || !r.Paired
		if len(out.Table.Rows) == mostRows {
			out.Table.More++
			continue
		}
		out.Table.Rows = append(out.Table.Rows, comparisonRow(r))
		if r.Verdict == seeds.Real && len(out.Headlines) < 3 {
			out.Headlines = append(out.Headlines, headline(r))
		}
	}
	note := func(when bool, format string, args ...any) {
		if when {
			out.Notes = append(out.Notes, fmt.Sprintf(format, args...))
		}
	}
	note(len(out.Table.Rows) == 0, "No metric differs.")
	note(paired, "Differences are B − A with the same seed, n of them; intervals and tests are Student's t.")
	note(unpaired, "Where n is two numbers, too few seeds are common for pairs; intervals and tests there are Welch's t.")
	note(tested > 0, "Real is “yes” where the interval excludes 0 and the test holds at %s after Holm's correction for %s, “perhaps” where it does not hold after that, and “no” where chance alone can explain the difference.",
		share(1-c.Confidence), quantity.Count(tested, "metric"))
	note(slices.ContainsFunc(c.Rows, func(r seeds.Row) bool { return r.Verdict == seeds.Unknown }), "Unknown: nothing can be said of chance with so few seeds.")
	note(same > 0, "Left out: %s without any difference.", quantity.Count(same, "metric"))
	note(len(c.OnlyA) > 0, "Only A has %s.", firstOf(c.OnlyA))
	note(len(c.OnlyB) > 0, "Only B has %s.", firstOf(c.OnlyB))
	note(c.Identical > 0, "Of %s, %d gave the same packets in A and B.", quantity.Count(len(c.Common), "common seed"), c.Identical)
	return out, nil
}

func comparisonRow(r seeds.Row) row {
	show := func(value float64) string { return quantity.Format(r.Name, value, r.Unit) }
	d := r.Difference
	interval, change, changeKey := "", "", ""
	if d.Interval.Exists() {
		interval = quantity.Between(r.Name, d.Interval.Low, d.Interval.High, r.Unit)
	}
	if x, ok := r.Change(); ok {
		change, changeKey = quantity.Signed(quantity.Significant(100*x))+" %", key(math.Abs(x))
		if x == 0 {
			change = "0 %"
		}
	}
	n := fmt.Sprint(d.N)
	if !r.Paired {
		n = fmt.Sprintf("%d, %d", r.A.Mean.N, r.B.Mean.N)
	}
	return row{r.Name, []cell{
		{Text: show(r.A.Mean.Value), Key: key(r.A.Mean.Value)},
		{Text: show(r.B.Mean.Value), Key: key(r.B.Mean.Value)},
		{Text: quantity.Signed(show(d.Value)), Key: key(d.Value)},
		{Text: interval, Key: key(d.Interval.Low), Class: "text"},
		{Text: change, Key: changeKey},
		{Text: n, Key: fmt.Sprint(d.N), Class: "text"},
		{Text: string(r.Verdict), Key: string(r.Verdict), Class: "text verdict-" + string(r.Verdict)},
	}}
}

// headline says in one sentence how a metric differs.
func headline(r seeds.Row) string {
	show := func(value float64) string { return quantity.Format(r.Name, value, r.Unit) }
	s := fmt.Sprintf("%s: %s in A, %s in B", r.Name, show(r.A.Mean.Value), show(r.B.Mean.Value))
	if x, ok := r.Change(); ok {
		s += fmt.Sprintf(" (%s %%)", quantity.Signed(quantity.Significant(100*x)))
	}
	return s + "."
}

// firstOf lists the first names of some.
func firstOf(names []string) string {
	s := ""
	for i, name := range names[:min(len(names), 5)] {
		if i > 0 {
			s += ", "
		}
		s += name
	}
	if more := len(names) - 5; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// compareMany puts the means of three sets or more beside each other.
func compareMany(all []seeds.Set, o Options) (comparison, error) {
	t := table{ID: "comparison", Title: "All sets", Columns: []header{{Title: "metric", Text: true}}}
	at := map[string]int{}
	for i, s := range all {
		t.Columns = append(t.Columns, header{Title: letterOf(i)})
		metrics, err := s.Summarize(seeds.Options{Confidence: o.Confidence, Select: o.Select})
		if err != nil {
			return comparison{}, err
		}
		for _, m := range metrics {
			j, known := at[m.Name]
			if !known {
				if len(t.Rows) == mostRows {
					t.More++
					continue
				}
				j = len(t.Rows)
				at[m.Name] = j
				t.Rows = append(t.Rows, row{Name: m.Name, Cells: make([]cell, len(all))})
			}
			t.Rows[j].Cells[i] = cell{Text: estimate(m.Name, m.Mean, m.Unit), Key: key(m.Mean.Value)}
		}
	}
	return comparison{Table: t, Notes: []string{intervalNote(o.Confidence)}}, nil
}

// intervalNote says what ± is.
func intervalNote(confidence float64) string {
	return fmt.Sprintf("±: the %s confidence interval of the mean over the seeds (Student's t).", share(confidence))
}

// summaryTable returns the metrics of a set over its seeds.
func summaryTable(s seeds.Set, o Options) (table, error) {
	metrics, err := s.Summarize(seeds.Options{Confidence: o.Confidence, Select: o.Select})
	if err != nil {
		return table{}, err
	}
	t := table{
		ID: "seeds", Title: fmt.Sprintf("Metrics over %s", quantity.Count(len(s.Runs), "seed")),
		Columns: []header{{Title: "metric", Text: true}, {Title: "mean"}, {Title: "median"}, {Title: "min"}, {Title: "max"}, {Title: "n"}},
		Note:    "n: the seeds that have a value. " + intervalNote(o.Confidence),
	}
	for _, m := range metrics {
		if len(t.Rows) == mostMetrics {
			t.More++
			continue
		}
		number := func(v float64) cell { return cell{Text: quantity.Format(m.Name, v, m.Unit), Key: key(v)} }
		t.Rows = append(t.Rows, row{m.Name, []cell{
			{Text: estimate(m.Name, m.Mean, m.Unit), Key: key(m.Mean.Value)},
			number(m.Median), number(m.Min), number(m.Max),
			{Text: fmt.Sprint(m.Mean.N), Key: fmt.Sprint(m.Mean.N)},
		}})
	}
	return t, nil
}

// estimate writes an estimate with its interval, if it has one.
func estimate(name string, e stat.Estimate, unit string) string {
	if !e.Interval.Exists() {
		return quantity.Format(name, e.Value, unit)
	}
	return quantity.PlusMinus(name, e.Value, e.Interval.High-e.Value, unit)
}

// share writes a confidence in per cent.
func share(x float64) string { return fmt.Sprintf("%.4g %%", 100*x) }

// letterOf names a set of several.
func letterOf(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return fmt.Sprintf("%s%d", string(rune('A'+i%26)), i/26)
}

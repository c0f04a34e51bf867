package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/sim/record"
)

// compareFlags are the flags of the command compare.
type compareFlags struct {
	all, json  bool
	globs      []string
	confidence float64
	method     string
}

// methods are the values of the flags --method.
var methods = map[string]stat.Method{"student": stat.Student, "bootstrap": stat.BootstrapBCa, "wilcoxon": stat.Wilcoxon}

func newCompare() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Compare runs over their seeds: what differs, and whether it is real",
		Long: `Compare reads the metrics of two recordings, or of two folders of recordings
that differ in their seeds, such as results/runs/NAME/OVERRIDES, and prints what
B achieved against A, what differs most first.

Runs of the same seed belong together: the interval is that of the mean of their
differences (Student's t; --method bootstrap: BCa, 10,000 resamples of a fixed
seed; --method wilcoxon: of the pseudo-median). Without two
common seeds it is Welch's, of unpaired values. Recordings of one folder must
differ in their seeds only; what the scenarios of A and B differ in is printed.
A difference is real ("yes") if
the interval excludes 0 and the test holds after Holm's correction for the
number of metrics compared, "perhaps" if only the interval does, and "no" if
chance alone can explain it. One seed says nothing of chance. Where runs are not
simulated, but in real time or emulated, that is printed for both.

Exit status: 0 whatever differs, 2 if there is nothing to compare.`,
		Example: `  wtsim compare results/runs/quickstart/default results/runs/quickstart/links.access.loss.p=0.02
  wtsim compare results/runs/quickstart/default results/runs/quickstart/default,real-time
  wtsim compare before after --metric 'flows.*.goodput' --confidence 0.99 --json`,
		Args: arguments(func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("expected two folders, A and B, got %d arguments", len(args))
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return &usageError{cmd, err}
			}
			return f.compare(cmd.OutOrStdout(), args[0], args[1])
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.all, "all", false, "compare every metric, not only those that the summary of a run shows")
	flags.StringArrayVar(&f.globs, "metric", nil, "compare the metrics whose names match a `glob`, such as 'links.*.loss_ratio'; may be repeated")
	flags.Float64Var(&f.confidence, "confidence", confidence, "`confidence` of the intervals, and 1 less the level of the tests")
	flags.StringVar(&f.method, "method", "student", "`method` for paired differences: student, bootstrap (BCa) or wilcoxon")
	flags.BoolVar(&f.json, "json", false, "print one JSON object")
	cmd.RegisterFlagCompletionFunc("method", cobra.FixedCompletions([]string{"student", "bootstrap", "wilcoxon"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (f *compareFlags) check() error {
	if !(f.confidence > 0 && f.confidence < 1) {
		return fmt.Errorf("--confidence is %v; expected a number above 0 and below 1, such as 0.95", f.confidence)
	}
	if _, known := methods[f.method]; !known {
		return fmt.Errorf("--method is %q; expected student, bootstrap or wilcoxon", f.method)
	}
	if f.all && len(f.globs) > 0 {
		return errors.New("--all and --metric exclude each other")
	}
	return checkGlobs(f.globs)
}

// selects reports whether a metric is to be compared.
func (f *compareFlags) selects(m analysis.Metric) bool {
	switch {
	case f.all:
		return true
	case len(f.globs) == 0:
		return important(m)
	}
	return matchesAny(f.globs, m)
}

func (f *compareFlags) compare(out io.Writer, pathA, pathB string) error {
	a, err := seeds.Read(pathA)
	if err != nil {
		return &inputError{err}
	}
	b, err := seeds.Read(pathB)
	if err != nil {
		return &inputError{err}
	}
	c, err := seeds.Compare(a, b, seeds.Options{Confidence: f.confidence, Method: methods[f.method], Select: f.selects})
	if err != nil {
		return &inputError{err}
	}
	if len(c.Rows)+len(c.OnlyA)+len(c.OnlyB) == 0 {
		if len(f.globs) > 0 {
			return &inputError{fmt.Errorf("no metric of A or B matches %s; see 'wtsim list metrics'", strings.Join(f.globs, " or "))}
		}
		return &inputError{errors.New("neither A nor B has a metric to compare")}
	}
	if f.json {
		return f.encode(out, pathA, pathB, a, b, c)
	}
	return f.print(out, pathA, pathB, a, b, c)
}

func (f *compareFlags) print(out io.Writer, pathA, pathB string, a, b seeds.Set, c seeds.Comparison) error {
	var s strings.Builder
	fmt.Fprintf(&s, "A  %s: %s, %s\n", pathA, a.Describe(), seedsOf(a)+mannerOf(a, b))
	fmt.Fprintf(&s, "B  %s: %s, %s\n", pathB, b.Describe(), seedsOf(b)+mannerOf(b, a))
	changes := seeds.Changes(a, b)
	for _, change := range changes[:min(len(changes), mostFailures)] {
		fmt.Fprintf(&s, "   %s\n", change)
	}
	if more := len(changes) - mostFailures; more > 0 {
		fmt.Fprintf(&s, "   … and %d more\n", more)
	}
	if a.Versions != b.Versions {
		fmt.Fprintf(&s, "   wtsim, quic-go, Go and system: %v → %v\n", a.Versions, b.Versions)
	}
	if len(c.Rows) > 0 {
		t := newTable("metric", "A", "B", "difference", percent(f.confidence)+" interval", "change", "n", "real?")
		t.SuppressEmptyColumns()
		same := 0
		for _, r := range c.Rows {
			if r.Verdict == seeds.Same && !f.all && len(f.globs) == 0 {
				same++
				continue
			}
			t.AppendRow(compareRow(r))
		}
		if same < len(c.Rows) {
			fmt.Fprintf(&s, "\n%s\n", t.Render())
		}
		if same > 0 {
			fmt.Fprintf(&s, "\nLeft out: %s without any difference; see --all.\n", quantity.Count(same, "metric"))
		}
		fmt.Fprintf(&s, "\n%s", f.legend(c))
	}
	notes(&s, "Only A has", c.OnlyA)
	notes(&s, "Only B has", c.OnlyB)
	if c.Identical > 0 {
		fmt.Fprintf(&s, "Of %d common seeds, %d gave the same packets in A and B.\n", len(c.Common), c.Identical)
	}
	_, err := io.WriteString(out, s.String())
	return err
}

func compareRow(r seeds.Row) table.Row {
	show := func(value float64) string { return quantity.Format(r.Name, value, r.Unit) }
	d := r.Difference
	interval, change := "", ""
	if d.Interval.Exists() {
		interval = quantity.Between(r.Name, d.Interval.Low, d.Interval.High, r.Unit)
	}
	if x, ok := r.Change(); ok {
		if change = "0 %"; x != 0 {
			change = quantity.Signed(quantity.Significant(100*x)) + " %"
		}
	}
	n := fmt.Sprint(d.N)
	if !r.Paired {
		n = fmt.Sprintf("%d, %d", r.A.Mean.N, r.B.Mean.N)
	}
	return table.Row{r.Name, show(r.A.Mean.Value), show(r.B.Mean.Value), quantity.Signed(show(d.Value)), interval, change, n, string(r.Verdict)}
}

// legend says how the columns came about.
func (f *compareFlags) legend(c seeds.Comparison) string {
	var s strings.Builder
	has := func(of func(seeds.Row) bool) bool { return slices.ContainsFunc(c.Rows, of) }
	interval := func(r seeds.Row) bool { return r.Difference.Interval.Exists() }
	tested := 0
	for _, r := range c.Rows {
		if interval(r) {
			tested++
		}
	}
	if has(func(r seeds.Row) bool { return r.Paired }) {
		s.WriteString("Differences are B − A with the same seed, n of them")
		switch {
		case !has(func(r seeds.Row) bool { return r.Paired && interval(r) }):
			s.WriteString(".\n")
		case f.method == "bootstrap":
			s.WriteString("; intervals and tests are of the bootstrap (BCa,\n10,000 resamples), which are too sure with fewer than ten seeds.\n")
		case f.method == "wilcoxon":
			s.WriteString("; each row shows their pseudo-median,\nand the interval and test are of Wilcoxon's signed ranks.\n")
		default:
			s.WriteString("; intervals and tests are Student's t.\n")
		}
	}
	if has(func(r seeds.Row) bool { return !r.Paired }) {
		s.WriteString("Where n is two numbers, the seeds of A and of B, too few are common for pairs")
		if has(func(r seeds.Row) bool { return !r.Paired && interval(r) }) {
			s.WriteString("; the intervals\nand tests there are Welch's t")
		}
		s.WriteString(".\n")
	}
	if has(func(r seeds.Row) bool { return r.Paired && r.Difference.N < len(c.Common) }) {
		s.WriteString("A smaller n leaves out seeds without a value, such as of a flow that did not complete.\n")
	}
	switch {
	case tested == 1:
		s.WriteString("real? is yes where the interval excludes 0, no where it does not.\n")
	case tested > 1:
		level := percent(1 - f.confidence)
		fmt.Fprintf(&s, "real? is yes where the interval excludes 0 and the test holds at %s after Holm's correction\n", level)
		fmt.Fprintf(&s, "for %s; perhaps where it does not hold after that; no where the interval includes 0.\n", quantity.Count(tested, "metric"))
	}
	if has(func(r seeds.Row) bool { return r.Verdict == seeds.Unknown }) {
		s.WriteString("unknown: nothing can be said of chance with so few seeds; try wtsim run --seeds 10.\n")
	}
	return s.String()
}

// notes lists the first of some metrics.
func notes(s *strings.Builder, title string, names []string) {
	if len(names) == 0 {
		return
	}
	shown := names[:min(len(names), mostFailures)]
	fmt.Fprintf(s, "%s: %s", title, strings.Join(shown, ", "))
	if more := len(names) - len(shown); more > 0 {
		fmt.Fprintf(s, ", and %d more", more)
	}
	s.WriteString("\n")
}

func seedsOf(s seeds.Set) string {
	first, last := s.Runs[0].Seed, s.Runs[len(s.Runs)-1].Seed
	if first == last {
		return fmt.Sprintf("seed %d", first)
	}
	return fmt.Sprintf("%d seeds, %d to %d", len(s.Runs), first, last)
}

// mannerOf says how the runs of a set came about, if that is worth a word beside
// another set.
func mannerOf(s, other seeds.Set) string {
	if s.Manner == record.MannerSimulated && other.Manner == record.MannerSimulated {
		return ""
	}
	return ", " + s.Manner.InWords()
}

// round takes away what is left of the rounding of decimal numbers.
func round(x float64) float64 { return math.Round(x*1e9) / 1e9 }

// encode writes the comparison for programs.
func (f *compareFlags) encode(out io.Writer, pathA, pathB string, a, b seeds.Set, c seeds.Comparison) error {
	type side struct {
		Path      string        `json:"path"`
		Scenario  string        `json:"scenario"`
		Overrides []string      `json:"overrides,omitempty"`
		Manner    record.Manner `json:"manner,omitempty"`
		Seeds     []uint64      `json:"seeds"`
	}
	sideOf := func(path string, s seeds.Set) side {
		x := side{path, s.Name, s.Overrides, s.Manner, nil}
		for _, run := range s.Runs {
			x.Seeds = append(x.Seeds, run.Seed)
		}
		return x
	}
	return json.NewEncoder(out).Encode(struct {
		A          side           `json:"a"`
		B          side           `json:"b"`
		Changes    []seeds.Change `json:"changes,omitempty"`
		Common     []uint64       `json:"common_seeds,omitempty"`
		Identical  int            `json:"identical_runs"`
		Confidence float64        `json:"confidence"`
		Metrics    []seeds.Row    `json:"metrics"`
		OnlyA      []string       `json:"only_a,omitempty"`
		OnlyB      []string       `json:"only_b,omitempty"`
	}{sideOf(pathA, a), sideOf(pathB, b), seeds.Changes(a, b), c.Common, c.Identical, c.Confidence, c.Rows, c.OnlyA, c.OnlyB})
}

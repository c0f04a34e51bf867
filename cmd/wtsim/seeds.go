package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/sim/record"
)

// confidence of intervals, unless a flag says otherwise.
const confidence = 0.95

// important reports whether the summary of a run shows a metric.
func important(m analysis.Metric) bool {
	return m.Name == "fairness.jain" || !m.Member && slices.ContainsFunc(sections, func(s section) bool { return s.shows(m) })
}

// setOf puts runs together that differ in their seeds.
func setOf(outcomes []outcome) seeds.Set {
	set := seeds.Set{Name: outcomes[0].Name, Overrides: outcomes[0].Overrides}
	for _, o := range outcomes {
		set.Runs = append(set.Runs, seeds.Run{Seed: o.Seed, Fingerprint: o.Fingerprint, Metrics: o.Metrics})
	}
	return set
}

// printSeeds writes the summary of runs that differ in their seeds.
func printSeeds(out io.Writer, outcomes []outcome, verdicts []expect.Verdict, method stat.Method) error {
	metrics, err := setOf(outcomes).Summarize(seeds.Options{Confidence: confidence, Method: method, Select: important})
	if err != nil {
		return err
	}
	var b strings.Builder
	first, last := outcomes[0], outcomes[len(outcomes)-1]
	fmt.Fprintf(&b, "%s, seeds %d to %d%s\n\n", first.Name, first.Seed, last.Seed, with(first.Overrides))
	t := newTable("metric", "mean", "min", "25 %", "median", "75 %", "max", "n")
	for _, m := range metrics {
		show := func(value float64) string { return quantity.Format(m.Name, value, m.Unit) }
		t.AppendRow(table.Row{m.Name, estimate(m.Name, m.Mean, m.Unit), show(m.Min), show(m.Q1), show(m.Median), show(m.Q3), show(m.Max), m.Mean.N})
	}
	fmt.Fprintf(&b, "%s\n", t.Render())
	fmt.Fprintf(&b, "n: the seeds that have a value; %s\n\n", intervalNote(method))
	runs := newTable("seed", "fingerprint", "virtual", "wall", "speed", "datagrams", "ended")
	for _, o := range outcomes[:min(len(outcomes), mostRows)] {
		runs.AppendRow(table.Row{o.Seed, o.Fingerprint, quantity.Duration(o.Virtual.Seconds()), quantity.Duration(o.Wall.Seconds()),
			speed(o.Virtual, o.Wall), o.Datagrams, o.Ended})
	}
	fmt.Fprintf(&b, "%s\n", runs.Render())
	if more := len(outcomes) - mostRows; more > 0 {
		fmt.Fprintf(&b, "… and %d more\n", more)
	}
	printVerdicts(&b, verdicts)
	printUnrecorded(&b, first)
	printLatest(&b, outcomes)
	fmt.Fprintf(&b, "\nFiles        %s%c\n", filepath.Dir(first.Dir), filepath.Separator)
	worst := first
	for _, o := range outcomes {
		if o.Determinism != record.Sealed {
			worst = o
		}
	}
	fmt.Fprintf(&b, "Determinism  %s\n", determinism(worst))
	_, err = io.WriteString(out, b.String())
	return err
}

// printLatest writes how late the run was that was latest, of runs in real time, and in which of them
// the programs were.
func printLatest(out io.Writer, outcomes []outcome) {
	if outcomes[0].RealTime == nil {
		return
	}
	latest := slices.MaxFunc(outcomes, func(a, b outcome) int { return cmp.Compare(a.RealTime.P99, b.RealTime.P99) })
	fmt.Fprintln(out)
	printField(out, "Precision", "seed %d was the latest: %s", latest.Seed, analysis.Lateness(latest.RealTime))
	busiest := slices.MaxFunc(outcomes, func(a, b outcome) int { return cmp.Compare(a.RealTime.Wakeups.P99, b.RealTime.Wakeups.P99) })
	printField(out, "Programs", "of seed %d %s", busiest.Seed, analysis.Wakeups(busiest.RealTime.Wakeups))
}

// intervalNote says what the interval of a mean is.
func intervalNote(method stat.Method) string {
	if method == stat.BootstrapBCa {
		return fmt.Sprintf("in brackets: the %s confidence interval of the mean (bootstrap BCa,\n10,000 resamples), which is too short with fewer than ten seeds", percent(confidence))
	}
	return fmt.Sprintf("±: the %s confidence interval of the mean (Student's t)", percent(confidence))
}

// estimate writes an estimate with its interval, if it has one.
func estimate(name string, e stat.Estimate, unit string) string {
	if !e.Interval.Exists() {
		return quantity.Format(name, e.Value, unit)
	}
	if e.Interval.Method == stat.BootstrapBCa {
		return fmt.Sprintf("%s (%s)", quantity.Format(name, e.Value, unit), strings.ReplaceAll(quantity.Between(name, e.Interval.Low, e.Interval.High, unit), "+", ""))
	}
	return quantity.PlusMinus(name, e.Value, e.Interval.High-e.Value, unit)
}

// percent writes a share in per cent.
func percent(share float64) string { return fmt.Sprintf("%g %%", round(100*share)) }

// encodeSeeds writes runs that differ in their seeds for programs.
func encodeSeeds(out io.Writer, outcomes []outcome, verdicts []expect.Verdict, method stat.Method) error {
	metrics, err := setOf(outcomes).Summarize(seeds.Options{Confidence: confidence, Method: method})
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(struct {
		Runs         []outcome        `json:"runs"`
		Metrics      []seeds.Metric   `json:"metrics"`
		Expectations []expect.Verdict `json:"expectations,omitempty"`
	}{outcomes, metrics, verdicts})
}

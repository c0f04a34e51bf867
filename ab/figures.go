package ab

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/baseline"
	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/internal/scratch"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
)

// kinds are the metrics of which there is a figure, by the end of their names.
var kinds = []struct{ name, what string }{
	{"goodput", "Goodput of flows"},
	{"fairness.jain", "Jain’s index of fairness"},
	{"queue_delay.p95", "95th percentile of the queueing delay of links"},
	{"loss_ratio", "Share of packets lost, of connections and links"},
	{"delay.p95", "95th percentile of the delay of messages and of cross traffic"},
	{"completion_time", "Completion time of flows"},
}

// Forests returns figures of the relative differences that the head makes, one of each
// kind of metric that differs in at least one scenario.
func (r *Report) Forests() []figure.Figure {
	effects := make([][]figure.Effect, len(kinds))
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for _, c := range s.changes(func(v baseline.Verdict) bool { return v != baseline.Same }) {
			share, ok := c.Relative()
			if k := kindOf(c.Metric); k >= 0 && ok {
				effects[k] = append(effects[k], effectOf(s, c, share))
			}
		}
	}
	var all []figure.Figure
	for i, k := range kinds {
		if !slices.ContainsFunc(effects[i], func(e figure.Effect) bool { return e.Real }) {
			continue
		}
		title := fmt.Sprintf("%s: %s against %s, with %s", k.what, r.Head.Name, r.Base.Name, Interval+"s")
		all = append(all, figure.Forest("differences-"+strings.NewReplacer(".", "-", "_", "-").Replace(k.name), title, k.what, effects[i]))
	}
	return all
}

// kindOf returns the kind of a metric, the one with the longest name, or −1.
func kindOf(metric string) int {
	found := -1
	for i, k := range kinds {
		if strings.HasSuffix(strings.TrimSuffix(metric, ".mean"), k.name) && (found < 0 || len(k.name) > len(kinds[found].name)) {
			found = i
		}
	}
	return found
}

func effectOf(s *Scenario, c baseline.Change, share float64) figure.Effect {
	e := figure.Effect{Label: s.Name + " " + c.Metric, Share: share, Low: share, High: share, N: c.Difference.N,
		Real: c.Verdict == baseline.Worse || c.Verdict == baseline.Better, Better: c.Verdict == baseline.Better}
	if in := c.Difference.Interval; in.Exists() {
		e.Low, e.High = in.Low/math.Abs(c.Base.Mean.Value), in.High/math.Abs(c.Base.Mean.Value)
	}
	return e
}

// Most returns the scenarios in which a flow's goodput, a queueing delay or else any metric
// differs most, really.
func (r *Report) Most(n int) []*Scenario {
	largest := func(s *Scenario) float64 {
		most := 0.0
		for _, c := range s.Real() {
			if share, ok := c.Relative(); ok && c.Better == analysis.MoreIsBetter {
				most = max(most, math.Abs(share))
			}
		}
		return most
	}
	var all []*Scenario
	for i := range r.Scenarios {
		if s := &r.Scenarios[i]; largest(s) > 0 {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b *Scenario) int { return cmp.Compare(largest(b), largest(a)) })
	return all[:min(len(all), n)]
}

// Both runs a scenario once more with both sides, with its own seed, and draws them together.
func (r *Report) Both(ctx context.Context, s *Scenario) ([]figure.Figure, error) {
	recordings, err := scratch.Make("", "wtsim-ab-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for recordings: %w", err)
	}
	defer recordings.Remove()
	var sides [2]figure.Data
	for i, side := range []Side{r.Base, r.Head} {
		out, err := os.MkdirTemp(recordings.Path, "")
		if err != nil {
			return nil, fmt.Errorf("make a folder for recordings: %w", err)
		}
		complete := func(dir string) error {
			recording, err := record.Open(dir)
			if err != nil {
				return err
			}
			sides[i], err = figure.FromRecording(recording)
			return err
		}
		_, err = run.Do(ctx, run.Request{Scenario: s.Path, Overrides: s.Overrides, Program: side.Program, Out: out, Complete: complete}, nil)
		if err != nil {
			return nil, fmt.Errorf("%s with %s: %w", s.Path, side.Name, err)
		}
	}
	return figure.Both(s.Suite+"-"+s.Name, sides[0], sides[1], r.Base.Name, r.Head.Name), nil
}

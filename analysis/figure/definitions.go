package figure

import "fmt"

// Definition says what a figure shows.
type Definition struct {
	Name  string // names its files, such as "throughput"
	About string // in one line
}

// ofRun are the figures of a run, in their order.
var ofRun = []struct {
	Definition
	make func(Data) Figure
}{
	{Definition{"throughput", "goodput of each flow over time, with the rates of the links"}, throughput},
	{Definition{"delay", "queueing delay, round-trip times and delays of messages over time"}, delay},
	{Definition{"delay-cdf", "distribution of the delays of messages, of round-trip times and of queueing"}, delayCDF},
	{Definition{"delay-ccdf", "the same distributions' tails, on a logarithmic axis"}, delayCCDF},
	{Definition{"fairness", "Jain's index and the share of each flow, second by second, of downloads or uploads that compete"}, fairness},
	{Definition{"cwnd", "congestion window and bytes in flight of each sender over time, with losses"}, cwnd},
	{Definition{"teardown-cdf", "how long the teardowns of sessions took, of five sessions and more"}, teardownCDF},
	{Definition{"timeline", "set-up and teardown of a session, step by step at both hosts, and outages and migrations"}, timeline},
	{Definition{"waterfall", "every datagram of a session at its set-up and teardown, between both hosts"}, waterfall},
	{Definition{"sequence", "data sent over time, its arrival and its losses, and the first loss in detail"}, sequence},
}

// Definitions returns the figures of a run, in the order of [All].
func Definitions() []Definition {
	var out []Definition
	for _, f := range ofRun {
		out = append(out, f.Definition)
	}
	return out
}

// All returns the figures of a run that have something to show, in the order of
// [Definitions].
func All(d Data) []Figure {
	var out []Figure
	for _, f := range ofRun {
		if f := f.make(d); len(f.panels) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// ofSweep are the figures over several runs, in their order. Each says why it
// has nothing to show.
var ofSweep = []struct {
	Definition
	make func(Sweep) (Figure, error)
}{
	{Definition{"box", "distribution of metrics over the seeds of each set of runs"}, box},
	{Definition{"intervals", "mean of metrics over the seeds of each set of runs, with its 95 % confidence interval"}, intervals},
	{Definition{"ellipses", "throughput of each run against its delay, with the 1σ ellipse of each set of runs"}, ellipses},
	{Definition{"heatmap", "mean of metrics over the seeds, by two values in which the sets of runs differ"}, heatmap},
}

// SweepDefinitions returns the figures over several runs, in the order of
// [AllOver].
func SweepDefinitions() []Definition {
	var out []Definition
	for _, f := range ofSweep {
		out = append(out, f.Definition)
	}
	return out
}

// AllOver returns the figures over several runs that have something to show, in
// the order of [SweepDefinitions].
func AllOver(s Sweep) []Figure {
	var out []Figure
	for _, d := range ofSweep {
		if f, err := d.make(s); err == nil {
			out = append(out, f)
		}
	}
	return out
}

// Over returns a figure over several runs by its name. It fails if there is no
// such figure or it has nothing to show, and says why.
func Over(s Sweep, name string) (Figure, error) {
	for _, d := range ofSweep {
		if d.Name == name {
			f, err := d.make(s)
			if err != nil {
				return Figure{}, fmt.Errorf("no figure %s: %w", name, err)
			}
			return f, nil
		}
	}
	return Figure{}, fmt.Errorf("no figure over several runs is named %q", name)
}

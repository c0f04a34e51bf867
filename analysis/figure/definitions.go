package figure

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
	{Definition{"cwnd", "congestion window and bytes in flight of each sender over time, with losses"}, cwnd},
	{Definition{"timeline", "set-up and teardown of each session, step by step at both hosts"}, timeline},
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

package main

import (
	"math"
	"slices"
	"strings"
)

// measurement is what is compared, in SI units.
type measurement struct {
	Goodput float64 `json:"goodput_bit_per_s"` // what the receiver's application reads
	MinRTT  float64 `json:"min_rtt_s"`         // of the connection, as the sender measures it
	MeanRTT float64 `json:"mean_rtt_s"`        // smoothed by the sender, mean over the window
	Lost    float64 `json:"lost"`              // share of the packets in the window that the sender declares lost
	Dropped float64 `json:"dropped"`           // share of the packets of the whole transfer that the path drops
}

func measured(s sent, r received, dropped float64) measurement {
	return measurement{
		Goodput: float64(8*r.Bytes) / r.Time.Seconds(),
		MinRTT:  s.MinRTT.Seconds(),
		MeanRTT: s.MeanRTT.Seconds(),
		Lost:    float64(s.Lost) / float64(max(1, s.Packets)),
		Dropped: dropped,
	}
}

// tolerance is how far from 1 the ratios of a case may be.
type tolerance struct{ Goodput, RTT, Loss float64 }

var (
	// exact is for paths without chance: what differs is the host's timing.
	exact = tolerance{0.01, 0.03, 0.10}
	// random is for paths that lose packets at random, which no two runs share.
	random = tolerance{0.15, 0.10, 0.30}
)

// fewLost is a difference of losses that counts for nothing, whatever their
// ratio.
const fewLost = 0.001

// row is a case with what the kernel and the simulator did in each round, or
// the reason why the kernel did nothing.
type row struct {
	Case    string        `json:"case"`
	Path    string        `json:"path"`
	Skipped string        `json:"skipped,omitempty"`
	Linux   []measurement `json:"linux,omitempty"`
	Wtsim   []measurement `json:"wtsim,omitempty"`

	tolerance tolerance
}

// disagreements returns the names of what differs by more than the tolerance,
// as medians of the rounds.
func (r row) disagreements() []string {
	if r.Skipped != "" {
		return nil
	}
	var names []string
	for _, m := range []struct {
		name  string
		of    func(measurement) float64
		tol   float64
		slack float64
	}{
		{"goodput", goodput, r.tolerance.Goodput, 0},
		{"mean RTT", meanRTT, r.tolerance.RTT, 0},
		{"loss", lost, r.tolerance.Loss, fewLost},
	} {
		linux, wtsim := middle(r.Linux, m.of), middle(r.Wtsim, m.of)
		if math.Abs(wtsim-linux) > max(m.slack, m.tol*linux) {
			names = append(names, m.name)
		}
	}
	return names
}

// verdict says in words how the case ended.
func (r row) verdict() string {
	switch names := r.disagreements(); {
	case r.Skipped != "":
		return "skipped: " + r.Skipped
	case len(names) > 0:
		return "no: " + strings.Join(names, ", ")
	}
	return "yes"
}

func goodput(m measurement) float64 { return m.Goodput }
func minRTT(m measurement) float64  { return m.MinRTT }
func meanRTT(m measurement) float64 { return m.MeanRTT }
func lost(m measurement) float64    { return m.Lost }

// middle returns the median of one value of some measurements.
func middle(rounds []measurement, of func(measurement) float64) float64 {
	values := make([]float64, len(rounds))
	for i, m := range rounds {
		values[i] = of(m)
	}
	return median(values)
}

// median returns the middle of some values, of an even number the lower one.
func median[T ~int64 | ~float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// The exit statuses.
const (
	statusAgrees      = 0   // all cases ran, and agree
	statusDiffers     = 1   // a case is outside its tolerance
	statusInput       = 2   // bad input: a flag, an unwritable file
	statusFailed      = 3   // a transfer or a tool failed
	statusSkipped     = 4   // the kernel lacks what some case needs; all others agree
	statusUnavailable = 5   // nothing can be measured: no Linux, no right to make namespaces
	statusInterrupted = 130 // SIGINT or SIGTERM
)

// judge returns the exit status of a comparison.
func judge(rows []row) int {
	status := statusAgrees
	for _, r := range rows {
		switch {
		case len(r.disagreements()) > 0:
			return statusDiffers
		case r.Skipped != "":
			status = statusSkipped
		}
	}
	return status
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/netem"
)

// traceWindow is the time over which the rates of a mahimahi trace are means.
const traceWindow = time.Second

func newTraceShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show file",
		Short: "Show what a trace holds: its format, its length, and the range of its values",
		Long: `Show reads a trace and shows its format, its length, and the least, the mean and
the largest of its values. The format is told by the first line:
  mahimahi  a whole number of milliseconds alone: an opportunity for 1500 bytes;
            the rates that are shown are means of windows of one second
  columns   two numbers apart by white space: seconds and Mbit/s
  csv       the names of columns: time_s, _ms or _us; and rate_bps, _kbps, _mbps
            or _gbps; delay_s, _ms or _us, or rtt_s, _ms or _us, which is twice
            the delay; loss (0 to 1) or loss_percent`,
		Example: "  wtsim trace show lte.csv\n  wtsim trace show --json Verizon-LTE-short.down",
		Args: arguments(func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("expected one file of a trace, got %d arguments", len(args))
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return &inputError{err}
			}
			defer file.Close()
			trace, err := netem.ParseTraceFile(file)
			if err != nil {
				return &inputError{fmt.Errorf("%s: %w", args[0], err)}
			}
			shown := describeTrace(trace)
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(shown)
			}
			return shown.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// shownTrace is what is shown of a trace, in seconds and bits.
type shownTrace struct {
	Format  netem.TraceFormat `json:"format"`
	Length  float64           `json:"length_seconds"`
	Entries int               `json:"entries"`
	Rate    *valueRange       `json:"rate_bits_per_second,omitempty"`
	Delay   *valueRange       `json:"delay_seconds,omitempty"`
	Loss    *valueRange       `json:"loss,omitempty"`
}

// valueRange is the range of a value and its mean over time.
type valueRange struct {
	Least float64 `json:"min"`
	Mean  float64 `json:"mean"`
	Most  float64 `json:"max"`
}

func describeTrace(f netem.TraceFile) shownTrace {
	p, entries := f.Profile, len(f.Profile.Rows)
	if f.Format == netem.FormatMahimahi {
		p, entries = f.Trace.Profile(traceWindow), len(f.Trace.Opportunities)
	}
	s := shownTrace{Format: f.Format, Length: p.Period.Seconds(), Entries: entries}
	if p.HasRate {
		least, mean, most := p.Rates()
		if least == netem.Stopped {
			least = 0
		}
		s.Rate = &valueRange{float64(least), float64(mean), float64(most)}
	}
	if p.HasDelay {
		least, mean, most := p.Delays()
		s.Delay = &valueRange{least.Seconds(), mean.Seconds(), most.Seconds()}
	}
	if p.HasLoss {
		least, mean, most := p.Losses()
		s.Loss = &valueRange{least, mean, most}
	}
	return s
}

func (s shownTrace) print(out io.Writer) error {
	what := "rows"
	if s.Format == netem.FormatMahimahi {
		what = "opportunities"
	}
	fmt.Fprintf(out, "Format  %s, %d %s\nLength  %s\n\n", s.Format, s.Entries, what, quantity.Duration(s.Length))
	t := newTable("", "min", "mean", "max")
	for _, row := range []struct {
		name   string
		values *valueRange
		write  func(float64) string
	}{
		{"rate", s.Rate, func(v float64) string { return quantity.Format("rate", v, "bit/s") }},
		{"delay", s.Delay, func(v float64) string { return quantity.Format("delay", v, "s") }},
		{"loss", s.Loss, func(v float64) string { return quantity.Number(100*v) + " %" }},
	} {
		if row.values != nil {
			t.AppendRow([]any{row.name, row.write(row.values.Least), row.write(row.values.Mean), row.write(row.values.Most)})
		}
	}
	_, err := fmt.Fprintln(out, t.Render())
	return err
}

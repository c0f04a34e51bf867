package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/netem/tracegen"
)

func newTrace() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Make traces of links whose capacity varies, and show what a trace holds",
		Long: `Trace makes traces of links whose rate, delay and loss change over time, from a
model and a seed, and shows what a file of a trace holds. The traces are
synthetic: they look like measurements, but were measured nowhere. The same
flags and the same seed give the same bytes on every machine.`,
		Example: `  wtsim trace lte --seed 7 --length 60s --direction down -o lte.csv
  wtsim trace leo --direction up --rate 20Mbit/s > leo.csv
  wtsim trace show lte.csv`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTraceLTE(), newTraceLEO(), newTraceShow())
	return cmd
}

// traceModel is a model that makes traces.
type traceModel interface {
	Profile() (netem.Profile, error)
}

// traceFlags are the flags of a command that makes a trace, other than those of
// its model.
type traceFlags struct {
	direction, format, out string
}

// add adds the flags. Rates are those of the two directions.
func (f *traceFlags) add(cmd *cobra.Command, rate *netem.BitRate, down, up netem.BitRate) {
	flags := cmd.Flags()
	flags.StringVar(&f.direction, "direction", "down", "down or up: to the terminal or from it; each has rates of its own")
	flags.StringVar(&f.format, "format", string(netem.FormatCSV), "csv, or mahimahi, which has the rate only")
	flags.StringVarP(&f.out, "out", "o", "", "`file` to write (default: standard output)")
	rateFlag(cmd, rate, "rate", fmt.Sprintf("mean `rate` (default: %s down, %s up)", down, up))
	for name, words := range map[string][]cobra.Completion{
		"direction": {"down", "up"},
		"format":    {string(netem.FormatCSV), string(netem.FormatMahimahi)},
	} {
		cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
}

// rateFlag adds a flag of a rate whose usage says what the default is.
func rateFlag(cmd *cobra.Command, rate *netem.BitRate, name, usage string) {
	cmd.Flags().TextVar(rate, name, netem.BitRate(0), usage)
	cmd.Flags().Lookup(name).DefValue = ""
}

// way returns the direction that was asked for.
func (f *traceFlags) way(cmd *cobra.Command) (tracegen.Direction, error) {
	switch f.direction {
	case "down":
		return tracegen.Downlink, nil
	case "up":
		return tracegen.Uplink, nil
	}
	return 0, &usageError{cmd, fmt.Errorf("--direction is %q; expected down or up", f.direction)}
}

// write makes the trace and writes it.
func (f *traceFlags) write(cmd *cobra.Command, model traceModel) error {
	if cmd.Flags().Changed("out") && f.out == "" {
		return &usageError{cmd, errors.New("--out is empty; expected a file")}
	}
	if f.format != string(netem.FormatCSV) && f.format != string(netem.FormatMahimahi) {
		return &usageError{cmd, fmt.Errorf("--format is %q; expected csv or mahimahi", f.format)}
	}
	profile, err := model.Profile()
	if err != nil {
		return &usageError{cmd, err}
	}
	write := profile.WriteCSV
	if f.format == string(netem.FormatMahimahi) {
		trace, err := profile.Trace()
		if err != nil {
			return &usageError{cmd, err}
		}
		write = trace.WriteMahimahi
	}
	if f.out == "" {
		return write(cmd.OutOrStdout())
	}
	if _, err := wholefile.Write(f.out, write); err != nil {
		return &inputError{err}
	}
	return nil
}

func newTraceLTE() *cobra.Command {
	var f traceFlags
	down, up := tracegen.TypicalLTE(tracegen.Downlink), tracegen.TypicalLTE(tracegen.Uplink)
	c := down
	cmd := &cobra.Command{
		Use:   "lte",
		Short: "Make a trace like that of a mobile phone on the move",
		Long: `Lte makes a trace of the rate of a mobile phone that moves: the logarithm of the
rate is a mean-reverting walk, with outages. The mean over the trace is --rate,
outages included. Both directions of one seed have the same outages. The model
and its sources are in the documentation of package netem/tracegen.`,
		Example: `  wtsim trace lte --seed 7 --length 60s --direction down -o lte.csv
  wtsim trace lte --rate 20Mbit/s --outage 0 --format mahimahi -o lte.down`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if c.Direction, err = f.way(cmd); err != nil {
				return err
			}
			if !cmd.Flags().Changed("rate") {
				c.Rate = tracegen.TypicalLTE(c.Direction).Rate
			}
			return f.write(cmd, c)
		},
	}
	flags := cmd.Flags()
	f.add(cmd, &c.Rate, down.Rate, up.Rate)
	flags.Uint64Var(&c.Seed, "seed", 1, "`seed` of the trace")
	flags.DurationVar(&c.Length, "length", c.Length, "`time` after which the trace begins again or ends")
	flags.DurationVar(&c.Step, "step", c.Step, "`time` for which a rate holds")
	rateFlag(cmd, &c.MaxRate, "max-rate", "largest `rate` (default: five times the mean)")
	flags.Float64Var(&c.Variability, "variability", c.Variability, "deviation of the logarithm of the rate, in `octaves`: 1 is a factor of two")
	flags.DurationVar(&c.Coherence, "coherence", c.Coherence, "`time` in which the correlation of the logarithm of the rate falls by a factor of e")
	flags.Float64Var(&c.Outage, "outage", c.Outage, "`share` of the time in outages, 0 to 0.5")
	flags.DurationVar(&c.OutageLength, "outage-length", c.OutageLength, "mean `time` of an outage")
	return cmd
}

func newTraceLEO() *cobra.Command {
	var f traceFlags
	down, up := tracegen.TypicalLEO(tracegen.Downlink), tracegen.TypicalLEO(tracegen.Uplink)
	c := down
	cmd := &cobra.Command{
		Use:   "leo",
		Short: "Make a trace like that of a terminal of a low Earth orbit constellation",
		Long: `Leo makes a trace of rate, delay and loss of a terminal that is assigned to
another satellite every 15 seconds, at the seconds 12, 27, 42 and 57 of each
minute, as those of Starlink are: rate and delay step together, and for a short
time all packets are lost. The mean rate over the trace is --rate. Both
directions of one seed have the same delays and losses. The model and its
sources are in the documentation of package netem/tracegen.`,
		Example: `  wtsim trace leo --seed 7 --length 2m -o leo.csv
  wtsim trace leo --direction up --start 12s --max-rtt 80ms`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if c.Direction, err = f.way(cmd); err != nil {
				return err
			}
			if !cmd.Flags().Changed("rate") {
				c.Rate = tracegen.TypicalLEO(c.Direction).Rate
			}
			return f.write(cmd, c)
		},
	}
	flags := cmd.Flags()
	f.add(cmd, &c.Rate, down.Rate, up.Rate)
	flags.Uint64Var(&c.Seed, "seed", 1, "`seed` of the trace")
	flags.DurationVar(&c.Length, "length", c.Length, "`time` after which the trace begins again or ends; whole minutes keep the phase")
	flags.DurationVar(&c.Start, "start", c.Start, "`time` in the minute at which the trace begins")
	flags.DurationVar(&c.Step, "step", c.Step, "`time` for which the values hold between two assignments")
	rateFlag(cmd, &c.MinRate, "min-rate", "least `rate` (default: a fifth of the mean)")
	rateFlag(cmd, &c.MaxRate, "max-rate", "largest `rate` (default: two and a half times the mean)")
	flags.Float64Var(&c.Variability, "variability", c.Variability, "deviation of the logarithm of the rate from satellite to satellite, in `octaves`: 1 is a factor of two")
	flags.Float64Var(&c.Flutter, "flutter", c.Flutter, "deviation of the logarithm of the rate between two assignments, in `octaves`")
	flags.DurationVar(&c.MinRTT, "min-rtt", c.MinRTT, "least round-trip `time`; the delay is half of it")
	flags.DurationVar(&c.MaxRTT, "max-rtt", c.MaxRTT, "largest round-trip `time`")
	flags.DurationVar(&c.Drift, "drift", c.Drift, "`time` by which the delay changes at most between two assignments")
	flags.DurationVar(&c.MinOutage, "min-outage", c.MinOutage, "least `time` for which all is lost at an assignment")
	flags.DurationVar(&c.MaxOutage, "max-outage", c.MaxOutage, "largest `time` for which all is lost at an assignment")
	return cmd
}

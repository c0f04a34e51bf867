package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wtsim/wtsim/internal/nearest"
)

// newRoot returns the command wtsim with all its commands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "wtsim",
		Short: "Reproducible WebTransport sessions over simulated networks",
		Long: `wtsim runs WebTransport sessions over simulated networks in virtual time. One
scenario, one set of overrides and one seed give the same packets every time;
a fingerprint of all packets says so.

Exit status: 0 done, 1 a check failed or a run could make no progress, 2 bad
input, 3 internal error, 130 interrupted by Ctrl-C (SIGINT), SIGTERM or SIGHUP, which
leaves no process and no unfinished result behind.`,
		Example: `  wtsim run scenarios/quickstart.toml
  wtsim run scenarios/quickstart.toml --set links.access.rate=5Mbit/s --seeds 10
  wtsim compare results/runs/quickstart/default results/runs/quickstart/links.access.rate=5Mbit%2Fs
  wtsim report results/runs/quickstart/default
  wtsim explain scenarios/quickstart.toml
  wtsim check scenarios/laws
  wtsim verify -n 20 scenarios/*.toml`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          arguments(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return &usageError{cmd, flagMistake(cmd, err)} })
	root.AddCommand(newRun(), newCheck(), newSweep(), newAB(), newEmulate(), newExplain(), newMetrics(), newCompare(), newReport(), newPlot(), newVerify(), newList(), newServe(), newProbe(), newTrace(), newVersion())
	root.InitDefaultCompletionCmd("completion")
	return root
}

// flagMistake says what is wrong with a flag: a value that it does not take, or that there
// is none of its name. Of a command that there is not, that is said instead.
func flagMistake(cmd *cobra.Command, err error) error {
	if given := cmd.Flags().Args(); cmd.HasSubCommands() && len(given) > 0 {
		return unknownCommand(cmd, given[0])
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return badValue(bad.GetFlag(), bad.GetValue(), bad.Unwrap())
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return suggestFlag(cmd, unknown)
	}
	return err
}

// badValue says what values a flag takes. Those with a type of their own say it themselves.
func badValue(f *pflag.Flag, value string, cause error) error {
	expected := ""
	switch f.Value.Type() {
	case "duration":
		expected = "a time such as 1.5s"
	case "int":
		expected = "a whole number"
	case "uint64":
		expected = "a whole number, 0 or more"
	case "float64":
		expected = "a number"
	case "bool":
		expected = "true or false"
	default:
		return fmt.Errorf("--%s: %w", f.Name, cause)
	}
	return fmt.Errorf("--%s is %q; expected %s", f.Name, value, expected)
}

// suggestFlag adds the nearest flag to the error of an unknown one.
func suggestFlag(cmd *cobra.Command, err *pflag.NotExistError) error {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := nearest.Word(err.GetSpecifiedName(), names); near != "" {
		return fmt.Errorf("%w; did you mean \"--%s\"?", err, near)
	}
	return err
}

// unknownCommand names the nearest command.
func unknownCommand(cmd *cobra.Command, name string) error {
	message := fmt.Sprintf("unknown command %q", name)
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		message += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return errors.New(message)
}

// arguments makes the errors of a check of arguments usage errors.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if cmd.HasSubCommands() && len(args) > 0 {
			return &usageError{cmd, unknownCommand(cmd, args[0])}
		}
		if err := check(cmd, args); err != nil {
			return &usageError{cmd, err}
		}
		return nil
	}
}

// oneScenario checks that there is one scenario file.
func oneScenario(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("expected one scenario file, got %d arguments", len(args))
	}
	return nil
}

// someScenarios checks that there is at least one scenario file.
func someScenarios(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("expected at least one scenario file")
	}
	return nil
}

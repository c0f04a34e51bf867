package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

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
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return &usageError{cmd, suggestFlag(cmd, err)} })
	root.AddCommand(newRun(), newCheck(), newSweep(), newAB(), newEmulate(), newExplain(), newMetrics(), newCompare(), newReport(), newPlot(), newVerify(), newList(), newServe(), newProbe(), newTrace(), newVersion())
	root.InitDefaultCompletionCmd("completion")
	return root
}

// suggestFlag adds the nearest flag to the error of an unknown one.
func suggestFlag(cmd *cobra.Command, err error) error {
	unknown, ok := err.(interface{ GetSpecifiedName() string })
	if !ok {
		return err
	}
	var names []string
	for word := range strings.FieldsSeq(cmd.Flags().FlagUsages()) {
		if name, ok := strings.CutPrefix(word, "--"); ok {
			names = append(names, name)
		}
	}
	if near := nearest.Word(unknown.GetSpecifiedName(), names); near != "" {
		return fmt.Errorf("%w; did you mean \"--%s\"?", err, near)
	}
	return err
}

// arguments makes the errors of a check of arguments usage errors.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if cmd.HasSubCommands() && len(args) > 0 {
			message := fmt.Sprintf("unknown command %q", args[0])
			cmd.SuggestionsMinimumDistance = 2
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				message += fmt.Sprintf("; did you mean %q?", near[0])
			}
			return &usageError{cmd, fmt.Errorf("%s", message)}
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

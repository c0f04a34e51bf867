package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/sim/scenario"
)

func newExplain() *cobra.Command {
	var set []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain scenario.toml",
		Short: "Print a scenario with every default and what each key means",
		Long: `Explain checks a scenario and prints it with every default written out and every
key explained. What it prints is a scenario that runs the same.`,
		Example: `  wtsim explain scenarios/quickstart.toml
  wtsim explain scenarios/quickstart.toml --set links.access.rate=5Mbit/s > slow.toml`,
		Args:              arguments(oneScenario),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := scenario.Load(args[0], set...)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{
					"scenario": s.Name, "description": s.Description, "toml": string(scenario.Explain(s))})
			}
			_, err = cmd.OutOrStdout().Write(scenario.Explain(s))
			return err
		},
	}
	flagSet(cmd, &set)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object with the name, the description and the text")
	return cmd
}

// flagSet adds the flag --set.
func flagSet(cmd *cobra.Command, set *[]string) {
	cmd.Flags().StringArrayVar(set, "set", nil, "override a value by its `path=value`; may be repeated")
	cmd.RegisterFlagCompletionFunc("set", cobra.NoFileCompletions)
}

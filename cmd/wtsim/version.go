package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sim/seal"
)

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the versions of wtsim, quic-go and Go, and whether runs can be sealed here",
		Example: "  wtsim version\n  wtsim version --json",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, refusal := run.Versions(), seal.Supported()
			out := cmd.OutOrStdout()
			if asJSON {
				reason := ""
				if refusal != nil {
					reason = refusal.Error()
				}
				return json.NewEncoder(out).Encode(struct {
					Wtsim    string `json:"wtsim"`
					QUICGo   string `json:"quic_go"`
					Go       string `json:"go"`
					Platform string `json:"platform"`
					Sealing  bool   `json:"sealing"`
					Unsealed string `json:"unsealed,omitempty"`
				}{v.Wtsim, v.QUICGo, v.Go, v.OS + "/" + v.Arch, refusal == nil, reason})
			}
			sealing := "works: runs are reproducible"
			if refusal != nil {
				sealing = "does not work, so runs may differ: " + refusal.Error()
			}
			_, err := fmt.Fprintf(out, "wtsim    %s\nquic-go  %s\nGo       %s\nplatform %s/%s\nsealing  %s\n",
				v.Wtsim, v.QUICGo, v.Go, v.OS, v.Arch, sealing)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

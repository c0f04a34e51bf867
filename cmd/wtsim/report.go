package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/analysis/report"
)

// reportFile is the name of a report, unless a flag says otherwise.
const reportFile = "report.html"

func newReport() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "report RUN...",
		Short: "Write runs as one HTML page",
		Long: `Report writes recordings as one HTML page, a file that needs no network and no
other file: how the run ended, what it achieved, its topology, tables and
figures, and the scenario and the command that repeat it. In the figures the
pointer shows values, the legend switches lines off, and dragging zooms all time
axes together; a double click shows all again.

RUN is a recording, or a folder of recordings that differ in their seeds, such
as results/runs/NAME/OVERRIDES: then the page also has each metric's mean over
the seeds with its confidence interval, and figures of the first seed. A folder of
such folders is several RUNs. Two RUNs are compared as wtsim compare does, and
more are put beside each other.

The page of one RUN is written into its folder, that of several here, unless
--out says where.`,
		Example: `  wtsim report results/runs/quickstart/default/1
  wtsim report results/runs/quickstart/default --out quickstart.html
  wtsim report results/runs/quickstart/default results/runs/quickstart/links.access.loss.p=0.02`,
		Args: arguments(func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("expected at least one recording, or folder of recordings")
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := out
			switch {
			case file != "":
			case cmd.Flags().Changed("out"):
				return &usageError{cmd, fmt.Errorf("--out is empty; expected a file")}
			case len(args) == 1:
				file = filepath.Join(args[0], reportFile)
			default:
				file = reportFile
			}
			if info, err := os.Stat(file); err == nil && info.IsDir() {
				return &usageError{cmd, fmt.Errorf("--out %s is a folder; expected a file", file)}
			}
			size, err := report.WriteFile(file, args, report.Options{Confidence: confidence, Select: important})
			if err != nil {
				return &inputError{err}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s (%s)\n", file, quantity.Format("", float64(size), "B"))
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` to write (default: report.html in the folder of the one RUN, or here)")
	cmd.MarkFlagFilename("out", "html")
	return cmd
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/internal/nearest"
	"github.com/wtsim/wtsim/sim/record"
)

// figuresFolder is the folder of figures, unless a flag says otherwise.
const figuresFolder = "figures"

// plotFlags are the flags of the command plot.
type plotFlags struct {
	figures, formats, globs []string
	size, out, session      string
}

// figureSizes are the widths of figures by their names.
var figureSizes = map[string]figure.Width{"column": figure.OneColumn, "page": figure.TwoColumns}

func newPlot() *cobra.Command {
	var f plotFlags
	cmd := &cobra.Command{
		Use:   "plot RUN...",
		Short: "Draw figures of runs, for papers",
		Long: `Plot draws figures as SVG, PDF and PNG, with the fonts embedded, at the width of one
column of a paper (3.33 in) or of its page (7 in); text has the same size at both. The
data of each figure goes beside it as CSV.

RUN is a recording, such as results/runs/NAME/OVERRIDES/SEED, a folder of
recordings that differ in their seeds, or a folder of such folders. Without
--figure all figures are drawn that have something to show.

Of one run:
` + figureHelp(figure.Definitions()) + `
Of several runs, where those that differ in nothing but their seeds are one set:
` + figureHelp(figure.SweepDefinitions()) + `
They show the goodput of bulk flows, the delay of messages, and the queueing delay where
it is the longest, or the metrics that --metric selects; ellipses the first queueing
delay, or else the first time, and the first rate of these. Sets are named by the values
in which they differ.`,
		Example: `  wtsim plot results/runs/quickstart/default/1 --figure throughput --size column --format pdf
  wtsim plot results/runs/quickstart --figure box,intervals --metric 'flows.*.goodput' --out paper
  wtsim plot results/runs/quickstart/links.access.loss.p=*`,
		Args: arguments(func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("expected at least one recording, or folder of recordings")
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd); err != nil {
				return &usageError{cmd, err}
			}
			if err := f.plot(cmd.OutOrStdout(), args); err != nil {
				return &inputError{err}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.figures, "figure", nil, "draw the figures of these `names` only")
	flags.StringVar(&f.size, "size", "page", "`width`: column or page")
	flags.StringSliceVar(&f.formats, "format", []string{string(figure.SVG)}, "`formats`: svg, pdf, png, or csv for the data alone")
	flags.StringArrayVar(&f.globs, "metric", nil, "of several runs, show the metrics whose names match a `glob`, such as\n'links.*.loss_ratio'; may be repeated")
	flags.StringVar(&f.session, "session", "", "of one run, show this `session` in the figures that show one")
	flags.StringVar(&f.out, "out", "", "`folder` to write into (default: figures in the folder of the one run, or here)")
	cmd.RegisterFlagCompletionFunc("figure", cobra.FixedCompletions(figureNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("size", cobra.FixedCompletions([]string{"column", "page"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formatNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.MarkFlagDirname("out")
	return cmd
}

// figureHelp has a line for each figure.
func figureHelp(definitions []figure.Definition) string {
	var b strings.Builder
	for _, d := range definitions {
		fmt.Fprintf(&b, "  %-12s %s\n", d.Name, d.About)
	}
	return b.String()
}

// figureNames returns the names of all figures.
func figureNames() []string {
	var names []string
	for _, d := range slices.Concat(figure.Definitions(), figure.SweepDefinitions()) {
		names = append(names, d.Name)
	}
	return names
}

func formatNames() []string {
	var names []string
	for _, format := range figure.Formats() {
		names = append(names, string(format))
	}
	return names
}

func listFigures() listing {
	list := rows{columns: []string{"figure", "of", "shows"}}
	for _, d := range figure.Definitions() {
		list.cells = append(list.cells, []string{d.Name, "a run", d.About})
	}
	for _, d := range figure.SweepDefinitions() {
		list.cells = append(list.cells, []string{d.Name, "several runs", d.About})
	}
	return list
}

func (f *plotFlags) check(cmd *cobra.Command) error {
	for _, name := range f.figures {
		if names := figureNames(); !slices.Contains(names, name) {
			message := fmt.Sprintf("there is no figure %q", name)
			if near := nearest.Word(name, names); near != "" {
				return fmt.Errorf("%s; did you mean %q?", message, near)
			}
			return fmt.Errorf("%s; expected one of %s", message, strings.Join(names, ", "))
		}
	}
	if _, ok := figureSizes[f.size]; !ok {
		return fmt.Errorf("--size is %q; expected column or page", f.size)
	}
	for _, name := range f.formats {
		if !slices.Contains(formatNames(), name) {
			return fmt.Errorf("--format is %q; expected one of %s", name, strings.Join(formatNames(), ", "))
		}
	}
	if len(f.formats) == 0 {
		return fmt.Errorf("--format is empty; expected one of %s", strings.Join(formatNames(), ", "))
	}
	if f.out == "" && cmd.Flags().Changed("out") {
		return errors.New("--out is empty; expected a folder")
	}
	return checkGlobs(f.globs)
}

// plot draws the figures of the runs in some folders, and prints the paths of
// the files.
func (f *plotFlags) plot(out io.Writer, folders []string) error {
	figures, dir, err := f.draw(folders)
	if err != nil {
		return err
	}
	if f.out != "" {
		dir = f.out
	}
	var formats []figure.Format
	for _, name := range append(f.formats, string(figure.CSV)) {
		if !slices.Contains(formats, figure.Format(name)) {
			formats = append(formats, figure.Format(name))
		}
	}
	paths, err := figure.Save(figures, dir, figureSizes[f.size], formats...)
	for _, p := range paths {
		if _, err := fmt.Fprintln(out, p); err != nil {
			return err
		}
	}
	return err
}

// draw returns the figures, and the folder that they go into.
func (f *plotFlags) draw(folders []string) (figures []figure.Figure, dir string, err error) {
	if len(folders) == 1 {
		if _, err := os.Stat(filepath.Join(folders[0], "run.json")); err == nil {
			figures, err = f.ofRun(folders[0])
			return figures, filepath.Join(folders[0], figuresFolder), err
		}
	}
	sets, err := seeds.Collect(folders...)
	if err != nil {
		return nil, "", err
	}
	if len(sets) == 1 && len(sets[0].Runs) == 1 {
		run := sets[0].Runs[0].Dir
		figures, err = f.ofRun(run)
		return figures, filepath.Join(run, figuresFolder), err
	}
	figures, err = f.ofSets(sets)
	return figures, figuresFolder, err
}

// has reports whether a figure is among some.
func has(definitions []figure.Definition, name string) bool {
	return slices.ContainsFunc(definitions, func(d figure.Definition) bool { return d.Name == name })
}

// ofRun returns the figures of a recording.
func (f *plotFlags) ofRun(dir string) ([]figure.Figure, error) {
	for _, name := range f.figures {
		if has(figure.SweepDefinitions(), name) {
			return nil, fmt.Errorf("%s shows several runs, and %s is one; give the folder of those that differ in their seeds, or several", name, dir)
		}
	}
	if len(f.globs) > 0 {
		return nil, fmt.Errorf("--metric is for the figures of several runs, and %s is one", dir)
	}
	rec, err := record.Open(dir)
	if err != nil {
		return nil, err
	}
	data, err := figure.FromRecording(rec, figure.OfSession(f.session))
	if err != nil {
		return nil, err
	}
	all := figure.All(data)
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has nothing to show", dir)
	}
	if len(f.figures) == 0 {
		return all, nil
	}
	var chosen []figure.Figure
	for _, name := range f.figures {
		i := slices.IndexFunc(all, func(x figure.Figure) bool { return x.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%s has nothing to show in the figure %s", dir, name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// ofSets returns the figures of several runs.
func (f *plotFlags) ofSets(sets []seeds.Set) ([]figure.Figure, error) {
	for _, name := range f.figures {
		if has(figure.Definitions(), name) {
			return nil, fmt.Errorf("%s shows one run, and these are several; give one of them, such as %s", name, sets[0].Runs[0].Dir)
		}
	}
	if f.session != "" {
		return nil, fmt.Errorf("--session is for the figures of one run, and these are several; give one of them, such as %s", sets[0].Runs[0].Dir)
	}
	selected, err := f.selection(sets)
	if err != nil {
		return nil, err
	}
	sweep, err := figure.FromSets(sets, selected)
	if err != nil {
		return nil, err
	}
	if len(f.figures) == 0 {
		return figure.AllOver(sweep), nil
	}
	var chosen []figure.Figure
	for _, name := range f.figures {
		x, err := figure.Over(sweep, name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, x)
	}
	return chosen, nil
}

// selection returns which metrics are shown, nil for the usual ones. It refuses
// a glob that matches none.
func (f *plotFlags) selection(sets []seeds.Set) (func(analysis.Metric) bool, error) {
	if len(f.globs) == 0 {
		return nil, nil
	}
	var all analysis.Metrics
	for _, set := range sets {
		for _, run := range set.Runs {
			all = append(all, run.Metrics...)
		}
	}
	for _, glob := range f.globs {
		if !slices.ContainsFunc(all, matches(glob)) {
			return nil, unknownMetric(glob, all)
		}
	}
	return func(m analysis.Metric) bool { return matchesAny(f.globs, m) }, nil
}

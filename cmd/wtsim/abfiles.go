package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/ab"
	"github.com/wtsim/wtsim/analysis/figure"
)

// abFiles are the files into which ab writes its report.
type abFiles struct{ markdown, html, out string }

func (f *abFiles) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.markdown, "markdown", "", "write the report into a `file` too, as Markdown in GitHub's dialect")
	flags.StringVar(&f.html, "html", "", "write the report into a `file` too, as a page that loads nothing")
	flags.StringVar(&f.out, "out", "", "draw figures into a `folder`: the differences of each kind of metric, and both\nsides of the scenarios that differ most")
	cmd.MarkFlagDirname("out")
}

// any reports whether a file is wanted.
func (f *abFiles) any(cmd *cobra.Command) bool {
	return cmd.Flags().Changed("markdown") || cmd.Flags().Changed("html") || cmd.Flags().Changed("out")
}

// check finds what would keep the files from being written, before anything runs.
func (f *abFiles) check(cmd *cobra.Command) error {
	if f.out == "" && cmd.Flags().Changed("out") {
		return errors.New("--out is empty; expected a folder")
	}
	if f.out != "" {
		if err := writable(f.out); err != nil {
			return fmt.Errorf("--out %s: %w", f.out, err)
		}
	}
	return checkFilePaths(f.files(cmd, false))
}

// files returns those that are wanted.
func (f *abFiles) files(cmd *cobra.Command, all bool) []file[*ab.Report] {
	return wantedFiles(cmd, []file[*ab.Report]{
		{"markdown", f.markdown, func(r *ab.Report, w io.Writer) error { return r.Markdown(w, all) }},
		{"html", f.html, func(r *ab.Report, w io.Writer) error { return r.HTML(w, all, r.Forests()) }},
	})
}

// mostBoth is of how many scenarios both sides are drawn.
const mostBoth = 3

// draw draws the figures, and prints the paths of their files.
func (f *abFiles) draw(ctx context.Context, progress io.Writer, r *ab.Report) error {
	if f.out == "" {
		return nil
	}
	figures := r.Forests()
	for _, s := range r.Most(mostBoth) {
		both, err := r.Both(ctx, s)
		if err != nil {
			return err
		}
		figures = append(figures, both...)
	}
	paths, err := figure.Save(figures, f.out, figure.TwoColumns, figure.SVG, figure.PNG, figure.CSV)
	for _, p := range paths {
		fmt.Fprintln(progress, p)
	}
	return err
}

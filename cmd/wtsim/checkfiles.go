package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wtsim/wtsim/check"
	"github.com/wtsim/wtsim/internal/wholefile"
)

// checkFiles are the files into which a check writes its report.
type checkFiles struct{ junit, markdown, html string }

func (f *checkFiles) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.junit, "junit", "", "write the report into a `file` too, as JUnit XML")
	flags.StringVar(&f.markdown, "markdown", "", "write a summary into a `file` too, as Markdown in GitHub's dialect")
	flags.StringVar(&f.html, "html", "", "write the report into a `file` too, as a page that loads nothing")
}

// file is a file into which a report is written.
type file[R any] struct {
	flag, path string
	write      func(R, io.Writer) error
}

// files returns those that are wanted.
func (f *checkFiles) files(cmd *cobra.Command) []file[*check.Report] {
	return wantedFiles(cmd, []file[*check.Report]{
		{"junit", f.junit, (*check.Report).JUnit}, {"markdown", f.markdown, (*check.Report).Markdown}, {"html", f.html, (*check.Report).HTML},
	})
}

// wantedFiles returns those whose flags are given.
func wantedFiles[R any](cmd *cobra.Command, all []file[R]) []file[R] {
	return slices.DeleteFunc(all, func(x file[R]) bool { return !cmd.Flags().Changed(x.flag) })
}

// checkFilePaths finds what would keep files from being written, before anything runs.
func checkFilePaths[R any](files []file[R]) error {
	flagOf := make(map[string]string)
	for _, x := range files {
		if x.path == "" {
			return fmt.Errorf("--%s is empty; expected a file", x.flag)
		}
		if other, twice := flagOf[filepath.Clean(x.path)]; twice {
			return fmt.Errorf("--%s and --%s are the same file, %s", other, x.flag, x.path)
		}
		flagOf[filepath.Clean(x.path)] = x.flag
		if info, err := os.Stat(x.path); err == nil && info.IsDir() {
			return fmt.Errorf("--%s %s is a folder; expected a file", x.flag, x.path)
		}
		folder := filepath.Dir(x.path)
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return fmt.Errorf("--%s %s: there is no folder %s", x.flag, x.path, folder)
		}
	}
	return nil
}

// writeFiles writes a report into files: each that can be written.
func writeFiles[R any](files []file[R], report R) error {
	var all []error
	for _, x := range files {
		if _, err := wholefile.Write(x.path, func(w io.Writer) error { return x.write(report, w) }); err != nil {
			all = append(all, fmt.Errorf("write the report: %w", err))
		}
	}
	if len(all) > 0 {
		return &inputError{errors.Join(all...)}
	}
	return nil
}

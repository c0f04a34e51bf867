package sweep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/wtsim/wtsim/analysis/figure"
	"github.com/wtsim/wtsim/internal/wholefile"
)

// Write writes what the runs of the study achieved so far into the folder of the store:
// results.parquet and results.csv with a row for each cell, seed and metric, runs.csv with a
// row for each run, and if wanted figures and a report; older ones are removed. The same results give the same files.
// It returns the paths of the files, each of which appears complete or not at all.
func (s *Store) Write(ctx context.Context, figures bool) (*Summary, []string, error) {
	c := newCollector(s.Study)
	files, err := s.writeTables(ctx, c.add)
	if err != nil {
		return nil, nil, fmt.Errorf("write the results of %s: %w", s.Study.Name, err)
	}
	summary, err := c.summary()
	if err != nil {
		return nil, nil, err
	}
	// Figures of other results, or of metrics that are shown no more, would mislead.
	report := filepath.Join(s.folder, reportFile)
	if err := errors.Join(os.RemoveAll(filepath.Join(s.folder, figuresFolder)), os.RemoveAll(report)); err != nil || !figures {
		return summary, files, err
	}
	shown := c.figures()
	drawn, err := figure.Save(shown, filepath.Join(s.folder, figuresFolder), figure.TwoColumns, figure.Formats()...)
	files = append(files, drawn...)
	if err != nil {
		return summary, files, err
	}
	_, err = wholefile.Write(report, func(to io.Writer) error { return writeHTML(to, s.Study, summary, shown) })
	if err != nil {
		return summary, files, fmt.Errorf("write the report of %s: %w", s.Study.Name, err)
	}
	return summary, append(files, report), nil
}

// writeTables writes the tables, and hands on each run.
func (s *Store) writeTables(ctx context.Context, each func(visited) error) ([]string, error) {
	var files []string
	for _, name := range []string{parquetFile, csvFile, runsFile} {
		files = append(files, filepath.Join(s.folder, name))
	}
	_, err := wholefile.Write(files[0], func(parquetTo io.Writer) error {
		_, err := wholefile.Write(files[1], func(csvTo io.Writer) error {
			_, err := wholefile.Write(files[2], func(runsTo io.Writer) error { return s.tables(ctx, parquetTo, csvTo, runsTo, each) })
			return err
		})
		return err
	})
	return files, err
}

func (s *Store) tables(ctx context.Context, parquetTo, csvTo, runsTo io.Writer, each func(visited) error) error {
	design := s.Study.design()
	all, err := newResults(design, parquetTo, csvTo)
	if err != nil {
		return err
	}
	list, err := newRuns(design, runsTo)
	if err != nil {
		return err
	}
	err = s.visit(ctx, func(v visited) error {
		if v.state == done {
			if err := all.add(v.result); err != nil {
				return err
			}
		}
		return errors.Join(list.add(v), each(v))
	})
	if err != nil {
		return err
	}
	return errors.Join(all.close(), list.close())
}

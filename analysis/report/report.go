// Package report writes recordings as one HTML page that needs nothing else: it
// says how the runs ended and what they achieved, and shows topology, tables,
// figures, the scenario and how to repeat it. The page loads nothing from any
// network; the same recordings give the same bytes.
package report

import (
	"errors"
	"fmt"
	"io"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/internal/wholefile"
)

// Options say how sets of runs are summarised and compared. The zero Options
// are of all metrics, with the confidence 0.95.
type Options struct {
	Confidence float64                    // of intervals; 0 is 0.95
	Select     func(analysis.Metric) bool // which metrics are summarised over seeds and compared; nil is all
}

// Write writes the report of the recordings at paths: each is the folder of a
// recording, of recordings that differ in their seeds, or of several sets of
// such (see [seeds.Collect]). One is described by itself; of several it also says
// how they differ. Figures are of the first seed of each. It fails if a path is no
// recording, or one that is broken, or if w fails.
func Write(w io.Writer, paths []string, o Options) error {
	p, err := newPage(paths, o)
	if err != nil {
		return err
	}
	return p.write(w)
}

// WriteFile writes the report to a file, which appears complete or not at all,
// and returns its size in bytes. [Write] says when it fails.
func WriteFile(file string, paths []string, o Options) (size int64, err error) {
	p, err := newPage(paths, o)
	if err != nil {
		return 0, err
	}
	size, err = wholefile.Write(file, p.write)
	if err != nil {
		return 0, fmt.Errorf("write report: %w", err)
	}
	return size, nil
}

// newPage reads the recordings and makes the page of them.
func newPage(paths []string, o Options) (*page, error) {
	if len(paths) == 0 {
		return nil, errors.New("a report needs at least one recording")
	}
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	var all []seeds.Set
	for _, path := range paths {
		sets, err := seeds.Collect(path)
		if err != nil {
			return nil, err
		}
		all = append(all, sets...)
	}
	p := &page{}
	room := newRoom()
	for i, s := range all {
		part, err := newPart(s, i, len(all) > 1, o, room)
		if err != nil {
			return nil, err
		}
		p.Parts = append(p.Parts, part)
	}
	over, err := overPictures(all, room)
	if err != nil {
		return nil, err
	}
	switch len(all) {
	case 1:
		p.Title = p.Parts[0].Name + ", " + p.Parts[0].Seeds
		p.Parts[0].Over = over
		return p.finish(), nil
	case 2:
		p.Comparison, err = compareTwo(all[0], all[1], o)
	default:
		p.Comparison, err = compareMany(all, o)
	}
	if err != nil {
		return nil, err
	}
	p.Comparison.Over = over
	p.Title = "Comparison of " + quantity.Count(len(all), "set") + " of runs"
	return p.finish(), nil
}

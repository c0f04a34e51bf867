package sweep

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"github.com/wtsim/wtsim/internal/shell"
)

// state is what became of a run.
type state string

// The states of runs.
const (
	done    state = "done"
	failed  state = "failed"
	missing state = "missing" // it has not been made, or its result cannot be read
)

// visited is a run of a study and what became of it.
type visited struct {
	Run
	place  int // of the seed among the study's
	state  state
	result Result // of one that is done
	why    string // of one that failed, or whose result cannot be read
}

// visit goes over the runs of the study, cell by cell and of each seed by seed,
// whatever the order in which they ended. It holds one result at a time.
func (s *Store) visit(ctx context.Context, each func(visited) error) error {
	for cell := range s.Study.Cells {
		for i, seed := range s.Study.Seeds {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := each(s.look(Run{Cell: cell, Seed: seed}, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) look(r Run, place int) visited {
	v := visited{Run: r, place: place, state: missing}
	result, err := s.Get(r)
	switch {
	case err == nil:
		v.state, v.result = done, result
		return v
	case !errors.Is(err, fs.ErrNotExist):
		v.why = err.Error()
		return v
	}
	if failure, err := s.GetFailure(r); err == nil {
		v.state, v.why = failed, failure.Why
	}
	return v
}

// Command returns the command that repeats a run alone.
func (s *Study) Command(r Run) string {
	words := []string{"wtsim run", shell.Quote(s.Path)}
	for _, override := range s.Of(r.Cell) {
		words = append(words, "--set", shell.Quote(override))
	}
	return strings.Join(append(words, "--seed", strconv.FormatUint(r.Seed, 10)), " ")
}

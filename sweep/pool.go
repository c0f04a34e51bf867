package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/internal/scratch"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
)

// Progress hears how far runs have come, from one goroutine at a time.
type Progress interface {
	// Plan is called first, with the number of runs that are needed.
	Plan(runs int)
	// Report is called with the index of a run among these, and with done once it has
	// ended, with its error if it failed.
	Report(i int, at run.Progress, done bool, err error)
}

// Outcome is what became of some runs of a study.
type Outcome struct {
	Found  int // had a result before
	Done   int // have one now
	Failed []Failed
	Wall   time.Duration
}

// Failed is a run that failed.
type Failed struct {
	Run
	Err error
}

// Do does those of the runs that have no result, each in a process of its own and jobs
// of them at once; as many as there are cores if jobs is 0. Progress may be nil. Results
// and failures are kept as they come; a failed run ends no other. The error says why the
// rest was not done: the context has ended, or results cannot be kept. What was done
// before that counts, and is in the outcome.
func (s *Store) Do(ctx context.Context, runs []Run, jobs int, progress Progress) (Outcome, error) {
	begin := time.Now()
	var outcome Outcome
	var needed []Run
	for _, r := range runs {
		if s.Has(r) {
			outcome.Found++
		} else {
			needed = append(needed, r)
		}
	}
	recordings, err := scratch.Make("", "wtsim-sweep-") // on this machine's own disk
	if err != nil {
		return outcome, fmt.Errorf("make a folder for recordings: %w", err)
	}
	defer recordings.Remove()
	if progress == nil {
		progress = deaf{}
	}
	progress.Plan(len(needed))
	if jobs <= 0 {
		jobs = runtime.NumCPU()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		group sync.WaitGroup
		mu    sync.Mutex // guards the outcome, and keeps the progress to one at a time
		next  = make(chan int)

		failures = make([]error, len(needed))
	)
	for range min(jobs, len(needed)) {
		group.Go(func() {
			for i := range next {
				var last run.Progress
				err := s.one(ctx, needed[i], recordings.Path, func(at run.Progress) {
					mu.Lock()
					defer mu.Unlock()
					last = at
					progress.Report(i, at, false, nil)
				})
				if ctx.Err() != nil && err != nil {
					continue
				}
				mu.Lock()
				if err == nil {
					outcome.Done++
				} else {
					failures[i] = err
				}
				progress.Report(i, last, true, err)
				mu.Unlock()
				if err := s.unfit(needed[i], err); err != nil {
					cancel(err)
				}
			}
		})
	}
feed:
	for i := range needed {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	group.Wait()
	for i, err := range failures {
		if err != nil {
			outcome.Failed = append(outcome.Failed, Failed{needed[i], err})
		}
	}
	outcome.Wall = time.Since(begin)
	return outcome, context.Cause(ctx)
}

// unfit keeps a run's failure, and returns an error if there is no use in going on: a
// scenario that was planned cannot fail for its text, so that what is wrong with the
// input is a folder, which is full or cannot be written.
func (s *Store) unfit(r Run, failed error) error {
	if failed == nil {
		return nil
	}
	var own *run.Error
	if !errors.As(failed, &own) || own.Kind == run.Input {
		return failed
	}
	if err := s.PutFailure(r, failed); err != nil {
		return fmt.Errorf("keep that a run failed: %w", err)
	}
	return nil
}

// one does a run and keeps its result.
func (s *Store) one(ctx context.Context, r Run, recordings string, onProgress func(run.Progress)) error {
	out, err := os.MkdirTemp(recordings, "")
	if err != nil {
		return fmt.Errorf("make a folder for a recording: %w", err)
	}
	defer os.RemoveAll(out)
	var metrics analysis.Metrics
	result, err := run.Do(ctx, run.Request{
		Scenario: s.Study.Path, Source: s.Study.Source, Overrides: s.Study.Of(r.Cell), Seed: &r.Seed, Limits: s.Study.Limits, Out: out,
		Complete: func(dir string) error {
			recording, err := record.Open(dir)
			if err != nil {
				return err
			}
			metrics, err = analysis.Compute(recording)
			return err
		},
	}, onProgress)
	if err != nil {
		return err
	}
	if err := s.Put(Result{Run: r, Info: result.Run, Metrics: metrics}); err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	return nil
}

// deaf hears nothing.
type deaf struct{}

func (deaf) Plan(int)                              {}
func (deaf) Report(int, run.Progress, bool, error) {}

package check

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wtsim/wtsim/analysis/expect"
	"github.com/wtsim/wtsim/internal/scratch"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
)

// leastSeeds is how many seeds a scenario is run with unless something says
// otherwise: the fewest of which one among many differences can be told from chance.
const leastSeeds = 5

// Options says how scenarios are checked. The zero value runs all of them with as
// many seeds as they ask for, five at least, on all cores, and compares them with
// nothing.
type Options struct {
	// Seeds is with how many seeds each scenario is run, counted from its own; 0
	// is as many as its expectations ask for, and five at least.
	Seeds int
	// Short leaves out the scenarios that say that they take long, and runs the
	// others with no more seeds than their expectations ask for; only where the
	// packets are not those of the baseline with all seeds of that.
	Short bool
	// Jobs is how many runs are under way at once; 0 is one for each core.
	Jobs int
	// Baselines is the folder of baselines to compare with; empty: none.
	Baselines string
	// Tolerance is the share of a metric's value by which it may become worse.
	Tolerance float64
	// Identical makes every difference from the baseline a failure, and that there is
	// none.
	Identical bool
	// Cache is a folder in which results are kept, and looked for before anything
	// is run; empty: none.
	Cache string
	// Program runs scenarios: wtsim, built from the source of this one; empty: this
	// program.
	Program string
	// Here runs scenarios in this process, which is not sealed, one after the other,
	// and without the cache.
	Here bool
	// Progress, if not nil, hears how far the runs have come, from one goroutine
	// at a time.
	Progress Progress
}

// Progress hears how far runs have come.
type Progress interface {
	// Plan is called with the virtual time limit of each run that is needed, if any is;
	// again if it turns out that others are, too.
	Plan(limits []time.Duration)
	// Report is called with the index of a run, and with done once it has ended.
	Report(i int, at run.Progress, done bool)
}

// Run checks scenarios. The error says why that could not be done, which includes
// that the context has ended; what a scenario lacks, and that it cannot be run to
// its end, is in the report.
func Run(ctx context.Context, cases []Case, o Options) (*Report, error) {
	begin := time.Now()
	report := &Report{Versions: run.Versions(), Short: o.Short}
	var kept []Case
	for _, c := range cases {
		if o.Short && c.Long {
			report.LeftOut = append(report.LeftOut, c.Path)
			continue
		}
		kept = append(kept, c)
	}
	if o.Here {
		o.Cache = ""
	}
	cache, err := openCache(o.Cache, o.Program)
	if err != nil {
		return nil, err
	}
	recordings, err := scratch.Make("", "wtsim-check-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for recordings: %w", err)
	}
	defer recordings.Remove()
	p := pool{options: o, cache: cache, recordings: recordings.Path}
	for _, c := range kept {
		s := Scenario{Case: c}
		if s.Seeds, err = o.seeds(c); err != nil {
			return nil, err
		}
		if err := s.readBaseline(o.Baselines); err != nil {
			return nil, err
		}
		report.Scenarios = append(report.Scenarios, s)
	}
	for range 2 { // the second time what the first one's packets ask for
		if err := p.run(ctx, report.Scenarios); err != nil {
			return nil, err
		}
	}
	report.Wall = time.Since(begin)
	return report, nil
}

// seeds returns the seeds with which a case is run.
func (o Options) seeds(c Case) ([]uint64, error) {
	n := o.Seeds
	switch {
	case n == 0 && o.Short:
		n = c.Asked
	case n == 0:
		n = max(c.Asked, leastSeeds)
	}
	if c.Seed > math.MaxUint64-uint64(n-1) {
		return nil, fmt.Errorf("%s: there are no %d seeds from %d on", c.Path, n, c.Seed)
	}
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = c.Seed + uint64(i)
	}
	return seeds, nil
}

// pool runs cases, several runs at once.
type pool struct {
	options    Options
	cache      *cache
	recordings string
}

// job is one run.
type job struct {
	scenario int
	seed     int // its place among the scenario's seeds
}

// run does the runs of the scenarios that are missing, and settles each scenario with
// its last one.
func (p *pool) run(ctx context.Context, scenarios []Scenario) error {
	var jobs []job
	var limits []time.Duration
	missing := make([]atomic.Int64, len(scenarios))
	mistakes := make([]error, len(scenarios))
	for i := range scenarios {
		s := &scenarios[i]
		if len(s.Runs) == len(s.Seeds) {
			continue
		}
		for k := len(s.Runs); k < len(s.Seeds); k++ {
			found, ok := p.cache.get(s.Case, s.Seeds[k])
			s.Runs = append(s.Runs, found)
			if !ok {
				jobs = append(jobs, job{i, k})
				limits = append(limits, s.TimeLimit)
				missing[i].Add(1)
			}
		}
		if missing[i].Load() == 0 {
			mistakes[i] = s.settle(p.options)
		}
	}
	progress := p.options.Progress
	if progress != nil && len(jobs) > 0 {
		progress.Plan(limits)
	}
	workers := p.options.Jobs
	switch {
	case p.options.Here:
		workers = 1
	case workers <= 0:
		workers = runtime.NumCPU()
	}
	var (
		group sync.WaitGroup
		speak sync.Mutex
		next  = make(chan int)
	)
	for range min(workers, len(jobs)) {
		group.Go(func() {
			for i := range next {
				j := jobs[i]
				s := &scenarios[j.scenario]
				var last run.Progress
				say := func(at run.Progress, done bool) {
					last = at
					if progress != nil {
						speak.Lock()
						defer speak.Unlock()
						progress.Report(i, at, done)
					}
				}
				s.Runs[j.seed] = p.one(ctx, s.Case, s.Seeds[j.seed], func(at run.Progress) { say(at, false) })
				say(last, true)
				if missing[j.scenario].Add(-1) == 0 {
					mistakes[j.scenario] = s.settle(p.options)
				}
			}
		})
	}
	for i := range jobs {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(mistakes...)
}

// one does one run. Its recording is gone when it returns.
func (p *pool) one(ctx context.Context, c Case, seed uint64, onProgress func(run.Progress)) Outcome {
	var o Outcome
	var judged expect.Run
	out, err := os.MkdirTemp(p.recordings, "")
	if err != nil {
		o.Err = fmt.Errorf("make a folder for a recording: %w", err)
		return o
	}
	defer os.RemoveAll(out)
	result, err := run.Do(ctx, run.Request{Scenario: c.Path, Overrides: c.Overrides, Seed: &seed, Program: p.options.Program, Here: p.options.Here, Out: out, Complete: func(dir string) error {
		recording, err := record.Open(dir)
		if err != nil {
			return err
		}
		judged, err = expect.Measure(recording)
		return err
	}}, onProgress)
	if err != nil {
		o.Err = err
		return o
	}
	o.Info, o.judged = result.Run, judged
	p.cache.put(o)
	return o
}

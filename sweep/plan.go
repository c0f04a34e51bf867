package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/run"
	"github.com/wtsim/wtsim/sim/scenario"
)

// Options says what a study is, besides what the scenario says in its table [sweep].
// The zero value adds nothing.
type Options struct {
	// Axes, each "path=a,b,c" or "path=1..100Mbit/s:log10", as the flags of 'wtsim
	// sweep' have them. One replaces an axis of the file's that has the same path.
	Grid   []string
	Zip    []string // whose values go together
	Sample []string // "path=a,b,c" or "path=1..100Mbit/s:log"

	// These replace what the file says where they are not zero.
	Samples    int
	Method     string // latin-hypercube or random
	SampleSeed uint64
	Seeds      int
	Metrics    []string
	Limits     run.Limits

	Yes bool // more than [MostRuns] are meant
}

// MostRuns is how many runs a study has at most unless they are said to be meant.
const MostRuns = 10_000

// planner makes a study.
type planner struct {
	*Study
	options Options
	base    *scenario.Scenario
	grid    []*axis
	zips    [][]*axis
	sample  []*axis
}

// Plan makes the study of a scenario's file, with overrides "path=value" for all of
// its cells. Every cell is a valid scenario. A mistake is a [*scenario.Error].
func Plan(path string, overrides []string, o Options) (*Study, error) {
	base, err := scenario.Load(path, overrides...)
	if err != nil {
		return nil, err
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &planner{
		Study: &Study{Name: base.Name, Path: path, Source: source, Overrides: overrides}, options: o, base: base,
	}
	for _, step := range []func() error{p.collect, p.contradictions, p.expand, p.seeds, p.cells, p.resolve, p.metrics} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	p.Limits = run.Limits{Wall: or(o.Limits.Wall, base.Sweep.Wall), Memory: or(o.Limits.Memory, base.Sweep.Memory)}
	return p.Study, nil
}

func or[T int | uint64 | time.Duration | netem.Bytes](value, otherwise T) T {
	if value != 0 {
		return value
	}
	return otherwise
}

// fail returns an error about a key of the table [sweep].
func (p *planner) fail(key, format string, args ...any) error {
	return &scenario.Error{File: p.Path, Line: scenario.Line(p.Source, key), Key: key, Message: fmt.Sprintf(format, args...)}
}

// collect finds the axes in the file and in the flags.
func (p *planner) collect() error {
	written := func(axes scenario.Axes, table string) (all []*axis) {
		for _, a := range axes {
			all = append(all, &axis{path: a.Path, given: a.Values, file: p.Path, key: table + "." + a.Path, source: p.Source})
		}
		return all
	}
	p.grid = written(p.base.Sweep.Grid, "sweep.grid")
	p.sample = written(p.base.Sweep.Sample, "sweep.sample")
	for i, axes := range p.base.Sweep.Zip {
		if len(axes) == 0 {
			return p.fail(fmt.Sprintf("sweep.zip.%d", i), "has no keys; expected at least one with a list of values")
		}
		p.zips = append(p.zips, written(axes, fmt.Sprintf("sweep.zip.%d", i)))
	}
	var together []*axis
	for _, flag := range []struct {
		name  string
		texts []string
		to    *[]*axis
	}{{"--sweep", p.options.Grid, &p.grid}, {"--zip", p.options.Zip, &together}, {"--sample", p.options.Sample, &p.sample}} {
		for _, text := range flag.texts {
			a, err := parseAxis(flag.name, text)
			if err != nil {
				return err
			}
			p.replace(a, flag.to)
		}
	}
	if together != nil {
		p.zips = append(p.zips, together)
	}
	if len(p.all()) == 0 {
		return &scenario.Error{File: p.Path, Message: "there is nothing to sweep; expected keys in [sweep.grid], [[sweep.zip]] or [sweep.sample], or --sweep path=a,b,c"}
	}
	return nil
}

// replace adds an axis of a flag to others, in the place of one of the file's with
// the same path if there is one in a grid or a sample.
func (p *planner) replace(a *axis, to *[]*axis) {
	for _, list := range []*[]*axis{&p.grid, &p.sample} {
		i := slices.IndexFunc(*list, func(other *axis) bool { return other.path == a.path && other.source != nil })
		if i < 0 {
			continue
		}
		if list == to {
			(*list)[i] = a
			return
		}
		*list = slices.Delete(*list, i, i+1)
	}
	*to = append(*to, a)
}

// all returns the axes in the order of the study's.
func (p *planner) all() []*axis {
	all := slices.Clone(p.grid)
	for _, zip := range p.zips {
		all = append(all, zip...)
	}
	return append(all, p.sample...)
}

// contradictions finds axes that set the same key, or what is given by an override.
func (p *planner) contradictions() error {
	all := p.all()
	for i, a := range all {
		if err := a.check(); err != nil {
			return err
		}
		for _, other := range all[:i] {
			switch {
			case a.path == other.path:
				return a.fail("is swept twice, also by %s; expected it in one place", other.where())
			case within(a.path, other.path) || within(other.path, a.path):
				return a.fail("is swept together with %s (%s), of which one is a part of the other; expected one of them", other.path, other.where())
			}
		}
		for _, o := range p.Overrides {
			if path, _, _ := strings.Cut(o, "="); within(strings.TrimSpace(path), a.path) {
				return a.fail("is swept, and is set by --set %s; expected one or the other", o)
			}
		}
	}
	return nil
}

// where says where the axis was written.
func (a *axis) where() string {
	if a.source == nil {
		return a.file + " " + a.path
	}
	return a.key
}

// expand finds the values of the axes.
func (p *planner) expand() error {
	for i, a := range p.all() {
		drawn := i >= len(p.all())-len(p.sample)
		if err := a.expand(drawn, func() (string, error) { return p.kind(a) }); err != nil {
			return err
		}
	}
	for _, zip := range p.zips {
		for _, a := range zip[1:] {
			if len(a.values) != len(zip[0].values) {
				return a.fail("has %d values, and %s, which goes with it, has %d; expected as many", len(a.values), zip[0].path, len(zip[0].values))
			}
		}
	}
	return nil
}

// kind returns the type of an axis' key, which may depend on the others.
func (p *planner) kind(of *axis) (string, error) {
	overrides := slices.Clone(p.Overrides)
	for _, a := range p.all() {
		if a != of {
			overrides = append(overrides, a.path+"="+a.first())
		}
	}
	kind, err := scenario.Kind(p.Path, p.Source, append(overrides, of.path+"="+of.first())...)
	if err != nil {
		return "", p.blame(err)
	}
	return kind, nil
}

// blame makes an error about an override one about the axis that made it.
func (p *planner) blame(err error) error {
	for _, a := range p.all() {
		if moved, ok := a.blame(err); ok {
			return moved
		}
	}
	return err
}

// seeds lists the seeds, and checks how many runs there are to be.
func (p *planner) seeds() error {
	n := or(p.options.Seeds, max(p.base.Sweep.Seeds, 1))
	switch {
	case n < 0:
		return &scenario.Error{File: "--seeds", Message: fmt.Sprintf("%d is out of range; expected at least 1", n)}
	case p.base.Seed > math.MaxUint64-uint64(n-1):
		return p.fail("seed", "%d seeds from %d on go beyond the largest, %d; expected a lower first one", n, p.base.Seed, uint64(math.MaxUint64))
	}
	runs := float64(n)
	for _, d := range p.dimensions() {
		runs *= float64(d.length)
	}
	cells := runs / float64(n)
	if runs > mostValues {
		return &scenario.Error{File: p.Path, Message: fmt.Sprintf("the study has %.0f cells with %d seeds each, %.0f runs; expected at most %d", cells, n, runs, mostValues)}
	}
	if runs > MostRuns && !p.options.Yes {
		return &scenario.Error{File: p.Path, Message: fmt.Sprintf("the study has %.0f cells with %d seeds each, %.0f runs; expected at most %d, or --yes", cells, n, runs, MostRuns)}
	}
	for i := range n {
		p.Seeds = append(p.Seeds, p.base.Seed+uint64(i))
	}
	return p.samples()
}

// dimension is one of the factors of the number of cells.
type dimension struct {
	axes   []*axis
	length int
}

func (p *planner) dimensions() (all []dimension) {
	for _, a := range p.grid {
		all = append(all, dimension{[]*axis{a}, len(a.values)})
	}
	for _, zip := range p.zips {
		all = append(all, dimension{zip, len(zip[0].values)})
	}
	if len(p.sample) > 0 {
		all = append(all, dimension{p.sample, or(p.options.Samples, p.base.Sweep.Samples)})
	}
	return all
}

// samples draws the values of the axes that are drawn.
func (p *planner) samples() error {
	n := or(p.options.Samples, p.base.Sweep.Samples)
	switch {
	case n < 0:
		return &scenario.Error{File: "--samples", Message: fmt.Sprintf("%d is out of range; expected at least 1", n)}
	case len(p.sample) > 0 && n == 0:
		return p.sample[0].fail("is drawn, and it is not said how often; expected [sweep] samples, or --samples")
	case len(p.sample) == 0 && p.options.Samples > 0:
		return &scenario.Error{File: "--samples", Message: "nothing is drawn; expected --sample path=1..100, or keys in [sweep.sample]"}
	case len(p.sample) == 0 && n > 0:
		return p.fail("sweep.samples", "nothing is drawn; expected keys in [sweep.sample]")
	}
	method := p.base.Sweep.Method
	if p.options.Method != "" {
		method = strings.ReplaceAll(p.options.Method, "-", "_")
		if method != "latin_hypercube" && method != "random" {
			return &scenario.Error{File: "--method", Message: fmt.Sprintf("unknown method %q; expected latin-hypercube or random", p.options.Method)}
		}
	}
	seed := or(p.options.SampleSeed, p.base.Sweep.Seed)
	for _, a := range p.sample {
		a.values = a.draw(n, seed, method != "random")
	}
	return nil
}

// cells combines the values of the axes.
func (p *planner) cells() error {
	dimensions := p.dimensions()
	indexes := make([]int, len(dimensions))
	for {
		var cell Cell
		for i, d := range dimensions {
			for _, a := range d.axes {
				cell.Values = append(cell.Values, a.values[indexes[i]])
			}
		}
		p.Cells = append(p.Cells, cell)
		i := len(indexes) - 1
		for ; i >= 0; i-- { // the last varies fastest
			if indexes[i]++; indexes[i] < dimensions[i].length {
				break
			}
			indexes[i] = 0
		}
		if i < 0 {
			break
		}
	}
	for _, a := range p.all() {
		p.Axes = append(p.Axes, Axis{Path: a.path, Values: different(a.values), Log: a.span != nil && a.span.spec == "log"})
	}
	return nil
}

// different returns the different ones of values, in order of first use.
func different(values []string) []string {
	seen := map[string]bool{}
	var all []string
	for _, v := range values {
		if !seen[v] {
			all = append(all, v)
		}
		seen[v] = true
	}
	return all
}

// resolve reads the scenario of every cell, and finds cells that are the same.
func (p *planner) resolve() error {
	errs := make([]error, len(p.Cells))
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(p.Cells)) {
		workers.Go(func() {
			for !failed.Load() { // indexes are taken in order: of all cells that fail, the first has been tried
				i := int(next.Add(1)) - 1
				if i >= len(p.Cells) {
					return
				}
				if errs[i] = p.resolveCell(i); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return p.merge()
}

func (p *planner) resolveCell(i int) error {
	s, err := scenario.Parse(p.Path, p.Source, p.Of(i)...)
	if err == nil {
		p.Cells[i].Digest = digest(s)
		return nil
	}
	var mistake *scenario.Error
	if err = p.blame(err); errors.As(err, &mistake) {
		with := *mistake
		with.Message += " (cell " + p.describe(i) + ")"
		return &with
	}
	return err
}

// describe names a cell.
func (p *planner) describe(i int) string {
	var parts []string
	for j, value := range p.Cells[i].Values {
		parts = append(parts, p.all()[j].path+"="+value)
	}
	return strings.Join(parts, " ")
}

// digest returns the hash of all of a scenario that matters to its runs but the seed.
func digest(s *scenario.Scenario) string {
	same := *s
	same.Name, same.Description, same.Seed, same.Long, same.Expect = "", "", 0, false, nil
	h := sha256.New()
	h.Write(same.Resolved())
	for _, in := range s.Inputs {
		fmt.Fprintf(h, "%q %x\n", in.Name, in.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// merge refuses cells that are the same scenario as another. Such that were drawn are
// one cell.
func (p *planner) merge() error {
	first := map[string]int{}
	var cells []Cell
	for i, c := range p.Cells {
		other, seen := first[c.Digest]
		switch {
		case !seen:
			first[c.Digest] = i
			cells = append(cells, c)
		case len(p.sample) == 0:
			return &scenario.Error{File: p.Path, Message: fmt.Sprintf("two cells are the same scenario: %s, and %s; expected values that make a difference", p.describe(other), p.describe(i))}
		}
	}
	p.Cells = cells
	return nil
}

package scenario

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// rehearsedSteps is how many steps of a ramp are rehearsed at the most, evenly
// spread.
const rehearsedSteps = 16

// moment is when a change has come so far.
type moment struct {
	at, elapsed time.Duration
	change      int
}

// rehearse makes all changes of a direction without datagrams, to find what only
// the elements know to be wrong: at the start, on the way from one configuration
// to the next, and where changes overlap.
func (c *checker) rehearse(l *Link, direction string) error {
	fail := func(err error, path ...string) error {
		return c.fail(path, "%s", strings.TrimPrefix(err.Error(), "netem: path "+direction+": "))
	}
	d := l.direction(direction).Clone()
	now := d.At(0)
	path, err := netem.NewPath(stoppedClock{}, direction, 0, l.Elements(direction, &now, Outages{}), nil, nil)
	if err != nil {
		return fail(err, c.path(l, direction)...)
	}
	from := make([]LinkDirection, len(l.Changes))
	for _, m := range l.moments(direction) {
		ch := &l.Changes[m.change]
		if m.elapsed == 0 {
			from[m.change] = d.Clone()
		}
		ch.Apply(&d, &from[m.change], direction, m.elapsed)
		now := d.At(m.at)
		for _, e := range l.Elements(direction, &now, Outages{}) {
			if err := path.Configure(e); err != nil {
				return fail(err, "links", l.Name, "changes", strconv.Itoa(m.change))
			}
		}
	}
	return nil
}

// moments returns the steps of all changes of a direction, in the order of a run.
func (l *Link) moments(direction string) []moment {
	var all []moment
	for i := range l.Changes {
		ch := &l.Changes[i]
		if !ch.Applies(direction) {
			continue
		}
		all = append(all, moment{ch.At, 0, i})
		step := max(ch.Step, ch.Over/rehearsedSteps)
		for elapsed := step; ch.Over > 0; elapsed += step {
			elapsed = min(elapsed, ch.Over)
			all = append(all, moment{ch.At + elapsed, elapsed, i})
			if elapsed == ch.Over {
				break
			}
		}
	}
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	return all
}

// stoppedClock is a clock on which nothing happens.
type stoppedClock struct{}

func (stoppedClock) Now() time.Duration            { return 0 }
func (stoppedClock) At(time.Duration, func())      {}
func (stoppedClock) AtQuiet(time.Duration, func()) {}

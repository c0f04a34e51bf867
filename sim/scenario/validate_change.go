package scenario

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/wtsim/wtsim/netem"
)

// maxSteps is the largest number of steps of a ramp.
const maxSteps = 1_000_000

func (c *checker) checkChanges(l *Link) error {
	for i := range l.Changes {
		ch := &l.Changes[i]
		path := []string{"links", l.Name, "changes", strconv.Itoa(i)}
		if err := c.checkTime(ch.At, append(path, "at")...); err != nil {
			return err
		}
		if len(ch.Keys) == 0 {
			return c.fail(path, "changes nothing; expected keys of a link, such as rate, delay, loss")
		}
		if slices.ContainsFunc(ch.Keys, func(key string) bool { return strings.HasPrefix(key, "trace.") }) {
			return c.fail(append(path, "trace"), "a trace is for the whole run; expected it among the link's own keys")
		}
		if ch.Over > 0 && ch.Over/ch.Step > maxSteps {
			return c.fail(append(path, "step"), "makes more than %d steps; expected at least %s", maxSteps, ch.Over/maxSteps)
		}
		for _, d := range directions {
			if !ch.Applies(d) {
				continue
			}
			where := func(key ...string) []string { return append(slices.Clone(path), key...) }
			ch.direction(d).Trace = l.direction(d).Trace
			if err := c.checkTraced(ch.direction(d), where); err != nil {
				return err
			}
			if err := c.checkDirection(l, ch.direction(d), where, d); err != nil {
				return err
			}
			if err := c.checkChange(l, i, d, where); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkChange checks what a change makes of the configuration before it.
func (c *checker) checkChange(l *Link, i int, direction string, path func(key ...string) []string) error {
	ch := &l.Changes[i]
	before := l.before(i, direction)
	if from, to := before.Queue.Kind, ch.direction(direction).Queue.Kind; from != to {
		return c.fail(path("queue", "kind"), "would make the queue of the %s direction, %s, a %s; expected the same kind for the whole run", direction, from, to)
	}
	for j := range l.Changes[:i] {
		other := &l.Changes[j]
		if !other.Applies(direction) || other.At > ch.At+ch.Over || ch.At > other.At+other.Over {
			continue
		}
		for _, key := range ch.Keys {
			where := path(strings.Split(key, ".")...)
			table, _, _ := strings.Cut(key, ".")
			switch {
			case other.Over == 0 && ch.Over == 0:
				if slices.Contains(other.Keys, key) {
					return c.fail(where, "changes.%d sets the %s of the %s direction at %s already; expected it once", j, key, direction, ch.At)
				}
			case slices.ContainsFunc(other.Keys, func(k string) bool { return k == table || strings.HasPrefix(k, table+".") }):
				return c.fail(where, "changes.%d sets the %s of the %s direction from %s to %s too; expected one at a time", j, table, direction, other.At, other.At+other.Over)
			}
		}
	}
	if ch.Over == 0 {
		return nil
	}
	for _, key := range ch.Keys {
		from, had := before.field(key)
		to, has := ch.direction(direction).field(key)
		switch {
		case !has: // of a kind that only the other direction has
		case !had:
			return c.fail(path(strings.Split(key, ".")...), "cannot change over a time, from nothing to %s; expected two numbers of one kind, or no 'over'", valueText(to.value))
		default:
			if _, ok := interpolate(from, to, ch.Over/2, ch.Over); !ok && !reflect.DeepEqual(from.value.Interface(), to.value.Interface()) {
				why := ""
				if to.special && to.value.Type() != reflect.TypeFor[netem.BitRate]() {
					why = ", where 0 is not a number but has a meaning of its own"
				}
				return c.fail(path(strings.Split(key, ".")...), "cannot change over a time, from %s to %s%s; expected two numbers of one kind, or no 'over'", valueText(from.value), valueText(to.value), why)
			}
		}
	}
	return nil
}

// before returns the configuration that a direction has when a change begins
// and those before it are done.
func (l *Link) before(i int, direction string) *LinkDirection {
	last := -1
	for j := range l.Changes {
		if earlier := l.Changes[j].At < l.Changes[i].At || l.Changes[j].At == l.Changes[i].At && j < i; !earlier {
			continue
		}
		if last < 0 || l.Changes[j].At >= l.Changes[last].At {
			last = j
		}
	}
	if last < 0 {
		return l.direction(direction)
	}
	return l.Changes[last].direction(direction)
}

// maxOutages is the largest number of times that one table of outages means.
const maxOutages = 1_000_000

func (c *checker) checkOutages(l *Link) error {
	for i := range l.Outages {
		o := &l.Outages[i]
		path := func(key string) []string { return []string{"links", l.Name, "outages", strconv.Itoa(i), key} }
		if err := c.checkTime(o.At, path("at")...); err != nil {
			return err
		}
		switch {
		case o.Every > 0 && o.Every <= o.For:
			return c.fail(path("every"), "%s is not more than the outage lasts, %s; expected more, or 0s for once", o.Every, o.For)
		case o.Every > 0 && (c.TimeLimit-o.At)/o.Every > maxOutages:
			return c.fail(path("every"), "makes more than %d outages; expected at least %s", maxOutages, (c.TimeLimit-o.At)/maxOutages)
		}
	}
	return nil
}

package analysis

import (
	"cmp"
	"slices"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// Distribution is how the values of a quantity are distributed. The members of a
// group are counted together. Values are exact for up to 4096 of them, and within
// 0.05 % beyond.
type Distribution struct {
	Entity  string       // whose, or the name of a group; empty for all that have no distribution of their own, and for the teardown of sessions outside of groups
	Members int          // how many entities are counted together; 1 for teardowns
	Name    string       // of what: a series, or one of the Teardown constants
	Unit    string       // of the values, such as "s"
	Count   int64        // values
	Of      int64        // what shares are of: the values, and those that could have been but were not
	Points  []Cumulative // in order of the values, a bounded number; the last is the largest value
}

// Cumulative says which share of the values is at most V.
type Cumulative struct{ V, Share float64 }

// The parts of the teardown of sessions that have distributions, in seconds from the
// call of close, of the sessions of which close was called.
const (
	TeardownNotified = "session.teardown.notified" // until the peer's application learned of it
	TeardownStreams  = "session.teardown.streams"  // until the last data stream ended at both sides; of these, sessions with such streams
	TeardownGone     = "session.teardown.gone"     // until neither side holds state for the session
)

// maxDistributions is how many distributions of a quantity there are; further
// entities are counted together.
const maxDistributions = 256

// distributionSet collects distributions.
type distributionSet struct {
	groups map[string]string
	bulk   map[string]bool // connection ends that send the data of downloads and uploads
	of     map[seriesKey]*counted
	all    map[seriesKey]*counted // by group
	number map[string]int         // of those of a quantity
}

// counted is a distribution that is collected.
type counted struct {
	distribution
	key     seriesKey
	members int
	missing int64 // values that could have been
}

func newDistributionSet(run record.Run) *distributionSet {
	s := &distributionSet{
		groups: groupsOf(run), bulk: map[string]bool{},
		of: map[seriesKey]*counted{}, all: map[seriesKey]*counted{}, number: map[string]int{},
	}
	connections := connectionsOf(run.Sessions)
	for _, f := range run.Flows {
		switch f.Kind {
		case "download":
			s.bulk[connections[f.Session]+".server"] = true
		case "upload":
			s.bulk[connections[f.Session]+".client"] = true
		}
	}
	return s
}

// get returns the distribution of a quantity that an entity counts in.
func (s *distributionSet) get(name, entity string) *counted {
	if c := s.of[seriesKey{name, entity}]; c != nil {
		return c
	}
	key := seriesKey{name, cmp.Or(s.groups[entity], entity)}
	if s.all[key] == nil && s.number[name] == maxDistributions {
		key.entity = ""
	}
	c := s.all[key]
	if c == nil {
		c = &counted{key: key}
		s.all[key] = c
		if key.entity != "" {
			s.number[name]++
		}
	}
	c.members++
	s.of[seriesKey{name, entity}] = c
	return c
}

// sample counts the delays of messages, and the RTTs where bulk data are sent.
func (s *distributionSet) sample(x record.Sample) {
	switch x.Name {
	case record.SeriesOneWayDelay, record.SeriesMessageRTT:
	case record.SeriesLatestRTT:
		if !s.bulk[x.Entity] {
			return
		}
	default:
		return
	}
	s.get(x.Name, x.Entity).addSeconds(x.Value)
}

// teardown counts the parts of a session's teardown.
func (s *distributionSet) teardown(t Timeline) {
	steps := t.Teardown()
	if len(steps) == 0 {
		return
	}
	until := map[string]time.Duration{}
	ends := map[string]int{}
	for _, step := range steps {
		until[step.Kind] = max(until[step.Kind], step.SinceClose)
		ends[step.Kind]++
	}
	for _, part := range []struct {
		name, kind string
		ends       int
	}{
		{TeardownNotified, record.EventCloseNotified, 1},
		{TeardownStreams, record.EventLastStreamEnded, 2},
		{TeardownGone, record.EventSessionGone, 2},
	} {
		switch {
		case ends[part.kind] == part.ends:
			s.get(part.name, s.groups[t.Entity]).addDuration(until[part.kind])
		case part.name != TeardownStreams || ends[part.kind] > 0:
			s.get(part.name, s.groups[t.Entity]).missing++
		}
	}
}

// finish returns all distributions, in order of name and entity.
func (s *distributionSet) finish() []Distribution {
	var all []Distribution
	for _, c := range s.all {
		of := c.count + c.missing
		all = append(all, Distribution{
			Entity: c.key.entity, Members: c.members, Name: c.key.name, Unit: "s",
			Count: c.count, Of: of, Points: c.cumulative(of),
		})
	}
	slices.SortFunc(all, func(a, b Distribution) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), compareEntities(a.Entity, b.Entity))
	})
	return all
}

// The points of a distribution are thinned out until neighbours differ by one of
// these shares: of all values, or, in the tail, of the values that are larger.
const shareStep, tailStep = 1. / 500, 1. / 40

// cumulative returns the share of values that are at most as large as each of some
// of them, in seconds of nanoseconds, as shares of a number of values.
func (d *distribution) cumulative(of int64) []Cumulative {
	var out []Cumulative
	var below int64 // values up to now
	last := 0.0     // share of the last point
	tail := 1.0     // 1 − last
	add := func(v, n int64) {
		below += n
		share := float64(below) / float64(of)
		if len(out) == 0 || below == d.count || share-last >= shareStep || 1-share <= (1-tailStep)*tail {
			out = append(out, Cumulative{float64(v) / nano, share})
			last, tail = share, 1-share
		}
	}
	if d.octaves == nil {
		d.sort()
		for i := 0; i < len(d.exact); {
			j := i + 1
			for j < len(d.exact) && d.exact[j] == d.exact[i] {
				j++
			}
			add(d.exact[i], int64(j-i))
			i = j
		}
		return out
	}
	if d.negative > 0 {
		add(d.min, d.negative)
	}
	for octave := range 65 {
		o := d.octaves[octave]
		if o == nil {
			continue
		}
		for i, n := range o {
			if n > 0 && below+n == d.count {
				add(d.max, n)
			} else if n > 0 {
				add(max(bucketMiddle(octave, i), d.min), n)
			}
		}
	}
	return out
}

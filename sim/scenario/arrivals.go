package scenario

import (
	"time"

	"github.com/wtsim/wtsim/internal/variate"
	"github.com/wtsim/wtsim/netem"
)

// arrivals returns when the sessions of a group begin, in order. Poisson
// arrivals belong to the scenario's seed and the session's name; those of a group
// with more sessions begin with those of one with less.
func (s *Scenario) arrivals(session *Session, count int) []time.Duration {
	starts := make([]time.Duration, count)
	if session.Arrivals != "poisson" {
		for i := range starts {
			starts[i] = session.Start + time.Duration(i)*session.Stagger
		}
		return starts
	}
	random, gaps := netem.NewRand(s.Seed, "sessions."+session.Name+"/arrivals"), variate.Exponential(int64(session.Stagger))
	at := int64(session.Start)
	for i := range starts {
		at = min(at+gaps.Of(random.Uint64()), variate.Most)
		starts[i] = time.Duration(at)
	}
	return starts
}

// checkArrivals checks that all sessions of a group begin before the end of the
// run. It returns when the last one does.
func (c *checker) checkArrivals(s *Session) (last time.Duration, err error) {
	path := func(key string) []string { return []string{"sessions", s.Name, key} }
	if err := c.checkTime(s.Start, path("start")...); err != nil {
		return 0, err
	}
	poisson := s.Arrivals == "poisson"
	if poisson && s.Stagger == 0 {
		return 0, c.fail(path("stagger"), "0s is no mean time between Poisson arrivals; expected one such as \"100ms\"")
	}
	count := c.countOf(s)
	for i, start := range c.arrivals(s, count) {
		switch last = start; {
		case start < c.TimeLimit:
		case poisson:
			return 0, c.fail(path("stagger"), "number %d of the %d sessions starts at %s; expected less than time_limit, %s", i+1, count, start, c.TimeLimit)
		default:
			last = s.Start + time.Duration(count-1)*s.Stagger
			return 0, c.fail(path("stagger"), "the last of the %d sessions starts at %s; expected less than time_limit, %s", count, last, c.TimeLimit)
		}
	}
	return last, nil
}

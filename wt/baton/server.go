package baton

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"github.com/wtsim/wtsim/wt"
)

// Application returns the server's end. A request whose query is malformed, or
// asks for what there is not, is refused with status 400. When a session is
// over ended is called, unless it is nil. Application panics if the configuration cannot be used.
func Application(c Config, ended func(*wt.Session, Result)) wt.Application {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		panic(err)
	}
	var mu sync.Mutex
	seeds := rand.New(c.Rand)
	return wt.Application{
		Connecting: func(s *wt.Session) error {
			if _, err := c.asked(s.Request().URL.RawQuery); err != nil {
				return &wt.RefusedError{Status: http.StatusBadRequest, Err: err}
			}
			return nil
		},
		Callbacks: func(s *wt.Session) wt.Callbacks {
			asked, _ := c.asked(s.Request().URL.RawQuery) // Connecting has checked it
			mu.Lock()
			rng := rand.New(rand.NewPCG(seeds.Uint64(), 0))
			mu.Unlock()
			if asked.Baton == 0 {
				asked.Baton = 1 + rng.IntN(255)
			}
			return newPlayer(asked, true, rng, ended)
		},
	}
}

// asked returns the configuration for a session with the given query. Parameters of
// other names are ignored.
func (c Config) asked(query string) (Config, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return c, err
	}
	c.Baton, c.Count = 0, 1
	version := 0
	for _, p := range []struct {
		name     string
		v        *int
		min, max int
	}{{"version", &version, 0, 0}, {"baton", &c.Baton, 1, 255}, {"count", &c.Count, 1, c.MaxCount}} {
		values, ok := q[p.name]
		if !ok {
			continue
		}
		n, err := strconv.Atoi(values[0])
		if err != nil || len(values) > 1 || n < p.min || n > p.max {
			return c, fmt.Errorf("baton: %s=%q is not one number from %d to %d", p.name, values[0], p.min, p.max)
		}
		*p.v = n
	}
	return c, nil
}

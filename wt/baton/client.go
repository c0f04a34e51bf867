package baton

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"

	"github.com/wtsim/wtsim/wt"
)

// Opener opens a session: the method OpenSession of a [wt.ClientConn], or Dial of a [wt.Dialer].
type Opener func(context.Context, string, *wt.SessionOptions) (*wt.Session, *http.Response, error)

// Client returns the callbacks of one session at the client. When the session
// is over ended is called, unless it is nil. Client panics if the configuration cannot be used.
func Client(c Config, ended func(*wt.Session, Result)) wt.Callbacks {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		panic(err)
	}
	return newPlayer(c, false, rand.New(c.Rand), ended)
}

// Run runs the client's end of a session, until it is over. If the URL has no
// path it is completed with Path, and the query is that of the
// configuration. When the context is done the session is closed with Bored.
//
// The error is that of opening the session, or that of the [Result].
func Run(ctx context.Context, open Opener, rawURL string, c Config) (Result, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return Result{}, err
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return Result{}, fmt.Errorf("baton: %w", err)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = Path
	}
	u.RawQuery = c.Query()
	results := make(chan Result, 1)
	client := Client(c, func(_ *wt.Session, r Result) { results <- r })
	s, response, err := open(ctx, u.String(), &wt.SessionOptions{Callbacks: client})
	if err != nil {
		if response != nil {
			response.Body.Close()
		}
		err = fmt.Errorf("baton: %w", err)
		return Result{Batons: c.Count, End: &wt.SessionError{Remote: response != nil, Err: err}}, err
	}
	stop := context.AfterFunc(ctx, func() { s.Close(Bored, "out of time") })
	defer stop()
	r := <-results
	return r, r.Err()
}

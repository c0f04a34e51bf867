package endpoints

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wtsim/wtsim/wt"
)

// application makes an endpoint serve the sessions of its path.
func (c *Config) application(e *endpoint) wt.Application {
	ended := c.Ended
	if ended == nil {
		ended = func(*wt.Session, error) {}
	}
	var app wt.Application
	if e.application != nil {
		app = e.application(ended)
	} else {
		app = e.blocking(ended)
	}
	connecting := app.Connecting
	app.CheckOrigin = func(*http.Request) bool { return true } // Connecting says more than that
	app.Connecting = func(s *wt.Session) error {
		err := c.checkOrigin(s.Request())
		if err == nil {
			err = connecting(s)
		}
		if err != nil {
			err = withReason(err)
			ended(s, err)
		}
		return err
	}
	if e == &protocols {
		app.Protocols = c.Protocols
	}
	return app
}

// blocking returns what serves the sessions of an endpoint that has a function open.
func (e *endpoint) blocking(ended func(*wt.Session, error)) wt.Application {
	return wt.Application{
		Connecting: func(s *wt.Session) error {
			q := parseQuery(s.Request().URL.RawQuery, e)
			e.open(q)
			if q.err == nil || errors.Is(q.err, wt.ErrRefused) {
				return q.err
			}
			return &wt.RefusedError{Status: http.StatusBadRequest, Err: q.err}
		},
		Serve: func(s *wt.Session) {
			e.open(parseQuery(s.Request().URL.RawQuery, e))(s)
			s.Close(0, "")
			<-s.Done()
			ended(s, context.Cause(s.Context()))
		},
	}
}

// ReasonHeader is the field of a refusal that says in words why.
const ReasonHeader = "Wtsim-Reason"

// withReason adds the reason of a refusal to its header.
func withReason(err error) error {
	refused, ok := errors.AsType[*wt.RefusedError](err)
	if !ok || refused.Err == nil {
		return err
	}
	with := *refused
	if with.Header = refused.Header.Clone(); with.Header == nil {
		with.Header = make(http.Header)
	}
	with.Header.Set(ReasonHeader, fieldValue(refused.Err.Error()))
	return &with
}

// fieldValue makes a text fit for a header field: it is quoted in parts where
// it is not printable ASCII.
func fieldValue(text string) string {
	quoted := strconv.QuoteToASCII(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

func (c *Config) checkOrigin(r *http.Request) error {
	origins := r.Header.Values("Origin")
	if len(c.Origins) == 0 || len(origins) == 0 || len(origins) == 1 && slices.Contains(c.Origins, origins[0]) {
		return nil
	}
	return &wt.RefusedError{
		Status: http.StatusForbidden,
		Err:    fmt.Errorf("origin %q may not open sessions here", strings.Join(origins, ", ")),
	}
}

// checkOrigins reports origins that no browser sends (RFC 6454, section 7).
func (c *Config) checkOrigins() error {
	for _, origin := range c.Origins {
		u, err := url.Parse(origin)
		if origin != "null" && (err != nil || u.Host == "" || origin != u.Scheme+"://"+strings.ToLower(u.Host)) {
			return fmt.Errorf("endpoints: origin %q: expected scheme://host or scheme://host:port, in lower case", origin)
		}
	}
	return nil
}

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
	app := wt.Application{
		CheckOrigin: func(*http.Request) bool { return true }, // Connecting says more than that
		Connecting: func(session *wt.Session) error {
			err := c.admit(session.Request(), e)
			if err != nil {
				ended(session, err)
			}
			return err
		},
		Serve: func(session *wt.Session) {
			e.open(parseQuery(session.Request().URL.RawQuery, e))(session)
			session.Close(0, "")
			<-session.Done()
			ended(session, context.Cause(session.Context()))
		},
	}
	if e == &protocols {
		app.Protocols = c.Protocols
	}
	return app
}

// ReasonHeader is the field of a refusal that says in words why.
const ReasonHeader = "Wtsim-Reason"

// admit decides on a request for a session. The error is a *[wt.RefusedError].
func (c *Config) admit(r *http.Request, e *endpoint) error {
	if err := c.checkOrigin(r); err != nil {
		return refusal(http.StatusForbidden, err)
	}
	q := parseQuery(r.URL.RawQuery, e)
	e.open(q)
	if q.err == nil || errors.Is(q.err, wt.ErrRefused) {
		return q.err
	}
	return refusal(http.StatusBadRequest, q.err)
}

func refusal(status int, why error) error {
	return &wt.RefusedError{Status: status, Header: http.Header{ReasonHeader: {fieldValue(why.Error())}}, Err: why}
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
	return fmt.Errorf("origin %q may not open sessions here", strings.Join(origins, ", "))
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

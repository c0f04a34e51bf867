package endpoints

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/wtsim/wtsim/wt"
)

const (
	mostAfter  = time.Minute // until a session is closed or drained
	mostReason = 1024        // bytes (draft-ietf-webtrans-http3-16, section 6)
)

var afterParameter = parameter{Name: "after", Fallback: "0s", Meaning: "time until then, 0s to 1m0s; until then it is served as by /echo"}

var closing = endpoint{
	Path:    "/close",
	Summary: "The server closes the session.",
	Parameters: []parameter{
		{Name: "code", Fallback: "0", Meaning: "close code, 0 to 4294967295"},
		{Name: "reason", Fallback: "empty", Meaning: "at most 1024 bytes of UTF-8"},
		afterParameter,
	},
	open: func(q *query) func(*wt.Session) {
		code := uint32(q.number("code", 0, 0, math.MaxUint32))
		reason := q.text("reason", mostReason)
		after := q.duration("after", mostAfter)
		return func(s *wt.Session) {
			if after == 0 {
				s.Close(code, reason)
				return
			}
			timer := time.AfterFunc(after, func() { s.Close(code, reason) })
			defer timer.Stop()
			serveEcho(s)
		}
	},
}

var drain = endpoint{
	Path:       "/drain",
	Summary:    "The server drains the session, and serves it on as /echo does.",
	Parameters: []parameter{afterParameter},
	open: func(q *query) func(*wt.Session) {
		after := q.duration("after", mostAfter)
		return func(s *wt.Session) {
			if after == 0 {
				s.Drain()
			} else {
				timer := time.AfterFunc(after, s.Drain)
				defer timer.Stop()
			}
			serveEcho(s)
		}
	},
}

// mostFields bounds the header of a refusal.
const mostFields = 16

var refuse = endpoint{
	Path:    "/refuse",
	Summary: "The session is refused.",
	Parameters: []parameter{
		{Name: "status", Fallback: "404", Meaning: "status of the response, 300 to 599"},
		{Name: "header", Fallback: "none", Meaning: "field of the response, as name:value; up to 16 times, each of at most 1024 bytes", repeated: true},
	},
	open: func(q *query) func(*wt.Session) {
		status := int(q.number("status", http.StatusNotFound, 300, 599))
		header := http.Header{}
		fields := q.values["header"]
		if len(fields) > mostFields {
			q.fail("%d header fields; expected at most %d", len(fields), mostFields)
		}
		for _, field := range fields {
			name, value, found := strings.Cut(field, ":")
			if len(field) > mostReason || !found || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) || reserved(name) {
				q.fail("header is %.50q; expected name:value, and not of a field that the protocol uses itself", field)
			}
			header.Add(name, strings.TrimSpace(value))
		}
		if q.err == nil {
			q.err = &wt.RefusedError{Status: status, Header: header}
		}
		return nil
	},
}

// reserved reports whether HTTP/3 or the server itself decides on a field (RFC
// 9114, sections 4.1.2 and 4.2).
func reserved(name string) bool {
	return slices.Contains([]string{"connection", "content-length", "keep-alive", "proxy-connection",
		"trailer", "transfer-encoding", "upgrade", "date"}, strings.ToLower(name))
}

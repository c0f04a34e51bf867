package endpoints

import (
	"math"
	"time"

	"github.com/wtsim/wtsim/wt"
)

const (
	mostAfter  = time.Minute // until a session is closed or drained
	mostReason = 1024        // bytes (draft-ietf-webtrans-http3-16, section 6)
)

var afterParameter = parameter{Name: "after", Fallback: "0s", Meaning: "how long the session is served as by /echo before, 0s to 1m0s"}

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

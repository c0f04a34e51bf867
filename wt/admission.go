package wt

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// rate allows a number of things in each period on average, and that many at once. A
// negative number allows everything.
type rate struct {
	number int
	period time.Duration

	mu    sync.Mutex
	spent time.Time // when all that was allowed so far will have been earned back
}

// take allows one more, or tells how long it will be until it does.
func (r *rate) take(now time.Time) (wait time.Duration) {
	if r.number < 0 {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent.Before(now) {
		r.spent = now
	}
	spent := r.spent.Add(r.period / time.Duration(r.number))
	if wait = spent.Sub(now) - r.period; wait > 0 {
		return wait
	}
	r.spent = spent
	return 0
}

// offend counts something that a peer may do now and then, but that costs this
// end more than it should if done all the time. Beyond the limit the connection
// is closed (draft-ietf-webtrans-http3-16, section 8).
func (c *conn) offend(what string) {
	if c.offences.take(time.Now()) > 0 {
		c.quic.CloseWithError(quic.ApplicationErrorCode(h3ExcessiveLoad), "too many "+what)
	}
}

// admit decides, before an application is asked, whether a client may have one more session
// (draft-ietf-webtrans-http3-16, section 5.2).
func (s *Server) admit(c *conn, r *http.Request) error {
	if wait := c.sessionRate.take(time.Now()); wait > 0 {
		return tooManySessions(wait)
	}
	if s.Admit == nil {
		return nil
	}
	return s.Admit(r)
}

// tooManySessions is the refusal of a session that may be asked for again later.
func tooManySessions(wait time.Duration) *RefusedError {
	seconds := max(1, (wait+time.Second-1)/time.Second)
	return &RefusedError{
		Status: http.StatusTooManyRequests,
		Header: http.Header{"Retry-After": {strconv.Itoa(int(seconds))}},
		Err:    ErrTooManySessions,
	}
}

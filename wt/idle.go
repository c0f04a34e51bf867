package wt

import "time"

// startIdleTimer makes the connection be closed when for so long it has had no
// session and no request.
func (c *conn) startIdleTimer(timeout time.Duration) {
	t := c.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.idleTimeout = timeout
	t.idleTimer = time.AfterFunc(timeout, func() {
		t.mu.Lock()
		idle := len(t.requests) == 0 && !t.closed && time.Since(t.idleSince) >= timeout
		t.mu.Unlock()
		if idle {
			c.quic.CloseWithError(h3NoError, "idle")
		}
	})
}

// becameIdle notes that no request is left, nor a session, whose CONNECT
// request is one as long as it lasts. The caller holds t.mu.
func (t *table) becameIdle() {
	t.idleSince = time.Now()
	if t.whenIdle != nil {
		close(t.whenIdle)
		t.whenIdle = nil
	}
	if t.idleTimer != nil && !t.closed {
		t.idleTimer.Reset(t.idleTimeout)
	}
}

// idle returns a channel that is closed when there is no request and no session.
func (t *table) idle() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.whenIdle == nil {
		t.whenIdle = make(chan struct{})
	}
	idle := t.whenIdle
	if len(t.requests) == 0 {
		close(idle)
		t.whenIdle = nil
	}
	return idle
}

// lingering returns for how much longer the end of the last response may be
// under way: as long as three probe timeouts, in which it is repeated if it is lost.
func (c *conn) lingering() time.Duration {
	c.table.mu.Lock()
	since := c.table.idleSince
	c.table.mu.Unlock()
	if since.IsZero() || c.quic.Context().Err() != nil {
		return 0
	}
	return closeWait(c.quic.ConnectionStats()) - time.Since(since)
}

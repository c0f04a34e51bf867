package analysis

import (
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// A teardown begins when an application calls close, or where none does, such
// as after an idle timeout, when the first end learns that the session is over.
var sessionTeardown = define(ofSession, "teardown.duration", "s", "time from the call of close until neither side holds state for the session; where nobody called it, from when the first end learned that the session was over",
	"events session.close_called, session.close_notified, session.gone")

var sessionTold = define(ofSession, "teardown.told", "1", "1 if the peer's application, which had not called close itself, learned the code and the reason with which close was called, 0 if it learned others",
	"draft-ietf-webtrans-http3, session termination; events session.close_called, session.close_notified")

// teardownSteps are the steps of a teardown, each with its metric: the time
// from the begin of the teardown until the step, 0 if it came before.
var teardownSteps = []struct {
	kind, side string // side: "closer" or "peer" of the one at which the teardown began, or "client" or "server"
	metric     *Definition
}{
	{record.EventCloseSent, "closer", defineStep("close_sent", "the CLOSE capsule and FIN were handed to the CONNECT stream", record.EventCloseSent)},
	{record.EventCloseNotified, "peer", defineStep("notified", "the peer's application learned that the session ended", record.EventCloseNotified)},
	{record.EventLastStreamEnded, "client", defineStep("last_stream.client", "the session's last data stream ended at the client", record.EventLastStreamEnded)},
	{record.EventLastStreamEnded, "server", defineStep("last_stream.server", "the session's last data stream ended at the server", record.EventLastStreamEnded)},
	{record.EventConnectStreamDone, "client", defineStep("connect_done.client", "both directions of the CONNECT stream were finished at the client", record.EventConnectStreamDone)},
	{record.EventConnectStreamDone, "server", defineStep("connect_done.server", "both directions of the CONNECT stream were finished at the server", record.EventConnectStreamDone)},
	{record.EventSessionGone, "client", defineStep("gone.client", "the client held no more state for the session", record.EventSessionGone)},
	{record.EventSessionGone, "server", defineStep("gone.server", "the server held no more state for the session", record.EventSessionGone)},
}

func defineStep(name, what, event string) *Definition {
	return define(ofSession, "teardown."+name, "s", "time from the begin of the teardown, as in teardown.duration, until "+what+", 0 if that was before",
		"events session.close_called, session.close_notified, "+event)
}

// Step is a step of a session's teardown.
type Step struct {
	Mark
	SinceClose time.Duration // time since the teardown began; 0 for a step before it
}

// Teardown returns the steps of the session's teardown in the order in which
// a teardown takes them: its begin first, then those of the others that
// happened. It begins with the call of close or, of an established session that
// nobody closed, when the first end learned that it was over. It is empty if the
// session did not end.
func (t Timeline) Teardown() []Step {
	begin, ok := t.end()
	if !ok {
		return nil
	}
	steps := []Step{{Mark: begin}}
	for _, s := range teardownSteps {
		if mark, ok := t.last(s.kind, sideOf(s.side, begin.Side)); ok {
			steps = append(steps, Step{mark, max(0, mark.T-begin.T)})
		}
	}
	return steps
}

// end returns the mark at which the session's teardown begins, and whether it
// does.
func (t Timeline) end() (Mark, bool) {
	if call, ok := t.Find(record.EventCloseCalled, ""); ok {
		return call, true
	}
	if _, ok := t.Find(record.EventEstablished, ""); !ok {
		return Mark{}, false // a session that was refused
	}
	return t.Find(record.EventCloseNotified, "")
}

// sideOf returns the side that a step is about, of a session whose teardown
// one side began.
func sideOf(side, closer string) string {
	switch {
	case side == "closer":
		return closer
	case side == "peer" && closer == "client":
		return "server"
	case side == "peer":
		return "client"
	}
	return side
}

// last returns the last mark of a kind at a side.
func (t Timeline) last(kind, side string) (Mark, bool) {
	for i := len(t.Marks) - 1; i >= 0; i-- {
		if m := t.Marks[i]; m.Kind == kind && m.Side == side {
			return m, true
		}
	}
	return Mark{}, false
}

func (t Timeline) teardownMetrics(m *Metrics, w *span) {
	begin, ok := t.end()
	if !ok {
		return
	}
	since := func(d *Definition, step Mark, known bool) {
		if at := max(step.T, begin.T); known && w.has(at) {
			m.put(d, t.Entity, (at - begin.T).Seconds())
		}
	}
	for _, s := range teardownSteps {
		mark, ok := t.last(s.kind, sideOf(s.side, begin.Side))
		since(s.metric, mark, ok)
	}
	peer := sideOf("peer", begin.Side)
	_, closed := t.last(record.EventCloseCalled, peer)
	if learned, ok := t.last(record.EventCloseNotified, peer); ok && begin.Kind == record.EventCloseCalled && !closed && w.has(learned.T) {
		told := 0.0
		if learned.Value == begin.Value && learned.Text == begin.Text {
			told = 1
		}
		m.put(sessionTold, t.Entity, told)
	}
	last, clientGone := t.last(record.EventSessionGone, "client")
	server, serverGone := t.last(record.EventSessionGone, "server")
	if server.T > last.T {
		last = server
	}
	since(sessionTeardown, last, clientGone && serverGone)
}

var sessionResets = define(ofSession, "teardown.streams_reset", "1", "streams that either end reset with WT_SESSION_GONE since it learned that the session was over; of several sessions on one connection they count for the one that ended last at that end",
	"draft-ietf-webtrans-http3, session termination; events session.close_notified, connection.stream_reset")

// resetCounter counts the streams that are reset because their session is over.
type resetCounter struct {
	connections map[string]string  // of each session
	ended       map[string]string  // the session that ended last, by connection end
	counts      map[string][]int64 // by session that has ended, for each window
}

func newResetCounter(sessions []record.Session) resetCounter {
	return resetCounter{connectionsOf(sessions), map[string]string{}, map[string][]int64{}}
}

func (c *resetCounter) event(windows []span, e record.Event) {
	switch {
	case e.Kind == record.EventCloseCalled, e.Kind == record.EventCloseNotified:
		connection, ok := c.connections[e.Entity]
		if !ok {
			connection = connectionOf(e.Entity)
		}
		c.ended[connection+"."+e.Side] = e.Entity
		if c.counts[e.Entity] == nil {
			c.counts[e.Entity] = make([]int64, len(windows))
		}
	case e.Kind == record.EventStreamReset && e.Text == sessionGone:
		counts := c.counts[c.ended[e.Entity+"."+e.Side]]
		for i := range counts {
			if windows[i].has(e.Time) {
				counts[i]++
			}
		}
	}
}

// metrics adds the count of a session in window i.
func (c *resetCounter) metrics(m *Metrics, session string, i int) {
	if counts := c.counts[session]; counts != nil {
		m.put(sessionResets, session, float64(counts[i]))
	}
}

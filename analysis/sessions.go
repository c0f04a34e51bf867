package analysis

import (
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

var (
	sessionSetup          = define(ofSession, "setup.duration", "s", "time until the client's session is established: from the dial of its connection, or from its CONNECT for a session that is not the first on the connection", "events connection.dial, session.connect_sent, session.established")
	sessionSetupHandshake = define(ofSession, "setup.handshake", "s", "time from the dial until the client's QUIC handshake is complete; for the first session on a connection", "RFC 9001 section 4.1.1; events connection.dial, connection.handshake")
	sessionSetupSettings  = define(ofSession, "setup.settings", "s", "time from the client's completed handshake until the server's SETTINGS arrived; for the first session on a connection", "RFC 9114 section 7.2.4; events connection.handshake, session.settings")
	sessionSetupConnect   = define(ofSession, "setup.connect", "s", "time from the client's extended CONNECT until the response to it arrived", "RFC 9220; events session.connect_sent, session.established")

	sessionTeardown = define(ofSession, "teardown.duration", "s", "time from the call of close until neither side holds state for the session", "events session.close_called, session.gone")
)

// teardownSteps are the steps of a teardown, each with its metric: the time
// from the call of close until the step, 0 if it came before.
var teardownSteps = []struct {
	kind, side string // side: "closer" or "peer" of the one that called close, or "client" or "server"
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
	return define(ofSession, "teardown."+name, "s", "time from the call of close until "+what+", 0 if that was before",
		"events session.close_called, "+event)
}

// Step is a step of a session's teardown.
type Step struct {
	Mark
	SinceClose time.Duration // time since close was called; 0 for a step before it
}

// Teardown returns the steps of the session's teardown in the order in which
// a teardown takes them: the call of close first, then those of the others
// that happened. It is empty if nobody called close.
func (t Timeline) Teardown() []Step {
	call, ok := t.Find(record.EventCloseCalled, "")
	if !ok {
		return nil
	}
	steps := []Step{{Mark: call}}
	for _, s := range teardownSteps {
		if mark, ok := t.last(s.kind, sideOf(s.side, call.Side)); ok {
			steps = append(steps, Step{mark, max(0, mark.T-call.T)})
		}
	}
	return steps
}

// sideOf returns the side that a step is about, of a session that one side
// closed.
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

// sessionMetrics adds the metrics of a session. First says that the session
// is the first on its connection, which was dialled for it.
func (t Timeline) metrics(m *Metrics, w *span, first bool) {
	connect, connected := t.Find(record.EventConnectSent, "")
	established, ok := t.Find(record.EventEstablished, "client")
	dial, dialled := t.Find(record.EventDialStarted, "")
	handshake, shaken := t.Find(record.EventHandshakeComplete, "client")
	settings, configured := t.Find(record.EventSettings, "client")
	between := func(d *Definition, from, to Mark, known bool) {
		if known && w.has(to.T) {
			m.put(d, t.Entity, (to.T - from.T).Seconds())
		}
	}
	if first {
		between(sessionSetup, dial, established, dialled && ok)
		between(sessionSetupHandshake, dial, handshake, dialled && shaken)
		between(sessionSetupSettings, handshake, settings, shaken && configured)
	} else {
		between(sessionSetup, connect, established, connected && ok)
	}
	between(sessionSetupConnect, connect, established, connected && ok)

	call, closed := t.Find(record.EventCloseCalled, "")
	if !closed {
		return
	}
	since := func(d *Definition, step Mark, known bool) {
		step.T = max(step.T, call.T)
		between(d, call, step, known)
	}
	for _, s := range teardownSteps {
		mark, ok := t.last(s.kind, sideOf(s.side, call.Side))
		since(s.metric, mark, ok)
	}
	client, clientGone := t.last(record.EventSessionGone, "client")
	server, serverGone := t.last(record.EventSessionGone, "server")
	if server.T > client.T {
		client = server
	}
	since(sessionTeardown, client, clientGone && serverGone)
}

// firstOnConnection returns the sessions that are the first on their
// connection to send CONNECT, or whose connection has no CONNECT yet.
func firstOnConnection(timelines []Timeline, connection func(session string) string) map[string]bool {
	type candidate struct {
		session string
		at      time.Duration
	}
	best := map[string]candidate{}
	for _, t := range timelines {
		at := time.Duration(1<<63 - 1)
		if mark, ok := t.Find(record.EventConnectSent, ""); ok {
			at = mark.T
		}
		c := connection(t.Entity)
		if b, ok := best[c]; !ok || at < b.at {
			best[c] = candidate{t.Entity, at}
		}
	}
	first := map[string]bool{}
	for _, b := range best {
		first[b.session] = true
	}
	return first
}

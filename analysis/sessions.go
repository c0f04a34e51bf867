package analysis

import (
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

var (
	sessionSetup          = define(ofSession, "setup.duration", "s", "time until the client's session is established: from the dial of its connection, or from its CONNECT for a session that is not the first on the connection", "events connection.dial, session.connect_sent, session.established")
	sessionSetupFailed    = define(ofSession, "setup.failed", "s", "time from the dial of its connection until the client knew that the session would not be established; for one that was not", "events connection.dial, session.failed")
	sessionSetupHandshake = define(ofSession, "setup.handshake", "s", "time from the dial until the client's QUIC handshake is complete; for the first session on a connection", "RFC 9001 section 4.1.1; events connection.dial, connection.handshake")
	sessionSetupSettings  = define(ofSession, "setup.settings", "s", "time from the client's completed handshake until the server's SETTINGS arrived; for the first session on a connection", "RFC 9114 section 7.2.4; events connection.handshake, session.settings")
	sessionSetupConnect   = define(ofSession, "setup.connect", "s", "time from the client's extended CONNECT until the response to it arrived", "RFC 9220; events session.connect_sent, session.established")

	sessionDrainNotified = define(ofSession, "drain.notified", "s", "time from when an application asked for the session to be wound down until its peer's application knew", "draft-ietf-webtrans-http3, section 4.7; events session.drain_sent, session.drain_notified")

	sessionServerHandshake = define(ofSession, "setup.server.handshake", "s", "time from the dial until the server's QUIC handshake is complete; for the first session on a connection", "RFC 9001 section 4.1.1; events connection.dial, connection.handshake")
	sessionServerSettings  = define(ofSession, "setup.server.settings", "s", "time from the server's completed handshake until the client's SETTINGS arrived, negative if they were early data; for the first session on a connection", "RFC 9114 section 7.2.4; events connection.handshake, session.settings")
	sessionServerRequest   = define(ofSession, "setup.server.request", "s", "time from the client's extended CONNECT until the server had it", "RFC 9220; events session.connect_sent, session.connect_received")
	sessionServerAnswer    = define(ofSession, "setup.server.answer", "s", "time from the arrival of the extended CONNECT until the server sent its 2xx response", "RFC 9220; events session.connect_received, session.established")
	sessionServerResponse  = define(ofSession, "setup.server.response", "s", "time from the server's 2xx response until the client had it", "RFC 9220; events session.established")
)

// metrics adds the metrics of a session in a window. First says that the
// session is the first on its connection, which was dialled for it.
func (t Timeline) metrics(m *Metrics, w *span, first bool) {
	connect, connected := t.Find(record.EventConnectSent, "")
	received, arrived := t.Find(record.EventConnectReceived, "")
	accepted, answered := t.Find(record.EventEstablished, "server")
	established, ok := t.Find(record.EventEstablished, "client")
	between := func(d *Definition, from, to Mark, known bool) {
		if known && w.has(to.T) {
			m.put(d, t.Entity, (to.T - from.T).Seconds())
		}
	}
	dial, dialled := t.Find(record.EventDialStarted, "")
	failed, refused := t.Find(record.EventSessionFailed, "")
	between(sessionSetupFailed, dial, failed, dialled && refused)
	if first {
		between(sessionSetup, dial, established, dialled && ok)
		for _, end := range []struct {
			side                string
			handshake, settings *Definition
		}{
			{"client", sessionSetupHandshake, sessionSetupSettings},
			{"server", sessionServerHandshake, sessionServerSettings},
		} {
			handshake, shaken := t.Find(record.EventHandshakeComplete, end.side)
			settings, configured := t.Find(record.EventSettings, end.side)
			between(end.handshake, dial, handshake, dialled && shaken)
			between(end.settings, handshake, settings, shaken && configured)
		}
	} else {
		between(sessionSetup, connect, established, connected && ok)
	}
	between(sessionSetupConnect, connect, established, connected && ok)
	between(sessionServerRequest, connect, received, connected && arrived)
	between(sessionServerAnswer, received, accepted, arrived && answered)
	between(sessionServerResponse, accepted, established, answered && ok)
	asked, drained := t.Find(record.EventDrainSent, "")
	learned, told := t.Find(record.EventDrainNotified, sideOf("peer", asked.Side))
	between(sessionDrainNotified, asked, learned, drained && told)
	t.teardownMetrics(m, w)
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

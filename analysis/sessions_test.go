package analysis_test

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

func session(entity, side, kind string, at time.Duration) record.Event {
	return record.Event{Time: at, Kind: kind, Entity: entity, Side: side}
}

// life returns the events of a session that begins and closes at the given
// times: the numbers that the tests below expect are differences of these.
func life(name string, begin, close time.Duration) []record.Event {
	c, s := "connections."+name, "sessions."+name
	return []record.Event{
		session(c, "client", record.EventDialStarted, begin),
		session(c, "client", record.EventHandshakeComplete, begin+42*ms),
		session(c, "server", record.EventHandshakeComplete, begin+62*ms),
		session(s, "client", record.EventSettings, begin+45*ms),
		session(s, "client", record.EventConnectSent, begin+46*ms),
		session(s, "server", record.EventSettings, begin+64*ms),
		session(s, "server", record.EventConnectReceived, begin+66*ms),
		session(s, "server", record.EventEstablished, begin+67*ms),
		session(s, "client", record.EventEstablished, begin+87*ms),
		session(s, "server", record.EventLastStreamEnded, close-30*ms), // an early stream
		session(s, "client", record.EventLastStreamEnded, close-10*ms),
		session(s, "client", record.EventCloseCalled, close),
		session(s, "client", record.EventCloseSent, close+ms),
		session(s, "server", record.EventCloseNotified, close+21*ms),
		session(s, "server", record.EventLastStreamEnded, close+22*ms),
		session(s, "server", record.EventConnectStreamDone, close+23*ms),
		session(s, "server", record.EventSessionGone, close+24*ms),
		session(s, "client", record.EventConnectStreamDone, close+43*ms),
		session(s, "client", record.EventSessionGone, close+44*ms),
	}
}

func TestSessionMetrics(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}, events: life("main", 10*ms, 500*ms)}
	want(t, m.metrics(t), map[string]float64{
		"sessions.main.setup.duration":               0.087,
		"sessions.main.setup.handshake":              0.042,
		"sessions.main.setup.settings":               0.003,
		"sessions.main.setup.connect":                0.041,
		"sessions.main.setup.server.handshake":       0.062,
		"sessions.main.setup.server.settings":        0.002,
		"sessions.main.setup.server.request":         0.020,
		"sessions.main.setup.server.answer":          0.001,
		"sessions.main.setup.server.response":        0.020,
		"sessions.main.teardown.close_sent":          0.001,
		"sessions.main.teardown.notified":            0.021,
		"sessions.main.teardown.last_stream.client":  0, // before the close
		"sessions.main.teardown.last_stream.server":  0.022,
		"sessions.main.teardown.connect_done.client": 0.043,
		"sessions.main.teardown.connect_done.server": 0.023,
		"sessions.main.teardown.gone.client":         0.044,
		"sessions.main.teardown.gone.server":         0.024,
		"sessions.main.teardown.duration":            0.044,
	})
}

func TestTheServerMayClose(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second}, events: []record.Event{
		session("sessions.main", "server", record.EventCloseCalled, 100*ms),
		session("sessions.main", "server", record.EventCloseSent, 101*ms),
		session("sessions.main", "client", record.EventCloseNotified, 121*ms),
		session("sessions.main", "client", record.EventSessionGone, 122*ms),
	}}
	want(t, m.metrics(t), map[string]float64{
		"sessions.main.teardown.close_sent": 0.001,
		"sessions.main.teardown.notified":   0.021,
		"sessions.main.teardown.duration":   none, // the server still holds it
		"sessions.main.setup.duration":      none,
	})
}

func TestASecondSessionOnAConnectionIsSetUpWithoutAHandshake(t *testing.T) {
	m := made{
		run: record.Run{Virtual: time.Second, Sessions: []record.Session{
			{Entity: "sessions.late", Connection: "connections.main"},
			{Entity: "sessions.main", Connection: "connections.main"},
		}},
		events: append(life("main", 0, 500*ms),
			session("sessions.late", "client", record.EventConnectSent, 200*ms),
			session("sessions.late", "client", record.EventEstablished, 240*ms)),
	}
	want(t, m.metrics(t), map[string]float64{
		"sessions.main.setup.duration":  0.087,
		"sessions.main.setup.handshake": 0.042,
		"sessions.late.setup.duration":  0.040,
		"sessions.late.setup.connect":   0.040,
		"sessions.late.setup.handshake": none,
		"sessions.late.setup.settings":  none,

		"sessions.main.setup.server.handshake": 0.062,
		"sessions.late.setup.server.handshake": none,
		"sessions.late.setup.server.settings":  none,
		"sessions.late.setup.server.request":   none, // the server has recorded nothing of it
	})
}

package analysis_test

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

func TestTheTeardownOfASessionThatNobodyClosedBeginsWhenAnEndLearnsThatItIsOver(t *testing.T) {
	const s = "sessions.main"
	established := session(s, "client", record.EventEstablished, 10*ms)
	end := func(side string, at time.Duration) []record.Event {
		return []record.Event{
			session(s, side, record.EventCloseNotified, at), session(s, side, record.EventLastStreamEnded, at+ms),
			session(s, side, record.EventConnectStreamDone, at+2*ms), session(s, side, record.EventSessionGone, at+3*ms),
		}
	}
	server, client := end("server", 500*ms), end("client", 520*ms)
	for what, c := range map[string]struct {
		events []record.Event
		want   map[string]float64
	}{
		"both ends": {append(append([]record.Event{established}, server...), client...), map[string]float64{
			"duration": 0.023, "notified": 0.020, "close_sent": none,
			"last_stream.server": 0.001, "last_stream.client": 0.021,
			"connect_done.server": 0.002, "connect_done.client": 0.022,
			"gone.server": 0.003, "gone.client": 0.023, "streams_reset": 0,
		}},
		"one end": {append([]record.Event{established}, client...), map[string]float64{
			"duration": none, "notified": none, "gone.client": 0.003, "gone.server": none, "streams_reset": 0,
		}},
		"a session that was refused": {client, map[string]float64{"duration": none, "gone.client": none}},
		"a session that stays":       {[]record.Event{established}, map[string]float64{"duration": none, "gone.client": none, "streams_reset": none}},
		"no events":                  {nil, map[string]float64{"duration": none, "streams_reset": none}},
	} {
		t.Run(what, func(t *testing.T) {
			values := map[string]float64{}
			for name, value := range c.want {
				values[s+".teardown."+name] = value
			}
			run := record.Run{Virtual: time.Second, Sessions: []record.Session{{Entity: s, Connection: "connections.main"}}}
			want(t, made{run: run, events: c.events}.metrics(t), values)
		})
	}
}

func TestStreamsThatAreResetAtATeardownBelongToTheSessionThatEndedLastAtThatEnd(t *testing.T) {
	reset := func(side string, at time.Duration, code string) record.Event {
		return record.Event{Time: at, Kind: record.EventStreamReset, Entity: "connections.shared", Side: side, Text: code}
	}
	const gone = "0x170d7b68"
	m := made{
		run: record.Run{Virtual: time.Second, Sessions: []record.Session{
			{Entity: "sessions.a", Connection: "connections.shared"}, {Entity: "sessions.b", Connection: "connections.shared"}, {Entity: "sessions.c", Connection: "connections.c"},
		}},
		events: []record.Event{
			reset("client", 50*ms, gone), // of nothing that has ended
			session("sessions.a", "client", record.EventCloseCalled, 100*ms),
			reset("client", 100*ms, gone),
			reset("client", 110*ms, gone),
			reset("client", 110*ms, "0x1"), // the application's
			session("sessions.a", "server", record.EventCloseNotified, 120*ms),
			reset("server", 121*ms, gone),
			session("sessions.b", "server", record.EventCloseCalled, 200*ms),
			reset("server", 200*ms, gone),
			reset("client", 210*ms, gone), // the client does not know of b's end
			session("sessions.b", "client", record.EventCloseNotified, 220*ms),
			session("sessions.c", "client", record.EventCloseCalled, 300*ms),
		},
	}
	want(t, m.metrics(t), map[string]float64{
		"sessions.a.teardown.streams_reset": 4, "sessions.b.teardown.streams_reset": 1, "sessions.c.teardown.streams_reset": 0,
		"connections.shared.client.teardown.streams_reset": 4, "connections.shared.server.teardown.streams_reset": 2,
	})
	want(t, m.in(t, 110*ms, 200*ms), map[string]float64{"sessions.a.teardown.streams_reset": 2, "sessions.b.teardown.streams_reset": 0})
}

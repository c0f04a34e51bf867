package workload_test

import (
	"testing"

	"github.com/wtsim/wtsim/sim/record"
)

func TestAClientResumesAsTheScenarioSays(t *testing.T) {
	for _, test := range []struct {
		name, resumption, again, second string
	}{
		{"no tickets", "none", "", ""},
		{"tickets", "tickets", "", "resumed"},
		{"early data", "early_data", "", "resumed with early data"},
		{"early data that the server no longer accepts", "early_data", "quic.max_streams = 50\n", "resumed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := complete(t, `
[quic]
resumption = "`+test.resumption+`"
[hosts.client]
[hosts.server]
[links.access]
between = ["client", "server"]
delay = "10ms"
[sessions.first]
client = "client"
server = "server"
close = { at = "500ms" }
[sessions.again]
client = "client"
server = "server"
start = "1s"
close = { at = "2s" }
`+test.again)
			for _, side := range []string{"client", "server"} {
				if got := r.only(record.EventHandshakeComplete, "connections.first", side).Text; got != "" {
					t.Errorf("seed %d: the %s's first handshake was %q, without a ticket", r.seed, side, got)
				}
				if got := r.only(record.EventHandshakeComplete, "connections.again", side).Text; got != test.second {
					t.Errorf("seed %d: the %s's second handshake was %q, want %q", r.seed, side, got, test.second)
				}
			}
			r.only(record.EventConnectReceived, "sessions.again", "server")
			r.only(record.EventEstablished, "sessions.again", "client")
			r.accounted()
		})
	}
}

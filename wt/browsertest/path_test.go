package browsertest

import (
	"os"
	"strconv"
	"sync/atomic"
	"testing"
)

// through is a scenario whose network is between Chromium and the servers; empty: nothing is.
var through = os.Getenv("EMULATE")

// share is how much a case does of something of which it does n where nothing
// is in between: a tenth through a network, which is that much slower and loses some of it besides.
func share(n int) int {
	if through == "" {
		return n
	}
	return n / 10
}

// relays counts the relays so far. Each loses other datagrams.
var relays atomic.Uint64

// relay returns where a server is found behind the network, until the end of the test.
func relay(t *testing.T, server string) string {
	t.Helper()
	var ready []struct{ Listen string }
	start(t, &ready, "emulate", through, "--listen", "127.0.0.1:0", "--upstream", server, "--seed", strconv.FormatUint(relays.Add(1), 10),
		"--record", "none", "--no-figures", "--no-graph", "--out", t.TempDir())
	return ready[0].Listen
}

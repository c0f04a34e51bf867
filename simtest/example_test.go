package simtest_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/wtsim/wtsim/simtest"
	"github.com/wtsim/wtsim/wt"
)

func TestMain(m *testing.M) { simtest.Main(m) }

// The scenario's expectations are the test.
func TestDownloadFillsTheLink(t *testing.T) {
	simtest.Check(t, "testdata/download.toml")
}

// An application of one's own: the server answers a name with a greeting. A
// session takes two round trips to open, and the greeting one: 120 ms of delay, and
// less than 5 ms for the transmission of some packets at 10 Mbit/s.
func TestAGreetingTakesThreeRoundTrips(t *testing.T) {
	simtest.World(t, "testdata/access.toml", func(n *simtest.Network) error {
		server := &wt.Server{}
		server.Handle("/greet", wt.Application{Serve: greet})
		n.Serve("server", 443, server, nil)
		n.Go("client", "visitor", func(ctx context.Context, dialer *wt.Dialer) error {
			begin := n.Now()
			greeting, err := visit(ctx, dialer, n.URL("server", 443, "/greet"), "gopher")
			if err != nil {
				return err
			}
			if took := n.Now() - begin; greeting != "hello, gopher" || took < 120*time.Millisecond || took > 125*time.Millisecond {
				return fmt.Errorf("%q after %s", greeting, took)
			}
			return nil
		})
		return nil
	})
}

func greet(session *wt.Session) {
	for {
		stream, err := session.AcceptStream(session.Context())
		if err != nil {
			return
		}
		name, _ := io.ReadAll(stream)
		fmt.Fprintf(stream, "hello, %s", name)
		stream.Close()
	}
}

func visit(ctx context.Context, dialer *wt.Dialer, url, name string) (string, error) {
	session, _, err := dialer.Dial(ctx, url, nil)
	if err != nil {
		return "", err
	}
	stream, err := session.OpenStream(ctx)
	if err != nil {
		return "", err
	}
	io.WriteString(stream, name)
	stream.Close()
	greeting, err := io.ReadAll(stream)
	return string(greeting), err
}

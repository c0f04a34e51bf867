package simtest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/simtest"
	"github.com/wtsim/wtsim/wt"
)

// fake is a test that may fail.
type fake struct {
	testing.TB
	said []string
}

func (f *fake) Helper()                  {}
func (f *fake) Context() context.Context { return context.Background() }
func (f *fake) Errorf(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}
func (f *fake) Fatalf(format string, args ...any) { f.Errorf(format, args...); runtime.Goexit() }

// failures returns what a test says that fails.
func failures(test func(testing.TB)) string {
	f := &fake{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
	return strings.Join(f.said, "\n")
}

func TestAFailureSaysWhatWasExpectedAndHowToSeeItAgain(t *testing.T) {
	t.Run("in sealed processes", checksFail)
	t.Run("in this process", func(t *testing.T) {
		defer simtest.WithoutMain()()
		checksFail(t)
	})
}

func checksFail(t *testing.T) {
	for _, c := range []struct {
		overrides []string
		want      []string
	}{
		{nil, nil},
		{[]string{"links.access.loss=0.5", "quic.idle_timeout=1s"}, []string{"flows.file.goodput: failed", "seed"}},
		{[]string{"links.access.queue=3packets"}, []string{
			"testdata/download.toml: flows.file.goodput: failed", "expected 8.61 Mbit/s to 9.57 Mbit/s, measured ", "margin -", " of 2",
			"that is ≥ 0.9 * 1252B / 1308B * links.access.rate", "wtsim run testdata/download.toml --seed ", " --set links.access.queue=3packets",
		}},
		{[]string{"links.acces.rate=1Mbit/s"}, []string{"links.acces", "did you mean"}},
	} {
		said := failures(func(t testing.TB) { simtest.Check(t, "testdata/download.toml", c.overrides...) })
		if len(c.want) == 0 && said != "" {
			t.Errorf("%v: %s", c.overrides, said)
		}
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%v: %s\nwant %s", c.overrides, said, want)
			}
		}
	}
	if said := failures(func(t testing.TB) { simtest.Check(t, "testdata/none.toml") }); !strings.Contains(said, "testdata/none.toml: no such file") {
		t.Errorf("a missing file: %s", said)
	}
}

func TestChecksTakeTurnsWithOtherTests(t *testing.T) {
	for i := range 3 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			simtest.Check(t, "testdata/download.toml", fmt.Sprintf("seed=%d", 10*i+1))
		})
	}
}

func TestAWorldSaysWhyItFailed(t *testing.T) {
	run := func(build func(*simtest.Network) error, overrides ...string) string {
		return failures(func(t testing.TB) { simtest.World(t, "testdata/access.toml", build, overrides...) })
	}
	task := func(f func(context.Context, *simtest.Network) error) func(*simtest.Network) error {
		return func(n *simtest.Network) error {
			n.Host("client").Go("task", func(ctx context.Context) error { return f(ctx, n) })
			return nil
		}
	}
	for what, c := range map[string]struct{ said, want string }{
		"an error of build": {run(func(*simtest.Network) error { return errors.New("no") }), "testdata/access.toml, seed 1: no"},
		"an error of a task": {
			run(task(func(context.Context, *simtest.Network) error { return errors.New("no") }), "seed=7"),
			"testdata/access.toml, seed 7: client/task: no",
		},
		"a task that waits for nothing": {
			run(task(func(ctx context.Context, _ *simtest.Network) error { <-ctx.Done(); return nil })),
			"seed 1: no progress since 0s of virtual time",
		},
		"a task without end": {
			run(task(func(ctx context.Context, n *simtest.Network) error { return n.SleepUntil(ctx, time.Hour) }), "time_limit=2s"),
			"2s",
		},
		"a task that ends the test": {
			run(task(func(context.Context, *simtest.Network) error { runtime.Goexit(); return nil })),
			"seed 1: client/task: ended by runtime.Goexit",
		},
		"a host that is not there, beside a task": {
			run(func(n *simtest.Network) error {
				n.Serve("server", 443, &wt.Server{}, nil)
				n.Host("client").Go("task", func(ctx context.Context) error { return n.SleepUntil(ctx, time.Hour) })
				n.Host("sever")
				return nil
			}),
			`testdata/access.toml has no host "sever"`,
		},
		"a host that is not there":  {run(func(n *simtest.Network) error { n.Host("sever"); return nil }), `testdata/access.toml has no host "sever"`},
		"a mistake in the scenario": {run(func(*simtest.Network) error { return nil }, "links.access.rate=fast"), "links.access.rate"},
		"a server that does not exist": {
			run(func(n *simtest.Network) error {
				n.Go("client", "visitor", func(ctx context.Context, dialer *wt.Dialer) error {
					_, _, err := dialer.Dial(ctx, n.URL("server", 443, "/"), nil)
					return err
				})
				return nil
			}),
			"client/visitor: ",
		},
	} {
		if !strings.Contains(c.said, c.want) {
			t.Errorf("%s: %q; want %q", what, c.said, c.want)
		}
	}
	goleak.VerifyNone(t)
}

// 972 bytes of data are 1000 with the headers of IPv4 and UDP: 0.8 ms at 10 Mbit/s, and
// then 20 ms of delay. A second datagram waits for the first.
func TestDatagramsTakeTheTimesOfTheLink(t *testing.T) {
	want := []time.Duration{20800 * time.Microsecond, 21600 * time.Microsecond}
	simtest.World(t, "testdata/access.toml", func(n *simtest.Network) error {
		n.Host("server").Go("receiver", func(context.Context) error {
			socket, err := n.Host("server").ListenPacket(9, netem.SocketOptions{})
			if err != nil {
				return err
			}
			for _, at := range want {
				size, _, err := socket.ReadFrom(make([]byte, 1500))
				if err != nil || size != 972 || n.Now() != at {
					return fmt.Errorf("%d bytes at %s (%v); want 972 at %s", size, n.Now(), err, at)
				}
			}
			return nil
		})
		n.Host("client").Go("sender", func(context.Context) error {
			socket, err := n.Host("client").ListenPacket(0, netem.SocketOptions{})
			if err != nil {
				return err
			}
			to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(n.Host("server").Addr(), 9))
			for range want {
				if _, err := socket.WriteTo(make([]byte, 972), to); err != nil {
					return err
				}
			}
			return nil
		})
		return nil
	})
}

func TestVirtualTimesAreExact(t *testing.T) {
	result := simtest.World(t, "testdata/access.toml", func(n *simtest.Network) error {
		n.Host("client").Go("sleeper", func(ctx context.Context) error { return n.SleepUntil(ctx, 42*time.Second) })
		return nil
	})
	if result.Elapsed != 42*time.Second {
		t.Errorf("the run took %s", result.Elapsed)
	}
}

func TestTheSessionsOfTheScenarioRunBesideTheTest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "beside.toml")
	text, err := os.ReadFile("testdata/download.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	result := simtest.World(t, path, func(n *simtest.Network) error { return nil })
	if result.Elapsed < 4*time.Second || result.Datagrams < 4000 {
		t.Errorf("5 MB at 10 Mbit/s took %s and %d datagrams", result.Elapsed, result.Datagrams)
	}
}

package sim_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim"
)

// roaming is a client with two links to a router, behind which a server echoes
// what it gets on one stream. The client sends a byte each 50 ms for 4 s, and acts
// in between.
type roaming struct {
	wifi, cell *netem.Link
	nat        *netem.NAT // of wifi
	client     *sim.Host
	world      *sim.World
}

const (
	pause  = 50 * time.Millisecond
	rounds = 80
)

// roam runs the client. It returns the outcomes of all datagrams, a line each, and
// how many bytes came back.
func roam(act func(ctx context.Context, r *roaming, conn *quic.Conn) error) (lines []string, echoed int, err error) {
	observe := func(o netem.Outcome) {
		lines = append(lines, fmt.Sprintln(o.Path.Name(), o.Packet.ID, o.Packet.Source, o.Packet.Dest, o.Packet.Size(), o.Packet.Sent, o.At, o.Fate, o.Reason))
	}
	_, err = sim.Run(sim.Config{Seed: 1, TimeLimit: time.Minute, Observe: observe}, func(w *sim.World) error {
		serverTLS, clientTLS, err := credentials()
		if err != nil {
			return err
		}
		client, server, router := w.Host("client"), w.Host("server"), w.Router("router")
		elements := func(delay time.Duration) []netem.Element {
			return path(20*netem.MbitPerSecond, delay, netem.Limit{Bytes: 100_000})
		}
		r := &roaming{client: client, world: w}
		r.wifi = w.Link("wifi", client, router, elements(5*time.Millisecond), elements(5*time.Millisecond))
		r.cell = w.Link("cell", client, router, elements(20*time.Millisecond), elements(20*time.Millisecond))
		w.Link("site", router, server, elements(5*time.Millisecond), elements(5*time.Millisecond))
		r.nat = w.NAT(r.wifi, client, netem.NATConfig{Filtering: netem.AddressAndPortDependent})
		server.Serve("echo", func(ctx context.Context) error { return echo(ctx, server, serverTLS) })
		client.Go("roam", func(ctx context.Context) error {
			conn, err := client.ListenPacket(0, netem.SocketOptions{})
			if err != nil {
				return err
			}
			transport := &quic.Transport{Conn: conn}
			defer transport.Close()
			c, err := transport.Dial(ctx, &net.UDPAddr{IP: server.Addr().AsSlice(), Port: 443}, clientTLS, &quic.Config{})
			if err != nil {
				return err
			}
			stream, err := c.OpenStreamSync(ctx)
			if err != nil {
				return err
			}
			done := make(chan error, 1)
			client.Go("act", func(ctx context.Context) error {
				err := act(ctx, r, c)
				done <- err
				return err
			})
			for i := range rounds {
				if err := w.SleepUntil(ctx, time.Second+time.Duration(i)*pause); err != nil {
					return err
				}
				if _, err := stream.Write([]byte{byte(i)}); err != nil {
					return err
				}
			}
			stream.Close()
			got, err := io.ReadAll(stream)
			echoed = len(got)
			return errors.Join(err, <-done, c.CloseWithError(0, ""))
		})
		return nil
	})
	return lines, echoed, err
}

// echo serves connections one after the other.
func echo(ctx context.Context, h *sim.Host, config *tls.Config) error {
	conn, err := h.ListenPacket(443, netem.SocketOptions{})
	if err != nil {
		return err
	}
	transport := &quic.Transport{Conn: conn}
	defer transport.Close()
	listener, err := transport.Listen(config, &quic.Config{})
	if err != nil {
		return err
	}
	c, err := listener.Accept(ctx)
	if err != nil {
		return err
	}
	stream, err := c.AcceptStream(ctx)
	if err != nil {
		return err
	}
	if _, err := io.Copy(stream, stream); err != nil {
		return err
	}
	stream.Close()
	<-ctx.Done()
	return nil
}

// sources returns the sources of datagrams that reached the server, each once, in
// the order in which they came up.
func sources(lines []string) []string {
	var found []string
	for _, line := range lines {
		f := strings.Fields(line)
		if f[0] != "site.forward" || len(found) > 0 && found[len(found)-1] == f[2] {
			continue
		}
		found = append(found, f[2])
	}
	return found
}

// seenAt returns the time of a line.
func seenAt(t *testing.T, line string) time.Duration {
	at, err := time.ParseDuration(strings.Fields(line)[6])
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAConnectionOutlivesTheRebindingOfItsNAT(t *testing.T) {
	for name, c := range map[string]struct {
		rebind func(*netem.NAT)
		want   string
	}{
		"port":    {(*netem.NAT).RebindPorts, "[100.64.0.1:1024 100.64.0.1:1025]"},
		"address": {(*netem.NAT).RebindAddress, "[100.64.0.1:1024 100.64.0.2:1025]"},
	} {
		t.Run(name, func(t *testing.T) {
			const at = 2040 * time.Millisecond // when nothing is on its way
			lines, echoed, err := roam(func(ctx context.Context, r *roaming, _ *quic.Conn) error {
				if err := r.world.SleepUntil(ctx, at); err != nil {
					return err
				}
				c.rebind(r.nat)
				return nil
			})
			if err != nil || echoed != rounds {
				t.Fatalf("seed 1: %d bytes of %d came back, error %v", echoed, rounds, err)
			}
			if got := fmt.Sprint(sources(lines)); got != c.want {
				t.Errorf("seed 1: the server heard from %s, want %s", got, c.want)
			}
			// The next byte leaves at 2.05 s and reaches the server 10 ms later, which
			// validates the new path in a round trip of 20 ms. Until then it answers to
			// the old address.
			dropped := 0
			for _, line := range lines {
				if !strings.HasPrefix(line, "wifi.reverse") || !strings.HasSuffix(line, "nat\n") {
					continue
				}
				dropped++
				if at := seenAt(t, line); at < 2060*time.Millisecond || at > 2085*time.Millisecond {
					t.Errorf("seed 1: the NAT dropped a datagram to the old mapping at %s", at)
				}
			}
			if dropped == 0 {
				t.Error("seed 1: the NAT dropped nothing")
			}
		})
	}
}

// Steps of the network behind which no application is need no rest, and so a way
// through routers costs the kernel as many rests as one link of that delay.
func TestRoutersCostNoRests(t *testing.T) {
	const datagrams = 1000
	steps := func(hops int) uint64 {
		arrived := 0
		observe := func(o netem.Outcome) {
			if o.Path.Name() == "last.forward" {
				arrived++
			}
		}
		result, err := sim.Run(sim.Config{Seed: 1, Observe: observe}, func(w *sim.World) error {
			a, b := w.Host("a"), w.Host("b")
			p := path(20*netem.MbitPerSecond, 30*time.Millisecond/time.Duration(hops), netem.Limit{})
			at := netem.Node(a)
			for i := range hops - 1 {
				r := w.Router(fmt.Sprint(i))
				w.Link(fmt.Sprint(i), at, r, p, p)
				at = r
			}
			w.Link("last", at, b, p, p)
			a.Go("send", func(ctx context.Context) error {
				conn, err := a.ListenPacket(0, netem.SocketOptions{})
				for i := 0; i < datagrams && err == nil; i++ {
					_, err = conn.WriteTo(make([]byte, 1000), &net.UDPAddr{IP: b.Addr().AsSlice(), Port: 9})
					err = errors.Join(err, w.SleepUntil(ctx, time.Duration(i+1)*time.Millisecond))
				}
				return errors.Join(err, w.SleepUntil(ctx, 2*time.Second))
			})
			return nil
		})
		if err != nil || arrived != datagrams {
			t.Fatalf("seed 1: %d datagrams of %d arrived over %d hops, error %v", arrived, datagrams, hops, err)
		}
		return result.Steps
	}
	one, three := steps(1), steps(3)
	if three > one+one/10 {
		t.Errorf("seed 1: %d steps over three hops, %d over one", three, one)
	}
}

// migrate moves the connection to the other link at 2 s.
func migrate(ctx context.Context, r *roaming, conn *quic.Conn) error {
	if err := r.world.SleepUntil(ctx, 2*time.Second); err != nil {
		return err
	}
	socket, err := r.client.ListenPacketOn(r.cell, 0, netem.SocketOptions{})
	if err != nil {
		return err
	}
	path, err := conn.AddPath(&quic.Transport{Conn: socket})
	if err != nil {
		return err
	}
	if err := path.Probe(ctx); err != nil {
		return err
	}
	return path.Switch()
}

func TestAConnectionMigratesToAnotherLink(t *testing.T) {
	lines, echoed, err := roam(migrate)
	if err != nil || echoed != rounds {
		t.Fatalf("seed 1: %d bytes of %d came back, error %v", echoed, rounds, err)
	}
	last := make(map[string]time.Duration)
	for _, line := range lines {
		last[strings.Fields(line)[0]] = seenAt(t, line)
	}
	// Probing takes a round trip of 50 ms and transmissions.
	for _, direction := range []string{"forward", "reverse"} {
		if at := last["wifi."+direction]; at > 2200*time.Millisecond {
			t.Errorf("seed 1: wifi.%s still has datagrams at %s", direction, at)
		}
		if at := last["cell."+direction]; at < 4900*time.Millisecond {
			t.Errorf("seed 1: cell.%s has its last datagram at %s", direction, at)
		}
	}
}

func TestMigrationsAreReproducible(t *testing.T) {
	seen := make(map[string]bool)
	const runs = 5
	for range runs {
		lines, _, err := roam(migrate)
		if err != nil {
			t.Fatal("seed 1:", err)
		}
		seen[strings.Join(lines, "")] = true
	}
	// A process that is not sealed can be preempted anywhere.
	if len(seen) > 2 {
		t.Errorf("seed 1: %d runs have %d fingerprints", runs, len(seen))
	}
}

func TestRoutersAndNATsThatAreMistakenAreTheErrorOfTheRun(t *testing.T) {
	for want, build := range map[string]func(w *sim.World, h *sim.Host, r *netem.Router, l *netem.Link){
		"netem: the NAT of link l: the timeout is negative": func(w *sim.World, h *sim.Host, _ *netem.Router, l *netem.Link) {
			w.NAT(l, h, netem.NATConfig{Timeout: -1})
		},
		"netem: the route of router to 10.0.0.9: no host has this address": func(w *sim.World, h *sim.Host, r *netem.Router, l *netem.Link) {
			w.Route(r, h.Addr().Next().Next().Next().Next().Next().Next().Next().Next(), l)
			w.NAT(l, h, netem.NATConfig{Timeout: -1}) // the first mistake counts
		},
		"netem: the route of router to 10.0.0.2 goes in a circle": func(w *sim.World, h *sim.Host, r *netem.Router, l *netem.Link) {
			other, s := w.Host("other"), w.Router("s")
			w.Link("near", r, other, nil, nil)
			w.Route(r, other.Addr(), w.Link("away", r, s, nil, nil))
		},
	} {
		_, err := sim.Run(sim.Config{}, func(w *sim.World) error {
			h, r := w.Host("host"), w.Router("router")
			build(w, h, r, w.Link("l", h, r, nil, nil))
			return nil
		})
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

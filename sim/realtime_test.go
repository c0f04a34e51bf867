package sim

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

func TestInRealTimeHostsTalkThroughTheNetwork(t *testing.T) {
	const delay = 30 * time.Millisecond
	path := []netem.Element{netem.Delay{Delay: delay}}
	var took time.Duration
	result, err := Run(Config{Seed: 1, RealTime: &RealTime{}}, func(w *World) error {
		client, server := w.Host("client"), w.Host("server")
		w.Link("link", client, server, path, path)
		server.Serve("echo", func(ctx context.Context) error {
			conn, err := server.ListenPacket(7, netem.SocketOptions{})
			if err != nil {
				return err
			}
			context.AfterFunc(ctx, func() { conn.Close() })
			b := make([]byte, 100)
			for {
				n, from, err := conn.ReadFrom(b)
				if err != nil {
					return nil
				}
				if _, err := conn.WriteTo(b[:n], from); err != nil {
					return err
				}
			}
		})
		client.Go("ping", func(ctx context.Context) error {
			conn, err := client.ListenPacket(0, netem.SocketOptions{})
			if err != nil {
				return err
			}
			to, err := server.ServerAddr(ctx, 7)
			if err != nil {
				return err
			}
			sent := w.Now()
			if _, err := conn.WriteTo([]byte("hello"), to); err != nil {
				return err
			}
			b := make([]byte, 100)
			n, _, err := conn.ReadFrom(b)
			took = w.Now() - sent
			if string(b[:n]) != "hello" {
				t.Errorf("the answer is %q", b[:n])
			}
			return err
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if took < 2*delay {
		t.Errorf("the answer came after %s, before the network could have delivered it", took)
	}
	if r := result.RealTime; r == nil || r.Departed != 2 || len(r.Clients) != 1 || r.Clients[0].Host != "client" {
		t.Errorf("the result is %+v", r)
	}
	t.Logf("%+v %s", result.RealTime, took)
}

func TestInRealTimeWhatWasSentBeforeASocketWasClosedArrives(t *testing.T) {
	path := []netem.Element{netem.Delay{Delay: 30 * time.Millisecond}}
	result, err := Run(Config{Seed: 1, TimeLimit: 20 * time.Second, RealTime: &RealTime{}}, func(w *World) error {
		client, server := w.Host("client"), w.Host("server")
		w.Link("link", client, server, path, path)
		server.Go("answer", func(ctx context.Context) error {
			conn, err := server.ListenPacket(7, netem.SocketOptions{})
			if err != nil {
				return err
			}
			defer conn.Close()
			b := make([]byte, 100)
			for {
				n, from, err := conn.ReadFrom(b)
				if err != nil || string(b[:n]) == "the end" {
					return err
				}
				if _, err := conn.WriteTo(b[:n], from); err != nil {
					return err
				}
			}
		})
		client.Go("ask", func(ctx context.Context) error {
			to, err := server.ServerAddr(ctx, 7)
			if err != nil {
				return err
			}
			asks, ends := must(client.ListenPacket(0, netem.SocketOptions{})), must(client.ListenPacket(0, netem.SocketOptions{}))
			asks.WriteTo([]byte("question"), to)
			ends.WriteTo([]byte("the end"), to)
			ends.Close()
			b := make([]byte, 100)
			n, _, err := asks.ReadFrom(b)
			if string(b[:n]) != "question" {
				t.Errorf("the answer is %q", b[:n])
			}
			return err
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := result.RealTime; r.Departed != 3 || len(r.Refused) > 0 {
		t.Errorf("the result is %+v", r)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestARunInRealTimeThatReachesItsTimeLimitSaysWhoWaitsForWhat(t *testing.T) {
	const limit = 50 * time.Millisecond
	_, err := Run(Config{Seed: 1, TimeLimit: limit, RealTime: &RealTime{}}, func(w *World) error {
		w.Host("client").Go("wait", func(ctx context.Context) error {
			waitFor(ctx)
			return nil
		})
		return nil
	})
	told, ok := errors.AsType[*TimeLimitError](err)
	if !ok || told.Limit != limit || len(told.Waiting) != 1 || told.Waiting[0].Task != "client/wait" || !strings.HasSuffix(told.Waiting[0].In, "sim.waitFor") {
		t.Errorf("error: %v, %+v", err, told)
	}
}

func waitFor(ctx context.Context) { <-ctx.Done() }

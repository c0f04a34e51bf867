package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

// Measurement is the result of one measurement, of both ends together.
type Measurement struct {
	// Units is how many units were done, in so many seconds.
	Units, Seconds float64
	// Allocations and Bytes are what the heap was asked for.
	Allocations, Bytes uint64
}

// Measurements returns what there is to measure.
func Measurements() (names, units []string) {
	for _, m := range measurements {
		names, units = append(names, m.name), append(units, m.unit)
	}
	return names, units
}

// measurement is something to be done between two ends in one process.
type measurement struct {
	name, unit string
	client     func(context.Context, Session) error
	// server returns how many units were done.
	server func(context.Context, Session) (units float64, err error)
}

const (
	mebibyte     = 1 << 20
	streamBytes  = 512 * mebibyte
	manyStreamed = 100
	echoes       = 80_000
	echoWorkers  = 16
	datagrams    = 200_000
	datagramSize = 1000
)

var measurements = []measurement{
	{
		name: "one stream", unit: "MiB",
		client: func(ctx context.Context, s Session) error { return pour(ctx, s, streamBytes) },
		server: func(ctx context.Context, s Session) (float64, error) { return drain(ctx, s, 1) },
	},
	{
		name: "100 streams", unit: "MiB",
		client: func(ctx context.Context, s Session) error {
			return all(upTo(manyStreamed), func(int) error { return pour(ctx, s, streamBytes/manyStreamed) })
		},
		server: func(ctx context.Context, s Session) (float64, error) { return drain(ctx, s, manyStreamed) },
	},
	{
		name: "streams in turn", unit: "streams",
		client: func(ctx context.Context, s Session) error { return echo(ctx, s, echoes/2) },
		server: func(ctx context.Context, s Session) (float64, error) { return answer(ctx, s, echoes/2) },
	},
	{
		name: "streams, 16 at once", unit: "streams",
		client: func(ctx context.Context, s Session) error {
			return all(upTo(echoWorkers), func(int) error { return echo(ctx, s, echoes/echoWorkers) })
		},
		server: func(ctx context.Context, s Session) (float64, error) { return answer(ctx, s, echoes) },
	},
	{
		name: "datagrams received", unit: "datagrams",
		client: flood,
		server: countDatagrams,
	},
}

// pour sends n bytes on a stream, and drain receives n streams.
func pour(ctx context.Context, s Session, n int) error {
	str, err := s.OpenUniStream(ctx)
	if err != nil {
		return err
	}
	chunk := make([]byte, 64<<10)
	for n > 0 {
		sent, err := str.Write(chunk[:min(n, len(chunk))])
		if err != nil {
			return err
		}
		n -= sent
	}
	return str.Close()
}

func drain(ctx context.Context, s Session, n int) (float64, error) {
	type drained struct {
		n   int
		err error
	}
	done := make(chan drained, n)
	for range n {
		str, err := s.AcceptUniStream(ctx)
		if err != nil {
			return 0, err
		}
		go func() {
			var d drained
			buf := make([]byte, 64<<10)
			for d.err == nil {
				var n int
				n, d.err = str.Read(buf)
				d.n += n
			}
			done <- d
		}()
	}
	total := 0
	for range n {
		d := <-done
		if d.err != io.EOF {
			return 0, d.err
		}
		total += d.n
	}
	return float64(total) / mebibyte, nil
}

// echo opens n streams one after the other, and answer sends back what comes on each.
func echo(ctx context.Context, s Session, n int) error {
	message, buf := make([]byte, 100), make([]byte, 200)
	for range n {
		str, err := s.OpenStream(ctx)
		if err != nil {
			return err
		}
		if err := send(str, message); err != nil {
			return err
		}
		if n, err := io.ReadFull(str, buf); n != len(message) || err != io.ErrUnexpectedEOF {
			return fmt.Errorf("%d bytes came back: %w", n, err)
		}
	}
	return nil
}

func answer(ctx context.Context, s Session, n int) (float64, error) {
	failed := make(chan error, n)
	for range n {
		str, err := s.AcceptStream(ctx)
		if err != nil {
			return 0, err
		}
		go func() {
			buf := make([]byte, 200)
			n, err := io.ReadFull(str, buf)
			if err != io.ErrUnexpectedEOF {
				failed <- fmt.Errorf("%d bytes came: %w", n, err)
				return
			}
			failed <- send(str, buf[:n])
		}()
	}
	for range n {
		if err := <-failed; err != nil {
			return 0, err
		}
	}
	return float64(n), nil
}

// flood sends datagrams as fast as they are taken, and then ends a stream. The
// datagrams that have arrived until then count.
func flood(ctx context.Context, s Session) error {
	b := make([]byte, datagramSize)
	for range datagrams {
		if err := s.SendDatagram(b); err != nil {
			return err
		}
	}
	str, err := s.OpenUniStream(ctx)
	if err != nil {
		return err
	}
	return str.Close()
}

func countDatagrams(ctx context.Context, s Session) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := s.AcceptUniStream(ctx)
		ended <- err
		cancel()
	}()
	for n := 0.0; ; n++ {
		if _, err := s.ReceiveDatagram(ctx); err != nil {
			return n, <-ended
		}
	}
}

// runMeasurement prints a Measurement. With flow control, sessions have the
// same limits everywhere, else what the implementation does by default.
func runMeasurement(i Implementation, name string, flowControl bool) error {
	var config Config
	if flowControl {
		config = Config{Streams: MaxStreams, Data: 8 * mebibyte}
	}
	k := slices.IndexFunc(measurements, func(m measurement) bool { return m.name == name })
	if k < 0 {
		return fmt.Errorf("no measurement %q", name)
	}
	result, err := measurements[k].run(i, config)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return print(result)
}

func (m measurement) run(i Implementation, config Config) (result Measurement, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*timeout)
	defer cancel()
	var units float64
	served := make(chan error, 1)
	address, stop, err := listen(i, config, func(s Session) {
		var err error
		units, err = m.server(ctx, s)
		served <- errors.Join(err, seen(ctx, s))
	})
	if err != nil {
		return result, err
	}
	defer stop()
	client, err := newClient(i, i.Name(), config, address)
	if err != nil {
		return result, err
	}
	defer client.close()
	s, err := client.Session(ctx)
	if err != nil {
		return result, err
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin := time.Now()
	if err := m.client(ctx, s); err != nil {
		return result, err
	}
	if err := awaitSeen(ctx, s); err != nil {
		return result, err
	}
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	s.Close(0, "")
	if err := <-served; err != nil {
		return result, err
	}
	return Measurement{
		Units: units, Seconds: took.Seconds(),
		Allocations: after.Mallocs - before.Mallocs, Bytes: after.TotalAlloc - before.TotalAlloc,
	}, nil
}

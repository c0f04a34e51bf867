package sim_test

import (
	"context"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/wtsim/wtsim/netem"
)

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bareDownload is a download over a bare delay, without kernel and links. It
// returns the number of datagrams.
func bareDownload(tb testing.TB, size int, delay time.Duration) int {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var datagrams int
	var t testing.T
	synctest.Test(&t, func(*testing.T) {
		a, b := newBarePipes(delay)
		serverTLS, clientTLS, err := credentials()
		if err != nil {
			tb.Error(err)
			return
		}
		clientEnd, serverEnd := download(size)
		clientTransport, serverTransport := &quic.Transport{Conn: a}, &quic.Transport{Conn: b}
		listener, err := serverTransport.Listen(serverTLS, &quic.Config{})
		if err != nil {
			tb.Error(err)
			return
		}
		go func() {
			conn, err := listener.Accept(context.Background())
			if err == nil {
				err = serverEnd(nil, conn)
			}
			if err != nil {
				tb.Error(err)
			}
		}()
		conn, err := clientTransport.Dial(context.Background(), b.addr, clientTLS, &quic.Config{})
		if err == nil {
			err = clientEnd(nil, conn)
		}
		if err != nil {
			tb.Error(err)
		}
		time.Sleep(time.Second)
		clientTransport.Close()
		serverTransport.Close()
		datagrams = a.datagrams + b.datagrams
	})
	return datagrams
}

// BenchmarkCostOfTheKernel compares the CPU time per datagram of a download
// through kernel and links with that of the same endpoints over a bare delay.
func BenchmarkCostOfTheKernel(b *testing.B) {
	const size = 100_000_000
	p := path(100*netem.MbitPerSecond, 10*time.Millisecond, netem.Limit{Bytes: 250_000})
	var simulated, bare time.Duration
	var simulatedN, bareN int
	for b.Loop() {
		before := cpuTime()
		client, server := download(size)
		result, err := connection{seed: 1, forward: p, reverse: p, client: client, server: server}.run()
		if err != nil {
			b.Fatal(err)
		}
		simulated += cpuTime() - before
		simulatedN += int(result.Datagrams)
		b.ReportMetric(float64(result.Steps), "steps")

		before = cpuTime()
		bareN += bareDownload(b, size, 10*time.Millisecond)
		bare += cpuTime() - before
	}
	perSimulated := float64(simulated) / float64(simulatedN)
	perBare := float64(bare) / float64(bareN)
	b.ReportMetric(perSimulated, "ns/datagram")
	b.ReportMetric(float64(simulatedN)/float64(b.N), "datagrams")
	b.ReportMetric(perBare, "bare-ns/datagram")
	b.ReportMetric(float64(bareN)/float64(b.N), "bare-datagrams")
	b.ReportMetric(perSimulated/perBare, "ratio")
}

package sim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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

const downloadSize = 100_000_000

// BenchmarkCostOfTheKernel compares the CPU time per datagram of a download
// through kernel and links with that of the same endpoints over a bare delay.
func BenchmarkCostOfTheKernel(b *testing.B) {
	p := path(100*netem.MbitPerSecond, 10*time.Millisecond, netem.Limit{Bytes: 250_000})
	compareWithBare(b, func() (int, time.Duration) {
		before := cpuTime()
		client, server := download(downloadSize)
		result, err := connection{seed: 1, forward: p, reverse: p, client: client, server: server}.run()
		if err != nil {
			b.Fatal(err)
		}
		return int(result.Datagrams), cpuTime() - before
	})
}

// BenchmarkCostOfWtsim does the same with the program as people run it: the
// parent, the sealed worker, WebTransport, the recording and the metrics, and
// reports the largest memory of a process.
func BenchmarkCostOfWtsim(b *testing.B) {
	w := buildProgram(b)
	peak := int64(0)
	compareWithBare(b, func() (int, time.Duration) {
		datagrams, cpu, memory := w.run(downloadScenario)
		peak = max(peak, memory)
		return datagrams, cpu
	})
	b.ReportMetric(float64(peak)/1024, "peak-MiB")
}

// BenchmarkCostOfAThousandSessions compares the CPU time per datagram of a
// thousand sessions on one link with that of one.
func BenchmarkCostOfAThousandSessions(b *testing.B) {
	for name, flows := range map[string]string{
		"downloads": `bulk = { kind = "download", duration = "9s" }`,
		"messages":  `voice = { kind = "media" }, ping = { kind = "echo" }`,
	} {
		b.Run(name, func(b *testing.B) {
			w := buildProgram(b)
			var datagrams [2]int
			var cpu [2]time.Duration
			for b.Loop() {
				for i, count := range []int{1, 1000} {
					n, c, _ := w.run(fmt.Sprintf(crowdScenario, count, flows))
					datagrams[i] += n
					cpu[i] += c
				}
			}
			one, thousand := float64(cpu[0])/float64(datagrams[0]), float64(cpu[1])/float64(datagrams[1])
			b.ReportMetric(one, "one-ns/datagram")
			b.ReportMetric(thousand, "thousand-ns/datagram")
			b.ReportMetric(thousand/one, "ratio")
		})
	}
}

// program is a wtsim that was built for a benchmark.
type program struct {
	tb        testing.TB
	dir, path string
}

func buildProgram(tb testing.TB) program {
	dir := tb.TempDir()
	p := program{tb, dir, filepath.Join(dir, "wtsim")}
	if out, err := exec.Command("go", "build", "-o", p.path, "github.com/wtsim/wtsim/cmd/wtsim").CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return p
}

// run runs a scenario, with further flags, and returns its datagrams, and the CPU
// time and largest memory, in KiB, of the program and its worker.
func (p program) run(text string, flags ...string) (datagrams int, cpu time.Duration, memory int64) {
	file := filepath.Join(p.dir, "scenario.toml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		p.tb.Fatal(err)
	}
	args := append([]string{"run", file, "--json", "--no-figures", "--out", filepath.Join(p.dir, "runs")}, flags...)
	cmd := exec.Command(p.path, args...)
	out, err := cmd.Output()
	if err != nil {
		p.tb.Fatal(err)
	}
	var result struct{ Datagrams int }
	if err := json.Unmarshal(out, &result); err != nil {
		p.tb.Fatal(err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return result.Datagrams, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), usage.Maxrss
}

const crowdScenario = `
[hosts.client]
[hosts.server]
[links.access]
between = ["server", "client"]
rate = "1Gbit/s"
delay = "10ms"
[sessions.main]
client = "client"
server = "server"
count = %d
close = { at = "10s" }
flows = { %s }
`

const downloadScenario = `
[hosts.client]
[hosts.server]
[links.access]
between = ["server", "client"]
rate = "100Mbit/s"
delay = "10ms"
[sessions.main]
client = "client"
server = "server"
[sessions.main.flows.bulk]
kind = "download"
size = "100MB"
`

// compareWithBare runs a download and the bare one in turn.
func compareWithBare(b *testing.B, simulate func() (datagrams int, cpu time.Duration)) {
	var simulated, bare time.Duration
	var simulatedN, bareN int
	for b.Loop() {
		n, cpu := simulate()
		simulated += cpu
		simulatedN += n
		before := cpuTime()
		bareN += bareDownload(b, downloadSize, 10*time.Millisecond)
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

package realtime

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/wtsim/wtsim/netem"
)

// loader is the environment variable with the address to which a process of its own
// sends for BenchmarkPrecision.
const loader = "REALTIME_LOAD"

// BenchmarkPrecision has another process send datagrams of 1200 bytes to an echo
// and back, in bursts each millisecond, so many a second in all through a link of
// 10 Gbit/s and 5 ms, and tells how late they left the network. It wants a machine that does
// nothing else.
func BenchmarkPrecision(b *testing.B) {
	if to := os.Getenv(loader); to != "" {
		load(b, to)
		return
	}
	for _, perSecond := range []int{200, 2000, 20_000, 50_000, 100_000, 200_000} {
		b.Run(fmt.Sprintf("%d", perSecond), func(b *testing.B) {
			for b.Loop() {
				p := precisionAt(b, perSecond/2)
				b.ReportMetric(float64(p.P50.Nanoseconds())/1e3, "p50-µs")
				b.ReportMetric(float64(p.P99.Nanoseconds())/1e3, "p99-µs")
				b.ReportMetric(float64(p.P999.Nanoseconds())/1e3, "p99.9-µs")
				b.ReportMetric(float64(p.Departed)/loadTime.Seconds(), "relayed/s")
				b.ReportMetric(100*float64(p.Late)/float64(p.Departed), "%late")
			}
		})
	}
}

const loadTime = 3 * time.Second

func precisionAt(b *testing.B, perSecond int) Precision {
	l, err := New()
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1))
	n := netem.NewNetwork(l, 1, nil)
	client, _ := n.AddHost("client")
	server, _ := n.AddHost("server")
	path := []netem.Element{netem.Rate{Rate: 10_000 * netem.MbitPerSecond}, netem.Delay{Delay: 5 * time.Millisecond}}
	if _, err := n.Connect("link", client, server, path, path); err != nil {
		b.Fatal(err)
	}
	r := NewRelay(l, n, RelayConfig{})
	r.TakeIn(client)
	command := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=Precision$", "-test.benchtime=1x")
	at, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback(0))) // where the echo is to be
	if err != nil {
		b.Fatal(err)
	}
	upstream := at.LocalAddr().(*net.UDPAddr).AddrPort()
	at.Close()
	listen, err := r.Serve(server, 443, upstream, loopback(0))
	if err != nil {
		b.Fatal(err)
	}
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", loader, upstream, listen, perSecond))
	var over atomic.Bool
	ended := make(chan error)
	go func() { ended <- l.Run(n, time.Hour, over.Load) }()
	text, err := command.CombinedOutput()
	over.Store(true)
	l.Rouse()
	if ran := <-ended; err != nil || ran != nil {
		b.Fatalf("%v, %v\n%s", ran, err, text)
	}
	report := l.Report()
	if len(report.Refused) > 0 {
		b.Logf("refused %v", report.Refused)
	}
	return report.Precision
}

// load echoes at one address and sends to another.
func load(b *testing.B, task string) {
	var echo, to string
	var perSecond int
	if _, err := fmt.Sscan(task, &echo, &to, &perSecond); err != nil {
		b.Fatal(err)
	}
	server, err := net.ListenPacket("udp", echo)
	if err != nil {
		b.Fatal(err)
	}
	client, err := net.Dial("udp", to)
	if err != nil {
		b.Fatal(err)
	}
	var reading sync.WaitGroup
	defer reading.Wait()
	defer server.Close()
	defer client.Close()
	reading.Go(func() {
		echo, arrived := ipv4.NewPacketConn(server), messages(64, 1<<11)
		for {
			n, err := echo.ReadBatch(arrived, 0)
			if err != nil {
				return
			}
			for i := range n {
				m := &arrived[i]
				m.Buffers[0] = m.Buffers[0][:m.N]
			}
			for rest := arrived[:n]; len(rest) > 0; rest = rest[n:] {
				if n, err = echo.WriteBatch(rest, 0); err != nil {
					return
				}
			}
			for i := range arrived {
				arrived[i].Buffers[0], arrived[i].Addr = arrived[i].Buffers[0][:1<<11], nil
			}
		}
	})
	sender := ipv4.NewPacketConn(client.(*net.UDPConn))
	reading.Go(func() {
		for arrived := messages(64, 1<<11); ; {
			if _, err := sender.ReadBatch(arrived, 0); errors.Is(err, net.ErrClosed) {
				return
			}
		}
	})
	burst := messages(64, 1200)
	begin, sent := time.Now(), 0
	for time.Since(begin) < loadTime {
		time.Sleep(time.Millisecond)
		for due := int(time.Since(begin).Seconds() * float64(perSecond)); sent < due; {
			n, err := sender.WriteBatch(burst[:min(due-sent, len(burst))], 0)
			if err != nil {
				b.Fatal(err)
			}
			sent += n
		}
	}
	time.Sleep(100 * time.Millisecond)
}

func messages(n, size int) []ipv4.Message {
	all := make([]ipv4.Message, n)
	for i := range all {
		all[i].Buffers = [][]byte{make([]byte, size)}
	}
	return all
}

package run

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// downloading is a download over a link of 100 Mbit/s.
const downloading = `
[hosts.client]
[hosts.server]
[links.access]
between = ["server", "client"]
rate = "100Mbit/s"
delay = "10ms"
[sessions.main]
client = "client"
server = "server"
flows.bulk = { kind = "download", size = "%s" }
`

// BenchmarkCostOfRecording compares the CPU time per datagram of a run that records
// something with that of the same run without it: the two in turn, both processes
// with all that they do. What is analysed afterwards does not count. It reports
// the median of the rounds' ratios and their quartiles. A datagram is captured
// once, at the link or at the host.
func BenchmarkCostOfRecording(b *testing.B) {
	nothing := func(r *Request) { r.Without = record.Tables() }
	tables := func(*Request) {}
	for _, c := range []struct {
		name      string
		off, with func(*Request)
	}{
		{"nothing", nothing, nothing}, // what the ratio of equal runs is like
		{"tables", nothing, tables},
		{"packets", nothing, func(r *Request) { r.Without = []record.Table{record.TableSeries, record.TableEvents} }},
		{"csv", tables, func(r *Request) { r.CSV = true }},
		{"qlog", tables, func(r *Request) { r.QLog = true }},
		{"capture=links.access", tables, func(r *Request) { r.Capture = []string{"links.access"} }},
		{"capture=hosts.client", tables, func(r *Request) { r.Capture = []string{"hosts.client"} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var ratios, off, on []float64
			for b.Loop() {
				without, with := cost(b, c.off), cost(b, c.with)
				off, on = append(off, without), append(on, with)
				ratios = append(ratios, with/without)
			}
			b.ReportMetric(quantile(off, 0.5), "without-ns/datagram")
			b.ReportMetric(quantile(on, 0.5), "with-ns/datagram")
			b.ReportMetric(quantile(ratios, 0.25), "ratio-p25")
			b.ReportMetric(quantile(ratios, 0.5), "ratio-p50")
			b.ReportMetric(quantile(ratios, 0.75), "ratio-p75")
		})
	}
}

// cost returns the nanoseconds of CPU time that a run takes for each datagram.
func cost(b *testing.B, change func(*Request)) float64 {
	r := Request{Scenario: "real", Source: fmt.Appendf(nil, downloading, "100MB"), Out: b.TempDir()}
	change(&r)
	before := cpuTime()
	result, err := Do(b.Context(), r, nil)
	if err != nil {
		b.Fatal(err)
	}
	used := cpuTime() - before
	if err := os.RemoveAll(r.Out); err != nil { // or what is not on the disk yet would slow down the next run
		b.Fatal(err)
	}
	return float64(used) / float64(result.Datagrams)
}

// cpuTime is what this process and its children that ended have used.
func cpuTime() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			panic(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

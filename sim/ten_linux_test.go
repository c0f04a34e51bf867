package sim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/wtsim/wtsim/netem"
)

// tenElements is a link of 100 Mbit/s and 10 ms with the faults that links have
// now and then, few enough that the rate remains what limits a download.
func tenElements() []netem.Element {
	return []netem.Element{
		netem.Outage{},
		netem.MTU{Size: 1500},
		netem.Policer{Rate: 200 * netem.MbitPerSecond, Burst: netem.MB},
		netem.ECNFault{Bleach: 0.0001},
		netem.Filter{Loss: netem.GilbertElliott{P: 0.00001, R: 0.5, Bad: 1}, Above: 200},
		netem.Duplicate{P: 0.0001},
		netem.Corrupt{P: 0.00001},
		fastLink,
		netem.Reorder{Delay: time.Millisecond, P: 0.00001, Gap: 5},
		netem.Jitter{Delay: 9 * time.Millisecond, Deviation: 100 * time.Microsecond, InOrder: true},
	}
}

var fastLink = netem.Rate{Rate: 100 * netem.MbitPerSecond, Overhead: netem.HeaderIPv4, Queue: netem.FIFO{Limit: netem.Limit{Bytes: 250_000}}}

// BenchmarkTenElements compares the CPU time per datagram of a download over
// paths of ten elements with that over paths of one, and of the two that every
// link has. They take turns, and the median of each counts.
func BenchmarkTenElements(b *testing.B) {
	paths := [][]netem.Element{
		{fastLink},
		{fastLink, netem.Delay{Delay: 10 * time.Millisecond}},
		tenElements(),
	}
	client, server := download(downloadSize)
	costs := make([][]float64, len(paths))
	for b.Loop() {
		for i, p := range paths {
			before := cpuTime()
			result, err := connection{seed: 1, forward: p, reverse: p, client: client, server: server}.run()
			if err != nil {
				b.Fatal("seed 1:", err)
			}
			costs[i] = append(costs[i], float64(cpuTime()-before)/float64(result.Datagrams))
		}
	}
	median := func(i int) float64 {
		slices.Sort(costs[i])
		return costs[i][len(costs[i])/2]
	}
	b.ReportMetric(median(0), "one-ns/datagram")
	b.ReportMetric(median(1), "two-ns/datagram")
	b.ReportMetric(median(2), "ten-ns/datagram")
	b.ReportMetric(median(2)/median(0), "ratio")
	b.ReportMetric(median(2)/median(1), "ratio-to-two")
}

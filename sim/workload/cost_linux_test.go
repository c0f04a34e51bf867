package workload_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/workload"
)

// unkept is a recorder that keeps nothing.
type unkept struct{}

func (unkept) Sample(record.Sample) {}
func (unkept) Event(record.Event)   {}

// BenchmarkCostOfFollowingStreams compares the CPU time per datagram of a download
// whose streams are followed with that of the same one without: the two in turn.
// It reports the median of the rounds' ratios and their quartiles; of two equal
// runs first, which is the noise.
func BenchmarkCostOfFollowingStreams(b *testing.B) {
	const download = pair + `flows.bulk = { kind = "download", size = "50MB" }`
	for _, c := range []struct {
		name           string
		loss           string
		followed, than workload.Options
	}{
		{"equal", "0.0", workload.Options{}, workload.Options{}},
		{"lossless", "0.0", workload.Options{}, workload.Options{WithoutSeries: true}},
		{"loss=0.02%", "0.0002", workload.Options{}, workload.Options{WithoutSeries: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var with, without, ratios []float64
			for b.Loop() {
				x := downloadCost(b, download, c.loss, c.than)
				y := downloadCost(b, download, c.loss, c.followed)
				without, with, ratios = append(without, x), append(with, y), append(ratios, y/x)
			}
			slices.Sort(without)
			slices.Sort(with)
			slices.Sort(ratios)
			b.ReportMetric(without[len(without)/2], "without-ns/datagram")
			b.ReportMetric(with[len(with)/2], "with-ns/datagram")
			b.ReportMetric(ratios[len(ratios)/4], "ratio-p25")
			b.ReportMetric(ratios[len(ratios)/2], "ratio-p50")
			b.ReportMetric(ratios[len(ratios)*3/4], "ratio-p75")
		})
	}
}

// downloadCost returns the nanoseconds of CPU time that a run takes for each
// datagram.
func downloadCost(b *testing.B, text, loss string, options workload.Options) float64 {
	s := parse(b, text, "links.path.rate=100Mbit/s", "links.path.loss="+loss)
	before := cpuTime()
	result, err := sim.Run(sim.Config{Seed: s.Seed, TimeLimit: s.TimeLimit}, func(w *sim.World) error {
		_, err := workload.Build(w, s, unkept{}, options)
		return err
	})
	if err != nil {
		b.Fatalf("seed %d: %v", s.Seed, err)
	}
	return float64(cpuTime()-before) / float64(result.Datagrams)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

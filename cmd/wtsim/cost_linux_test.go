package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// costly are the scenarios whose analysis is measured, of more than a million
// datagrams each: one download, and a thousand.
var costly = map[string]string{
	"download": `name = "download"
time_limit = "200s"
[hosts.client]
[hosts.server]
[links.access]
between = ["server", "client"]
rate = "100Mbit/s"
delay = "10ms"
[sessions.main]
client = "client"
server = "server"
flows.bulk = { kind = "download", size = "1GB" }
`,
	"thousand-sessions": `name = "thousand-sessions"
time_limit = "200s"
[hosts.client]
[hosts.server]
[links.access]
between = ["server", "client"]
rate = "400Mbit/s"
delay = "10ms"
[sessions.main]
client = "client"
server = "server"
count = 1000
flows.bulk = { kind = "download", size = "1MB" }
`}

// BenchmarkAnalysis reports what the metrics and the figures of a run cost, each
// in a process of its own: the time as a share of what the simulation took, and
// the most memory.
func BenchmarkAnalysis(b *testing.B) {
	for name, text := range costly {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			file := filepath.Join(dir, name+".toml")
			if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
				b.Fatal(err)
			}
			measure(b, "run", file, "--quiet", "--no-figures", "--out", dir)
			recording := filepath.Join(dir, name, "default", "1")
			run, err := record.ReadRun(recording)
			if err != nil {
				b.Fatal(err)
			}
			var metrics, figures cost
			for b.Loop() {
				metrics.add(measure(b, "metrics", recording, "--json"))
				figures.add(measure(b, "plot", recording, "--format", "svg,png,csv", "--out", filepath.Join(dir, "figures")))
			}
			b.ReportMetric(float64(run.Datagrams), "datagrams")
			b.ReportMetric(run.Wall.Seconds(), "s-simulation")
			for what, c := range map[string]cost{"metrics": metrics, "figures": figures} {
				b.ReportMetric(c.wall.Seconds()/float64(c.n)/run.Wall.Seconds(), what+"/simulation")
				b.ReportMetric(float64(c.peak)/1e6, "MB-"+what)
			}
		})
	}
}

// cost is what commands of one kind cost together.
type cost struct {
	n    int
	wall time.Duration
	peak int64 // memory of the one that held most, in bytes
}

func (c *cost) add(wall time.Duration, memory int64) {
	c.n++
	c.wall += wall
	c.peak = max(c.peak, memory)
}

// measure runs wtsim and returns how long it took, and the memory that it held
// at most in bytes.
func measure(b *testing.B, args ...string) (time.Duration, int64) {
	b.Helper()
	cmd := exec.Command("wtsim", args...)
	begin := time.Now()
	if text, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("wtsim %v: %v\n%s", args, err, text)
	}
	return time.Since(begin), 1024 * cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
}

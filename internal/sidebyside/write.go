package main

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/analysis/stat"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
)

// rows are the metrics that are compared, where a scenario has them.
var rows = []struct{ title, metric string }{
	{"goodput", "flows.bulk.goodput"},
	{"goodput, mean of sessions", "sessions.main.flows.bulk.goodput.mean"},
	{"throughput of the link", "links.access.forward.throughput"},
	{"RTT, median", "connections.main.server.rtt.p50"},
	{"RTT, 95 %", "connections.main.server.rtt.p95"},
	{"RTT, median, mean of connections", "connections.main.server.rtt.p50.mean"},
	{"RTT of the echo, median", "flows.ping.messages.rtt.p50"},
	{"delay of frames, median", "flows.voice.messages.delay.p50"},
	{"delay of frames, 95 %", "flows.voice.messages.delay.p95"},
	{"queueing, median", "links.access.forward.queue_delay.p50"},
	{"queueing, 95 %", "links.access.forward.queue_delay.p95"},
	{"loss on the link", "links.access.forward.loss_ratio"},
	{"CE marks", "links.access.forward.ce_marks"},
	{"set-up", "sessions.main.setup.duration"},
	{"set-up, mean", "sessions.main.setup.duration.mean"},
	{"teardown", "sessions.main.teardown.duration"},
	{"teardown, mean", "sessions.main.teardown.duration.mean"},
	{"teardown, peer notified, mean", "sessions.main.teardown.notified.mean"},
}

//go:embed why.md
var why string

// notable is the difference that the text explains.
const notable = 0.05

func write(w io.Writer, pairs []pair, n int) error {
	var b strings.Builder
	v := run.Versions()
	fmt.Fprintf(&b, "# Simulated and in real time, side by side\n\n")
	fmt.Fprintf(&b, "Written by `go run ./internal/sidebyside -n %d` on %s/%s with %d cores, quic-go %s. The same files ran simulated (`wtsim run`) and in real time over\n", n, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), v.QUICGo)
	fmt.Fprintf(&b, "sockets on loopback (`wtsim run --real-time`), with the seeds 1 to %d each. Means over the seeds with their 95 %% confidence intervals (Student's t); the\n", n)
	fmt.Fprintf(&b, "ratio is that of the means, with the interval of their difference (Welch). Ratios in bold differ from 1 by more than %g %%, and a star marks those whose\n", 100*notable)
	fmt.Fprintf(&b, "interval does not hold 1, so that they are not chance.\n")
	for _, p := range pairs {
		name := strings.TrimSuffix(filepath.Base(p.path), ".toml")
		fmt.Fprintf(&b, "\n## [%s](../%s)\n\n", name, filepath.ToSlash(p.path))
		fmt.Fprintf(&b, "| | simulated | in real time | ratio |\n|---|---:|---:|---:|\n")
		for _, r := range rows {
			if err := row(&b, p, r.title, r.metric); err != nil {
				return fmt.Errorf("%s: %s: %w", p.path, r.metric, err)
			}
		}
		departed, late := uint64(0), uint64(0)
		for _, m := range p.real {
			departed += m.RealTime.Departed
			late += m.RealTime.Late
		}
		fmt.Fprintf(&b, "\nOf %d departures in real time %s %% were later than 100 µs; in the worst run half were less than %s late, 99 %% less than %s, and all less than %s. Of the wake-ups of a program 99 %% were less than %s late, in the worst run.\n",
			departed, quantity.Significant(100*float64(late)/float64(departed)),
			worstOf(p, func(r *record.RealTime) time.Duration { return r.P50 }),
			worstOf(p, func(r *record.RealTime) time.Duration { return r.P99 }),
			worstOf(p, func(r *record.RealTime) time.Duration { return r.Max }),
			worstOf(p, func(r *record.RealTime) time.Duration { return r.Wakeups.P99 }))
	}
	b.WriteString("\n" + why)
	_, err := io.WriteString(w, b.String())
	return err
}

func worstOf(p pair, of func(*record.RealTime) time.Duration) string {
	return quantity.Duration(worst(p.real, of).Seconds())
}

// row writes a metric, if the runs have it.
func row(b *strings.Builder, p pair, title, metric string) error {
	simulated, unit := values(p.simulated, metric)
	real, _ := values(p.real, metric)
	if len(simulated) == 0 || len(real) == 0 {
		return nil
	}
	fmt.Fprintf(b, "| %s ", title)
	for _, values := range [][]float64{simulated, real} {
		e, err := stat.Mean(values, 0.95)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "| %s ", quantity.PlusMinus(metric, e.Value, (e.Interval.High-e.Interval.Low)/2, unit))
	}
	a, err := stat.Mean(simulated, 0.95)
	if err != nil {
		return err
	}
	d, err := stat.Welch(simulated, real, 0.95)
	if err != nil {
		return err
	}
	if a.Value == 0 {
		b.WriteString("| |\n")
		return nil
	}
	ratio := 1 + d.Value/a.Value
	text := fmt.Sprintf("%.3f", ratio)
	if math.Abs(ratio-1) > notable {
		text = "**" + text + "**"
	}
	if d.Interval.Low > 0 || d.Interval.High < 0 {
		text += " *"
	}
	fmt.Fprintf(b, "| %s (%.3f to %.3f) |\n", text, 1+d.Interval.Low/a.Value, 1+d.Interval.High/a.Value)
	return nil
}

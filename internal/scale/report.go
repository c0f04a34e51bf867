//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/wtsim/wtsim/internal/wholefile"
	"github.com/wtsim/wtsim/sim/run"
)

// report writes the table and the figures.
func report(out, file string, rows []row, started worker) error {
	figures := filepath.Join(out, "scale")
	if err := os.MkdirAll(figures, 0o777); err != nil {
		return err
	}
	err := draw(filepath.Join(figures, "cost.png"), "CPU time in µs per datagram", rows, []line{
		{"wtsim run: recording and metrics too", func(r row) float64 { return micro(r.whole) }},
		{"simulation alone", func(r row) float64 { return micro(r.simulation) }},
	})
	if err != nil {
		return err
	}
	err = draw(filepath.Join(figures, "memory.png"), "memory in KiB per session", rows, []line{
		{"wtsim run, peak of the largest process", func(r row) float64 { return kib(r.whole.Peak, r) }},
		{"simulation alone, peak", func(r row) float64 { return kib(r.simulation.Peak, r) }},
		{"alive: heap and stacks", func(r row) float64 { return kib(r.simulation.Heap+r.simulation.Stacks, r) }},
	})
	if err != nil {
		return err
	}
	_, err = wholefile.Write(filepath.Join(out, "scale.md"), func(w io.Writer) error {
		_, err := io.WriteString(w, text(file, rows, started))
		return err
	})
	return err
}

func text(file string, rows []row, started worker) string {
	var b strings.Builder
	v := run.Versions()
	fmt.Fprintf(&b, `# What a simulation costs by its number of sessions

Written by `+"`go run ./internal/scale`"+` on %s: %s, %d cores that other programs used at the same time, %s, %s/%s,
quic-go %s. CPU times are of user and system, as the kernel counts them; memory is the largest resident set of a process.

The scenario is [%s](../%s) with fewer sessions, on up to %d hosts; all begin within %s, whatever their number. "Simulation" is the simulation
alone, in a process that records nothing; its memory alive is that of the heap and stacks after a collection at %s, when all sessions are in use.
"wtsim run" is what people run: parent and worker, with packets, series and events recorded and all metrics computed, without figures.

| sessions | datagrams | simulation: CPU | a datagram | wtsim run: CPU | a datagram | alive | a session | simulation: peak | wtsim run: peak |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
`, hostname(), processor(), runtime.NumCPU(), kernel(), runtime.GOOS, runtime.GOARCH, v.QUICGo, filepath.Base(file), filepath.ToSlash(file), hosts, opening, settled)
	for _, r := range rows {
		alive := r.simulation.Heap + r.simulation.Stacks
		fmt.Fprintf(&b, "| %d | %d | %.2f s | %.1f µs | %.2f s | %.1f µs | %.0f MiB | %.0f KiB | %.0f MiB | %.0f MiB |\n",
			r.sessions, r.simulation.Datagrams, r.simulation.CPU.Seconds(), micro(r.simulation), r.whole.CPU.Seconds(), micro(r.whole),
			mib(alive), kib(alive, r), mib(r.simulation.Peak), mib(r.whole.Peak))
	}
	fmt.Fprintf(&b, `
![CPU time per datagram by the number of sessions](scale/cost.png)
![Memory per session by the number of sessions](scale/memory.png)

A run of one message takes %s of CPU time in a process of its own and %s in one that is there already: starting a worker costs %s (medians).
`, ms(started.own), ms(started.here), ms(started.own-started.here))
	return b.String()
}

func micro(c cost) float64    { return float64(c.perDatagram()) / float64(time.Microsecond) }
func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// kib is so many bytes of each session, in KiB.
func kib(bytes int64, r row) float64 { return float64(bytes) / float64(r.sessions) / (1 << 10) }

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

// line is one line of a figure.
type line struct {
	name  string
	value func(row) float64
}

// draw draws lines by the number of sessions, on logarithmic axes.
func draw(path, what string, rows []row, lines []line) error {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "sessions", what
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	for i, l := range lines {
		var points plotter.XYs
		for _, r := range rows {
			points = append(points, plotter.XY{X: float64(r.sessions), Y: l.value(r)})
		}
		curve, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		curve.Color, curve.Dashes, curve.Width = plotutil.Color(i), plotutil.Dashes(i), vg.Points(1.5)
		marks.Color, marks.Shape = plotutil.Color(i), plotutil.Shape(i)
		p.Add(curve, marks)
		p.Legend.Add(l.name, curve, marks)
	}
	p.Y.Min, p.Y.Max = decade(p.Y.Min, p.Y.Max)
	return p.Save(14*vg.Centimeter, 9*vg.Centimeter, path)
}

// decade widens a range to whole powers of ten.
func decade(least, most float64) (from, to float64) {
	for from = 1e-3; from*10 <= least; from *= 10 {
	}
	for to = from; to < most; to *= 10 {
	}
	return from, to
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "a machine without a name"
	}
	return name
}

// processor is the model of the machine's processor.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for l := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	text, err := exec.Command("uname", "-sr").Output()
	if err != nil {
		return runtime.GOOS
	}
	return strings.TrimSpace(string(text))
}

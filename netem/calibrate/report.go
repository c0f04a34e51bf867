package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/wtsim/wtsim/sim/run"
)

// report is a comparison and where it was made.
type report struct {
	Kernel    string  `json:"kernel"`
	CPU       string  `json:"cpu"`
	CPUs      int     `json:"cpus"`
	Go        string  `json:"go"`
	QUICGo    string  `json:"quic_go"`
	Rounds    int     `json:"rounds"`
	Window    float64 `json:"window_s"`
	HostDelay float64 `json:"host_rtt_s"` // of the hosts alone, which the simulator adds to each path
	Rows      []row   `json:"cases"`
}

// newReport returns a report that names this machine.
func newReport() report {
	v := run.Versions()
	r := report{Kernel: runtime.GOOS, CPU: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: v.Go, QUICGo: v.QUICGo}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		r.Kernel = "Linux " + string(bytes.TrimSpace(b))
	}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		r.CPU = cpuModel(string(b), r.CPU)
	}
	return r
}

// cpuModel returns the name of the processor in /proc/cpuinfo.
func cpuModel(info, otherwise string) string {
	for line := range strings.Lines(info) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return otherwise
}

// machine is one line on where and how it was measured.
func (r report) machine() string {
	return fmt.Sprintf("%s, %d × %s, %s, quic-go %s; medians of %d rounds of %s s (six times as long with random loss); %s µs for a round trip between the hosts alone.",
		r.Kernel, r.CPUs, r.CPU, r.Go, r.QUICGo, r.Rounds, number(r.Window, 0), number(1e6*r.HostDelay, 0))
}

func number(v float64, decimals int) string { return strconv.FormatFloat(v, 'f', decimals, 64) }

// table has a line for each case.
func (r report) table() table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"case", "path", "Mbit/s: Linux", "wtsim", "ratio", "RTT min, mean / ms: Linux", "wtsim", "ratio", "loss / %: Linux", "wtsim", "ratio", "agrees"})
	for _, c := range r.Rows {
		t.AppendRow(table.Row{
			c.Case, c.Path,
			cell(c.Linux, 1e-6, goodput), cell(c.Wtsim, 1e-6, goodput), c.ratio(goodput),
			cell(c.Linux, 1e3, minRTT, meanRTT), cell(c.Wtsim, 1e3, minRTT, meanRTT), c.ratio(meanRTT),
			cell(c.Linux, 100, lost), cell(c.Wtsim, 100, lost), c.ratio(lost),
			c.verdict(),
		})
	}
	return t
}

const nothing = "–"

// cell writes medians of the rounds, in another unit.
func cell(rounds []measurement, scale float64, of ...func(measurement) float64) string {
	if len(rounds) == 0 {
		return nothing
	}
	var values []string
	for _, f := range of {
		values = append(values, number(scale*middle(rounds, f), 2))
	}
	return strings.Join(values, ", ")
}

// ratio writes the median of the simulator over that of the kernel, and over
// the largest and the least of the kernel's rounds.
func (r row) ratio(of func(measurement) float64) string {
	if len(r.Linux) == 0 || len(r.Wtsim) == 0 {
		return nothing
	}
	least, most := of(r.Linux[0]), of(r.Linux[0])
	for _, m := range r.Linux {
		least, most = min(least, of(m)), max(most, of(m))
	}
	wtsim := middle(r.Wtsim, of)
	over := func(linux float64, decimals int) string {
		switch {
		case linux > 0:
			return number(wtsim/linux, decimals)
		case wtsim > 0:
			return "∞"
		}
		return nothing
	}
	return fmt.Sprintf("%s (%s to %s)", over(middle(r.Linux, of), 3), over(most, 2), over(least, 2))
}

// text is the report for a terminal.
func (r report) text() string {
	t := r.table()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	return t.Render() + "\n\n" + r.machine() + "\n"
}

// markdown is the report for a file.
func (r report) markdown() string {
	return "# Agreement with Linux\n\n" + r.table().RenderMarkdown() + "\n\n" + r.machine() + "\n\n" +
		"Ratios are wtsim over Linux, of medians, and in brackets over the largest and the least of Linux's rounds. `go run ./netem/calibrate --help` says what was measured.\n"
}

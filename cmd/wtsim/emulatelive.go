package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/sim/record"
	"github.com/wtsim/wtsim/sim/run"
)

// liveView shows how an emulation goes: on a terminal as a table that is drawn
// again and again, elsewhere as lines.
type liveView struct {
	out      io.Writer
	terminal *os.File // nil: lines
	talk     talk
	awaited  string // what an emulation waits for before it starts

	mu      sync.Mutex
	table   string // below all lines of a terminal
	drawn   int    // its lines on the screen
	waiting bool   // which has been said
	ended   bool
	late    uint64 // datagrams so far
}

// talk is how much a view says.
type talk int

const (
	silent  talk = iota
	notices      // what a person should know at once
	everything
)

func newLiveView(out io.Writer, talk talk, awaited string) *liveView {
	v := &liveView{out: out, talk: talk, awaited: awaited}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" {
		v.terminal = file
	}
	return v
}

// print writes lines above the table.
func (v *liveView) print(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	fmt.Fprintf(v.out, format+"\n", args...)
	v.draw()
}

// erase removes the table from the screen, and draw puts it there.
func (v *liveView) erase() {
	if v.drawn > 0 {
		fmt.Fprintf(v.out, "\x1b[%dA\x1b[J", v.drawn)
		v.drawn = 0
	}
}

func (v *liveView) draw() {
	io.WriteString(v.out, v.table)
	v.drawn = strings.Count(v.table, "\n")
}

// listening says where clients find servers.
func (v *liveView) listening(every []run.Listening) {
	if v.talk < everything {
		return
	}
	for _, l := range every {
		v.print("%s leads through the network to %s, as %s", l.Listen, l.Upstream, l.Server)
	}
	v.print("Ctrl-C ends")
}

func (v *liveView) notice(text string) {
	if v.talk >= notices {
		v.print("%s  %s", time.Now().Format(time.TimeOnly), text)
	}
}

// ending says that it is about to end, after which there is nothing live.
func (v *liveView) ending() {
	if v.talk < everything {
		return
	}
	v.end()
	v.print("ending; Ctrl-C again ends at once, and nothing is kept")
}

func (v *liveView) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	v.table, v.ended = "", true
}

// live shows how it goes.
func (v *liveView) live(now run.Live) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.talk < everything || v.ended {
		return
	}
	late := now.Precision.Late - v.late
	v.late = now.Precision.Late
	said := v.waiting
	v.waiting = now.Waiting
	if v.terminal == nil {
		switch {
		case !now.Waiting:
			io.WriteString(v.out, liveLines(now, late))
		case !said:
			fmt.Fprintf(v.out, "waiting for %s\n", v.awaited)
		}
		return
	}
	v.erase()
	v.table = "waiting for " + v.awaited + "\n"
	if !now.Waiting {
		width, height, err := term.GetSize(int(v.terminal.Fd()))
		if err != nil || width <= 0 {
			width, height = 80, 24
		}
		v.table = liveTable(now, width, height)
	}
	v.draw()
}

// liveTable is a row for each direction of links, as far as there is room. No line is
// wrapped, so that they can be counted.
func liveTable(now run.Live, width, height int) string {
	const around = 8 // lines that are not rows, and that of the cursor
	t := newTable("Link direction", "throughput", "delay", "loss", "queue")
	shown, more := fastest(now.Links, min(max(height-around, 1), mostRows))
	for _, d := range shown {
		t.AppendRow(append(table.Row{strings.TrimPrefix(d.Entity, "links.")}, liveCells(d)...))
	}
	b := fmt.Sprintf("%s, %s\n%s\n", quantity.Duration(now.Elapsed.Seconds()), quantity.Count(now.Clients, "client"), strings.ReplaceAll(precisionInWords(now), "; ", "\n"))
	if len(now.Refused) > 0 {
		b += "refused: " + analysis.Refusals(now.Refused) + "\n"
	}
	b += t.Render() + "\n"
	if more > 0 {
		b += fmt.Sprintf("… and %d more\n", more)
	}
	var out strings.Builder
	for line := range strings.Lines(b) {
		out.WriteString(text.Trim(strings.TrimSuffix(line, "\n"), width) + "\n")
	}
	return out.String()
}

// fastest returns the directions in their order, and if there are too many those that
// carry most, and how many are left out.
func fastest(links []run.LiveDirection, most int) (shown []run.LiveDirection, more int) {
	if len(links) <= most {
		return links, 0
	}
	shown = slices.Clone(links)
	slices.SortStableFunc(shown, func(a, b run.LiveDirection) int { return cmp.Compare(b.Throughput, a.Throughput) })
	return shown[:most], len(links) - most
}

// liveLines is a line for each direction of links that carried anything, and one that
// says how many departures were late.
func liveLines(now run.Live, late uint64) string {
	var b strings.Builder
	at := now.Elapsed.Round(time.Second)
	carried := slices.DeleteFunc(slices.Clone(now.Links), func(d run.LiveDirection) bool { return d.Delivered+d.Dropped == 0 })
	shown, more := fastest(carried, mostRows)
	for _, d := range shown {
		c := liveCells(d)
		fmt.Fprintf(&b, "%s  %s: %s, delay %s, loss %s, queue %s\n", at, strings.TrimPrefix(d.Entity, "links."), c[0], c[1], c[2], c[3])
	}
	if more > 0 {
		fmt.Fprintf(&b, "%s  … and %d more\n", at, more)
	}
	if late > 0 {
		fmt.Fprintf(&b, "%s  %s more than 100 µs late\n", at, quantity.Count(int(late), "departure"))
	}
	return b.String()
}

// liveCells are throughput, delay, loss and queue.
func liveCells(d run.LiveDirection) table.Row {
	delay, loss := "-", "-"
	if d.Delivered > 0 {
		delay = quantity.Duration(d.Delay.Seconds())
	}
	if all := d.Delivered + d.Dropped; all > 0 {
		loss = quantity.Format("loss_ratio", float64(d.Dropped)/float64(all), "1")
	}
	return table.Row{quantity.Format("", float64(d.Throughput), "bit/s"), delay, loss, quantity.Format("", float64(d.Queue), "B")}
}

// precisionInWords says how late departures were so far.
func precisionInWords(now run.Live) string {
	p := now.Precision
	return analysis.Lateness(&record.RealTime{Departed: p.Departed, Late: p.Late, P50: p.P50, P99: p.P99, Max: p.Max})
}

// printRealTime writes what a run in real time did beside what every run does.
func printRealTime(out io.Writer, r *record.RealTime) {
	for i, remark := range analysis.RealTimeRemarks(r) {
		if i == 0 {
			fmt.Fprintln(out)
		}
		printField(out, remark.About, "%s", remark.Text)
	}
}

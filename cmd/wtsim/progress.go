package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/sim/run"
)

// progress shows how far some runs have come: as a bar on a terminal, and as a
// line now and then elsewhere.
type progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar // nil: lines
	quiet bool

	realTime bool // the runs happen in real time

	started  time.Time
	limits   []time.Duration // of each run
	virtual  []time.Duration // of each run
	whole    []bool          // runs that have ended
	ended    int             // how many
	failed   int             // of these
	shown    time.Time       // when the bar was last drawn
	lastLine time.Time
	lastPart float64
}

// resolution is the length of a bar.
const resolution = 10_000

// newProgress shows the progress of runs, of which each takes at most its virtual
// time limit.
func newProgress(out io.Writer, quiet bool, limits []time.Duration) *progress {
	n := len(limits)
	p := &progress{out: out, quiet: quiet, started: time.Now(), limits: limits,
		virtual: make([]time.Duration, n), whole: make([]bool, n)}
	p.lastLine = p.started
	if file, ok := out.(*os.File); ok && !quiet && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions64(resolution,
			progressbar.OptionSetWriter(out), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionUseANSICodes(true))
	}
	return p
}

// report takes the progress of one run.
func (p *progress) report(i int, at run.Progress, done bool) {
	if p.quiet {
		return
	}
	p.virtual[i] = at.Virtual
	if at.Limit > 0 {
		p.limits[i] = at.Limit // the worker knows better
	}
	if done && !p.whole[i] {
		p.whole[i] = true
		p.ended++
	}
	// What is shown takes a look at every run, of which there may be many.
	now := time.Now()
	if p.ended < len(p.limits) && now.Sub(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = now
	if p.bar != nil {
		p.bar.Describe(p.text())
		p.bar.Set64(int64(p.part() * resolution))
		return
	}
	part := p.part()
	since := now.Sub(p.lastLine)
	if part < 1 && (since >= 5*time.Second || since >= time.Second && part >= p.lastPart+0.1) {
		p.lastLine, p.lastPart = now, part
		fmt.Fprintf(p.out, "%3.0f %%  %s\n", 100*part, p.text())
	}
}

// end removes the bar.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Finish()
	}
}

// part is the share of the work that is done. Runs count by their number and not
// by their virtual time, which says little about what they cost.
func (p *progress) part() float64 {
	var sum float64
	for i, v := range p.virtual {
		if p.whole[i] || v > p.limits[i] {
			v = p.limits[i]
		}
		sum += v.Seconds() / p.limits[i].Seconds()
	}
	return sum / float64(max(1, len(p.virtual)))
}

// text says how much virtual time has passed, and how fast.
func (p *progress) text() string {
	var sum time.Duration
	for _, v := range p.virtual {
		sum += v
	}
	took := time.Since(p.started)
	text := fmt.Sprintf("%.1f s simulated, %s", sum.Seconds(), speed(sum, took))
	if p.realTime {
		text = fmt.Sprintf("%.1f s in real time", sum.Seconds())
	}
	if n := len(p.virtual); n > 1 {
		counts := fmt.Sprintf("%d of %d runs", p.ended, n)
		if p.ended > 0 {
			counts += fmt.Sprintf(" (%s/s)", quantity.Significant(float64(p.ended)/took.Seconds()))
		}
		if p.failed > 0 {
			counts += fmt.Sprintf(", %d failed", p.failed)
		}
		text = counts + ", " + text
		if left := p.left(took); left > 0 {
			text += fmt.Sprintf(", about %s left", left)
		}
	}
	return text
}

// left is how long the rest will take if it is like what took so long, and 0 if that is
// too early to say.
func (p *progress) left(took time.Duration) time.Duration {
	part := p.part()
	if part < 0.02 || part >= 1 {
		return 0
	}
	return time.Duration(float64(took) * (1 - part) / part).Round(time.Second)
}

// speed compares virtual with wall-clock time.
func speed(virtual, wall time.Duration) string {
	if wall <= 0 {
		return "in no time"
	}
	ratio := virtual.Seconds() / wall.Seconds()
	if ratio >= 1 || ratio == 0 {
		return quantity.Significant(ratio) + "× real time"
	}
	return "1/" + quantity.Significant(1/ratio) + " of real time"
}

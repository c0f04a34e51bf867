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

	started  time.Time
	limit    time.Duration   // of each run
	virtual  []time.Duration // of each run
	whole    []bool          // runs that have ended
	lastLine time.Time
	lastPart float64
}

// newProgress shows the progress of n runs, each of which takes at most the
// virtual time limit.
func newProgress(out io.Writer, quiet bool, limit time.Duration, n int) *progress {
	p := &progress{out: out, quiet: quiet, started: time.Now(), limit: limit,
		virtual: make([]time.Duration, n), whole: make([]bool, n)}
	p.lastLine = p.started
	if file, ok := out.(*os.File); ok && !quiet && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions64(int64(limit.Milliseconds())*int64(n),
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
	p.virtual[i], p.whole[i] = at.Virtual, done
	if at.Limit > 0 {
		p.limit = at.Limit // the worker knows better
	}
	if p.bar != nil {
		p.bar.Describe(p.text())
		p.bar.Set64(int64(p.part() * float64(p.bar.GetMax64())))
		return
	}
	now, part := time.Now(), p.part()
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

// part is the share of the work that is done.
func (p *progress) part() float64 {
	var sum float64
	for i, v := range p.virtual {
		if p.whole[i] || v > p.limit {
			v = p.limit
		}
		sum += v.Seconds()
	}
	return sum / (p.limit.Seconds() * float64(len(p.virtual)))
}

// text says how much virtual time has passed, and how fast.
func (p *progress) text() string {
	var sum time.Duration
	ended := 0
	for i, v := range p.virtual {
		sum += v
		if p.whole[i] {
			ended++
		}
	}
	text := fmt.Sprintf("%.1f s simulated, %s", sum.Seconds(), speed(sum, time.Since(p.started)))
	if n := len(p.virtual); n > 1 {
		text = fmt.Sprintf("%d of %d runs, %s", ended, n, text)
	}
	return text
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

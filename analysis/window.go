package analysis

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Window is the part of a run that metrics are about, in virtual time from
// From to To. A To of 0 is the end of the run, so the zero Window is the whole
// run. What a metric means in a window follows from these rules:
//
//   - What happens at one instant counts where From <= t < To; the end of the
//     run belongs to the window that ends with it. So counts of two windows that
//     adjoin add up. A datagram enters a link at one instant and is delivered or
//     dropped at another; bytes are delivered at the instant of the sample that
//     tells of them.
//   - A duration, such as a completion time, a step of a set-up or teardown, a
//     delay, or the wait in a queue, counts whole in the window in which it ends.
//   - A rate or a mean over time is over what the window and the life of the
//     flow, connection, traffic or link have in common, with the value that holds
//     when the window begins.
//   - A level, such as the last congestion window or the datagrams that a link
//     still holds, is that at the end of the window.
//   - Both parts of a ratio are from the window. The share of datagrams that a
//     link dropped is of those that entered it in the window, that of messages
//     that did not arrive of those that were sent, and that of spurious losses of
//     those that were declared, whenever they were dropped, arrived or were acknowledged.
//   - What only run.json counts has no value but for the whole run: the packets
//     that cross traffic sent, the ratios to them, and what hosts and routers discarded.
//   - The smallest RTT that others are compared with, and what a flow's links would
//     allow, is that of the whole run; throughput.max takes the bins of the
//     whole run that lie in the window, and fairness its seconds that do.
type Window struct{ From, To time.Duration }

// String returns the window's ends, such as "from 1s to 5s".
func (w Window) String() string {
	switch {
	case w == Window{}:
		return "the whole run"
	case w.To == 0:
		return fmt.Sprintf("from %s to the end", short(w.From))
	}
	return fmt.Sprintf("from %s to %s", short(w.From), short(w.To))
}

// short writes a time without the zeros of 2m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// span is a window of a run of a known length.
type span struct {
	from, to time.Duration // instants that count: from <= t < to
	end      time.Duration // to, or the run's end, which belongs to the last window
	whole    bool
}

// Check returns why a run of the given length has no such window, nil if it has.
func (w Window) Check(run time.Duration) error {
	_, err := w.of(run)
	return err
}

// of returns the window's span in a run of the given length. It refuses a
// window that is empty or not within the run.
func (w Window) of(run time.Duration) (span, error) {
	switch {
	case w.From < 0 || w.To < 0:
		return span{}, fmt.Errorf("the window %s begins or ends before the run", w)
	case w.To != 0 && w.From >= w.To:
		return span{}, fmt.Errorf("the window %s is empty: it has to begin before it ends", w)
	case w.From > 0 && w.From >= run:
		return span{}, fmt.Errorf("the window %s begins after the run, which ended at %s", w, run)
	case w.To > run:
		return span{}, fmt.Errorf("the window %s ends after the run, which ended at %s", w, run)
	case w.To == 0 || w.To == run:
		return span{w.From, math.MaxInt64, run, w.From == 0}, nil
	}
	return span{w.From, w.To, w.To, false}, nil
}

// has reports whether an instant counts.
func (w *span) has(t time.Duration) bool { return w.from <= t && t < w.to }

// length returns how long the window is.
func (w *span) length() time.Duration { return w.end - w.from }

// covers reports whether a stretch of time lies in the window.
func (w *span) covers(from, to time.Duration) bool { return w.from <= from && to <= w.to }

// overlap returns what the window and a stretch of time have in common, and
// whether that lasts.
func (w *span) overlap(from, to time.Duration) (time.Duration, time.Duration, bool) {
	from, to = max(from, w.from), min(to, w.end)
	return from, to, from < to
}

// cohort is what began in a window and is numbered in the order in which it
// began.
type cohort struct {
	count       int64
	first, last int64
}

func (c *cohort) begin(number int64) {
	if c.count == 0 {
		c.first, c.last = number, number
	}
	c.count++
	c.first, c.last = min(c.first, number), max(c.last, number)
}

func (c *cohort) has(number int64) bool {
	return c.count > 0 && c.first <= number && number <= c.last
}

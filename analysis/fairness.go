package analysis

import (
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// The flows that are compared are the downloads, or the uploads, where there
// are two or more and all bulk flows go the same way.
var (
	runFairness          = define(ofRun, "fairness.jain", "1", "Jain's fairness index (Σx)²/(n·Σx²) of the goodputs of the downloads, or of the uploads, where there are two or more and all bulk flows go the same way", "Jain, Chiu, Hawe 1984; RFC 5166 section 2.3; samples flow.delivered; events flow.started, flow.finished")
	runFairnessMean      = define(ofRun, "fairness.seconds.mean", "1", "Jain's index of what those flows delivered in one second, mean over the seconds of virtual time of which two or more of them last the whole; the index is of these", "Jain, Chiu, Hawe 1984; samples flow.delivered; events flow.started, flow.finished")
	runFairnessMin       = define(ofRun, "fairness.seconds.min", "1", "smallest of these indices of one second", "Jain, Chiu, Hawe 1984; samples flow.delivered; events flow.started, flow.finished")
	runConvergence       = define(ofRun, "fairness.convergence_time", "s", "time from the start of the last of those flows, or from the window's if that is later, until the first of three seconds, one after the other, that all flows last and whose indices are at least 0.9", "RFC 5166 section 2.3: δ-fair convergence (Bansal et al. 2001) with δ = 1/3, which for two flows is an index of 0.9; samples flow.delivered; events flow.started, flow.finished")
	runFairnessConverged = define(ofRun, "fairness.converged", "1", "Jain's index of one second, mean over the seconds from the convergence on that all flows last", "RFC 5166 section 2.3; samples flow.delivered; events flow.started, flow.finished")
)

// A second is fair whose index is at least fairIndex; so many of them in a row
// are convergence.
const (
	fairIndex   = 0.9
	fairSeconds = 3
)

// rivalsOf returns the downloads, or the uploads, and nothing if there are both:
// what goes different ways does not compete.
func rivalsOf(flows []record.Flow) []string {
	var entities []string
	kind := ""
	for _, f := range flows {
		if f.Kind != "download" && f.Kind != "upload" {
			continue
		}
		if kind != "" && f.Kind != kind {
			return nil
		}
		kind = f.Kind
		entities = append(entities, f.Entity)
	}
	return entities
}

// rivals returns those that have a goodput in window i.
func (t *totals) rivals(i int) []*flowTotals {
	var rivals []*flowTotals
	for _, entity := range rivalsOf(t.run.Flows) {
		flow := t.flows.get(entity)
		if _, ok := flow.goodput(i, &t.windows[i]); ok {
			rivals = append(rivals, flow)
		}
	}
	return rivals
}

func fairnessMetrics(m *Metrics, rivals []*flowTotals, window int, w *span) {
	var goodputs []float64
	var last time.Duration // start of a flow
	for _, f := range rivals {
		goodput, _ := f.goodput(window, w)
		goodputs = append(goodputs, goodput)
		last = max(last, f.started, w.from)
	}
	index, ok := jain(goodputs)
	if !ok {
		return
	}
	m.put(runFairness, ofRun, index)

	var all, converged mean
	var least float64
	var fair []float64 // the seconds one after the other that were fair, until there are enough
	for i := int((w.from + time.Second - 1) / time.Second); i < int(w.end/time.Second); i++ {
		var x []float64
		for _, f := range rivals {
			if f.lasts(i, w) {
				x = append(x, f.seconds.of(i))
			}
		}
		index, ok := jain(x)
		if ok {
			if all.n == 0 || index < least {
				least = index
			}
			all.add(index)
		}
		switch {
		case converged.n > 0 && ok && len(x) == len(rivals):
			converged.add(index)
		case converged.n > 0:
		case ok && len(x) == len(rivals) && index >= fairIndex:
			if fair = append(fair, index); len(fair) == fairSeconds {
				m.put(runConvergence, ofRun, (time.Duration(i+1-fairSeconds)*time.Second - last).Seconds())
				for _, index := range fair {
					converged.add(index)
				}
			}
		default:
			fair = nil
		}
	}
	if all.n > 0 {
		m.put(runFairnessMean, ofRun, all.value())
		m.put(runFairnessMin, ofRun, least)
	}
	if converged.n > 0 {
		m.put(runFairnessConverged, ofRun, converged.value())
	}
}

// lasts reports whether the flow has started and not ended in the whole second
// from i to i+1.
func (f *flowTotals) lasts(i int, w *span) bool {
	from, to, _ := f.life(w)
	second := time.Duration(i) * time.Second
	return from <= second && second+time.Second <= to
}

// perSecond sums amounts over the seconds of virtual time.
type perSecond struct {
	first int // the second of sums[0]
	sums  []float64
}

func (p *perSecond) add(at time.Duration, amount float64) {
	i := int(at / time.Second)
	if len(p.sums) == 0 {
		p.first = i
	}
	for len(p.sums) <= i-p.first {
		p.sums = append(p.sums, 0)
	}
	p.sums[i-p.first] += amount
}

func (p *perSecond) of(i int) float64 {
	if i -= p.first; i < 0 || i >= len(p.sums) {
		return 0
	}
	return p.sums[i]
}

// mean is the mean of numbers.
type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64) { m.sum, m.n = m.sum+v, m.n+1 }

func (m *mean) value() float64 { return m.sum / float64(m.n) }

// orZero returns the mean, 0 of nothing.
func (m *mean) orZero() float64 {
	if m.n == 0 {
		return 0
	}
	return m.value()
}

// jain returns Jain's fairness index, and whether it exists.
func jain(x []float64) (float64, bool) {
	var sum, squares float64
	for _, v := range x {
		sum += v
		squares += v * v
	}
	if len(x) < 2 || squares == 0 {
		return 0, false
	}
	return sum * sum / (float64(len(x)) * squares), true
}

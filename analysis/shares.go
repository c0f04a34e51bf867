package analysis

import (
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// The series of how flows share, a point in the middle of each second of virtual
// time of which two or more of the flows that fairness.jain compares last the whole.
const (
	SeriesFairness = "fairness.jain" // Jain's index of what these flows delivered in the second; its entity is ""
	SeriesShare    = "flow.share"    // share of a flow in what they delivered together
)

// rivalSet collects what the flows that compete deliver in each second.
type rivalSet struct {
	flows table[flowTotals]
	run   span
	bin   time.Duration
}

func newRivalSet(run record.Run) *rivalSet {
	s := &rivalSet{run: span{end: run.Virtual}, bin: binWidth(run.Virtual)}
	for _, entity := range rivalsOf(run.Flows) {
		s.flows.get(entity)
	}
	return s
}

func (s *rivalSet) delivered(x record.Sample) {
	if f := s.flows.byName[x.Entity]; f != nil {
		f.sample(nil, x, s.bin, s.run.end)
	}
}

func (s *rivalSet) event(e record.Event) {
	if f := s.flows.byName[e.Entity]; f != nil {
		f.event(nil, e)
	}
}

// add adds the series to those of the run.
func (s *rivalSet) add(set *seriesSet) {
	if len(s.flows.names) < 2 {
		return
	}
	for i := range int(s.run.end / time.Second) {
		var names []string
		var x []float64
		sum := 0.0
		for _, name := range s.flows.names {
			if f := s.flows.byName[name]; f.lasts(i, &s.run) {
				names, x = append(names, name), append(x, f.seconds.of(i))
				sum += f.seconds.of(i)
			}
		}
		index, ok := jain(x)
		if !ok {
			continue
		}
		at := time.Duration(i)*time.Second + time.Second/2
		set.line(SeriesFairness, "").add(Point{at, index})
		for j, name := range names {
			set.line(SeriesShare, name).add(Point{at, x[j] / sum})
		}
	}
}

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
	flows table[rival]
}

// rival is a flow that competes with others.
type rival struct {
	started, ended time.Duration
	running, over  bool
	delivered      float64
	seconds        perSecond
}

// newRivalSet returns the set of the downloads, or of the uploads, of a run; it is
// empty if there are both, for what goes different ways does not compete.
func newRivalSet(run record.Run) *rivalSet {
	var downloads, uploads rivalSet
	for _, f := range run.Flows {
		switch f.Kind {
		case "download":
			downloads.flows.get(f.Entity)
		case "upload":
			uploads.flows.get(f.Entity)
		}
	}
	switch {
	case len(downloads.flows.names) == 0:
		return &uploads
	case len(uploads.flows.names) == 0:
		return &downloads
	}
	return &rivalSet{}
}

func (s *rivalSet) delivered(x record.Sample) {
	if f := s.flows.byName[x.Entity]; f != nil {
		f.seconds.add(x.Time, x.Value-f.delivered)
		f.delivered = x.Value
	}
}

func (s *rivalSet) event(e record.Event) {
	f := s.flows.byName[e.Entity]
	if f == nil {
		return
	}
	switch e.Kind {
	case record.EventFlowStarted:
		f.started, f.running = e.Time, true
	case record.EventFlowFinished, record.EventFlowFailed:
		f.ended, f.over = e.Time, true
	}
}

// lasts reports whether the flow runs in the whole second from i to i+1.
func (f *rival) lasts(i int, run time.Duration) bool {
	from := time.Duration(i) * time.Second
	end := run
	if f.over {
		end = f.ended
	}
	return f.running && f.started <= from && from+time.Second <= end
}

// add adds the series to those of the run.
func (s *rivalSet) add(set *seriesSet, run time.Duration) {
	if len(s.flows.names) < 2 {
		return
	}
	for i := range int(run / time.Second) {
		var names []string
		var x []float64
		sum := 0.0
		for _, name := range s.flows.names {
			if f := s.flows.byName[name]; f.lasts(i, run) {
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

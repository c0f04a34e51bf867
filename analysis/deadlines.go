package analysis

import (
	"slices"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

const (
	deadlineFrames = ", of those whose deadline was at the end of the flow, or of the run for a flow that did not end, or before"
	deadlineSource = "run.json; events flow.started, flow.finished, flow.message_got"
)

var (
	flowDeadlineMissed = define(ofFlow, "deadline.missed", "1", "frames that arrived later than their deadline after they were due, or never"+deadlineFrames, deadlineSource)
	flowDeadlineRatio  = define(ofFlow, "deadline.miss_ratio", "1", "share of frames that arrived later than their deadline after they were due, or never"+deadlineFrames, deadlineSource)
)

// deadlines follows the frames of a media flow that are of use for a limited time
// only. Frame n is due n intervals after the start of the flow, sent or not.
type deadlines struct {
	flow    record.Flow
	started time.Duration
	ended   time.Duration // 0 for a flow that did not end
	begun   bool
	met     []int64         // frames in time whose deadline is over, by its window
	ahead   []time.Duration // the deadlines of other frames in time
}

// newDeadlines returns the deadlines of the flows that have some.
func newDeadlines(flows []record.Flow, windows int) map[string]*deadlines {
	all := map[string]*deadlines{}
	for _, f := range flows {
		if f.Deadline > 0 && f.Interval > 0 {
			all[f.Entity] = &deadlines{flow: f, met: make([]int64, windows)}
		}
	}
	return all
}

func (d *deadlines) event(windows []span, e record.Event) {
	switch {
	case d == nil:
	case e.Kind == record.EventFlowStarted:
		d.started, d.begun = e.Time, true
	case e.Kind == record.EventFlowFinished, e.Kind == record.EventFlowFailed:
		d.ended = e.Time
	case e.Kind == record.EventMessageGot:
		deadline := d.of(e.Value)
		if counts := d.ended == 0 || deadline <= d.ended; counts && e.Time <= deadline {
			d.keep(windows, e.Time, deadline)
		}
	}
}

// of returns the deadline of a frame.
func (d *deadlines) of(frame int64) time.Duration {
	return d.started + time.Duration(frame)*d.flow.Interval + d.flow.Deadline
}

// keep takes down a frame in time. Whether its deadline is before the end is only
// known when it is over.
func (d *deadlines) keep(windows []span, now, deadline time.Duration) {
	if len(d.ahead) == cap(d.ahead) {
		d.pass(windows, now)
	}
	d.ahead = append(d.ahead, deadline)
}

// pass counts the frames in time whose deadline was at a time or before.
func (d *deadlines) pass(windows []span, at time.Duration) {
	d.ahead = slices.DeleteFunc(d.ahead, func(deadline time.Duration) bool {
		if deadline > at {
			return false
		}
		for i := range windows {
			if windows[i].has(deadline) {
				d.met[i]++
			}
		}
		return true
	})
}

// before returns the number of frames whose deadline was before a time.
func (d *deadlines) before(at time.Duration) int64 {
	since := at - d.of(0)
	if !d.begun || since <= 0 {
		return 0
	}
	frames := int64((since-1)/d.flow.Interval) + 1
	if d.flow.Frames > 0 {
		frames = min(frames, d.flow.Frames)
	}
	return frames
}

// deadlineMetrics adds the metrics of the deadlines in window i.
func (t *totals) deadlineMetrics(m *Metrics, i int, w *span) {
	for _, f := range t.run.Flows {
		d := t.deadlines[f.Entity]
		if d == nil {
			continue
		}
		end := t.run.Virtual
		if d.ended > 0 {
			end = d.ended
		}
		d.pass(t.windows, end)
		if frames := d.before(min(w.to, end+1)) - d.before(w.from); frames > 0 {
			m.put(flowDeadlineMissed, f.Entity, float64(frames-d.met[i]))
			m.put(flowDeadlineRatio, f.Entity, float64(frames-d.met[i])/float64(frames))
		}
	}
}

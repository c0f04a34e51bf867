package analysis_test

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// voice is a media flow from 1 s on, of a frame each 20 ms that is of use for
// 50 ms.
func voice(frames int64, events ...record.Event) made {
	return made{
		run: record.Run{Virtual: 2 * time.Second, Flows: []record.Flow{
			{Entity: "flows.bulk", Kind: "media", Interval: 20 * ms, Frames: frames, Deadline: 50 * ms},
		}},
		events: append([]record.Event{flowEvent(time.Second, record.EventFlowStarted, 0)}, events...),
	}
}

// frameGot is the arrival of a frame so long after it was due.
func frameGot(n int64, delay time.Duration) record.Event {
	return flowEvent(time.Second+time.Duration(n)*20*ms+delay, record.EventMessageGot, n)
}

func TestAFrameThatIsLateOrNeverArrivesMissesItsDeadline(t *testing.T) {
	for what, c := range map[string]struct {
		made          made
		missed, ratio float64
	}{
		// Of five frames 0 and 1 are in time, the latter only just; 2 is late, 3 is
		// lost, 4 comes before 2.
		"a flow of five frames": {voice(5, frameGot(0, 0), frameGot(1, 50*ms), frameGot(4, 5*ms), frameGot(2, 50*ms+1),
			flowEvent(1200*ms, record.EventFlowFinished, 0)), 2, 0.4},
		// The deadlines until 1100 ms are those of the frames 0 to 2: frame 3 is in
		// time, and has until 1110 ms.
		"a flow that ends before deadlines": {voice(0, frameGot(0, ms), frameGot(2, ms), frameGot(3, ms),
			flowEvent(1100*ms, record.EventFlowFinished, 0)), 1, 1.0 / 3},
		"a flow that fails": {voice(9, frameGot(0, ms), flowEvent(1090*ms, record.EventFlowFailed, 0)), 2, 2.0 / 3},
		// (2000 - 1050) / 20 and the first.
		"a flow that never ended": {voice(0, frameGot(0, ms), frameGot(47, 50*ms)), 46, 46.0 / 48},
		// Frame 0 alone has a deadline by 1060 ms; the others come before theirs.
		"frames that arrive after the end of their flow": {voice(9, frameGot(0, 0), frameGot(1, 0), frameGot(2, 0), frameGot(3, 0),
			flowEvent(1060*ms, record.EventFlowFinished, 0), frameGot(4, 0)), 0, 0},
		"one frame, in time":              {voice(1, frameGot(0, ms)), 0, 0},
		"one frame, which is lost":        {voice(1), 1, 1},
		"no frame whose deadline is over": {voice(1, flowEvent(1050*ms-1, record.EventFlowFailed, 0)), none, none},
	} {
		t.Run(what, func(t *testing.T) {
			want(t, c.made.metrics(t), map[string]float64{"flows.bulk.deadline.missed": c.missed, "flows.bulk.deadline.miss_ratio": c.ratio})
		})
	}
}

func TestAFlowThatNeverStartedOrHasNoDeadlineMissesNone(t *testing.T) {
	never, without := voice(5), voice(5, frameGot(0, time.Second))
	never.events = nil
	without.run.Flows[0].Deadline = 0
	for _, m := range []made{never, without} {
		want(t, m.metrics(t), map[string]float64{"flows.bulk.deadline.missed": none, "flows.bulk.deadline.miss_ratio": none})
	}
}

// A thousand frames, each of which arrives when its successor is due.
func TestDeadlinesOfALongFlow(t *testing.T) {
	m := voice(1000)
	m.run.Virtual = time.Minute
	for n := range int64(1000) {
		m.events = append(m.events, frameGot(n, 20*ms))
	}
	m.events = append(m.events, flowEvent(time.Second+1000*20*ms, record.EventFlowFinished, 0))
	// The last deadline by 21 s is that of the frame that was due at 20.94 s.
	want(t, m.metrics(t), map[string]float64{"flows.bulk.deadline.missed": 0, "flows.bulk.deadline.miss_ratio": 0})
	m.events = append(m.events[:500], m.events[501:]...) // frame 499 is lost
	want(t, m.metrics(t), map[string]float64{"flows.bulk.deadline.missed": 1, "flows.bulk.deadline.miss_ratio": 1.0 / 998})
}

func TestADeadlineCountsInTheWindowInWhichItIs(t *testing.T) {
	// Deadlines at 1050, 1070, … ms. Frame 1 is lost, frame 2 late.
	m := voice(5, frameGot(0, ms), frameGot(2, 60*ms), frameGot(3, 0), frameGot(4, 0), flowEvent(1130*ms, record.EventFlowFinished, 0))
	for _, c := range []struct {
		from, to      time.Duration
		missed, ratio float64
	}{
		{0, 0, 2, 0.4},
		{0, 1050 * ms, none, none},
		{1050 * ms, 1070 * ms, 0, 0}, // only the first
		{1051 * ms, 1090*ms + 1, 2, 1},
		{1070 * ms, 1130 * ms, 2, 2.0 / 3}, // 1070, 1090 and 1110 ms
		{1110 * ms, 2 * time.Second, 0, 0}, // and 1130 ms
		{1131 * ms, 0, none, none},
	} {
		t.Logf("from %s to %s", c.from, c.to)
		want(t, m.in(t, c.from, c.to), map[string]float64{"flows.bulk.deadline.missed": c.missed, "flows.bulk.deadline.miss_ratio": c.ratio})
	}
}

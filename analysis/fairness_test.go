package analysis_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// rivals are two downloads that last from their starts to the end of the run,
// with what each delivered in the second that ends with each of the samples.
func rivals(virtual time.Duration, starts [2]time.Duration, delivered [2][]float64) made {
	m := made{run: record.Run{Virtual: virtual}}
	for i, entity := range []string{"flows.a", "flows.b"} {
		m.run.Flows = append(m.run.Flows, record.Flow{Entity: entity, Kind: "download"})
		m.events = append(m.events, record.Event{Time: starts[i], Kind: record.EventFlowStarted, Entity: entity})
		total := 0.0
		for second, bytes := range delivered[i] {
			total += bytes
			at := time.Duration(second)*time.Second + 500*ms
			m.samples = append(m.samples, record.Sample{Time: at, Name: record.SeriesDelivered, Entity: entity, Value: total})
		}
	}
	return m
}

func TestFairnessConvergesWithTheFirstOfThreeFairSeconds(t *testing.T) {
	// From second 1 on both flows last; the indices are then
	// 16/20, 1, 16/20, 1, 1, 4.5²/(2·(4+6.25)) and, with nothing delivered, none.
	m := rivals(8*time.Second, [2]time.Duration{0, 600 * ms}, [2][]float64{
		{9000, 3000, 2000, 1000, 2000, 2000, 2000},
		{0, 1000, 2000, 3000, 2000, 2000, 2500},
	})
	last := 4.5 * 4.5 / (2 * 10.25)
	want(t, m.metrics(t), map[string]float64{
		"fairness.seconds.mean":     (0.8 + 1 + 0.8 + 1 + 1 + last) / 6,
		"fairness.seconds.min":      0.8,
		"fairness.convergence_time": 3.4, // from 600 ms to 4 s
		"fairness.converged":        (1 + 1 + last) / 3,
	})
}

func TestFlowsThatAreFairForTwoSecondsHaveNotConverged(t *testing.T) {
	m := rivals(3*time.Second, [2]time.Duration{}, [2][]float64{{1000, 2000, 3000}, {1000, 2000, 1000}})
	want(t, m.metrics(t), map[string]float64{
		"fairness.seconds.mean":     (1 + 1 + 0.8) / 3,
		"fairness.convergence_time": none,
		"fairness.converged":        none,
	})
}

func TestAfterConvergenceOnlySecondsCountThatAllFlowsLast(t *testing.T) {
	m := rivals(7*time.Second, [2]time.Duration{}, [2][]float64{{1, 1, 1, 3, 1, 1, 1}, {1, 1, 1, 1, 1, 0, 0}})
	m.events = append(m.events, record.Event{Time: 4500 * ms, Kind: record.EventFlowFinished, Entity: "flows.b", Value: 5})
	want(t, m.metrics(t), map[string]float64{
		"fairness.convergence_time": 0,
		"fairness.converged":        (1 + 1 + 1 + 0.8) / 4,
		"fairness.seconds.mean":     (1 + 1 + 1 + 0.8) / 4,
	})
}

func TestFairnessPerSecondNeedsTwoFlowsAndAWholeSecond(t *testing.T) {
	short := rivals(900*ms, [2]time.Duration{}, [2][]float64{{1000}, {1000}})
	apart := rivals(3*time.Second, [2]time.Duration{0, 1500 * ms}, [2][]float64{{1000}, {0, 0, 1000}})
	apart.events = append(apart.events, record.Event{Time: 1400 * ms, Kind: record.EventFlowFailed, Entity: "flows.a"})
	alone := rivals(3*time.Second, [2]time.Duration{0, 0}, [2][]float64{{1000, 1000, 1000}, {1000, 1000, 1000}})
	alone.run.Flows = alone.run.Flows[:1]
	for i, m := range []made{short, apart, alone, {run: record.Run{Virtual: time.Second}}} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			want(t, m.metrics(t), map[string]float64{
				"fairness.seconds.mean":     none,
				"fairness.seconds.min":      none,
				"fairness.convergence_time": none,
				"fairness.converged":        none,
			})
		})
	}
}

package analysis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// delivering is a run of two flows that deliver so many bytes together in each
// 100 ms, the first flow a thousand more than the second.
func delivering(virtual time.Duration, bytes ...float64) made {
	m := made{run: record.Run{Virtual: virtual, Flows: []record.Flow{{Entity: "flows.a"}, {Entity: "flows.b"}}}}
	var a, b float64
	for i, n := range bytes {
		at := time.Duration(i)*100*ms + 50*ms
		a, b = a+n/2+500, b+n/2-500
		m.samples = append(m.samples,
			record.Sample{Time: at, Name: record.SeriesDelivered, Entity: "flows.a", Value: a},
			record.Sample{Time: at, Name: record.SeriesDelivered, Entity: "flows.b", Value: b})
	}
	return m
}

func TestTheWarmUpEndsWhereTheGoodputIsSteady(t *testing.T) {
	// As in the test of MSER-5: five batches of five bins apart from the rest,
	// which alternates. 120 bins of 100 ms are those of a run of 12 s.
	var bytes []float64
	for j := range 24 {
		batch := 10_000 + 1000*float64(j%2)
		if j < 5 {
			batch = 2000
		}
		for range 5 {
			bytes = append(bytes, batch)
		}
	}
	m := delivering(12*time.Second, bytes...)
	if got, err := analysis.FindWarmUp(m.recording(t), 0); err != nil || got != (analysis.WarmUp{End: 2500 * ms, Bin: 100 * ms, Cut: 25, Bins: 120, Settled: true}) {
		t.Errorf("the warm-up is %+v, %v, want 25 bins of 100 ms", got, err)
	}
	// Until 4 s there are 200 bins of 20 ms, of which 125 are before 2.5 s.
	if got, err := analysis.FindWarmUp(m.recording(t), 4*time.Second); err != nil || got.Settled || got.Bin != 20*ms || got.Bins != 200 {
		t.Errorf("until 4 s the warm-up is %+v, %v, want one that did not settle", got, err)
	}
	steady := delivering(12*time.Second, constantly(120, 10_000)...)
	if got, err := analysis.FindWarmUp(steady.recording(t), 0); err != nil || got.End != 0 || !got.Settled {
		t.Errorf("a steady run has the warm-up %+v, %v", got, err)
	}
}

func constantly(n int, value float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = value
	}
	return all
}

func TestARunWithoutGoodputOrTooShortHasNoWarmUp(t *testing.T) {
	for says, m := range map[string]made{
		"no flow that delivered":        {run: record.Run{Virtual: 10 * time.Second}},
		"too few to find a warm-up":     delivering(40*ms, 1000),
		"begins or ends before the run": delivering(-1, 1000),
	} {
		to := time.Duration(0)
		if strings.HasPrefix(says, "begins") {
			to = -time.Second
		}
		if _, err := analysis.FindWarmUp(m.recording(t), to); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error is %v, want %q", err, says)
		}
	}
	if got, err := analysis.FindWarmUp(delivering(10*time.Second, constantly(1, 5000)...).recording(t), 0); err != nil || got.Cut != 5 || !got.Settled {
		t.Errorf("of one delivery the warm-up is %+v, %v, want the batch that it is in", got, err)
	}
}

package analysis_test

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

func TestTheTimeToSoManyBytesIsThatOfTheFirstSampleThatHasThem(t *testing.T) {
	started := flowEvent(10*ms, record.EventFlowStarted, 0)
	for what, c := range map[string]struct {
		samples []record.Sample
		events  []record.Event
		want    map[string]float64
	}{
		"a flow that never ended": {
			[]record.Sample{
				flowSample(30*ms, record.SeriesDelivered, 1499),
				flowSample(40*ms, record.SeriesDelivered, 1500),
				flowSample(70*ms, record.SeriesDelivered, 200_000),
			},
			[]record.Event{started},
			map[string]float64{"1500": 0.030, "15000": 0.060, "150000": 0.060, "1500000": none},
		},
		"one sample":             {[]record.Sample{flowSample(25*ms, record.SeriesDelivered, 15_000)}, []record.Event{started}, map[string]float64{"1500": 0.015, "15000": 0.015, "150000": none}},
		"too few bytes":          {[]record.Sample{flowSample(25*ms, record.SeriesDelivered, 1499)}, []record.Event{started}, map[string]float64{"1500": none}},
		"no samples":             {nil, []record.Event{started}, map[string]float64{"1500": none}},
		"a start that is missed": {[]record.Sample{flowSample(25*ms, record.SeriesDelivered, 1500)}, nil, map[string]float64{"1500": none}},
	} {
		t.Run(what, func(t *testing.T) {
			values := map[string]float64{}
			for bytes, value := range c.want {
				values["flows.bulk.time_to."+bytes] = value
			}
			m := made{run: record.Run{Virtual: time.Second}, samples: c.samples, events: c.events}
			want(t, m.metrics(t), values)
		})
	}
}

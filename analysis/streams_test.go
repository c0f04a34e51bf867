package analysis_test

import (
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

func TestHeadOfLineBlockingIsTheWaitOfFramesAndTheShareOfBytesThatWaited(t *testing.T) {
	const end = "connections.main.client"
	m := made{run: record.Run{Virtual: time.Second, Flows: []record.Flow{
		{Entity: "flows.bulk", Kind: "media", Transport: "one-stream"},
		{Entity: "flows.still", Kind: "echo", Transport: "stream"},
		{Entity: "flows.voice", Kind: "media", Transport: "datagram"},
	}}}
	add := func(entity, name string, values ...float64) {
		for _, v := range values {
			m.samples = append(m.samples, record.Sample{Name: name, Entity: entity, Value: v})
		}
	}
	add("flows.bulk", record.SeriesStreamReceived, 1000, 4000, 10_000)
	add("flows.bulk", record.SeriesStreamWait, 0.040, 0.030, 0.020, 0.010)
	add("flows.bulk", record.SeriesStreamWaited, 1000, 2500)
	add("flows.still", record.SeriesStreamReceived, 500)
	add(end, record.SeriesStreamReceived, 200)
	add(end, record.SeriesStreamWait, 0.005)
	add(end, record.SeriesStreamWaited, 20)
	want(t, m.metrics(t), map[string]float64{
		"flows.bulk.stream_bytes.received":  10_000,
		"flows.bulk.hol_blocking.mean":      0.025,
		"flows.bulk.hol_blocking.p50":       0.020,
		"flows.bulk.hol_blocking.p95":       0.040,
		"flows.bulk.hol_blocking.p99":       0.040,
		"flows.bulk.hol_blocking.max":       0.040,
		"flows.bulk.hol_blocking.ratio":     0.25,
		"flows.still.hol_blocking.ratio":    0, // nothing waited
		"flows.still.hol_blocking.mean":     none,
		"flows.voice.hol_blocking.ratio":    0, // datagrams wait for no others
		"flows.voice.hol_blocking.mean":     none,
		"flows.voice.stream_bytes.received": none,
		end + ".hol_blocking.mean":          0.005, // one frame
		end + ".hol_blocking.p99":           0.005,
		end + ".hol_blocking.ratio":         0.1,
		end + ".stream_bytes.received":      none,
	})
	m.samples = nil
	want(t, m.metrics(t), map[string]float64{
		"flows.bulk.hol_blocking.mean":     none,
		"flows.bulk.hol_blocking.ratio":    none,
		"flows.bulk.stream_bytes.received": none,
		end + ".hol_blocking.ratio":        none,
	})
}

func TestTheRetransmissionRatioIsOfTheStreamBytesThatAnEndSent(t *testing.T) {
	sent := func(side, name string, v float64) record.Sample {
		return record.Sample{Name: name, Entity: "connections.main." + side, Value: v}
	}
	m := made{run: record.Run{Virtual: time.Second}, samples: []record.Sample{
		sent("server", record.SeriesStreamSent, 40_000), sent("server", record.SeriesStreamResent, 1200),
		sent("server", record.SeriesStreamSent, 100_000), sent("server", record.SeriesStreamResent, 5000),
		sent("client", record.SeriesStreamSent, 300),
		{Name: record.SeriesCwnd, Entity: "connections.silent.client", Value: 1},
	}}
	want(t, m.metrics(t), map[string]float64{
		"connections.main.server.stream_bytes.sent":            100_000,
		"connections.main.server.stream_bytes.retransmitted":   5000,
		"connections.main.server.retransmission_ratio":         0.05,
		"connections.main.client.stream_bytes.sent":            300,
		"connections.main.client.stream_bytes.retransmitted":   0,
		"connections.main.client.retransmission_ratio":         0,
		"connections.silent.client.stream_bytes.sent":          none,
		"connections.silent.client.stream_bytes.retransmitted": none,
		"connections.silent.client.retransmission_ratio":       none,
	})
}

func TestStreamsInAWindow(t *testing.T) {
	m := made{run: record.Run{Virtual: time.Second, Flows: []record.Flow{{Entity: "flows.voice", Kind: "echo", Transport: "datagram"}}}}
	for i, at := range []time.Duration{100 * ms, 200 * ms, 300 * ms} {
		n := float64(i + 1)
		m.samples = append(m.samples,
			flowSample(at, record.SeriesStreamReceived, 1000*n), flowSample(at, record.SeriesStreamWaited, 100*n*n), flowSample(at, record.SeriesStreamWait, 0.01*n),
			record.Sample{Time: at, Name: record.SeriesStreamSent, Entity: "connections.main.server", Value: 2000 * n},
			record.Sample{Time: at, Name: record.SeriesStreamResent, Entity: "connections.main.server", Value: 100 * n * n})
	}
	want(t, m.in(t, 200*ms, 300*ms), map[string]float64{
		"flows.bulk.stream_bytes.received":                   1000,
		"flows.bulk.hol_blocking.mean":                       0.02, // one frame
		"flows.bulk.hol_blocking.p99":                        0.02,
		"flows.bulk.hol_blocking.ratio":                      0.3,
		"flows.voice.hol_blocking.ratio":                     0,
		"connections.main.server.stream_bytes.sent":          2000,
		"connections.main.server.stream_bytes.retransmitted": 300,
		"connections.main.server.retransmission_ratio":       0.15,
	})
	want(t, m.in(t, 301*ms, 0), map[string]float64{
		"flows.bulk.stream_bytes.received":             0,
		"flows.bulk.hol_blocking.mean":                 none,
		"flows.bulk.hol_blocking.ratio":                none,
		"connections.main.server.stream_bytes.sent":    0,
		"connections.main.server.retransmission_ratio": none,
	})
}

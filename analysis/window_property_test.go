package analysis_test

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/netem"
	"github.com/wtsim/wtsim/sim/record"
)

// additive are the metrics that count, of which those of two windows that
// adjoin add up.
var additive = []string{
	"run.duration", "run.datagrams",
	"flows.*.bytes", "flows.*.streams", "flows.*.messages.sent", "flows.*.messages.received", "flows.*.messages.failed",
	"connections.*.packets_lost", "connections.*.spurious_losses", "connections.*.ptos", "connections.*.bytes_sent", "connections.*.packets_sent", "connections.*.streams_reset",
	"traffic.*.delivered",
	"links.*.bytes", "links.*.datagrams", "links.*.delivered", "links.*.dropped", "links.*.dropped.*", "links.*.ce_marks",
}

// drawRecording draws what a run of 10 s may have recorded.
func drawRecording(t *rapid.T) made {
	const virtual = 10 * time.Second
	m := made{run: record.Run{Virtual: virtual, Links: access(28),
		Flows:    []record.Flow{{Entity: "flows.a", Kind: "download", Session: "sessions.main"}, {Entity: "flows.b", Kind: "download", Session: "sessions.main"}},
		Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}}}}
	instants := func(what string) []time.Duration {
		all := rapid.SliceOfN(rapid.Int64Range(0, int64(virtual/(100*ms))), 0, 20).Draw(t, what)
		slices.Sort(all)
		times := make([]time.Duration, len(all))
		for i, v := range all {
			times[i] = time.Duration(v) * 100 * ms
		}
		return times
	}
	for i, at := range instants("datagrams") {
		p := packet(at, time.Duration(rapid.IntRange(0, 500).Draw(t, "wait"))*ms, 0, rapid.Int64Range(0, 1500).Draw(t, "size"))
		p.ID = uint64(i + 1)
		p.Done = p.Sent + p.QueueDelay + 100*ms
		p.Direction = record.Direction(rapid.IntRange(0, 1).Draw(t, "direction"))
		p.ECN = uint8(rapid.IntRange(0, 3).Draw(t, "ECN"))
		if rapid.Bool().Draw(t, "dropped") {
			p.Fate, p.Reason = record.Dropped, rapid.SampledFrom([]string{"queue", "loss"}).Draw(t, "reason")
		}
		if p.Done > virtual {
			p.Done, p.Fate, p.Reason = virtual, record.InTransit, ""
		}
		p.Size = netem.Bytes(p.Size)
		m.packets = append(m.packets, p)
		m.run.Datagrams++
	}
	slices.SortStableFunc(m.packets, func(a, b record.Packet) int { return int(a.Done - b.Done) })
	for _, series := range []string{record.SeriesCwnd, record.SeriesBytesInFlight, record.SeriesLatestRTT, record.SeriesSmoothedRTT, record.SeriesMinRTT} {
		for _, at := range instants(series) {
			m.samples = append(m.samples, record.Sample{Time: at, Name: series, Entity: "connections.main.server", Value: rapid.Float64Range(0.01, 1000).Draw(t, "value")})
		}
	}
	for _, series := range []string{record.SeriesSentBytes, record.SeriesSentPackets} {
		total := 0
		for _, at := range instants(series) {
			total += rapid.IntRange(0, 1000).Draw(t, "sent")
			m.samples = append(m.samples, record.Sample{Time: at, Name: series, Entity: "connections.main.server", Value: float64(total)})
		}
		if series == record.SeriesSentPackets {
			m.run.Connections = []record.Connection{{Entity: "connections.main.server", Sent: uint64(total)}}
		}
	}
	for _, entity := range []string{"flows.a", "flows.b", "traffic.x"} {
		total := 0
		for _, at := range instants(entity) {
			total += rapid.IntRange(0, 1000).Draw(t, "bytes")
			if entity == "traffic.x" {
				m.samples = append(m.samples, record.Sample{Time: at, Name: record.SeriesTrafficDelay, Entity: entity, Value: float64(total) / 1000})
				continue
			}
			m.samples = append(m.samples,
				record.Sample{Time: at, Name: record.SeriesDelivered, Entity: entity, Value: float64(total)},
				record.Sample{Time: at, Name: record.SeriesOneWayDelay, Entity: entity, Value: float64(total) / 1000})
		}
		if entity == "traffic.x" {
			delivered := 0
			for _, s := range m.samples {
				if s.Entity == entity {
					delivered++
				}
			}
			m.run.Traffic = []record.Traffic{cross("x", uint64(delivered)+1, uint64(delivered))}
		}
	}
	began := map[string][]int64{} // packets that were lost and messages that were sent, by what follows
	for i, at := range instants("events") {
		kind := rapid.SampledFrom([]string{
			record.EventFlowStarted, record.EventFlowFinished, record.EventFlowFailed, record.EventStreamOpened, record.EventFirstByte,
			record.EventMessageSent, record.EventMessageGot, record.EventMessageFailed,
			record.EventPacketLost, record.EventSpuriousLoss, record.EventStreamReset, record.EventPTO, record.EventConnectionClosed,
			record.EventCloseCalled, record.EventCloseNotified, record.EventSessionGone, record.EventTrafficStarted,
		}).Draw(t, "kind")
		value := int64(i)
		switch kind {
		case record.EventPacketLost:
			began[record.EventSpuriousLoss] = append(began[record.EventSpuriousLoss], value)
		case record.EventMessageSent:
			began[record.EventMessageGot] = append(began[record.EventMessageGot], value)
		case record.EventSpuriousLoss, record.EventMessageGot:
			if len(began[kind]) == 0 {
				continue
			}
			k := rapid.IntRange(0, len(began[kind])-1).Draw(t, "which")
			value = began[kind][k]
			began[kind] = slices.Delete(began[kind], k, k+1)
		}
		e := record.Event{Time: at, Kind: kind, Value: value, Side: rapid.SampledFrom([]string{"client", "server"}).Draw(t, "side")}
		switch kind, _, _ := strings.Cut(kind, "."); kind {
		case "flow":
			e.Entity, e.Side = "flows.a", ""
		case "connection":
			e.Entity, e.Side = "connections.main", "server"
		case "session":
			e.Entity = "sessions.main"
		case "traffic":
			e.Entity, e.Side = "traffic.x", ""
		}
		m.events = append(m.events, e)
	}
	return m
}

func TestCountsOfWindowsThatAdjoinAddUp(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rec := drawRecording(r).recording(t)
		cut := time.Duration(rapid.Int64Range(1, 99).Draw(r, "cut")) * 100 * ms
		all := computeWindows(r, rec, analysis.Window{}, analysis.Window{To: cut}, analysis.Window{From: cut})
		sums := map[string]float64{}
		for i, sign := range []float64{-1, 1, 1} {
			for _, x := range all[i] {
				if slices.ContainsFunc(additive, func(glob string) bool { ok, err := path.Match(glob, x.Name); return ok && err == nil }) {
					sums[x.Name] += sign * x.Value
				}
			}
		}
		for name, sum := range sums {
			if math.Abs(sum) > 1e-9 {
				r.Errorf("%s of the windows before and after %s: the sum is %v more than the whole", name, cut, sum)
			}
		}
	})
}

func TestManyWindowsAreAsEachAlone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := drawRecording(r)
		rec := m.recording(t)
		windows := []analysis.Window{{}, {To: m.run.Virtual}}
		for range rapid.IntRange(0, 5).Draw(r, "windows") {
			from := time.Duration(rapid.Int64Range(0, 99).Draw(r, "from")) * 100 * ms
			windows = append(windows, analysis.Window{From: from, To: from + time.Duration(rapid.Int64Range(1, int64((m.run.Virtual-from)/(100*ms))).Draw(r, "length"))*100*ms})
		}
		all := computeWindows(r, rec, windows...)
		for i, w := range windows {
			alone := computeWindows(r, rec, w)[0]
			if fmt.Sprint(all[i]) != fmt.Sprint(alone) {
				r.Errorf("%s: among others\n%v\nalone\n%v", w, all[i], alone)
			}
		}
		if fmt.Sprint(all[0]) != fmt.Sprint(all[1]) {
			r.Errorf("the window of the whole length is not the zero window:\n%v\n%v", all[0], all[1])
		}
	})
}

func TestSharesOfAWindowAreBetween0And1(t *testing.T) {
	shares := []string{"links.*.loss_ratio", "links.*.ce_ratio", "connections.*.spurious_ratio", "flows.*.messages.loss_ratio"}
	rapid.Check(t, func(r *rapid.T) {
		rec := drawRecording(r).recording(t)
		from := time.Duration(rapid.Int64Range(0, 98).Draw(r, "from")) * 100 * ms
		for _, x := range computeWindows(r, rec, analysis.Window{From: from, To: from + 200*ms})[0] {
			if slices.ContainsFunc(shares, func(glob string) bool { ok, err := path.Match(glob, x.Name); return ok && err == nil }) &&
				!(x.Value >= -1e-9 && x.Value <= 1+1e-9) {
				r.Errorf("%s is %v from %s on", x.Name, x.Value, from)
			}
		}
	})
}

func computeWindows(r *rapid.T, rec *record.Recording, windows ...analysis.Window) []analysis.Metrics {
	all, err := analysis.ComputeWindows(rec, windows...)
	if err != nil {
		r.Fatal(err)
	}
	return all
}

package analysis_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
	"pgregory.net/rapid"
)

func (m made) data(t testing.TB) *analysis.Data {
	t.Helper()
	d, err := analysis.Load(m.recording(t))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSeriesOfALink(t *testing.T) {
	lost := packet(3*ms, 0, 3*ms, 100)
	lost.Fate, lost.Reason = record.Dropped, "queue"
	d := made{
		run: record.Run{Virtual: 250 * ms, Links: access(28)},
		packets: []record.Packet{
			packet(0, 0, 1*ms, 972), lost, packet(1*ms, 2*ms, 3*ms, 972), packet(2*ms, 3*ms, 249*ms, 472),
		},
		samples: []record.Sample{rate(0, 1e6), rate(100*ms, 5e5)},
	}.data(t)
	const entity = "links.access.forward"
	if d.Bin != 2*ms {
		t.Fatalf("bins of %v; 250 ms in at most 200 bins are 2 ms each", d.Bin)
	}
	throughput := d.Of(analysis.SeriesLinkThroughput, entity)
	if n := len(throughput.Points); n != 125 || throughput.Unit != "bit/s" {
		t.Fatalf("%d bins in %q", n, throughput.Unit)
	}
	for i, p := range throughput.Points {
		want := analysis.Point{T: time.Duration(2*i+1) * ms}
		switch i {
		case 0, 1: // 1000 B in 2 ms
			want.V = 4e6
		case 124: // 500 B in 2 ms
			want.V = 2e6
		}
		if p != want {
			t.Errorf("bin %d: %v, want %v", i, p, want)
		}
	}
	for name, want := range map[string][]analysis.Point{
		record.SeriesLinkRate:     {{T: 0, V: 1e6}, {T: 100 * ms, V: 5e5}},
		analysis.SeriesQueueDelay: {{T: 0, V: 0}, {T: 1 * ms, V: 0.002}, {T: 2 * ms, V: 0.003}},
		analysis.SeriesDrops:      {{T: 3 * ms, V: 1}},
		record.SeriesSmoothedRTT:  nil,
	} {
		if diff := cmp.Diff(want, d.Of(name, entity).Points); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestThroughputOfAFlowIsTheRiseOfWhatWasDelivered(t *testing.T) {
	d := made{
		run: record.Run{Virtual: 15 * ms / 10},
		samples: []record.Sample{
			flowSample(0, record.SeriesDelivered, 0),
			flowSample(ms/2, record.SeriesDelivered, 1000),
			flowSample(ms, record.SeriesDelivered, 1500),
			flowSample(15*ms/10, record.SeriesDelivered, 2000), // in the last bin, which is half as long
		},
	}.data(t)
	want := []analysis.Point{{T: ms / 2, V: 8e6}, {T: 5 * ms / 4, V: 16e6}}
	if diff := cmp.Diff(want, d.Of(analysis.SeriesFlowThroughput, "flows.bulk").Points); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestThroughputOfCrossTrafficIsTheRiseOfWhatArrived(t *testing.T) {
	d := made{
		run: record.Run{Virtual: 2 * ms},
		samples: []record.Sample{
			{Time: ms / 2, Name: record.SeriesTrafficDelivered, Entity: "traffic.web", Value: 500},
			{Time: 3 * ms / 2, Name: record.SeriesTrafficDelivered, Entity: "traffic.web", Value: 1500},
		},
	}.data(t)
	want := []analysis.Point{{T: ms / 2, V: 4e6}, {T: 3 * ms / 2, V: 8e6}}
	if diff := cmp.Diff(want, d.Of(analysis.SeriesTrafficThroughput, "traffic.web").Points); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNamedReturnsTheSeriesOfAllEntitiesInOrder(t *testing.T) {
	var m made
	for _, entity := range []string{"connections.c-10.client", "connections.c-2.client", "connections.c-2.server"} {
		m.samples = append(m.samples, record.Sample{Name: record.SeriesCwnd, Entity: entity, Value: 1})
	}
	var got []string
	for _, s := range m.data(t).Named(record.SeriesCwnd) {
		got = append(got, s.Entity)
	}
	want := []string{"connections.c-2.client", "connections.c-2.server", "connections.c-10.client"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALongSeriesKeepsItsShapeInBoundedPoints(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 20_000).Draw(rt, "n")
		step := time.Duration(rapid.Int64Range(0, int64(time.Millisecond)).Draw(rt, "step"))
		spikeAt := rapid.IntRange(0, n-1).Draw(rt, "spike")
		dipAt := rapid.IntRange(0, n-1).Draw(rt, "dip")
		m := made{run: record.Run{Virtual: time.Duration(n) * step}}
		for i := range n {
			v := float64(i % 100)
			if i == dipAt {
				v = -1000
			}
			if i == spikeAt {
				v = 1000
			}
			m.samples = append(m.samples, record.Sample{Time: time.Duration(i) * step, Name: record.SeriesCwnd, Entity: "e", Value: v})
		}
		points := m.data(t).Of(record.SeriesCwnd, "e").Points
		if len(points) > 4000 || len(points) > n {
			rt.Fatalf("%d points of %d", len(points), n)
		}
		has := map[analysis.Point]bool{}
		for i, p := range points {
			has[p] = true
			if i > 0 && p.T < points[i-1].T {
				rt.Fatalf("point %d goes back in time: %v after %v", i, p, points[i-1])
			}
		}
		for _, i := range []int{0, spikeAt, n - 1} {
			p := analysis.Point{T: m.samples[i].Time, V: m.samples[i].Value}
			if !has[p] {
				rt.Fatalf("sample %d of %d, %v, is gone", i, n, p)
			}
		}
	})
}

func TestTimelinesHoldSetUpAndTeardownOfEachSession(t *testing.T) {
	d := made{run: record.Run{
		Virtual:  time.Second,
		Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}, {Entity: "sessions.idle", Connection: "connections.idle"}},
	}, events: life("main", 10*ms, 500*ms)}.data(t)
	if len(d.Timelines) != 2 || d.Timelines[1].Entity != "sessions.idle" || len(d.Timelines[1].Marks) != 0 {
		t.Fatalf("timelines: %+v", d.Timelines)
	}
	main := d.Timelines[0]
	if len(main.Marks) != 19 {
		t.Errorf("%d marks, want 19", len(main.Marks))
	}
	var got []string
	for _, s := range main.Teardown() {
		got = append(got, s.Kind+" "+s.Side+" "+s.SinceClose.String())
	}
	want := []string{
		"session.close_called client 0s",
		"session.close_sent client 1ms",
		"session.close_notified server 21ms",
		"session.last_stream client 0s",
		"session.last_stream server 22ms",
		"session.connect_done client 43ms",
		"session.connect_done server 23ms",
		"session.gone client 44ms",
		"session.gone server 24ms",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if steps := d.Timelines[1].Teardown(); steps != nil {
		t.Errorf("a session that did not end has teardown steps %v", steps)
	}
}

// A datagram waits 30 ms at 0.1 s and one 20 ms at 5 s; in between the queue is
// empty, from 0.13 s on. Bins of the run of ten seconds are of 50 ms.
func TestAQueueInWhichNobodyWaitsIsEmpty(t *testing.T) {
	data := made{
		run:     record.Run{Virtual: 10 * time.Second, Links: access(28)},
		packets: []record.Packet{packet(100*ms, 30*ms, 131*ms, 1252), packet(5000*ms, 20*ms, 5021*ms, 1252), packet(5010*ms, 10*ms, 5022*ms, 1252)},
	}.data(t)
	want := []analysis.Point{{T: 100 * ms, V: 0.03}, {T: 130 * ms, V: 0}, {T: 5 * time.Second, V: 0}, {T: 5 * time.Second, V: 0.02}, {T: 5010 * ms, V: 0.01}}
	if diff := cmp.Diff(want, data.Of(analysis.SeriesQueueDelay, "links.access.forward").Points); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

package analysis_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// long writes a recording of n datagrams and as many samples.
func long(t testing.TB, n int) *record.Recording {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{record.SeriesCwnd, record.SeriesBytesInFlight, record.SeriesLatestRTT, record.SeriesSmoothedRTT}
	for i := range n {
		at := time.Duration(i) * 100 * time.Microsecond
		p := packet(at, time.Duration(i*7919%20_000_000), at+30*ms, 1252)
		w.Packet(&p)
		w.Sample(record.Sample{Time: at, Name: names[i%4], Entity: "connections.main.server", Value: float64(i * 31 % 100_000)})
	}
	if err := w.Close(record.Run{Virtual: time.Duration(n) * 100 * time.Microsecond}); err != nil {
		t.Fatal(err)
	}
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestTheAnalysisOfALongRunHoldsBoundedMemory(t *testing.T) {
	rec := long(t, 300_000)
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for name, analyse := range map[string]func() error{
		"Compute": func() error { _, err := analysis.Compute(rec); return err },
		"Load":    func() error { _, err := analysis.Load(rec); return err },
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := analyse(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		// Everything that was ever allocated, garbage included.
		if used := after.TotalAlloc - before.TotalAlloc; used > 128<<20 {
			t.Errorf("%s allocated %d MB", name, used>>20)
		}
	}
}

func BenchmarkCompute(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rec := long(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := analysis.Compute(rec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	rec := long(b, 1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := analysis.Load(rec); err != nil {
			b.Fatal(err)
		}
	}
}

// crowd writes a recording of n sessions, each with a download, and returns
// it.
func crowd(t testing.TB, n int) *record.Recording {
	t.Helper()
	m := made{run: record.Run{Virtual: 10 * time.Second}}
	for i := range n {
		name := fmt.Sprintf("crowd-%d", i+1)
		flow := "sessions." + name + ".flows.bulk"
		m.run.Sessions = append(m.run.Sessions, record.Session{Entity: "sessions." + name, Connection: "connections." + name, Group: "sessions.crowd"})
		m.run.Flows = append(m.run.Flows, record.Flow{Entity: flow, Kind: "download", Session: "sessions." + name, Group: "sessions.crowd.flows.bulk"})
		m.events = append(m.events, life(name, 0, time.Second)...)
		for k := range 100 {
			at := time.Duration(k) * 100 * ms
			m.samples = append(m.samples,
				record.Sample{Time: at, Name: record.SeriesCwnd, Entity: "connections." + name + ".server", Value: float64(k)},
				record.Sample{Time: at, Name: record.SeriesLatestRTT, Entity: "connections." + name + ".server", Value: float64(k)},
				record.Sample{Time: at, Name: record.SeriesDelivered, Entity: flow, Value: float64(k)})
		}
	}
	return m.recording(t)
}

func BenchmarkThousandSessions(b *testing.B) {
	rec := crowd(b, 1000)
	b.Run("Compute", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := analysis.Compute(rec); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := analysis.Load(rec); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestTheFiguresOfManySessionsHoldABoundedNumberOfPoints(t *testing.T) {
	d, err := analysis.Load(crowd(t, 1000))
	if err != nil {
		t.Fatal(err)
	}
	points := 0
	for _, s := range d.Named(record.SeriesCwnd) {
		points += len(s.Points)
	}
	if sessions := len(d.Named(record.SeriesCwnd)); sessions != 1000 || points > 4*100_000 {
		t.Errorf("%d points of %d sessions", points, sessions)
	}
}

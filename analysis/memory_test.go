package analysis

import (
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// busy writes a recording in which so many datagrams are sent every 100 µs, some
// of them lost, with a message and a sample for each.
func busy(t *testing.T, datagrams int) *record.Recording {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	series := []string{record.SeriesCwnd, record.SeriesLatestRTT, record.SeriesSentBytes}
	for i := range datagrams {
		at := time.Duration(i) * 100 * time.Microsecond
		p := record.Packet{ID: uint64(i + 1), Link: "access", Size: 1252, Sent: at, Done: at + 30*time.Millisecond, QueueDelay: time.Duration(i * 7919 % 20_000_000)}
		w.Sample(record.Sample{Time: at, Name: series[i%3], Entity: "connections.main.server", Value: float64(i)})
		w.Event(record.Event{Time: at, Kind: record.EventMessageSent, Entity: "flows.voice", Value: int64(i)})
		if i%50 == 0 {
			p.Fate, p.Reason = record.Dropped, "queue"
			w.Event(record.Event{Time: at, Kind: record.EventPacketLost, Entity: "connections.main", Side: "server", Value: int64(i)})
		} else {
			w.Event(record.Event{Time: at, Kind: record.EventMessageGot, Entity: "flows.voice", Value: int64(i)})
			w.Sample(record.Sample{Time: at, Name: record.SeriesOneWayDelay, Entity: "flows.voice", Value: float64(i%1000) / 1e4})
			w.Sample(record.Sample{Time: at, Name: record.SeriesDelivered, Entity: "flows.voice", Value: float64(i) * 160})
		}
		w.Packet(&p)
	}
	run := record.Run{Virtual: time.Duration(datagrams) * 100 * time.Microsecond, Datagrams: uint64(datagrams), Links: []record.Link{{Name: "access"}}}
	if err := w.Close(run); err != nil {
		t.Fatal(err)
	}
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// held returns the memory that what make returns holds.
func held(t *testing.T, make func() (any, error)) int64 {
	t.Helper()
	live := func() int64 {
		// The second collection empties the pools that the first one spared.
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	v, err := make()
	if err != nil {
		t.Fatal(err)
	}
	after := live()
	runtime.KeepAlive(v)
	return after - before
}

func TestWhatTheAnalysisHoldsDoesNotGrowWithTheRowsThatItReads(t *testing.T) {
	few, many := busy(t, 40_000), busy(t, 320_000)
	for name, read := range map[string]func(*record.Recording) (any, error){
		"metrics": func(rec *record.Recording) (any, error) {
			t, err := newTotals(rec.Run, []Window{{}, {From: time.Second, To: 2 * time.Second}})
			if err != nil {
				return nil, err
			}
			lines, err := t.read(rec)
			return []any{t, lines}, err
		},
		"figures": func(rec *record.Recording) (any, error) { return Load(rec) },
	} {
		least := held(t, func() (any, error) { return read(few) })
		most := held(t, func() (any, error) { return read(many) })
		// Eight times the rows are 280,000 packets, 840,000 samples and 560,000
		// events more: a byte for each would be seen.
		if most-least > 1<<20 {
			t.Errorf("%s: %d kB of %d datagrams, and %d kB of %d", name, least>>10, few.Run.Datagrams, most>>10, many.Run.Datagrams)
		}
		t.Logf("%s: %d kB, %d kB", name, least>>10, most>>10)
	}
}

package figure

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wtsim/wtsim/analysis/seeds"
	"github.com/wtsim/wtsim/sim/record"
)

// recorded is a recording of one second with a download, a media flow from the
// client, and a change of the link at 500 ms.
func recorded(t *testing.T) *record.Recording {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sample := func(at time.Duration, name, entity string, value float64) {
		w.Sample(record.Sample{Time: at, Name: name, Entity: entity, Value: value})
	}
	sample(0, record.SeriesLinkRate, "links.access.forward", 1e6)
	sample(0, record.SeriesLinkRate, "links.access.reverse", 8e6)
	sample(0, record.SeriesCwnd, "connections.main.client", 40000)
	sample(0, record.SeriesCwnd, "connections.main.server", 40000)
	sample(100*ms, record.SeriesBytesInFlight, "connections.main.client", 1200)
	sample(100*ms, record.SeriesBytesInFlight, "connections.main.server", 30000)
	sample(102*ms, record.SeriesDelivered, "flows.bulk", 1000)
	sample(103*ms, record.SeriesDelivered, "flows.voice", 160)
	sample(500*ms, record.SeriesLinkRate, "links.access.reverse", 4e6)
	event := func(at time.Duration, kind, entity, side string) {
		w.Event(record.Event{Time: at, Kind: kind, Entity: entity, Side: side})
	}
	event(0, record.EventDialStarted, "connections.main", "client")
	event(60*ms, record.EventEstablished, "sessions.main", "client")
	event(100*ms, record.EventFlowStarted, "flows.bulk", "")
	event(110*ms, record.EventFlowFinished, "flows.bulk", "")
	event(200*ms, record.EventPacketLost, "connections.main", "server")
	event(500*ms, record.EventLinkChanged, "links.access.forward", "")
	event(500*ms, record.EventLinkChanged, "links.access.reverse", "")
	event(700*ms, record.EventMigrated, "connections.main", "client")
	w.Packet(&record.Packet{
		ID: 1, Sent: 50 * ms, Done: 60 * ms, Link: "access", Direction: record.Reverse, Size: 1200, QueueDelay: 3 * ms,
		Source: netip.MustParseAddrPort("10.0.0.2:443"), Dest: netip.MustParseAddrPort("10.0.0.1:1024"),
	})
	err = w.Close(record.Run{
		Name: "demo", Seed: 7, Virtual: time.Second,
		Links:    []record.Link{{Name: "access", Between: [2]string{"laptop", "cloud"}}},
		Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}},
		Flows: []record.Flow{
			{Entity: "flows.bulk", Kind: "download", Session: "sessions.main", From: "cloud", To: "laptop"},
			{Entity: "flows.voice", Kind: "media", Session: "sessions.main", From: "laptop", To: "cloud"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestARecordingGivesItsData(t *testing.T) {
	got, err := FromRecording(recorded(t))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bin != 5*ms {
		t.Fatalf("bins of %v", got.Bin)
	}
	voice := got.Directions[1].Goodput[0].Points
	if last := voice[len(voice)-1]; last != (Point{997500 * time.Microsecond, 0}) {
		t.Errorf("a flow that never finished is known until the end: %v", last)
	}
	got.Directions[1].Goodput = nil
	want := Data{
		Name: "demo, seed\u00a07", End: time.Second, Bin: 5 * ms,
		Directions: []Direction{
			{
				Name:  "cloud → laptop",
				Rates: []Series{{"access", []Point{{0, 8e6}, {500 * ms, 4e6}}}}, Capacity: []Point{{0, 8e6}, {500 * ms, 4e6}},
				Goodput: []Series{{"bulk", []Point{{102500 * time.Microsecond, 8 * 1000 / 0.005}, {107500 * time.Microsecond, 0}}}},
			},
			{Name: "laptop → cloud", Rates: []Series{{"access", []Point{{0, 1e6}}}}, Capacity: []Point{{0, 1e6}}},
		},
		Queues:    []Series{{"access, cloud → laptop", []Point{{50 * ms, 0.003}}}},
		Queueing:  []Distribution{{Name: "access, cloud → laptop", Count: 1, Points: []XY{{0.003, 1}}}},
		Changes:   []time.Duration{500 * ms},
		Moves:     []time.Duration{700 * ms},
		Senders:   []Sender{{Name: "main, server", Window: []Point{{0, 40000}}, InFlight: []Point{{100 * ms, 30000}}, Losses: []time.Duration{200 * ms}}},
		Sessions:  []Session{{Name: "main", Events: []Event{{Dial, Client, 0}, {Established, Client, 60 * ms}}}},
		Incidents: []Incident{{Of: "access", Kind: LinkChange, From: 500 * ms, Until: 500 * ms}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTitlesSayWhatWasNotSimulated(t *testing.T) {
	for name, realTime := range map[string]*record.RealTime{
		"demo, seed\u00a07":               nil,
		"demo, seed\u00a07, in real time": {},
		"demo, seed\u00a07, emulated":     {Emulated: true},
	} {
		rec := recorded(t)
		rec.Run.RealTime = realTime
		if got, err := FromRecording(rec); err != nil || got.Name != name {
			t.Errorf("%q, %v; want %q", got.Name, err, name)
		}
	}
	simulated, emulated := seeds.Set{Name: "demo"}, seeds.Set{Name: "demo", Manner: record.MannerEmulated}
	for name, sets := range map[string][]seeds.Set{
		"demo":           {simulated, emulated},
		"demo, emulated": {emulated, emulated},
	} {
		if got := nameOf(sets); got != name {
			t.Errorf("%q, want %q", got, name)
		}
	}
}

func TestSaveLeavesWholeFilesAndNothingElse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "figures")
	data, err := FromRecording(recorded(t))
	if err != nil {
		t.Fatal(err)
	}
	paths, err := Save(All(data), dir, TwoColumns, SVG, PNG, CSV)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, figure := range []string{"throughput", "delay", "cwnd", "timeline"} {
		for _, format := range []string{"svg", "png", "csv"} {
			want = append(want, filepath.Join(dir, figure+"."+format))
		}
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		found = append(found, filepath.Join(dir, e.Name()))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
}

func TestAFailedWriteLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	_, err := Save([]Figure{timeline(sample())}, dir, OneColumn, "bmp")
	if err == nil || !strings.Contains(err.Error(), "timeline") {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files are left", len(entries))
	}
}

func TestThinningKeepsPeaksAndEnds(t *testing.T) {
	var line []Point
	for i := range 10_000 {
		line = append(line, Point{time.Duration(i) * ms, float64(i % 7)})
	}
	line[4321].V = 1000
	got := thin(line, 10*time.Second)
	if len(got) > 2*buckets+2 {
		t.Errorf("%d points", len(got))
	}
	if !slices.Contains(got, Point{4321 * ms, 1000}) || got[0] != line[0] || got[len(got)-1] != line[9999] {
		t.Error("a peak or an end is missing")
	}
}

func TestSpreadOfBinsIsExact(t *testing.T) {
	got := spreadOfBins([]Series{
		{"a", []Point{{1, 1}, {2, 4}}},
		{"b", []Point{{1, 3}, {2, 6}}},
		{"c", []Point{{2, 5}, {3, 9}}},
	})
	want := spread{
		low:    []Point{{1, 1}, {2, 4}, {3, 9}},
		median: []Point{{1, 2}, {2, 5}, {3, 9}},
		high:   []Point{{1, 3}, {2, 6}, {3, 9}},
		sum:    []Point{{1, 4}, {2, 15}, {3, 9}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(spread{})); diff != "" {
		t.Error(diff)
	}
}

func TestEventsFarFromTheRestAreToldInWords(t *testing.T) {
	event := func(at time.Duration) Event { return Event{Time: at} }
	near, far := cutOff([]Event{event(-2 * time.Second), event(0), event(1 * ms), event(40 * ms), event(30 * time.Second)}, 0)
	if diff := cmp.Diff([]Event{event(0), event(1 * ms), event(40 * ms)}, near); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Event{event(30 * time.Second), event(-2 * time.Second)}, far); diff != "" {
		t.Error(diff)
	}
}

func TestAxesCountInNiceSteps(t *testing.T) {
	for _, c := range []struct {
		scales    []scale
		high      float64
		n         int
		unit      string
		tickWords string
	}{
		{bitRates, 20.8e6, 6, "Mbit/s", "0 5 10 15 20"},
		{times, 0.0965, 6, "ms", "0 20 40 60 80"},
		{times, 0.0000004, 6, "µs", "0.0 0.1 0.2 0.3 0.4"},
		{amounts, 0, 5, "B", "0.0 0.2 0.4 0.6 0.8 1.0"},
	} {
		a := newAxis(c.scales, 0, c.high, c.n)
		var words []string
		for _, tick := range a.ticks() {
			words = append(words, a.label(tick))
		}
		if got := strings.Join(words, " "); a.scale.unit != c.unit || got != c.tickWords {
			t.Errorf("up to %g: %s (%s), want %s (%s)", c.high, got, a.scale.unit, c.tickWords, c.unit)
		}
	}
}

func TestTheDataOfAFigureIsInBaseUnits(t *testing.T) {
	for want, scales := range map[string][]scale{"s": times, "bit/s": bitRates, "B": amounts, "1": shares} {
		if got := baseUnit(scales); got != want {
			t.Errorf("%v are in %q, want %q", scales, got, want)
		}
	}
}

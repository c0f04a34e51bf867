package record_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/wtsim/wtsim/sim/record"
)

func someRows(n int) (r rows) {
	for i := range n {
		r.packets = append(r.packets, samplePacket(i))
		r.samples = append(r.samples, record.Sample{Time: time.Duration(i), Name: record.SeriesCwnd, Entity: "connections.main.client", Value: float64(i)})
		r.events = append(r.events, record.Event{Time: time.Duration(i), Kind: record.EventPTO, Entity: "connections.main", Side: "client", Value: int64(i)})
	}
	return r
}

// filesBelow returns the paths of all files and folders below a folder.
func filesBelow(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir {
			rel, _ := filepath.Rel(dir, path)
			paths = append(paths, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestARecordingAppearsOnlyWhenItIsClosed(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "runs", "quickstart", "1")
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s exists before the recording is closed", dir)
	}
	if err := os.WriteFile(filepath.Join(w.Dir(), "metrics.json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(record.Run{}); err != nil {
		t.Fatal(err)
	}
	want := []string{"events.parquet", "metrics.json", "packets.parquet", "run.json", "series.parquet"}
	if diff := cmp.Diff(want, filesBelow(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := filesBelow(t, filepath.Dir(dir)); len(got) != 1+len(want) {
		t.Errorf("beside the recording: %v", got)
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	base := t.TempDir()
	w, err := record.Create(filepath.Join(base, "run"), record.Options{CSV: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range someRows(20_000).packets {
		w.Packet(&p)
	}
	w.Abort()
	if left := filesBelow(t, base); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestARecordingReplacesAnOlderOne(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "run")
	write(t, dir, someRows(10), record.Run{Name: "old"})
	if err := os.WriteFile(filepath.Join(dir, "throughput.svg"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	write(t, dir, someRows(20), record.Run{Name: "new"})
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Run.Name != "new" || rec.Run.Rows[record.TablePackets] != 20 {
		t.Errorf("read %q with %d packets", rec.Run.Name, rec.Run.Rows[record.TablePackets])
	}
	want := []string{"run", "run/events.parquet", "run/packets.parquet", "run/run.json", "run/series.parquet"}
	if diff := cmp.Diff(want, filesBelow(t, base)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnAbortedRecordingKeepsTheOlderOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	write(t, dir, someRows(10), record.Run{Name: "old"})
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if rec, err := record.Open(dir); err != nil || rec.Run.Name != "old" {
		t.Errorf("after the abort: %v, %v", rec, err)
	}
}

func TestAFolderThatIsNotARecordingIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := record.Create(dir, record.Options{})
	if err == nil || !strings.Contains(err.Error(), "holds other files") {
		t.Errorf("error: %v", err)
	}
}

func TestAnOutputFolderThatCannotBeWrittenIsAnError(t *testing.T) {
	base := t.TempDir()
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := record.Create(filepath.Join(file, "run"), record.Options{})
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a recording below a file: error %v", err)
	}
	_, err = record.Create(file, record.Options{})
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a recording in place of a file: error %v", err)
	}
}

func TestARecordingThatCannotBeCompletedLeavesNothing(t *testing.T) {
	base := t.TempDir()
	w, err := record.Create(filepath.Join(base, "run"), record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = w.Close(record.Run{Scenario: json.RawMessage("not JSON")})
	if err == nil || !strings.Contains(err.Error(), "encode run.json") {
		t.Errorf("error: %v", err)
	}
	if left := filesBelow(t, base); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAFailedReplacementKeepsTheOlderRecording(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "run")
	write(t, dir, someRows(10), record.Run{Name: "old"})
	if err := record.Publish(filepath.Join(base, "missing"), dir); err == nil {
		t.Error("no error")
	}
	if rec, err := record.Open(dir); err != nil || rec.Run.Name != "old" {
		t.Errorf("after the failure: %v, %v", rec, err)
	}
}

func TestTextsThatNeverRepeatAreWrittenOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	const n, length = 100_000, 20
	var r rows
	for i := range n {
		r.events = append(r.events, record.Event{Kind: record.EventFlowFailed, Entity: "flows.bulk", Text: fmt.Sprintf("%0*d", length, i)})
	}
	write(t, dir, r, record.Run{})
	info, err := os.Stat(filepath.Join(dir, "events.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	// The text and its length once, two bytes of index, and little else.
	if limit := int64(n * (length + 4 + 3)); info.Size() > limit {
		t.Errorf("the table has %d bytes, more than %d", info.Size(), limit)
	}
}

func TestAFinishedRecordingCanBeReadAndPublishedLater(t *testing.T) {
	base := t.TempDir()
	dir, temporary := filepath.Join(base, "run"), filepath.Join(base, "under-way")
	w, err := record.Create(dir, record.Options{Temporary: temporary})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(&record.Run{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	if rec, err := record.Open(temporary); err != nil || rec.Run.Name != "x" {
		t.Fatalf("before it is published: %v, %v", rec, err)
	}
	if err := record.Publish(temporary, dir); err != nil {
		t.Fatal(err)
	}
	if rec, err := record.Open(dir); err != nil || rec.Run.Name != "x" {
		t.Errorf("published: %v, %v", rec, err)
	}
	if _, err := os.Stat(temporary); err == nil {
		t.Error("the temporary folder is still there")
	}
}

func TestEqualRowsMakeEqualFiles(t *testing.T) {
	base := t.TempDir()
	a, b := filepath.Join(base, "a"), filepath.Join(base, "b")
	write(t, a, someRows(20_000), record.Run{Seed: 1})
	write(t, b, someRows(20_000), record.Run{Seed: 1})
	for _, name := range filesBelow(t, a) {
		x, errX := os.ReadFile(filepath.Join(a, name))
		y, errY := os.ReadFile(filepath.Join(b, name))
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs (%v, %v)", name, errX, errY)
		}
	}
}

func TestCSVHoldsTheSameRows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir, record.Options{CSV: true})
	if err != nil {
		t.Fatal(err)
	}
	p := samplePacket(100)
	w.Packet(&p)
	w.Sample(record.Sample{Time: time.Second, Name: record.SeriesSmoothedRTT, Entity: "connections.main.client", Value: 0.0425})
	w.Event(record.Event{Time: time.Millisecond, Kind: record.EventCloseCalled, Entity: "sessions.main", Side: "client", Value: 42, Text: "done, \"thanks\"\n"})
	if err := w.Close(record.Run{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"packets.csv": "id,sent,done,link,direction,source,dest,size,ecn,sent_ecn,fate,reason,queue_delay\n" +
			"101,11500000,31500000,access,forward,10.0.0.100:4433,10.1.0.1:443,1252,2,2,dropped,loss,100000\n",
		"series.csv": "time,name,entity,value\n1000000000,conn.rtt.smoothed,connections.main.client,0.0425\n",
		"events.csv": "time,kind,entity,side,value,text\n1000000,session.close_called,sessions.main,client,42,\"done, \"\"thanks\"\"\n\"\n",
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRunJSONIsReadBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	count := record.Count{Packets: 10, Bytes: 13080}
	want := record.Run{
		Name: "quickstart", Seed: 1<<64 - 1, Overrides: []string{"links.access.rate=5Mbit/s"},
		Scenario:    json.RawMessage(`{"name":"quickstart"}`),
		Versions:    record.Versions{Wtsim: "devel", QUICGo: "v0.65.0", Go: "go1.26.8", OS: "linux", Arch: "amd64"},
		Determinism: record.Unsealed, Unsealed: "ptrace is not permitted",
		Ended: record.TimeLimit, Unfinished: []string{"flows.bulk"},
		Virtual: 30 * time.Second, Wall: time.Second, Datagrams: 3,
		Links: []record.Link{{Name: "access", Forward: record.Counters{
			Overhead: 28, In: count, Out: count, Dropped: []record.Drop{{Reason: "loss", Count: record.Count{Packets: 1, Bytes: 1308}}},
		}}},
		Sessions: []record.Session{{Entity: "sessions.main-1", Connection: "connections.main-1", Group: "sessions.main"}},
		Flows:    []record.Flow{{Entity: "sessions.main-1.flows.bulk", Kind: "download", Session: "sessions.main-1", Group: "sessions.main.flows.bulk"}},
	}
	write(t, dir, someRows(3), want)
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	want.Schema = record.SchemaVersion
	want.Rows = map[record.Table]int64{record.TablePackets: 3, record.TableSeries: 3, record.TableEvents: 3}
	want.Fingerprint = rec.Run.Fingerprint
	compact := cmp.Transformer("compact", func(m json.RawMessage) string {
		var b bytes.Buffer
		if err := json.Compact(&b, m); err != nil {
			return string(m)
		}
		return b.String()
	})
	if diff := cmp.Diff(want, rec.Run, compact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheWriterHoldsBoundedMemory(t *testing.T) {
	w, err := record.Create(filepath.Join(t.TempDir(), "run"), record.Options{CSV: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	rows := 0
	// live returns the memory that is in use when so many rows are written, and what
	// was ever allocated until then.
	live := func(n int) (inUse, allocated uint64) {
		for ; rows < n; rows++ {
			p := samplePacket(rows)
			w.Packet(&p)
			w.Sample(record.Sample{Time: p.Sent, Name: record.SeriesCwnd, Entity: "connections.main.client", Value: float64(rows)})
			w.Event(record.Event{Time: p.Sent, Kind: record.EventPacketLost, Entity: "connections.main", Side: "client", Text: fmt.Sprint(rows)})
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, m.TotalAlloc
	}
	before, _ := live(0)
	short, allocatedShort := live(100_000)
	long, allocatedLong := live(400_000)
	if used := int64(short) - int64(before); used > 8<<20 {
		t.Errorf("the writer of 100,000 rows holds %d KB", used>>10)
	}
	// What grows is a list of row groups, 32 bytes for each column of 16,384 rows. The
	// limit is a byte for each row of the three tables.
	if grown := int64(long) - int64(short); grown > 3*300_000 {
		t.Errorf("the writer of 400,000 rows holds %d KB more than that of 100,000", grown>>10)
	}
	if garbage := allocatedLong - allocatedShort; garbage > 40<<20 { // the texts of events
		t.Errorf("300,000 rows more allocated %d KB", garbage>>10)
	}
}

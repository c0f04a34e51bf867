package analysis_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

// grouped is a run with everything, and a group of two sessions.
func grouped() made {
	m := everything()
	m.run.Sessions = []record.Session{
		{Entity: "sessions.main", Connection: "connections.main"},
		{Entity: "sessions.many-1", Connection: "connections.many-1", Group: "sessions.many"},
		{Entity: "sessions.many-2", Connection: "connections.many-2", Group: "sessions.many"},
	}
	m.events = append(m.events, life("many-1", 0, 500*ms)...)
	m.events = append(m.events, life("many-2", 0, 400*ms)...)
	slices.SortStableFunc(m.events, func(a, b record.Event) int { return int(a.Time - b.Time) })
	return m
}

func TestMetricsThatAreReadAreThoseThatWereWritten(t *testing.T) {
	m := grouped()
	dir, written := t.TempDir(), m.metrics(t)
	m.run.Fingerprint = "f-1"
	if err := analysis.WriteMetrics(dir, "f-1", written); err != nil {
		t.Fatal(err)
	}
	read, err := analysis.ReadMetrics(dir, m.run)
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != len(written) {
		t.Fatalf("%d metrics were written, %d are read", len(written), len(read))
	}
	members := 0
	for i := range read {
		if read[i] != written[i] { // the definitions too
			t.Errorf("%+v was written, %+v is read", written[i], read[i])
		}
		if read[i].Member {
			members++
		}
	}
	if _, ok := read.Get("sessions.many.setup.duration.mean"); !ok || members == 0 {
		t.Errorf("the run has no group, and %d metrics of members", members)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v; want metrics.json alone", files, err)
	}
}

var oneFlow = record.Run{Virtual: time.Second, Flows: []record.Flow{{Entity: "flows.bulk"}}}

func TestAMetricOfAnotherVersionIsReadWithoutItsDefinition(t *testing.T) {
	dir := t.TempDir()
	writeText(t, dir, `{"flows.bulk.novelty": {"value": 3, "unit": "s", "n": 1}}`)
	m, err := analysis.ReadMetrics(dir, oneFlow)
	if err != nil || len(m) != 1 || m[0].Value != 3 || m[0].Unit != "s" || m[0].Entity != "flows.bulk" || m[0].Definition() != (analysis.Definition{}) {
		t.Errorf("the metrics are %+v, %v", m, err)
	}
}

func TestABrokenMetricsFileIsRefused(t *testing.T) {
	good := `{"run.duration": {"value": 1, "unit": "s"}}`
	for text, says := range map[string]string{
		"":                    "not an object",
		"[]":                  "not an object",
		good[:len(good)/2]:    "ends too early",
		good[:len(good)-1]:    "ends too early",
		good + good:           "something follows",
		`{"run.duration": 1}`: "run.duration: json: cannot unmarshal number",
		`{"run.duration": {"value": "1", "unit": "s"}}`:        "run.duration: json: cannot unmarshal string",
		`{"fingerprint": 1}`:                                   "fingerprint: json: cannot unmarshal number",
		`{"run.duration": {"value": 1}}`:                       "run.duration: expected an object with a value and a unit",
		`{"run.duration": {"unit": "s"}}`:                      "run.duration: expected an object with a value and a unit",
		good[:len(good)-1] + "," + good[1:]:                    "run.duration is there twice",
		`{"flows.other.goodput": {"value": 1, "unit": "s"}}`:   "flows.other.goodput is the metric of nothing that run.json describes",
		`{"run.duration": {"value": 1e999, "unit": "bit/s"} }`: "run.duration: json: cannot unmarshal number 1e999",
	} {
		dir := t.TempDir()
		writeText(t, dir, text)
		_, err := analysis.ReadMetrics(dir, oneFlow)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), filepath.Join(dir, "metrics.json")+" is broken") {
			t.Errorf("%s: the error is %v, want that %s", text, err, says)
		}
	}
}

func TestMetricsOfAnotherRunAreRefused(t *testing.T) {
	dir, run := t.TempDir(), oneFlow
	run.Fingerprint = "f-1"
	for fingerprint, says := range map[string]string{
		"f-1": "",
		"f-2": filepath.Join(dir, "metrics.json") + ` has the metrics of another run: its fingerprint is "f-2", that of run.json is "f-1"; run the scenario again`,
		"":    "", // a file that does not say
	} {
		if err := analysis.WriteMetrics(dir, fingerprint, nil); err != nil {
			t.Fatal(err)
		}
		m, err := analysis.ReadMetrics(dir, run)
		if says == "" && (err != nil || len(m) != 0) || says != "" && (err == nil || err.Error() != says) {
			t.Errorf("%q: %v, %v; want the error %q", fingerprint, m, err, says)
		}
	}
}

func TestARecordingWithoutMetricsSaysSo(t *testing.T) {
	if _, err := analysis.ReadMetrics(t.TempDir(), oneFlow); err == nil || !strings.Contains(err.Error(), "has no metrics.json: run the scenario again") {
		t.Errorf("the error is %v", err)
	}
}

func writeText(t testing.TB, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "metrics.json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func FuzzReadMetrics(f *testing.F) {
	f.Add([]byte(`{"run.duration": {"value": 1, "unit": "s"}}`))
	f.Add([]byte(`{"flows.bulk.goodput": {"value": 1e6, "unit": "bit/s"}, "flows.bulk.x": {"value": 0, "unit": ""}}`))
	f.Add([]byte(`{"fingerprint": "", "run.duration": {"value": 1, "unit": "s"}}`))
	f.Add([]byte(`{"a"`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		writeText(t, dir, string(text))
		m, err := analysis.ReadMetrics(dir, oneFlow)
		if err != nil {
			return
		}
		if err := analysis.WriteMetrics(dir, "", m); err != nil {
			t.Fatal(err)
		}
		again, err := analysis.ReadMetrics(dir, oneFlow)
		if err != nil || !slices.Equal(again, m) {
			t.Errorf("%v was read and written, and reads as %v, %v", m, again, err)
		}
	})
}

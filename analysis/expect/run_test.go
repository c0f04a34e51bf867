package expect

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/wtsim/wtsim/sim/record"
)

// recorded returns a recording of 4 s in which a flow of a megabyte a second for 3 s
// is what a scenario with these expectations is about.
func recorded(t *testing.T, expectations string) *record.Recording {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "1")
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.Event(record.Event{Kind: record.EventFlowStarted, Entity: "flows.bulk"})
	for at := time.Duration(0); at <= 3*time.Second; at += time.Second / 10 {
		w.Sample(record.Sample{Time: at, Name: record.SeriesDelivered, Entity: "flows.bulk", Value: 1e6 * at.Seconds()})
	}
	w.Event(record.Event{Time: 3 * time.Second, Kind: record.EventFlowFinished, Entity: "flows.bulk", Value: 3e6})
	info := *runOf(t, expectations)
	info.Seed, info.Virtual, info.Ended, info.Fingerprint = 7, 4*time.Second, record.Complete, w.Fingerprint()
	info.Flows = []record.Flow{{Entity: "flows.bulk", Kind: "download", Session: "sessions.main"}}
	if err := w.Close(info); err != nil {
		t.Fatal(err)
	}
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestARecordingIsMeasuredInTheWindowsOfItsExpectations(t *testing.T) {
	rec := recorded(t, `
[[expect]]
metric = "flows.bulk.completion_time"
equals = "3s"
[[expect]]
metric = "flows.bulk.goodput"
from = "1s"
to = "links.access.rtt + 1950ms"
min = "0.5 * links.access.reverse.rate"
max = "7Mbit/s"
[[expect]]
metric = "flows.bulk.goodput"
to = "1m"
min = 1
known = "the run is shorter"`)
	run, err := Measure(rec)
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := run.Whole.Get("flows.bulk.goodput"); !ok || m.Value != 8e6 || run.Seed != 7 {
		t.Errorf("seed %d has %+v, want 8 Mbit/s of seed 7", run.Seed, m)
	}
	verdicts, err := Judge(&rec.Run, []Run{run})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		words Words
		json  string
	}{
		{Words{"flows.bulk.completion_time", "3.00 s", "= 3.00 s", "0 s", "passed", ""},
			`{"metric":"flows.bulk.completion_time","over":"each","bounds":"= 3s","status":"passed","unit":"s","measured":3,"low":3,"high":3,"margin":0,"seed":7,"n":1}`},
		{Words{"flows.bulk.goodput from 1s to 2s", "8.00 Mbit/s", "2.50 Mbit/s to 7.00 Mbit/s", "-1.00 Mbit/s", "failed", ""},
			`{"metric":"flows.bulk.goodput","over":"each","from_seconds":1,"to_seconds":2,"bounds":"≥ 0.5 * links.access.reverse.rate, ≤ 7Mbit/s","status":"failed","unit":"bit/s","measured":8000000,"low":2500000,"high":7000000,"margin":-1000000,"seed":7,"n":1}`},
		{Words{"flows.bulk.goodput from 0s to 1m", "", "≥ 1", "", "failed", "the window from 0s to 1m ends after the run, which ended at 4s"},
			`{"metric":"flows.bulk.goodput","over":"each","to_seconds":60,"bounds":"≥ 1","status":"failed","known":"the run is shorter","why":"the window from 0s to 1m ends after the run, which ended at 4s","seed":7,"n":0}`},
	} {
		text, err := json.Marshal(verdicts[i])
		got := string(text)
		if err != nil || got != want.json || verdicts[i].Words() != want.words {
			t.Errorf("expectation %d is %+v\n and %s (%v), want\n %+v\n and %s", i+1, verdicts[i].Words(), got, err, want.words, want.json)
		}
	}
}

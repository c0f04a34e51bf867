package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wtsim/wtsim/analysis"
	"github.com/wtsim/wtsim/sim/record"
)

const second = time.Second

// twoHosts is a scenario as resolved.
const twoHosts = `name = "made"
description = "A download over one link."

[hosts.client]
[hosts.server]

[links.access]
between = ["server", "client"]
rate = "20Mbit/s"
delay = "20ms"
loss.kind = "bernoulli"
loss.p = 0.01
queue.kind = "fifo"
queue.limit = "1BDP"

[links.access.reverse]
rate = "5Mbit/s"

[sessions.main]
client = "client"
server = "server"

[[expect]]
metric = "flows.bulk.goodput"
min = "0.5 * links.access.rate"
`

// run is a recording that a test makes.
type made struct {
	record.Run
	text   string // the scenario as resolved
	events []record.Event
	bytes  float64 // that the flow has delivered after each second
}

// madeRun returns a run of ten seconds with one flow.
func madeRun(seed uint64) made {
	return made{
		Run: record.Run{
			Name: "made", Seed: seed, Determinism: record.Sealed, Ended: record.Complete,
			Virtual: 10 * second, Wall: second / 5, Datagrams: 4321,
			Versions: record.Versions{Wtsim: "v1.2.3", QUICGo: "v0.65.0", Go: "go1.26", OS: "linux", Arch: "amd64"},
			Links: []record.Link{{
				Name: "access", Between: [2]string{"server", "client"},
				Forward: record.Counters{Overhead: 28, In: record.Count{Packets: 100, Bytes: 100_000}, Out: record.Count{Packets: 98, Bytes: 98_000},
					Dropped: []record.Drop{{Reason: "loss", Count: record.Count{Packets: 2, Bytes: 2000}}}},
			}},
			Sessions: []record.Session{{Entity: "sessions.main", Connection: "connections.main"}},
			Flows:    []record.Flow{{Entity: "flows.bulk", Kind: "download", Session: "sessions.main", From: "server", To: "client", RTT: 40 * time.Millisecond}},
		},
		text:  twoHosts,
		bytes: 2e6,
		events: []record.Event{
			{Time: 0, Kind: record.EventDialStarted, Entity: "connections.main", Side: "client"},
			{Time: 45 * time.Millisecond, Kind: record.EventHandshakeComplete, Entity: "connections.main", Side: "client"},
			{Time: 87 * time.Millisecond, Kind: record.EventEstablished, Entity: "sessions.main", Side: "client"},
			{Time: second, Kind: record.EventFlowStarted, Entity: "flows.bulk"},
			{Time: 9 * second, Kind: record.EventFlowFinished, Entity: "flows.bulk", Value: 16e6},
		},
	}
}

// write makes the recording in a folder, with its metrics.
func (m made) write(t *testing.T, dir string) string {
	t.Helper()
	var err error
	if m.text != "" {
		if m.Scenario, err = json.Marshal(m.text); err != nil {
			t.Fatal(err)
		}
	}
	w, err := record.Create(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 201 {
		at := time.Duration(i) * second / 20
		w.Sample(record.Sample{Time: at, Name: record.SeriesDelivered, Entity: "flows.bulk", Value: at.Seconds() * m.bytes})
		w.Sample(record.Sample{Time: at, Name: record.SeriesLatestRTT, Entity: "connections.main.server", Value: 0.040 + 0.001*at.Seconds()})
		w.Sample(record.Sample{Time: at, Name: record.SeriesSmoothedRTT, Entity: "connections.main.server", Value: 0.040 + 0.0005*at.Seconds()})
	}
	w.Sample(record.Sample{Time: 0, Name: record.SeriesLinkRate, Entity: "links.access.forward", Value: 20e6})
	for _, e := range m.events {
		w.Event(e)
	}
	m.Fingerprint = w.Fingerprint()
	if err := w.Close(m.Run); err != nil {
		t.Fatal(err)
	}
	rec, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := analysis.Compute(rec)
	if err != nil {
		t.Fatal(err)
	}
	if err := analysis.WriteMetrics(dir, m.Fingerprint, metrics); err != nil {
		t.Fatal(err)
	}
	return dir
}

// pageOfRuns writes the report on folders, and returns its text.
func pageOfRuns(t *testing.T, paths ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	size, err := WriteFile(file, paths, Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(text)) != size {
		t.Errorf("WriteFile says %d bytes, the file has %d", size, len(text))
	}
	return string(text)
}

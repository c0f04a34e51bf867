package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// qlogEvent is a record of a qlog file after its header.
type qlogEvent struct {
	Time *float64        `json:"time"` // ms
	Name string          `json:"name"`
	Data json.RawMessage `json:"data"`
}

// readQLog reads a file as qvis does (its FileLoader, TextSequenceJSONToQlog and
// QlogLoaderV2) and as draft-ietf-quic-qlog-main-schema, sections 3 and 5, asks for,
// and returns the group of its connection and its events.
func readQLog(t *testing.T, path, title, side string) (group string, events []qlogEvent) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// RFC 7464: each text follows a record separator and ends with a line feed.
	records := bytes.Split(text, []byte{0x1e})
	if len(records) < 3 || len(records[0]) != 0 {
		t.Fatalf("%s: %q at the start, %d records", path, records[0], len(records)-1)
	}
	var header struct {
		FileSchema  string `json:"file_schema"`
		Format      string `json:"serialization_format"`
		QvisFormat  string `json:"qlog_format"`
		QvisVersion string `json:"qlog_version"`
		Title       string
		CodeVersion string `json:"code_version"`
		EventFields any    `json:"event_fields"`
		Trace       *struct {
			VantagePoint struct{ Name, Type string } `json:"vantage_point"`
			CommonFields struct {
				GroupID       string  `json:"group_id"`
				TimeFormat    *string `json:"time_format"`
				ReferenceTime struct {
					Clock string    `json:"clock_type"`
					Epoch string    `json:"epoch"`
					Wall  time.Time `json:"wall_clock_time"`
				} `json:"reference_time"`
			} `json:"common_fields"`
			EventSchemas []string `json:"event_schemas"`
		}
	}
	if err := json.Unmarshal(records[1], &header); err != nil || header.Trace == nil {
		t.Fatalf("%s: header %s: %v", path, records[1], err)
	}
	common := &header.Trace.CommonFields
	for what, ok := range map[string]bool{
		"file_schema":          header.FileSchema == "urn:ietf:params:qlog:file:sequential",
		"serialization_format": header.Format == "application/qlog+json-seq",
		"qlog_format":          header.QvisFormat == "JSON-SEQ",
		"qlog_version":         header.QvisVersion == "0.3", // the others that qvis knows are draft-02 and before
		"title":                header.Title == title,
		"code_version":         strings.HasPrefix(header.CodeVersion, "wtsim ") && strings.Contains(header.CodeVersion, ", quic-go "),
		"event_schemas":        len(header.Trace.EventSchemas) == 2 && strings.HasPrefix(header.Trace.EventSchemas[0], "urn:ietf:params:qlog:events:quic"),
		"vantage_point":        header.Trace.VantagePoint.Type == side && strings.HasSuffix(title, header.Trace.VantagePoint.Name),
		"group_id":             len(common.GroupID) >= 16 && strings.Trim(common.GroupID, "0123456789abcdef") == "",
		"time_format":          common.TimeFormat == nil, // both take it for relative
		"reference_time":       common.ReferenceTime.Clock == "monotonic" && common.ReferenceTime.Epoch == "unknown" && !common.ReferenceTime.Wall.IsZero(),
		"event_fields":         header.EventFields == nil,
	} {
		if !ok {
			t.Errorf("%s: %s of the header %s", path, what, records[1])
		}
	}
	for i, record := range records[2:] {
		var e qlogEvent
		if err := json.Unmarshal(record, &e); err != nil || e.Time == nil || len(e.Data) == 0 || e.Data[0] != '{' || !bytes.HasSuffix(record, []byte("\n")) {
			t.Fatalf("%s: event %d: %q: %v", path, i, record, err)
		}
		category, name, split := strings.Cut(e.Name, ":")
		if !split || category == "" || name == "" {
			t.Errorf("%s: event %d has the name %q; expected category:name", path, i, e.Name)
		}
		// qvis sorts events that are not in order, which it warns of.
		if len(events) > 0 && *e.Time < *events[len(events)-1].Time {
			t.Errorf("%s: event %d at %v ms follows one at %v ms", path, i, *e.Time, *events[len(events)-1].Time)
		}
		// What qvis calls not compliant.
		var data struct {
			PacketType any `json:"packet_type"`
			Header     struct {
				Type   string `json:"packet_type"`
				Number any    `json:"packet_number"`
				Size   any    `json:"packet_size"`
				Length any    `json:"payload_length"`
			}
			Raw struct{ Length int }
		}
		if err := json.Unmarshal(e.Data, &data); err != nil || data.PacketType != nil || data.Header.Size != nil || data.Header.Length != nil {
			t.Fatalf("%s: event %d: %s: %v", path, i, record, err)
		}
		if (name == "packet_sent" || name == "packet_received") && (data.Header.Type == "" || data.Header.Number == nil || data.Raw.Length == 0) {
			t.Errorf("%s: event %d, %s: %s", path, i, e.Name, record)
		}
		events = append(events, e)
	}
	return common.GroupID, events
}

func TestQlogFilesAreWhatQvisReads(t *testing.T) {
	r := real(t, lossy)
	r.QLog = true
	result := do(t, r)
	names := files(t, filepath.Join(result.Dir, "qlog"))
	want := []string{"connections.one.client.sqlog", "connections.one.server.sqlog", "connections.two.client.sqlog", "connections.two.server.sqlog"}
	if !slices.Equal(names, want) {
		t.Errorf("seed %d: the files are %q, want %q", result.Seed, names, want)
	}
	groups := make(map[string]string) // by connection
	for _, name := range names {
		entity := strings.TrimSuffix(name, ".sqlog")
		connection, side := strings.TrimSuffix(entity, filepath.Ext(entity)), filepath.Ext(entity)[1:]
		group, events := readQLog(t, filepath.Join(result.Dir, "qlog", name), fmt.Sprintf("%s, seed %d: %s", result.Name, result.Seed, entity), side)
		if other := groups[connection]; other != "" && other != group {
			t.Errorf("seed %d: %s: group %s, the other end has %s", result.Seed, name, group, other)
		}
		groups[connection] = group
		count := make(map[string]int)
		for _, e := range events {
			count[e.Name]++
		}
		// What the diagrams of qvis are drawn from.
		for _, name := range []string{"transport:packet_sent", "transport:packet_received", "transport:parameters_set", "recovery:metrics_updated"} {
			if count[name] == 0 {
				t.Errorf("seed %d: %s has no event %s", result.Seed, entity, name)
			}
		}
		// The times of both ends are those of the run: the server hears of the
		// connection no sooner than its packet can be there.
		if first := *events[0].Time; side == "server" && first <= 0 || *events[len(events)-1].Time > float64(result.Virtual)/1e6 {
			t.Errorf("seed %d: %s begins at %v ms and ends at %v ms of a run of %s", result.Seed, entity, first, *events[len(events)-1].Time, result.Virtual)
		}
	}
}

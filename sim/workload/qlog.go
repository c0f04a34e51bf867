package workload

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/quic-go/quic-go"
	http3qlog "github.com/quic-go/quic-go/http3/qlog"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"
	"github.com/quic-go/quic-go/qlogwriter/jsontext"
)

// qlogFile writes the qlog of one end of a connection as JSON-SEQ
// (draft-ietf-quic-qlog-main-schema, section 5). quic-go's own writer does so on a
// goroutine of its own, which would take part in scheduling. A nil qlogFile
// is one that is not wanted.
type qlogFile struct {
	open   func() io.WriteCloser
	header qlogHeader
	start  time.Time // of the run

	file    io.WriteCloser
	buffer  *bufio.Writer
	encoder *jsontext.Encoder
}

// qlogHeader is the first record of a file, with what the draft asks for and what
// qvis does, which knows version 0.3 only. There is no time_format: the draft's
// default is relative_to_epoch, qvis takes it for relative if there is a reference
// time, and the two have no name for it in common.
type qlogHeader struct {
	Schema      string    `json:"file_schema"`
	Format      string    `json:"serialization_format"`
	QvisFormat  string    `json:"qlog_format"`
	QvisVersion string    `json:"qlog_version"`
	Title       string    `json:"title"`
	Description string    `json:"description,omitempty"`
	Code        string    `json:"code_version,omitempty"`
	Trace       qlogTrace `json:"trace"`
}

type qlogTrace struct {
	Schemas      []string `json:"event_schemas"`
	VantagePoint struct {
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"vantage_point"`
	Common struct {
		Group     string `json:"group_id"`
		Reference struct {
			Clock string    `json:"clock_type"`
			Epoch string    `json:"epoch"`
			Wall  time.Time `json:"wall_clock_time"`
		} `json:"reference_time"`
	} `json:"common_fields"`
}

// newQLogFile returns the qlog of one end of a connection. Its times are those since
// the start of the run, so that the files of both ends fit together.
func (w *Workload) newQLogFile(entity, side string, id quic.ConnectionID) *qlogFile {
	q := &qlogFile{
		open:  func() io.WriteCloser { return w.options.QLog(entity) },
		start: w.world.Start(),
	}
	q.header = qlogHeader{
		Schema:      "urn:ietf:params:qlog:file:sequential",
		Format:      "application/qlog+json-seq",
		QvisFormat:  "JSON-SEQ",
		QvisVersion: "0.3",
		Title:       fmt.Sprintf("%s, seed %d: %s", w.scenario.Name, w.scenario.Seed, entity),
		Description: w.scenario.Description,
		Code:        w.options.Version,
	}
	trace := &q.header.Trace
	trace.Schemas = []string{qlog.EventSchema, http3qlog.EventSchema}
	trace.VantagePoint.Name, trace.VantagePoint.Type = entity, side
	trace.Common.Group = id.String()
	reference := &trace.Common.Reference
	reference.Clock, reference.Epoch, reference.Wall = "monotonic", "unknown", q.start
	return q
}

// write adds an event that happened at a virtual time.
func (q *qlogFile) write(at time.Time, e qlogwriter.Event) {
	if q.file == nil {
		q.file = q.open()
		q.buffer = bufio.NewWriterSize(q.file, 32<<10)
		q.buffer.WriteByte(qlogwriter.RecordSeparator)
		json.NewEncoder(q.buffer).Encode(q.header) // with a line feed
		q.encoder = jsontext.NewEncoder(q.buffer)
	}
	q.buffer.WriteByte(qlogwriter.RecordSeparator)
	for _, token := range []jsontext.Token{
		jsontext.BeginObject,
		jsontext.String("time"), jsontext.Float(float64(at.Sub(q.start).Nanoseconds()) / 1e6),
		jsontext.String("name"), jsontext.String(e.Name()),
		jsontext.String("data"),
	} {
		q.encoder.WriteToken(token)
	}
	// An error of writing is the file's to report.
	e.Encode(q.encoder, at)
	q.encoder.WriteToken(jsontext.EndObject)
}

func (q *qlogFile) close() {
	if q != nil && q.file != nil {
		q.buffer.Flush()
		q.file.Close()
	}
}

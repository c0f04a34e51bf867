package workload

import (
	"bufio"
	"io"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlogwriter"
	"github.com/quic-go/quic-go/qlogwriter/jsontext"
)

// qlogFile writes the qlog of one end of a connection as JSON-SEQ
// (draft-ietf-quic-qlog-main-schema, section 5). quic-go's own writer does so on a
// goroutine of its own, which would take part in scheduling. A nil qlogFile
// is one that is not wanted.
type qlogFile struct {
	open func() io.WriteCloser
	side string
	id   quic.ConnectionID

	file    io.WriteCloser
	buffer  *bufio.Writer
	encoder *jsontext.Encoder
	start   time.Time
}

// write adds an event that happened at a virtual time. Times in the file count
// from its first event.
func (q *qlogFile) write(at time.Time, e qlogwriter.Event) {
	if q.file == nil {
		q.file = q.open()
		q.buffer = bufio.NewWriterSize(q.file, 32<<10)
		q.start = at
		// Of quic-go's writer only the header is used, which it writes at once.
		qlogwriter.NewConnectionFileSeq(nopCloser{q.buffer}, q.side == "client", q.id)
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

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
